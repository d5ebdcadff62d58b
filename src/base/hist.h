/* SPDX-License-Identifier: MIT */
/*
 * Histogram of durations
 *
 * Log-linear, like HdrHistogram: 64 steps for each doubling, so a quantile is off by less than 1/64
 * (1.6 %). Covers 1 ns to 2^63 ns in one array that never grows. min, max, sum and count are exact.
 */
#ifndef BASE_HIST_H
#define BASE_HIST_H

#include <stdint.h>

#define HIST_STEP_BITS 6
#define HIST_N_BUCKETS ((64 - HIST_STEP_BITS + 1) << HIST_STEP_BITS)

struct hist {
        uint64_t n, sum, min, max;
        uint32_t buckets[HIST_N_BUCKETS];
};

void hist_init(struct hist *hist);
void hist_add(struct hist *hist, uint64_t value);

/* Add all values of `other`. */
void hist_merge(struct hist *hist, const struct hist *other);

/*
 * The value that `share` (0 to 1) of all values do not exceed; 0 if there are none. Never above the
 * maximum.
 */
uint64_t hist_quantile(const struct hist *hist, double share);

#endif
