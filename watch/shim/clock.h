/* SPDX-License-Identifier: MIT */
/*
 * The time, at little cost
 *
 * Two readings an event are most of what watching costs. clock_gettime() goes by the C library and
 * two pages of the kernel's, which a system call has put out of the caches. What it reads is the
 * processor's counter, where the kernel trusts that; so do we then, and ask for the real time once in
 * a while only: then a thread notes by how much its own account is off.
 *
 * A signal handler may come between any two instructions. An offset is right whenever it is used, as
 * the rate of a thread never changes; when it was noted says only how old it is.
 */
#ifndef SHIM_CLOCK_H
#define SHIM_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

struct clock {
        uint64_t rate;      /* ns of a tick, times 2^32; 0: not known */
        uint64_t offset_ns; /* of the time to that of the ticks */
        uint64_t at_ticks;  /* when that was noted */
        uint64_t most;      /* for so many ticks it is good; 0: for none */

        uint64_t first_ns, first_ticks; /* from where on the rate is told */
        bool is_off;                    /* they do not agree, so it is no more used here */
};
extern _Thread_local struct clock this_clock __attribute__((tls_model("initial-exec")));

/* Asks for the real time, and notes it. */
uint64_t clock_ask(void);

__extension__ typedef unsigned __int128 clock_wide;

static inline uint64_t clock_ticks_ns(uint64_t ticks, uint64_t rate)
{
        return (uint64_t)(((clock_wide)ticks * rate) >> 32);
}

/* Of CLOCK_MONOTONIC, to less than a microsecond. */
static inline uint64_t shim_now(void)
{
#if defined(__x86_64__)
        const struct clock *clock = &this_clock;
        uint64_t ticks = __builtin_ia32_rdtsc();

        if (__builtin_expect(ticks - clock->at_ticks < clock->most, 1))
                return clock_ticks_ns(ticks, clock->rate) + clock->offset_ns;
#endif
        return clock_ask();
}

/* How long ago that was; never less than nothing, though two accounts differ a little. */
static inline uint64_t shim_since(uint64_t at_ns)
{
        uint64_t now = shim_now();

        return now > at_ns ? now - at_ns : 0;
}

#endif
