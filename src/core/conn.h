/* SPDX-License-Identifier: MIT */
/*
 * A connection: from nothing to bytes both ways
 *
 * Dials, shakes hands where the origin is https, then carries bytes for one exchange after another.
 * What happens is told to the exchange (exchange.h): ready, sent, received, ended, failed.
 *
 *      DIALING ──▶ HANDSHAKE ──▶ READY ──▶ DEAD
 *         └────────(http)─────────▲          ▲ any state
 *
 * A closed connection is DEAD at once but its memory stays until the turn is over (conn_reap()), so
 * that whoever is on the stack can still look at its state.
 */
#ifndef CORE_CONN_H
#define CORE_CONN_H

#include "origin.h"
#include "tracing.h"
#include <http/decode.h>
#include <http/h1_read.h>
#include <muster/result.h>
#include <net/dial.h>
#include <tls/tls.h>

struct conn_dial;
struct engine;
struct muster_request;

enum conn_state { CONN_DIALING, CONN_HANDSHAKE, CONN_READY, CONN_DEAD };

struct conn {
        struct engine *engine;
        struct origin *origin;
        struct muster_request *request; /* NULL: idle */
        enum conn_state state;

        struct conn_dial *dial; /* while DIALING */
        struct loop_socket socket;
        struct tls *tls; /* NULL for http */
        struct buf out;  /* what is being sent; borrowed by the loop while is_sending */
        bool is_sending;
        /* errno of a send that failed: what the peer said before is still to be read */
        int send_sys;

        struct h1_reader reader;
        struct decoder *decoder; /* of the response that is arriving; NULL: none needed */

        struct list pool_link;   /* in pool->idle, by age; or in pool->dead */
        struct list origin_link; /* in origin->idle, newest first */
        uint64_t idle_since_ns;
        uint64_t sampled_ns; /* when TCP_INFO was asked last */
        struct muster_conn_info info;
        struct trace_conn_notes notes;
};

static inline struct conn *conn_of_pool_link(struct list *link)
{
        return LIST_OWNER(link, struct conn, pool_link);
}

static inline struct conn *conn_of_origin_link(struct list *link)
{
        return LIST_OWNER(link, struct conn, origin_link);
}

/*
 * Begin to connect for a request that runs; exchange_ready() or exchange_failed() follows from the
 * loop. MUSTER_E_RESOURCE, MUSTER_E_TLS with *error: there is no connection.
 */
int conn_open(struct engine *engine, struct muster_request *request, struct muster_error *error);

/* The empty buffer into which the head of a request is written before conn_send(). */
struct buf *conn_head(struct conn *conn);

/*
 * Send the head, and then `body`, which stays borrowed until all is sent. 0: the kernel has it all,
 * or it refused and reading will show why. CONN_SENDING: exchange_sent() follows. MUSTER_E_TLS,
 * MUSTER_E_RESOURCE with *error.
 */
#define CONN_SENDING 1
int conn_send(struct conn *conn, struct muster_str body, struct muster_error *error);

/* When an address of the host was known, 0 before that; for an attempt that ends while dialling. */
uint64_t conn_dns_end_ns(const struct conn *conn);

/* End it; `closer` is who wanted that. Nothing is told to the exchange. May be called twice. */
void conn_close(struct conn *conn, enum trace_closer closer);

/* Ask the kernel how the connection fares, not more often than is worth it. */
void conn_sample(struct conn *conn, uint64_t now_ns);

/* Has the kernel something for us that we did not read yet? */
bool conn_has_input(const struct conn *conn);

/* Bytes that the kernel did not take yet. */
size_t conn_unsent_bytes(const struct conn *conn);

/* Free a dead connection: the pool does that when no one can be looking at it. Returns NULL. */
struct conn *conn_free(struct conn *conn);

#endif
