/* SPDX-License-Identifier: MIT */
#include "room.h"

#include "engine.h"
#include "mux.h"
#include <assert.h>
#include <base/minmax.h>
#include <limits.h>

enum conn_kind room_kind(const struct muster_request *request)
{
        switch ((enum muster_http)request->limits.http) {
        case MUSTER_HTTP_1_0:
        case MUSTER_HTTP_1_1:
                return CONN_HTTP_1;
        case MUSTER_HTTP_2_PRIOR_KNOWLEDGE:
                /* a proxy that is sent whole URLs is spoken to in HTTP/1.1 */
                if (!request->origin->is_tls && !route_asks_proxy(&request->origin->route))
                        return CONN_HTTP_2;
                break;
        case MUSTER_HTTP_ANY:
        case MUSTER_HTTP_2:
                break;
        }
        return request->origin->is_tls && !request->limits.http_1_0 ? CONN_ALPN : CONN_HTTP_1;
}

/* --- how much there is ----------------------------------------------------------------------- */

/*
 * How many requests a connection that is being made can be expected to take: as many as an earlier
 * one did. As long as none has told, all wait for it.
 */
static unsigned expected_room(const struct origin *origin)
{
        unsigned n = origin->n_streams_allowed ? origin->n_streams_allowed : UINT_MAX;

        return origin->takes_as_many ? min_unsigned(n, origin->n_taken) : n;
}

struct conn *room_awaited(const struct muster_request *request)
{
        const struct origin *origin = request->origin;
        enum conn_kind kind;

        if (list_is_empty(&origin->awaited))
                return NULL;
        kind = room_kind(request);
        for (struct list *link = origin->awaited.next; link != &origin->awaited;
                link = link->next) {
                struct conn *conn = conn_of_origin_link(link);

                if (conn->kind == kind && conn->n_waiting < expected_room(origin))
                        return conn;
        }
        return NULL;
}

bool room_may_open(const struct muster_request *request)
{
        const struct origin *origin = request->origin;

        return origin->protocol != ORIGIN_HTTP_2 || room_kind(request) == CONN_HTTP_1 ||
               origin->n_shared_conns < request->engine->settings->h2_conns;
}

static unsigned add_up_to_max(unsigned a, unsigned b)
{
        return a > UINT_MAX - b ? UINT_MAX : a + b;
}

static unsigned free_streams(const struct engine *engine, struct origin *origin)
{
        unsigned most = engine->settings->h2_conns, n = 0;

        for (struct list *link = origin->usable.next; link != &origin->usable; link = link->next) {
                const struct conn *conn = conn_of_origin_link(link);

                n = add_up_to_max(n, conn->mux->ops->room(conn));
        }
        for (struct list *link = origin->awaited.next; link != &origin->awaited; link = link->next)
                if (conn_of_origin_link(link)->n_waiting < expected_room(origin))
                        n = add_up_to_max(n,
                                expected_room(origin) - conn_of_origin_link(link)->n_waiting);
        for (unsigned i = origin->n_shared_conns; i < most && n < engine->settings->concurrency;
                i++)
                n = add_up_to_max(n, expected_room(origin));
        return n;
}

void room_count(struct engine *engine, struct origin *origin)
{
        if (origin->protocol == ORIGIN_HTTP_2 && engine->settings->h2_conns != UINT_MAX)
                sched_bound_streams(&engine->sched, origin, free_streams(engine, origin));
}

/* --- what becomes of a connection ------------------------------------------------------------ */

void room_await(struct conn *conn)
{
        assert(conn->kind != CONN_HTTP_1 && conn->state != CONN_DEAD);
        if (list_is_linked(&conn->origin_link))
                return;
        list_push_back(&conn->origin->awaited, &conn->origin_link);
        conn->is_awaited = true;
}

static void await_no_more(struct conn *conn)
{
        if (conn->is_awaited)
                list_remove(&conn->origin_link);
        conn->is_awaited = false;
}

void room_opened(struct conn *conn, bool shared)
{
        struct origin *origin = conn->origin;

        if (conn->kind == CONN_HTTP_1)
                return;
        if (conn->kind == CONN_HTTP_2)
                origin->protocol = ORIGIN_HTTP_2;
        conn->is_counted = true;
        origin->n_shared_conns++;
        if (shared && origin->protocol != ORIGIN_HTTP_1 && !origin->was_in_vain)
                room_await(conn);
}

/* It takes no share in the connections that HTTP/2 may have. */
static void count_no_more(struct conn *conn)
{
        assert(!conn->is_counted || conn->origin->n_shared_conns);
        conn->origin->n_shared_conns -= conn->is_counted;
        conn->is_counted = false;
}

void room_ready(struct conn *conn)
{
        struct origin *origin = conn->origin;

        await_no_more(conn);
        if (conn->kind == CONN_HTTP_1)
                return;
        origin->was_in_vain = false;
        origin->protocol = conn->mux->ops->is_shared ? ORIGIN_HTTP_2 : ORIGIN_HTTP_1;
        if (conn->mux->ops->is_shared)
                return;
        count_no_more(conn);
        origin->bounds_streams = false;
}

void room_failed(struct conn *conn)
{
        if (conn->kind != CONN_HTTP_1)
                conn->origin->was_in_vain = true;
}

void room_known(struct conn *conn)
{
        unsigned n = conn->mux->ops->allowed(conn);

        await_no_more(conn);
        conn->origin->n_streams_allowed = n ? n : 1;
}

void room_closing(struct conn *conn)
{
        struct origin *origin = conn->origin;
        unsigned n = conn->mux->ops->taken ? conn->mux->ops->taken(conn) : 0;

        if (n) {
                origin->takes_as_many = n == origin->n_taken;
                origin->n_taken = n;
        }
        room_retire(conn);
}

void room_retire(struct conn *conn)
{
        await_no_more(conn);
        count_no_more(conn);
        conn->is_unwanted = true;
        list_remove(&conn->origin_link);
}
