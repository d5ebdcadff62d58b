/* SPDX-License-Identifier: MIT */
/*
 * Scatter: how much the wall time of the same differs from one run to the next
 *
 * A prediction is of a run that is still to come, and no two runs take the same. By how much they
 * differ one run tells in three ways, and the largest counts: its requests, drawn anew; its tenths,
 * which differ more than that where something else slowed it down for a while; and how far a replay
 * of it is off. To that comes how long others had the processors.
 */
#ifndef EXPLAIN_SCATTER_H
#define EXPLAIN_SCATTER_H

#include <explain/facts/facts.h>

struct scatter {
        double share;       /* of a wall time: nine in ten runs are within it, either way */
        uint64_t others_ns; /* and so much, as others may have the processors or not */
        double loading;     /* of what a watched program does before its requests, either way */
};

/* Never nothing. */
void scatter_measure(struct scatter *scatter, const struct facts *facts);

/*
 * Between these is a wall time that is expected to be `wall_ns`; the former is above 0. It was
 * `was_ns`, and others do not make it longer than that.
 */
uint64_t scatter_low_ns(const struct scatter *scatter, uint64_t wall_ns);
uint64_t scatter_high_ns(const struct scatter *scatter, uint64_t wall_ns, uint64_t was_ns);

/*
 * The same of runs that differ in nothing at all, for the ends of a range: a run that gains all that it
 * may, or nothing, is still one of many.
 */
uint64_t runs_differ_low_ns(uint64_t wall_ns);
uint64_t runs_differ_high_ns(uint64_t wall_ns);

#endif
