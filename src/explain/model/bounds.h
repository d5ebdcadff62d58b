/* SPDX-License-Identifier: MIT */
/*
 * Bounds: by each resource alone, how fast could the run have been?
 *
 * The largest is what dominates, and the ratio to the next one is what its removal gains at most.
 * An estimate, not a proof: what a request costs changes with how many there are.
 */
#ifndef EXPLAIN_BOUNDS_H
#define EXPLAIN_BOUNDS_H

#include <explain/facts/facts.h>

#define BOUNDS_MAX 12

struct bound {
        /*
         * slots      what requests held slots for, divided among these
         * server     as many answers a second as it gave at its fullest, where more at once only
         *            made them wait
         * link       as many bytes a second as came in the best tenth of the run, where the link
         *            may have let no more through
         * loop       all work of the loop's thread
         * processor  all processor time, divided among the processors
         * workers    all work of theirs, divided among them
         * rate       starts at the rate that was asked for
         * input      the last request was not there before
         * names      the longest lookup
         * longest    the longest request
         */
        const char *name;
        uint64_t ns;
        char formula[120];
};

/* The largest first; returns how many. */
size_t bounds_of(const struct facts *facts, struct bound bounds[BOUNDS_MAX]);

#endif
