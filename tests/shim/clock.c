/* SPDX-License-Identifier: MIT */
/*
 * A clock that is set while a program runs, loaded before it: after 200 ms the time of day is
 * CLOCK_STEP_S seconds later, or earlier. The monotonic clock and the kernel's stamps go on.
 */
#include <dlfcn.h>
#include <stdlib.h>
#include <time.h>

#define STEP_AFTER_NS 200000000

typedef int (*clock_gettime_function)(clockid_t, struct timespec *);

static long long ns_of(const struct timespec *time)
{
        return time->tv_sec * 1000000000LL + time->tv_nsec;
}

__attribute__((visibility("default"))) int clock_gettime(clockid_t id, struct timespec *time)
{
        static clock_gettime_function real;
        static long long begin_ns;
        struct timespec monotonic;
        int r;

        if (!real)
                *(void **)&real = dlsym(RTLD_NEXT, "clock_gettime");
        r = real(id, time);
        real(CLOCK_MONOTONIC, &monotonic);
        if (!begin_ns)
                begin_ns = ns_of(&monotonic);
        if (r == 0 && (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE) &&
                ns_of(&monotonic) - begin_ns > STEP_AFTER_NS)
                time->tv_sec += atol(getenv("CLOCK_STEP_S"));
        return r;
}
