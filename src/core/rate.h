/* SPDX-License-Identifier: MIT */
/*
 * A rate: moments, evenly spaced
 *
 * The k-th one is t0 + k / rate, to the nanosecond however large k is: what lies below a nanosecond
 * is carried on. Whoever takes moments too late gets those that have passed, one after another, as
 * they were planned. That is what a plan is for; where nobody wanted them, rate_begin() lets go of
 * them, so that none is saved up.
 *
 *      t0 ─┬─────┬─────┬─────┬─────┬ ─ ─ ─        ┬─────┬─────┬─▶
 *          taken taken taken taken next   nobody  begin: t0 anew
 *
 * Time is passed in. A zeroed rate is none: its next moment is 0, any will do.
 */
#ifndef CORE_RATE_H
#define CORE_RATE_H

#include <stdbool.h>
#include <stdint.h>

#define RATE_PER_S_MIN 1e-9 /* once in 30 years */
#define RATE_PER_S_MAX 1e9  /* one a nanosecond */

struct rate {
        uint64_t interval_ns, next_ns;
        uint32_t interval_part, next_part; /* 2^-32 ns, beside these */
};

/* 0: no limit; else within the bounds above. */
void rate_init(struct rate *rate, double per_s);

static inline bool rate_is_limited(const struct rate *rate)
{
        return rate->interval_ns != 0;
}

/* The next moment; 0 without a limit. */
uint64_t rate_next_ns(const struct rate *rate);

/* The same, and it is used up. */
uint64_t rate_take(struct rate *rate);

/*
 * Nobody has wanted a moment up to now: those that have passed are gone, the next one is at
 * `now_ns` or later.
 */
void rate_begin(struct rate *rate, uint64_t now_ns);

/* Nothing could be done before `now_ns`: of the moments that have passed one is left. */
void rate_catch_up(struct rate *rate, uint64_t now_ns);

#endif
