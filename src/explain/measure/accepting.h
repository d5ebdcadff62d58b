/* SPDX-License-Identifier: MIT */
/*
 * Accepting: does the server take in connections slowly, one after the other?
 *
 * For us a connection is there when the server's kernel has it; the server's program may get to it
 * later. Until then a request on it waits. The first answer takes the longer the more connections
 * came before, while later answers on the same connections come at once. It is something else where
 * all answers take long, where all first answers take equally long (a server that has to warm up),
 * with TLS, where the handshake has to wait, where the kernel had no room for more (dialling.h), and
 * where the next is taken in only when another one has ended (serving.h).
 */
#ifndef EXPLAIN_ACCEPTING_H
#define EXPLAIN_ACCEPTING_H

#include <explain/facts/facts.h>

/* At the host with most requests. */
struct accepting {
        /*
         * The kernel dropped first packets, or the server serves only so many (serving.h): no more
         * is told here
         */
        bool had_no_room, is_limited;
        bool is_slow;           /* and else nothing below means anything */
        size_t n;               /* connections that came together */
        struct spread first_ns; /* until the first answer on each */
        struct spread kept_ns;  /* ... and until later ones */
        double each_ns;         /* by how much a first one took longer than the one before */
};

void accepting_of(struct accepting *accepting, const struct facts *facts);

/* Were connections held up by it, one way or the other? Then first answers are late for that. */
bool accepting_held_up(const struct facts *facts);

/* One that waited, or may have, for its connection to be taken in. */
bool accepting_is_first(const struct facts *facts, const struct trace_attempt *attempt);

#endif
