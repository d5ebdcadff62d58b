/* SPDX-License-Identifier: MIT */
/*
 * Two modes beside each other: how much longer the one takes, and what of
 *
 * A difference counts when its interval excludes none, and when it is large enough to matter.
 */
#ifndef CLI_COMPARE_DIFFERENCE_H
#define CLI_COMPARE_DIFFERENCE_H

#include "comparison.h"

#define MATTERS      0.05 /* less than this nobody would change anything for */
#define MATTERS_MUCH 0.10

/* A kind of time that a request spends. */
struct part {
        enum figure figure;
        const char *what; /* a request spends it ... */
        const char *who;  /* ... which is the doing of ... */
};

/* The part that grew most from one mode to another. */
const struct part *grown_part(const struct mode *from, const struct mode *to);

/* How many times as long `a` takes as `b`, measured in the same rounds. */
struct estimate wall_ratio(const struct comparison *c, const struct mode *a, const struct mode *b);

static inline double figure(const struct mode *mode, enum figure figure)
{
        return mode->medians[figure];
}

#endif
