/* SPDX-License-Identifier: MIT */
/*
 * Waiting: how long the server was waited for
 *
 * Until the first byte of an answer comes; and until the last one, where the rest of a small answer
 * is late. A body that fits into the first window is sent at once, so it was not made yet: the
 * program prints its head and then works, or prints line by line. The time is not the server's
 * where packets were lost, nor where it waited for an acknowledgement (stops.h). Large bodies are
 * looked at in causes_bodies.c.
 */
#ifndef EXPLAIN_WAITING_H
#define EXPLAIN_WAITING_H

#include "stops.h"

struct waiting {
        uint64_t chain_ns;   /* of the wall time, on the way there and back, too */
        uint64_t sum_ns;     /* of slots' time */
        bool come_in_pieces; /* most of what was received late was late for the server */
        uint64_t rest_p50_ns, rest_max_ns; /* then, from the first byte to the last */
        uint64_t paused_ns;                /* of sum_ns, between first bytes and last ones */
};

void waiting_measure(struct waiting *waiting, const struct facts *facts);

/*
 * How long one attempt waited: from its last byte sent to its first received, and what it then
 * paused.
 */
uint64_t waiting_ns(const struct stops *stops, const struct facts *facts,
        const struct trace_attempt *attempt);

/* Was most of it after first bytes? Then another rule tells of that (causes_pieces.c). */
bool waiting_is_for_pieces(const struct waiting *waiting);

/* Did waiting for answers make the run long, and has nothing else there a name of its own? */
bool waiting_took_long(const struct waiting *waiting, const struct facts *facts);

#endif
