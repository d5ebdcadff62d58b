/* SPDX-License-Identifier: MIT */
/*
 * Serving: does the server serve only so many connections at once?
 *
 * A server that has a worker for each connection serves no more of them than it has workers, and a
 * worker stays with its connection until that ends: also while it is idle, until the server's
 * keep-alive timeout. To us a further connection is open, as the kernel has it, but its first answer
 * comes only when another connection has ended. So each of those that waited shows it:
 *
 *      its first answer came just after the end of another connection, a different one for each;
 *      or none came within a time limit, while as many were served as ever were
 *      meanwhile the others were idle, or were answered requests that were made later
 *
 * A full server without such workers answers requests in turn, whatever their connection is; one that
 * accepts slowly takes in the next one without any end; one that ends each connection with its answer
 * holds none.
 */
#ifndef EXPLAIN_SERVING_H
#define EXPLAIN_SERVING_H

#include <explain/facts/facts.h>

/* Of the host with most requests. */
struct serving {
        bool is_limited;          /* and else nothing below means anything */
        uint64_t most;            /* connections that were served at once */
        size_t n_conns;           /* that were answered */
        size_t n_waited;          /* of these: whose first answer waited for the end of another */
        uint64_t late_ns;         /* they waited longer than this */
        uint64_t least_tcp_ns;    /* connecting */
        uint64_t longest_ns;      /* a wait */
        uint64_t typical_ns;      /* an answer on a connection that is served */
        size_t n_idle_ends;       /* ends for which one waited, of connections that were idle */
        struct spread idle_ns;    /* until these */
        size_t n_ended_by_server; /* of all ends for which one waited */
        size_t n_overtook;        /* answers that others were given while one waited */
        size_t n_unserved;        /* connections without any answer until a time limit */
        size_t n_failed;          /* requests that failed for that */
        size_t n_idle_then;       /* of those served at that time: were idle for most of it */
};

void serving_of(struct serving *serving, const struct facts *facts);

/* The same, for whoever wants to know no more. */
bool serving_is_limited(const struct facts *facts);

/* Was it the idle that held the workers? Else it is connections in use. */
bool serving_is_idle(const struct serving *serving);

/* Is it the first attempt of a connection that waited to be served? */
bool serving_waited(const struct serving *serving, const struct facts *facts,
        const struct trace_attempt *attempt);

#endif
