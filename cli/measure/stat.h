/* SPDX-License-Identifier: MIT */
/*
 * What a few repeated measurements say
 *
 * Medians, because a round in which the machine was busy with something else must not count for
 * more than one round; and how far they can be trusted, by the bootstrap (Efron 1979): the rounds
 * are drawn again with replacement, many times, and the middle 95 % of the medians of these draws
 * is the interval. The draws are the same ones in every run of the program. With six rounds the
 * interval is about the range from the least to the greatest: honest, as six rounds know no more.
 */
#ifndef CLI_MEASURE_STAT_H
#define CLI_MEASURE_STAT_H

#include <stdbool.h>
#include <stddef.h>

#define STAT_VALUES_MAX 1000

struct estimate {
        double median;
        double low, high; /* with 95 % confidence between these */
};

/* Of `n` values, 1 to STAT_VALUES_MAX. */
double stat_median(const double *values, size_t n);
struct estimate stat_estimate(const double *values, size_t n);

/* Of the ratios a[i] / b[i]: measured in the same round, under the same circumstances. */
struct estimate stat_estimate_ratio(const double *a, const double *b, size_t n);

/* Are these figures, a ratio, surely on one side of 1, and by `least` or more (0.05: 5 %)? */
bool stat_is_above_one(const struct estimate *ratio, double least);
bool stat_is_below_one(const struct estimate *ratio, double least);

#endif
