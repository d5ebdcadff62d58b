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

/* The part that grew most from one mode to another; NULL: a request takes no longer. */
const struct part *grown_part(const struct mode *from, const struct mode *to);

/* How many times as long `a` takes as `b`, measured in the same rounds. */
struct estimate wall_ratio(const struct comparison *c, const struct mode *a, const struct mode *b);

/* What is known of a way that may be faster, by its ratio to the other. */
enum gain {
        GAIN_SURE,    /* it is, by so much that it matters */
        GAIN_NONE,    /* if it is, then by too little */
        GAIN_UNCLEAR, /* measured, and yet nothing is known */
};

enum gain gain_of(const struct estimate *ratio);

static inline double figure(const struct mode *mode, enum figure figure)
{
        return mode->medians[figure];
}

#endif
