/* SPDX-License-Identifier: MIT */
#include "users.h"

#include "conn_open.h"
#include "engine.h"
#include "exchange_send.h"
#include "mux.h"
#include "response.h"
#include "room.h"
#include <assert.h>
#include <base/error.h>
#include <http/decode.h>

static const struct mux_ops *mux_of(const struct conn *conn)
{
        return conn->mux->ops;
}

/* --- joining and leaving --------------------------------------------------------------------- */

void users_join(struct conn *conn, struct muster_request *request)
{
        struct exchange *exchange = &request->exchange;

        assert(!exchange->conn && conn->state != CONN_DEAD);
        exchange->conn = conn;
        exchange->reuse_count = conn->info.reuse_count;
        exchange->idle_ns = conn->info.idle_ns;
        list_push_back(&conn->waiting, &exchange->link);
        conn->n_waiting++;
        request->notes.conn = conn->notes.id;
}

void users_report_over(struct muster_request *request, const struct muster_error *error)
{
        assert(!request->exchange.conn);
        request->engine->exchange_ops->over(request, error);
}

/* --- the end --------------------------------------------------------------------------------- */

void users_note_progress(struct muster_request *request)
{
        const struct conn *conn = request->exchange.conn;
        struct attempt *attempt = &request->attempt;

        if (!conn || attempt->send_start_ns)
                return;
        attempt->dns_end_ns = conn_dns_end_ns(conn);
        attempt->tcp_end_ns = conn->notes.tcp_end_ns;
        attempt->tunnel_end_ns = conn->notes.tunnel_end_ns;
        attempt->tls_end_ns = conn->notes.tls_end_ns;
        attempt->stage = conn_opening_stage(conn);
}

static void leave_list(struct muster_request *request)
{
        struct conn *conn = request->exchange.conn;
        unsigned *n = request->exchange.has_begun ? &conn->n_begun : &conn->n_waiting;

        assert(list_is_linked(&request->exchange.link) && *n);
        list_remove(&request->exchange.link);
        *n -= 1;
}

void users_leave(struct muster_request *request)
{
        struct exchange *exchange = &request->exchange;

        assert(exchange->conn && list_is_linked(&exchange->link));
        request->result.conn = exchange->conn->info;
        request->result.conn.reuse_count = exchange->reuse_count;
        request->result.conn.idle_ns = exchange->idle_ns;
        leave_list(request);
        if (exchange->is_sending)
                exchange->conn->mux->n_sending--;
        exchange->is_sending = false;
        exchange->conn = NULL;
        exchange->has_begun = false;
        exchange->stream = NULL;
        exchange->decoder = decoder_free(exchange->decoder);
}

/*
 * An exchange no longer uses the connection: put it back into the pool, or close it if it is of no
 * use and nobody else uses it.
 */
static void release_conn(struct conn *conn, bool is_of_use, enum trace_closer closer)
{
        assert(conn->state != CONN_DEAD || !is_of_use);
        if (!is_of_use)
                room_retire(conn);
        if (conn->is_unwanted && !conn_has_users(conn))
                conn_close(conn, closer);
        else
                users_offer_room(conn);
}

static enum trace_closer closer_for(enum muster_code code)
{
        return code == MUSTER_E_CLOSED || code == MUSTER_E_SEND ? TRACE_CLOSED_BY_SERVER
                                                                : TRACE_CLOSED_BY_CLIENT;
}

static enum request_fate fate_of(const struct muster_request *request, enum muster_code code)
{
        enum request_fate fate;

        if (!request->exchange.has_begun || closer_for(code) != TRACE_CLOSED_BY_SERVER)
                return FATE_UNKNOWN;
        fate = mux_of(request->exchange.conn)->fate(request->exchange.conn, request);
        return fate == FATE_UNANSWERED && !request->exchange.reuse_count ? FATE_UNKNOWN : fate;
}

/* Did the proxy fail that was asked in place of the server? */
static bool is_of_proxy(const struct muster_request *request, enum muster_code code)
{
        return request->exchange.has_begun && route_asks_proxy(&request->origin->route) &&
               (code == MUSTER_E_CLOSED || code == MUSTER_E_SEND || code == MUSTER_E_PROTOCOL);
}

/* Note how far a request came that fails. Returns the error as the request sees it. */
static struct muster_error note_failure(struct muster_request *request,
        const struct muster_error *error)
{
        struct muster_error why = *error;

        users_note_progress(request);
        if (why.stage != MUSTER_PHASE_DECODE)
                why.stage = request->attempt.stage;
        if (is_of_proxy(request, why.code))
                proxy_name_in_error(request->origin->route.proxy, &why);
        request->fate = fate_of(request, why.code);
        request->was_denied = request->exchange.conn && request->exchange.conn->notes.is_denied;
        return why;
}

static void over_failed(struct muster_request *request, const struct muster_error *error)
{
        users_report_over(request, response_is_lost(request, error->code) ? error : NULL);
}

/*
 * Can the request end without closing its connection? One that is being made is kept only where
 * others wait for it, too.
 */
static bool can_go_alone(struct conn *conn, struct muster_request *request)
{
        if (request->exchange.has_begun)
                return mux_of(conn)->cancel(conn, request);
        return conn->mux || conn->n_waiting > 1;
}

void users_cancel(struct muster_request *request, const struct muster_error *error)
{
        struct conn *conn = request->exchange.conn;
        struct muster_error why = note_failure(request, error);
        bool goes_alone = can_go_alone(conn, request);

        assert(request->state == REQUEST_RUNNING && conn);
        users_leave(request);
        release_conn(conn, goes_alone, closer_for(why.code));
        over_failed(request, &why);
}

void users_fail(struct muster_request *request, int code, struct muster_error *error)
{
        assert(code < 0 && request->exchange.conn);
        error_set(error, (enum muster_code)code, request->attempt.stage, 0,
                "resource: out of memory, in phase %s", muster_phase_name(request->attempt.stage));
        users_cancel(request, error);
        error_clear(error);
}

void users_put_back(struct muster_request *request, enum trace_wait why)
{
        assert(!request->exchange.has_begun);
        if (request->exchange.conn)
                users_leave(request);
        request->notes.conn = 0;
        request->notes.is_reused = false;
        request->engine->exchange_ops->put_back(request, why);
}

void users_put_back_all(struct list *waiting, enum trace_wait why)
{
        struct list *link;

        while ((link = list_last(waiting)))
                users_put_back(request_of_exchange_link(link), why);
}

static enum trace_wait waited_for(const struct conn *conn)
{
        return conn->origin->protocol == ORIGIN_HTTP_2 ? TRACE_WAIT_STREAM : TRACE_WAIT_PROTOCOL;
}

void users_fail_all(struct conn *conn, const struct muster_error *error)
{
        bool is_idle = !conn_has_users(conn);
        struct list *link, failed, others;

        list_init(&failed);
        list_init(&others);
        list_splice(&failed, &conn->exchanges);
        if (!conn->mux && (link = list_first(&conn->waiting))) {
                room_failed(conn);
                list_remove(link);
                list_push_back(&failed, link);
                list_splice(&others, &conn->waiting);
        }
        list_splice(&failed, &conn->waiting);
        conn_close(conn, is_idle ? TRACE_CLOSED_BY_SERVER : closer_for(error->code));
        users_put_back_all(&others, waited_for(conn));
        while ((link = list_first(&failed))) {
                struct muster_request *request = request_of_exchange_link(link);
                struct muster_error why = note_failure(request, error);

                users_leave(request);
                over_failed(request, &why);
        }
}

void users_complete(struct muster_request *request)
{
        struct conn *conn = request->exchange.conn;
        struct muster_error error = { 0 };
        bool can_be_reused;
        int r;

        assert(conn && conn->mux);
        if (response_waits(request)) {
                request->sink.is_ending = true;
                return;
        }
        r = response_end(request, &error);
        if (r < 0) {
                users_fail(request, r, &error);
                return;
        }
        can_be_reused = mux_of(conn)->end(conn, request) && !request->limits.no_reuse &&
                        conn->state == CONN_READY;
        if (can_be_reused)
                mux_of(conn)->resume(conn, request); /* a slow reader may have paused it */
        conn_sample(conn, request->attempt.last_byte_read_ns);
        users_leave(request);
        release_conn(conn, can_be_reused,
                conn->mux->keeps_alive || conn->notes.we_close ? TRACE_CLOSED_BY_CLIENT
                                                               : TRACE_CLOSED_BY_SERVER);
        users_report_over(request, NULL);
}

/* --- the beginning --------------------------------------------------------------------------- */

static void send_request(struct muster_request *request, uint64_t now_ns)
{
        struct muster_error error = { 0 };
        int r = exchange_send_begin(request, now_ns, &error);

        if (r < 0)
                users_fail(request, r, &error);
}

void users_begin(struct muster_request *request, uint64_t now_ns)
{
        struct exchange *exchange = &request->exchange;
        struct conn *conn = exchange->conn;

        assert(conn->state == CONN_READY && mux_of(conn)->room(conn) > 0);
        leave_list(request);
        list_push_back(&conn->exchanges, &exchange->link);
        conn->n_begun++;
        exchange->has_begun = true;
        exchange->last_received = 0;
        send_request(request, now_ns);
}

/* All but the request for which the connection was made find it there. */
static void note_who_shares(struct muster_request *request)
{
        struct conn *conn = request->exchange.conn;

        if (conn->notes.wanted_by == request->notes.number)
                return;
        request->exchange.reuse_count = ++conn->info.reuse_count;
        conn->engine->stats.n_conns_reused++;
}

/* Begin the exchanges that wait for the connection, as far as there is room. */
static void begin_waiting(struct conn *conn)
{
        struct list *link;

        while (conn->state == CONN_READY && (link = list_first(&conn->waiting)) &&
                mux_of(conn)->room(conn) > 0) {
                note_who_shares(request_of_exchange_link(link));
                users_note_progress(request_of_exchange_link(link));
                users_begin(request_of_exchange_link(link), engine_now(conn->engine));
        }
}

void users_offer_room(struct conn *conn)
{
        if (conn->state != CONN_READY || !conn->mux)
                return;
        begin_waiting(conn);
        if (conn->n_waiting && mux_of(conn)->knows_room(conn))
                users_put_back_all(&conn->waiting, waited_for(conn));
        else if (conn->n_waiting && conn->state == CONN_READY)
                room_await(conn);
        if (conn->state != CONN_READY)
                return;
        pool_put(&conn->engine->pool, conn, conn->engine->loop.now_ns);
        room_count(conn->engine, conn->origin);
}
