/* SPDX-License-Identifier: MIT */
/*
 * Stops: responses that stood still between their first byte and their last
 *
 * A small response can be sent at once, so where it stops something is waited for. There are two:
 *
 *      an acknowledgement   the server wrote it in pieces and Nagle's algorithm held the next one
 *                           back. Our kernel delays the acknowledgement by 40 ms, but not on a
 *                           new connection; where it does not, the stop is a round trip
 *      the server itself    it flushed what it had, and made the rest later
 *
 * A stop of any other length is the server's, as no acknowledgement is delayed by less. Of this
 * length both can be. A few responses, though, were acknowledged at once (trace.h): what waited for
 * that went on, and a server that makes a pause made it all the same.
 */
#ifndef EXPLAIN_STOPS_H
#define EXPLAIN_STOPS_H

#include <explain/facts/facts.h>

struct stops {
        /* Responses in several pieces that were not acknowledged at once, and stopped for 40 ms: */
        size_t n_kept, n_kept_held; /* on connections used before */
        size_t n_new, n_new_held;   /* on new ones, without TLS: a handshake is use as well */
        size_t n_long_held;         /* of all: such as take a while in any case */
        /* ... that were, on connections used before; and stopped for 40 ms or more */
        size_t n_tried, n_tried_held;
        uint64_t held_ns; /* together */
        bool is_tls;
        bool is_nagle; /* what stopped for 40 ms waited for an acknowledgement */
};

void stops_of(struct stops *stops, const struct facts *facts);

/* Did it stop for 40 ms and a round trip? */
bool stop_is_held_back(const struct facts *facts, const struct trace_attempt *attempt);

/*
 * How long the server itself had an answer stand still: a small one from its first byte to its last,
 * as all of it could have been sent at once; a large one where it had hardly begun. 0: it did not,
 * or what else may have been the reason.
 */
uint64_t stop_of_server_ns(const struct stops *stops, const struct facts *facts,
        const struct trace_attempt *attempt);

#endif
