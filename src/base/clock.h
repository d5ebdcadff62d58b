/* SPDX-License-Identifier: MIT */
/*
 * The clock: nanoseconds of CLOCK_MONOTONIC, or of a test's own time
 *
 * A manual clock stands still until it is set. A loop on a manual clock does not sleep: when no
 * descriptor is ready, it moves the clock to its next deadline. So an hour of retries passes in a
 * millisecond.
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#define NS_PER_S  UINT64_C(1000000000)
#define NS_PER_MS UINT64_C(1000000)
#define NS_PER_US UINT64_C(1000)

struct clock {
        bool is_manual;
        uint64_t manual_ns;
};

static inline uint64_t clock_ns_of(clockid_t id)
{
        struct timespec now;

        clock_gettime(id, &now);
        return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

/* The time for code that is given no clock. */
static inline uint64_t clock_monotonic(void)
{
        return clock_ns_of(CLOCK_MONOTONIC);
}

static inline uint64_t clock_now(const struct clock *clock)
{
        return clock->is_manual ? clock->manual_ns : clock_monotonic();
}

/* The moment `ns` after `start`, or never (UINT64_MAX) if that does not fit. */
static inline uint64_t clock_after(uint64_t start, uint64_t ns)
{
        return ns > UINT64_MAX - start ? UINT64_MAX : start + ns;
}

#endif
