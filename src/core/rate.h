/* SPDX-License-Identifier: MIT */
/*
 * A rate: evenly spaced moments
 *
 * The k-th moment is t0 + k / rate, exact to the nanosecond however large k is: fractions of a
 * nanosecond are carried on. A taker who is late gets the moments that have passed, one after
 * another, as planned. If nobody wanted moments for a while, rate_begin() drops those that have
 * passed, so that none are saved up.
 *
 *      t0 ─┬─────┬─────┬─────┬─────┬ ─ ─ ─        ┬─────┬─────┬─▶
 *          taken taken taken taken next   nobody  begin: t0 anew
 *
 * A rate may begin with a ramp (ramp.h), from another rate to this one. The ramp goes by the time
 * since the first rate_begin(), whether or not moments are taken.
 *
 * Time is passed in. A zeroed rate is no limit: its next moment is 0.
 */
#ifndef CORE_RATE_H
#define CORE_RATE_H

#include "ramp.h"
#include <stdbool.h>
#include <stdint.h>

#define RATE_PER_S_MIN 1e-9 /* one in 30 years */
#define RATE_PER_S_MAX 1e9  /* one a nanosecond */

struct rate {
        uint64_t interval_ns, next_ns;
        uint32_t interval_part, next_part; /* fractions of these, in 2^-32 ns */
        struct ramp ramp;                  /* what comes before the rate is constant */
};

/* Set the rate. 0: no limit; otherwise within the bounds above. */
void rate_init(struct rate *rate, double per_s);

/* Before the first moment: change from `from_per_s`, which may be 0, to the rate in `over_ns`. */
void rate_set_ramp(struct rate *rate, double from_per_s, uint64_t over_ns);

static inline bool rate_is_limited(const struct rate *rate)
{
        return rate->interval_ns != 0;
}

/* The next moment; 0 without a limit. */
uint64_t rate_next_ns(const struct rate *rate);

/* Take the next moment. */
uint64_t rate_take(struct rate *rate);

/*
 * Drop the moments that have passed, as nobody wanted one until `now_ns`: the next one is `now_ns`
 * or later.
 */
void rate_begin(struct rate *rate, uint64_t now_ns);

/* Drop all but one of the moments that have passed, as none could be used before `now_ns`. */
void rate_catch_up(struct rate *rate, uint64_t now_ns);

#endif
