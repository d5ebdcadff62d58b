/* SPDX-License-Identifier: MIT */
/*
 * Histogram of durations with three significant digits
 *
 * As hist.h, and finer: 1024 steps for each doubling, so a quantile is off by less than 0.1 %, as
 * HdrHistogram's with three digits. It takes 440 KiB, which the kernel gives as values come; so a
 * run has a few of these, not one for each thing that it counts.
 */
#ifndef BASE_FINE_HIST_H
#define BASE_FINE_HIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fine_hist {
        uint64_t n, sum, min, max;
        uint64_t *counts;
};

/* MUSTER_E_RESOURCE: memory is out. */
int fine_hist_init(struct fine_hist *hist);

/* May be called twice, and for a zeroed one. */
void fine_hist_deinit(struct fine_hist *hist);

void fine_hist_add(struct fine_hist *hist, uint64_t value);

/* As hist_quantile(). */
uint64_t fine_hist_quantile(const struct fine_hist *hist, double share);

/* A run of values that are not told apart. */
struct fine_hist_bucket {
        uint64_t from, to; /* the least and the greatest of them */
        uint64_t n;
};

/*
 * The next bucket that is not empty, from `*at` on, which is 0 for the first. False: there is none.
 */
bool fine_hist_next(const struct fine_hist *hist, size_t *at, struct fine_hist_bucket *ret_bucket);

#endif
