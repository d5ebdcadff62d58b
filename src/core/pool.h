/* SPDX-License-Identifier: MIT */
/*
 * Pool: connections with room for another exchange, and dead ones until they can be freed
 *
 * An origin's newest connection is taken first, as the server is least likely to have closed it.
 * A proxy that is sent whole URLs takes requests for any origin on any connection (RFC 9112 section
 * 3.2.2): those with room are kept by proxy, and a connection belongs to the origin whose request
 * uses it, or did so last. Not so if the pool `keeps_apart`.
 *
 * The oldest idle connections are closed after a timeout, or when a new connection needs a place:
 * there are never more than `n_max` connections, unless all of them are in use.
 */
#ifndef CORE_POOL_H
#define CORE_POOL_H

#include "conn.h"
#include <net/loop.h>

struct conn;
struct engine;
struct origin;
struct origins;

struct pool {
        struct loop *loop;
        struct origins *origins;
        /* A guard checks connections as they are opened, so each is for one origin: guard.h */
        bool keeps_apart;
        struct list to_proxies[ROUTE_PROXIES_MAX]; /* with room, newest first: see route.h */
        struct list idle;                          /* oldest first */
        struct list dead;
        unsigned n_conns; /* all except the dead */
        unsigned n_max;
        uint64_t idle_timeout_ns;
        struct loop_timer idle_timer;
};

void pool_init(struct pool *pool, struct loop *loop, struct origins *origins, unsigned n_max,
        uint64_t idle_timeout_ns);

/* Close and free every idle and dead connection. */
void pool_deinit(struct pool *pool);

/*
 * Take the newest connection of this kind with room for one more exchange; NULL if there is none.
 */
struct conn *pool_take(struct pool *pool, struct origin *origin, enum conn_kind kind,
        uint64_t now_ns);

/* Put a connection back, which is idle or may have room: an exchange on it began or is over. */
void pool_put(struct pool *pool, struct conn *conn, uint64_t now_ns);

/* Count a connection that is being opened; an idle one makes room for it if needed. */
void pool_count(struct pool *pool);

/* Take in a closed connection; the next pool_reap() frees it. */
void pool_bury(struct conn *conn);

/* Free the dead connections. Nobody on the stack may still use one. */
void pool_reap(struct pool *pool);

#endif
