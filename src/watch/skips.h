/* SPDX-License-Identifier: MIT */
/*
 * Places in a row that are used up one by one
 *
 * Which free one is the nearest to a place, below it or above? Those that are used are not gone
 * through again and again: each knows a free one further on, so a row is gone through about once.
 */
#ifndef WATCH_SKIPS_H
#define WATCH_SKIPS_H

#include <stddef.h>

#define SKIPS_NONE ((size_t)-1)

/* Zeroed it is a row of none. */
struct skips {
        size_t *down, *up; /* [i + 1] is of place i: itself where it is free, else one further on */
        size_t n;
};

/* All n places are free. MUSTER_E_RESOURCE; skips_deinit() is to be called in any case. */
int skips_init(struct skips *skips, size_t n);
void skips_deinit(struct skips *skips);

void skips_use(struct skips *skips, size_t place);

/* The nearest free place, this one or below; SKIPS_NONE: there is none. */
size_t skips_down(struct skips *skips, size_t place);

/* The same above. The place may be the one behind the last. */
size_t skips_up(struct skips *skips, size_t place);

#endif
