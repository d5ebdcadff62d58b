/* SPDX-License-Identifier: MIT */
/*
 * A duration that varies
 *
 *      20ms                    always this
 *      uniform:10ms:50ms       between the two, all equally likely
 *      exp:20ms                exponential, with this mean
 *      lognormal:20ms:0.5      log-normal, with this median; 0.5 is the standard deviation of the logarithm
 */
#ifndef LAB_SPREAD_H
#define LAB_SPREAD_H

#include <base/rand.h>
#include <base/str.h>

enum spread_kind { SPREAD_FIXED, SPREAD_UNIFORM, SPREAD_EXPONENTIAL, SPREAD_LOGNORMAL };

/* Zeroed is always 0. */
struct spread {
        enum spread_kind kind;
        uint64_t a_ns; /* the duration, the least, the mean, the median */
        uint64_t b_ns; /* UNIFORM: the most */
        double sigma;  /* LOGNORMAL */
};

/* False when it is none of the above. */
bool spread_parse(struct muster_str text, struct spread *ret_spread);

/* What spread_parse() takes, in words, for error texts. */
#define SPREAD_FORMS "20ms, uniform:10ms:50ms, exp:20ms, lognormal:20ms:0.5"

/* Draw a duration, in nanoseconds; an exponential or log-normal one is at most an hour. */
uint64_t spread_draw(const struct spread *spread, struct rand *rand);

/* The mean; of a log-normal spread at most an hour. */
uint64_t spread_mean_ns(const struct spread *spread);

static inline bool spread_is_zero(const struct spread *spread)
{
        return spread->a_ns == 0 && spread->b_ns == 0;
}

#endif
