/* SPDX-License-Identifier: MIT */
#include "pool.h"

#include "conn.h"
#include "engine.h"
#include "mux.h"
#include <assert.h>

static struct conn *oldest_idle(const struct pool *pool)
{
        struct list *link = list_first(&pool->idle);

        return link ? conn_of_pool_link(link) : NULL;
}

static void set_idle_timer(struct pool *pool)
{
        struct conn *conn = oldest_idle(pool);
        uint64_t at = conn ? clock_after(conn->idle_since_ns, pool->idle_timeout_ns) : UINT64_MAX;

        /* Without memory for the timer, connections only stay open longer. */
        (void)loop_timer_set(pool->loop, &pool->idle_timer, at);
}

static void idle_timer_fire(struct loop_timer *timer, uint64_t late_ns)
{
        struct pool *pool = LIST_OWNER(timer, struct pool, idle_timer);
        struct conn *conn;

        (void)late_ns;
        while ((conn = oldest_idle(pool)) &&
                clock_after(conn->idle_since_ns, pool->idle_timeout_ns) <= pool->loop->now_ns)
                conn_close(conn, TRACE_CLOSED_BY_AGE);
        set_idle_timer(pool);
}

void pool_init(struct pool *pool, struct loop *loop, struct origins *origins, unsigned n_max,
        uint64_t idle_timeout_ns)
{
        *pool = (struct pool){ .loop = loop,
                .origins = origins,
                .n_max = n_max,
                .idle_timeout_ns = idle_timeout_ns,
                .idle_timer.fire = idle_timer_fire };
        for (size_t i = 0; i < ROUTE_PROXIES_MAX; i++)
                list_init(&pool->to_proxies[i]);
        list_init(&pool->idle);
        list_init(&pool->dead);
}

void pool_deinit(struct pool *pool)
{
        struct conn *conn;

        if (!pool->loop)
                return;
        while ((conn = oldest_idle(pool)))
                conn_close(conn, TRACE_CLOSED_BY_END);
        loop_timer_stop(pool->loop, &pool->idle_timer);
        pool_reap(pool);
        assert(pool->n_conns == 0);
}

/*
 * Take a connection off its lists. The timer stays as it is and looks at the oldest connection when
 * it fires. So a connection that is used a thousand times a second costs no timer.
 */
static void unlink_conn(struct conn *conn)
{
        list_remove(&conn->pool_link);
        list_remove(&conn->origin_link);
}

/* The connections with room that an origin may use. */
static struct list *usable_of(struct pool *pool, struct origin *origin)
{
        return route_asks_proxy(&origin->route) && !pool->keeps_apart
                       ? &pool->to_proxies[origin->route.proxy_index]
                       : &origin->usable;
}

static struct conn *newest_of_kind(const struct list *usable, enum conn_kind kind)
{
        for (struct list *link = usable->next; link != usable; link = link->next)
                if (conn_of_origin_link(link)->kind == kind)
                        return conn_of_origin_link(link);
        return NULL;
}

/* A connection to a proxy goes to another origin. The one before may be gone afterwards. */
static void pass_on(struct pool *pool, struct conn *conn, struct origin *to)
{
        struct origin *before = conn->origin;

        assert(!pool->keeps_apart && route_asks_proxy(&before->route) &&
                before->route.proxy == to->route.proxy);
        if (!conn->notes.opened_for)
                conn->notes.opened_for = before->number;
        conn->origin = to;
        to->n_conns++;
        before->n_conns--;
        origins_release(pool->origins, before);
}

struct conn *pool_take(struct pool *pool, struct origin *origin, enum conn_kind kind,
        uint64_t now_ns)
{
        struct conn *conn = newest_of_kind(usable_of(pool, origin), kind);

        if (!conn)
                return NULL;
        conn->info.idle_ns = list_is_linked(&conn->pool_link) ? now_ns - conn->idle_since_ns : 0;
        unlink_conn(conn);
        if (conn->origin != origin)
                pass_on(pool, conn, origin);
        conn->info.reuse_count++;
        return conn;
}

/* Put a connection with room where it can be taken; the room of one that is there may be gone. */
static void offer_conn(struct pool *pool, struct conn *conn)
{
        bool has_room = !conn->is_unwanted && conn->mux->ops->room(conn) > 0;

        if (conn->is_awaited || has_room == list_is_linked(&conn->origin_link))
                return;
        if (has_room)
                list_push_front(usable_of(pool, conn->origin), &conn->origin_link);
        else
                list_remove(&conn->origin_link);
}

void pool_put(struct pool *pool, struct conn *conn, uint64_t now_ns)
{
        assert(conn->state == CONN_READY);
        offer_conn(pool, conn);
        if (conn_has_users(conn) || list_is_linked(&conn->pool_link))
                return;
        conn->idle_since_ns = now_ns;
        list_push_back(&pool->idle, &conn->pool_link);
        if (!heap_has(&pool->idle_timer.node))
                set_idle_timer(pool);
}

void pool_count(struct pool *pool)
{
        if (pool->n_conns >= pool->n_max && oldest_idle(pool))
                conn_close(oldest_idle(pool), TRACE_CLOSED_BY_AGE);
        pool->n_conns++;
}

void pool_bury(struct conn *conn)
{
        struct pool *pool = &conn->engine->pool;

        assert(conn->state == CONN_DEAD);
        unlink_conn(conn);
        list_remove(&conn->flush_link);
        list_push_back(&pool->dead, &conn->pool_link);
        pool->n_conns--;
}

void pool_reap(struct pool *pool)
{
        struct list *link;

        while ((link = list_pop(&pool->dead))) {
                struct conn *conn = conn_of_pool_link(link);
                struct origin *origin = conn->origin;

                conn_free(conn);
                origin->n_conns--;
                origins_release(pool->origins, origin);
        }
}
