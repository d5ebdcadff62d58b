/* SPDX-License-Identifier: MIT */
/*
 * Contention: did answers wait beside the handshakes of others?
 *
 * A server that computes handshakes has no processor for answers meanwhile. How long it takes for
 * an answer then says nothing of a run without these handshakes. A run has both: in its last
 * moments hardly anybody shakes hands any more. Answers that were begun then are held against all.
 */
#ifndef EXPLAIN_CONTENTION_H
#define EXPLAIN_CONTENTION_H

#include <explain/facts/facts.h>

struct contention {
        bool is_there; /* answers took much longer beside many handshakes than beside few */
        /*
         * Of an answer beside few, at the server: one of the quicker ones, as few are not none.
         */
        uint64_t alone_ns;
        uint64_t most;  /* handshakes at a time */
        size_t n_alone; /* answers that were begun beside few */
        /* Of an answer beside none, at the server; and how many these were. */
        uint64_t calm_ns;
        size_t n_calm;
};

/* Zeroed where there were no handshakes, or memory is out. */
void contention_of(struct contention *contention, const struct facts *facts);

#endif
