/* SPDX-License-Identifier: MIT */
/*
 * Watched programs: requests that are all made at once, without a limit
 *
 * Each opens a connection then, and they do so beside each other: the more there are, the longer each
 * of them takes, for the program's own processor as well.
 */
#ifndef EXPLAIN_PROGRAM_UNBOUNDED_H
#define EXPLAIN_PROGRAM_UNBOUNDED_H

#include <explain/facts/facts.h>

struct unbounded {
        size_t n_failed;    /* there were no more descriptors or ports */
        struct spread took; /* what opening a connection took */
        uint64_t best;      /* at a time the run would be shortest; 0: it would not */
        uint64_t wall_ns;   /* then */
};

/* Is that so, and did it do harm? */
bool unbounded_measure(struct unbounded *unbounded, const struct facts *facts);

#endif
