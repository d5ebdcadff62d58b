/* SPDX-License-Identifier: MIT */
/*
 * Connections that have room for another exchange, and dead ones until they can be freed
 *
 * The newest connection of an origin is taken first: it is the least likely to have been closed by
 * the server. Of those that nobody uses the oldest go when they have been idle for too long, or
 * when a new connection needs their place: there are never more connections than `n_max`.
 */
#ifndef CORE_POOL_H
#define CORE_POOL_H

#include <net/loop.h>

struct conn;
struct engine;
struct origin;
struct origins;

struct pool {
        struct loop *loop;
        struct origins *origins;
        struct list idle; /* oldest first */
        struct list dead;
        unsigned n_conns; /* all that are not dead */
        unsigned n_max;
        uint64_t idle_timeout_ns;
        struct loop_timer idle_timer;
};

void pool_init(struct pool *pool, struct loop *loop, struct origins *origins, unsigned n_max,
        uint64_t idle_timeout_ns);

/* Close and free every idle and dead connection. */
void pool_deinit(struct pool *pool);

/* The newest connection of an origin that has room, for one more exchange; NULL: there is none. */
struct conn *pool_take(struct pool *pool, struct origin *origin, uint64_t now_ns);

/* An exchange is over on a connection that may be used on, or one has begun and there is room. */
void pool_put(struct pool *pool, struct conn *conn, uint64_t now_ns);

/* A connection is being opened: an idle one makes room for it where that is needed. */
void pool_count(struct pool *pool);

/* A connection was closed: it is freed with the next pool_reap(). */
void pool_bury(struct conn *conn);

/* Free the dead; nobody on the stack may be looking at one. */
void pool_reap(struct pool *pool);

#endif
