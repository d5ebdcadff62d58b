/* SPDX-License-Identifier: MIT */
/*
 * A connection: from dialling to bytes in both directions
 *
 * It is opened (conn_open.h), which may take a proxy and TLS, then carries bytes. It knows no
 * request: those that use it or wait for it are in its lists, and learn what happens from a table of
 * functions (struct conn_ops).
 *
 *      DIALING ─▶ PROXY_HANDSHAKE ─▶ TUNNEL ─▶ HANDSHAKE ─▶ READY ─▶ DEAD
 *                 (an https proxy)   (most)    (https)                ▲ any state
 *
 * A closed connection is DEAD at once, but its memory stays until the end of the turn
 * (pool_reap()), so that callers on the stack can still look at its state.
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
struct conn_tunnel;
struct engine;
struct mux;

enum conn_state {
        CONN_DIALING,
        CONN_PROXY_HANDSHAKE, /* TLS with the proxy */
        CONN_TUNNEL,          /* the proxy is asked to connect us */
        CONN_HANDSHAKE,
        CONN_READY,
        CONN_DEAD,
};

/* Who opens a connection: conn_open.h. It has the connection until that is READY. */
struct conn_opener {
        void (*event)(struct conn *conn, const struct loop_event *event);
        /* Go on with the handshake. True if it is complete and the connection READY. */
        bool (*shake_hands)(struct conn *conn);
        void (*ended)(struct conn *conn); /* the peer sends no more */
        /* Release all that opening needed; more than once, and of a connection that is closed. */
        void (*stop)(struct conn *conn);
};

/* Which protocol it is for. A request uses connections of its own kind only. */
enum conn_kind {
        CONN_HTTP_1,
        CONN_ALPN,   /* https: HTTP/2 or HTTP/1.1, as the server chooses */
        CONN_HTTP_2, /* http, and the server is known to speak HTTP/2 */
};

/* What a connection tells its users. It may be DEAD after each of these calls. */
struct conn_ops {
        void (*ready)(struct conn *conn); /* bytes can be sent */
        void (*sent)(struct conn *conn);  /* the kernel has all of what was sent */
        /* `n` bytes came and are in the place of conn_place(); received() follows. */
        void (*placed)(struct conn *conn, size_t n);
        /*
         * Bytes came, borrowed; none if all of them were placed. `kernel_ns`: when the kernel got
         * them; 0: not known.
         */
        void (*received)(struct conn *conn, struct muster_str bytes, uint64_t kernel_ns);
        void (*ended)(struct conn *conn); /* the peer sends no more */
        /* the peer's kernel has all of what was sent */
        void (*acked)(struct conn *conn, uint64_t kernel_ns);
        /* The connection is unusable: close it. */
        void (*failed)(struct conn *conn, const struct muster_error *error);
        /* It is closed. Call conn_free() when nobody can be using it any more. */
        void (*closed)(struct conn *conn);
};

struct conn {
        struct engine *engine;
        const struct conn_ops *ops;
        struct origin *origin;       /* it can change where a proxy is asked: pool.h */
        struct list exchanges;       /* its users; empty: idle, if it is READY */
        struct list waiting;         /* those who wait until they can use it */
        unsigned n_begun, n_waiting; /* lengths of these lists */
        enum conn_state state;
        enum conn_kind kind;

        const struct conn_opener *opener; /* NULL before it is dialled */
        struct conn_dial *dial;           /* while DIALING */
        struct conn_tunnel *tunnel;       /* while a proxy is asked for a tunnel; else NULL */
        struct loop_socket socket;
        struct tls
                *tls; /* NULL for http; with the proxy, if that has TLS and the origin has none */
        struct tls *outer;  /* TLS with the proxy, around `tls`; NULL: none */
        struct iovec place; /* https: where the next plaintext goes; empty: to engine->plain */
        struct buf out;     /* bytes being sent; the loop borrows them while is_sending */
        bool is_sending;
        /* errno of a failed send: bytes that the peer sent before are still read */
        int send_sys;
        struct mux *mux;  /* how its users share it: mux.h; NULL until it is READY */
        bool is_unwanted; /* nobody may begin to use it any more; it is closed after its last user */

        struct list pool_link; /* in pool->idle, by age, or in pool->dead */
        /* in origin->usable, or pool->to_proxies, while it has room; before that in origin->awaited */
        struct list origin_link;
        bool is_awaited, is_counted; /* see room.h */
        struct list flush_link;      /* in engine->unflushed while its mux has something to send */
        uint32_t n_received;         /* how often something was received */
        uint64_t input_ns;           /* when the kernel got the newest of that */
        uint64_t idle_since_ns;
        uint64_t sampled_ns; /* when TCP_INFO was read last */
        struct muster_conn_info info;
        struct trace_conn_notes notes;
};

static inline struct conn *conn_of_pool_link(struct list *link)
{
        return LIST_OWNER(link, struct conn, pool_link);
}

static inline struct conn *conn_of_flush_link(struct list *link)
{
        return LIST_OWNER(link, struct conn, flush_link);
}

static inline struct conn *conn_of_origin_link(struct list *link)
{
        return LIST_OWNER(link, struct conn, origin_link);
}

/* Does anybody use it or wait for it? */
static inline bool conn_has_users(const struct conn *conn)
{
        return !list_is_empty(&conn->exchanges) || !list_is_empty(&conn->waiting);
}

/* Make a connection to an origin, not dialled yet. NULL if memory is out. */
struct conn *conn_new(struct engine *engine, struct origin *origin, enum conn_kind kind,
        const struct conn_ops *ops, uint64_t now_ns);

/* An empty buffer: write the head of a request into it before conn_send(). */
struct buf *conn_head(struct conn *conn);

/*
 * Send the head and then `body`, which stays borrowed until all is sent. 0: the kernel has all of
 * it, or refused it and reading will show why. CONN_SENDING: sent() follows. MUSTER_E_TLS,
 * MUSTER_E_RESOURCE with *error.
 */
#define CONN_SENDING 1
int conn_send(struct conn *conn, struct muster_str body, struct muster_error *error);

/*
 * Receive the next bytes straight into this memory, without a copy; placed() tells how many came.
 * It is borrowed until it is full or the connection is closed. One place at a time.
 */
void conn_place(struct conn *conn, struct iovec borrow_room);
bool conn_has_place(const struct conn *conn);

/* Has the server chosen HTTP/2, or is it known to speak it? */
bool conn_is_h2(const struct conn *conn);

/* Close it; `closer` is who wanted that. It must have no users any more. May be called twice. */
void conn_close(struct conn *conn, enum trace_closer closer);

/* Read TCP_INFO, at most once every 100 ms. */
void conn_sample(struct conn *conn, uint64_t now_ns);

/* Does the kernel have input that we have not read yet? */
bool conn_has_input(const struct conn *conn);

/* Is something that was to be sent not with the kernel yet? sent() follows. */
bool conn_is_sending(const struct conn *conn);

/* Bytes that the kernel has not taken yet. */
size_t conn_unsent_bytes(const struct conn *conn);

/* --- for those who open it ------------------------------------------------------------------- */

/* Tell the users that the connection is unusable. It is DEAD afterwards. */
void conn_report_failure(struct conn *conn, const struct muster_error *error);

/* Takes what happens to the socket. */
void conn_handle_socket(struct loop_socket *socket, const struct loop_event *event);

/*
 * Send bytes, which are copied, before it is READY and while nothing else is being sent. As
 * conn_send().
 */
int conn_write(struct conn *conn, struct muster_str bytes, struct muster_error *error);

/*
 * Send the ciphertext that TLS has, unless a send is pending: then it waits for that. CONN_SENDING
 * also while TLS holds bytes until the peer has sent more.
 */
int conn_flush_tls(struct conn *conn, struct muster_error *error);

/* It has become READY: read what TLS was fed with behind the handshake. */
void conn_read_tls(struct conn *conn, uint64_t kernel_ns);

/* There is TLS inside TLS now: read what the outer one was fed with. */
void conn_read_outer(struct conn *conn, uint64_t kernel_ns);

/* Free a closed connection. Returns NULL. */
struct conn *conn_free(struct conn *conn);

#endif
