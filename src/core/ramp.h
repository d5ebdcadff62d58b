/* SPDX-License-Identifier: MIT */
/*
 * A ramp: moments of a rate that changes evenly with time
 *
 * From `from` to `to` moments a second within a time T, n(t) = from t + (to - from) t^2 / 2T moments
 * come in the first t. So moment k comes when n(t) = k. It is calculated from k each time, and not
 * from the one before, so errors do not add up: it is exact to the nanosecond up to RAMP_NS_MAX.
 *
 * Time is passed in. A zeroed ramp is none.
 */
#ifndef CORE_RAMP_H
#define CORE_RAMP_H

#include <stdint.h>

/* 53 bits of a double hold this many ns with fractions to spare. */
#define RAMP_NS_MAX (7ull * 24 * 3600 * 1000000000)

struct ramp {
        double from_per_ns, rise; /* moments a ns; how that grows, a ns */
        uint64_t over_ns;         /* how long it takes; 0: there is none, or it is over */
        uint64_t begin_ns;        /* 0: not begun */
        double n;                 /* the next moment's number; a plan begun anew is between two */
};

/* `over_ns` from 1 to RAMP_NS_MAX; the rates are a second's, one of them is not 0. */
void ramp_init(struct ramp *ramp, double from_per_s, double to_per_s, uint64_t over_ns);

/* How many moments come in the first `ns` of the ramp, the one at 0 included. */
double ramp_count(const struct ramp *ramp, uint64_t ns);

/*
 * When moment `n` comes: ns after the beginning. `n` is at most the count of the whole ramp.
 */
double ramp_moment_ns(const struct ramp *ramp, double n);

#endif
