/* SPDX-License-Identifier: MIT */
#include "clock.h"

#include <fcntl.h>
#include <string.h>

#include "raw.h"
#include "shim.h"

/* Of what length of time the rate is told: not of one in which the machine may have slept. */
#define BASELINE_NS_MIN (2 * NS_PER_MS)
#define BASELINE_NS_MAX NS_PER_S
/* The time may be made faster or slower meanwhile, by 500 ppm at most: the error is half a microsecond. */
#define GOOD_NS     NS_PER_MS
#define APART_TICKS 2000 /* two readings between which nothing came */

_Thread_local struct clock this_clock;

static uint64_t rate; /* the same for all threads; atomic; 0: not known */

static uint64_t real_ns(void)
{
        struct timespec t;

        clock_gettime(CLOCK_MONOTONIC, &t);
        return (uint64_t)t.tv_sec * NS_PER_S + (uint64_t)t.tv_nsec;
}

#if defined(__x86_64__)

/* The real time, and the ticks at that; false: something came between. */
static bool read_both(uint64_t *ret_ns, uint64_t *ret_ticks)
{
        uint64_t before = __builtin_ia32_rdtsc(), after;

        *ret_ns = real_ns();
        after = __builtin_ia32_rdtsc();
        *ret_ticks = before + (after - before) / 2;
        return after - before < APART_TICKS;
}

/* Is the time that of the counter, the same on all processors? */
static bool is_kernels_own(void)
{
        static const char path[] =
                "/sys/devices/system/clocksource/clocksource0/current_clocksource";
        char name[4];
        long n, fd = raw4(SYS_openat, AT_FDCWD, raw_address(path), O_RDONLY | O_CLOEXEC, 0);

        if (fd < 0)
                return false;
        n = raw3(SYS_read, fd, raw_address(name), sizeof name);
        raw1(SYS_close, fd);
        return n == 4 && memcmp(name, "tsc\n", 4) == 0;
}

/* Once it is known it stays as it is. 0: not yet. */
static uint64_t find_rate(struct clock *clock, uint64_t ns, uint64_t ticks)
{
        uint64_t found = __atomic_load_n(&rate, __ATOMIC_RELAXED), none = 0;
        uint64_t gone_ns = ns - clock->first_ns;

        if (found || shim.is_sealed)
                return found;
        if (clock->first_ns == 0 || gone_ns > BASELINE_NS_MAX || ticks <= clock->first_ticks) {
                clock->first_ns = ns;
                clock->first_ticks = ticks;
                return 0;
        }
        if (gone_ns < BASELINE_NS_MIN)
                return 0;
        if (!is_kernels_own()) {
                clock->is_off = true;
                return 0;
        }
        found = (uint64_t)(((clock_wide)gone_ns << 32) / (ticks - clock->first_ticks));
        if (!__atomic_compare_exchange_n(&rate, &none, found, false, __ATOMIC_RELAXED,
                    __ATOMIC_RELAXED))
                found = none;
        return found;
}

/* Is the time where the last note would have it, but for a thousandth of what has gone since? */
static bool agrees(const struct clock *clock, uint64_t ns, uint64_t ticks)
{
        uint64_t expected = clock_ticks_ns(ticks, clock->rate) + clock->offset_ns;
        uint64_t gone_ns = clock_ticks_ns(ticks - clock->at_ticks, clock->rate);
        uint64_t off_ns = expected > ns ? expected - ns : ns - expected;

        return clock->most == 0 || off_ns <= gone_ns / 1000 + NS_PER_US;
}

uint64_t clock_ask(void)
{
        struct clock *clock = &this_clock;
        uint64_t ns, ticks;

        if (clock->is_off)
                return real_ns();
        if (!read_both(&ns, &ticks))
                return ns;
        if (!clock->rate)
                clock->rate = find_rate(clock, ns, ticks);
        if (!clock->rate)
                return ns;
        if (!agrees(clock, ns, ticks)) {
                clock->most = 0;
                clock->is_off = true;
                return ns;
        }
        __atomic_store_n(&clock->offset_ns, ns - clock_ticks_ns(ticks, clock->rate),
                __ATOMIC_RELAXED);
        __atomic_store_n(&clock->at_ticks, ticks, __ATOMIC_RELAXED);
        clock->most = (GOOD_NS << 32) / clock->rate;
        return ns;
}

#else

uint64_t clock_ask(void)
{
        return real_ns();
}

#endif
