/* SPDX-License-Identifier: MIT */
/*
 * Bars of text: a histogram of latencies, and a time line
 *
 * Bars are block elements of Unicode, an eighth of a column fine, where the locale is one of UTF-8;
 * else they are made of "#".
 */
#ifndef CLI_LOAD_CHART_H
#define CLI_LOAD_CHART_H

#include "../text/layout.h"
#include "load.h"

#define CHART_BAR_BYTES 400

/* The bar for `value`, where `most` has `columns`; a value above 0 has one that is seen. */
void chart_bar(double value, double most, unsigned columns, bool has_blocks,
        char bar[CHART_BAR_BYTES]);

/* Does the locale have block elements? */
bool chart_has_blocks(void);

/* Requests by their latency, which is that from the plan where there is one. */
void chart_histogram(const struct fine_hist *hist, const struct page *page);

/* The median and p99 over time, and what failed. */
void chart_timeline(const struct timeline *timeline, bool has_plan, const struct page *page);

#endif
