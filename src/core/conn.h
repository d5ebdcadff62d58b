/* SPDX-License-Identifier: MIT */
/*
 * A connection: from nothing to bytes both ways
 *
 * Dials, shakes hands where the origin is https, then carries bytes. It knows no request: whoever
 * uses it is in `exchanges`, and is told what happens by a table of functions (struct conn_ops).
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
#include <muster/result.h>
#include <net/dial.h>
#include <tls/tls.h>

struct conn;
struct conn_dial;
struct engine;
struct mux;

enum conn_state { CONN_DIALING, CONN_HANDSHAKE, CONN_READY, CONN_DEAD };

/* Who uses a connection, and is told what happens. It may be DEAD after each of these. */
struct conn_ops {
        struct muster_str alpn;           /* the protocols to offer over TLS: see tls_new() */
        void (*ready)(struct conn *conn); /* bytes can be sent */
        void (*sent)(struct conn *conn);  /* the kernel has all that was to be sent */
        /* So many bytes came and are where conn_place() said; received() follows. */
        void (*placed)(struct conn *conn, size_t n);
        /*
         * Bytes came, none where all of them were placed; borrowed. `kernel_ns`: when the kernel had
         * them, 0: not known.
         */
        void (*received)(struct conn *conn, struct muster_str bytes, uint64_t kernel_ns);
        void (*ended)(struct conn *conn);                     /* the peer will send no more */
        void (*acked)(struct conn *conn, uint64_t kernel_ns); /* the peer's kernel has it all */
        /* It is of no more use: to be closed. */
        void (*failed)(struct conn *conn, const struct muster_error *error);
        /* It is closed. Its memory goes by conn_free(), when nobody can be looking at it. */
        void (*closed)(struct conn *conn);
};

struct conn {
        struct engine *engine;
        const struct conn_ops *ops;
        struct origin *origin;
        struct list exchanges; /* who uses it, or waits for it to be READY; empty: idle */
        enum conn_state state;

        struct conn_dial *dial; /* while DIALING */
        struct loop_socket socket;
        struct tls *tls;    /* NULL for http */
        struct iovec place; /* of https: where what is decrypted next goes; none: engine->plain */
        struct buf out;     /* what is being sent; borrowed by the loop while is_sending */
        bool is_sending;
        /* errno of a send that failed: what the peer said before is still to be read */
        int send_sys;
        struct mux *mux; /* how those who use it share it: mux.h; NULL until it is READY */

        struct list pool_link;   /* idle: in pool->idle, by age; or in pool->dead */
        struct list origin_link; /* has room: in origin->usable, newest first */
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

/* A connection to an origin, not begun. NULL when memory is out. */
struct conn *conn_new(struct engine *engine, struct origin *origin, const struct conn_ops *ops,
        uint64_t now_ns);

/*
 * Begin to connect; ready() or failed() follows from the loop. MUSTER_E_RESOURCE, MUSTER_E_INVALID
 * with *error: it is to be closed.
 */
int conn_dial(struct conn *conn, struct muster_error *error);

/* The empty buffer into which the head of a request is written before conn_send(). */
struct buf *conn_head(struct conn *conn);

/*
 * Send the head, and then `body`, which stays borrowed until all is sent. 0: the kernel has it all,
 * or it refused and reading will show why. CONN_SENDING: sent() follows. MUSTER_E_TLS,
 * MUSTER_E_RESOURCE with *error.
 */
#define CONN_SENDING 1
int conn_send(struct conn *conn, struct muster_str body, struct muster_error *error);

/*
 * Have the next bytes put there, without a copy, as they come: placed() tells. Borrowed until all of
 * it is full, or the connection is closed. One place at a time.
 */
void conn_place(struct conn *conn, struct iovec borrow_room);
bool conn_has_place(const struct conn *conn);

/* When an address of the host was known, 0 before that. */
uint64_t conn_dns_end_ns(const struct conn *conn);

/* End it; `closer` is who wanted that. Nobody uses it any more. May be called twice. */
void conn_close(struct conn *conn, enum trace_closer closer);

/* Ask the kernel how the connection fares, not more often than is worth it. */
void conn_sample(struct conn *conn, uint64_t now_ns);

/* Has the kernel something for us that we did not read yet? */
bool conn_has_input(const struct conn *conn);

/* Bytes that the kernel did not take yet. */
size_t conn_unsent_bytes(const struct conn *conn);

/* Free one that was closed, or never dialled. Returns NULL. */
struct conn *conn_free(struct conn *conn);

#endif
