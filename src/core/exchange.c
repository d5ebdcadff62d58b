/* SPDX-License-Identifier: MIT */
#include "exchange.h"

#include "conn_open.h"
#include "deadline.h"
#include "engine.h"
#include "exchange_send.h"
#include "heads.h"
#include "mux_h1.h"
#include "mux_h2.h"
#include "response.h"
#include "room.h"
#include "users.h"
#include <assert.h>
#include <base/error.h>
#include <http/decode.h>

/* What a server can send at once: more comes in pieces that are acknowledged anyway. */
#define QUICK_ACK_BODY_MAX (10 * 1448)

static const struct mux_ops *mux_of(const struct conn *conn)
{
        return conn->mux->ops;
}

void exchange_send_unasked(struct muster_request *request)
{
        struct muster_error error = { 0 };
        int r = exchange_send_body(request, &error);

        if (r < 0)
                users_fail(request, r, &error);
}

void exchange_drop_body(struct muster_request *request)
{
        users_complete(request);
}

/* --- a body that has to wait ------------------------------------------------------------------- */

static void drain_sink(struct loop_watch *watch, bool readable, bool writable);

/*
 * Stop reading until the sink has room, or memory does. The server's silence does not count
 * meanwhile.
 */
static int block(struct muster_request *request, struct muster_error *error)
{
        struct conn *conn = request->exchange.conn;
        struct sink *sink = &request->sink;

        assert(conn->mux);
        if (sink->is_blocked)
                return 0;
        sink->is_blocked = true;
        mux_of(conn)->pause(conn, request);
        request->read_until_ns = UINT64_MAX;
        if (!request->uses_sink || sink->kind == SINK_STREAM)
                return 0; /* body_memory.h, or the reader, will tell */
        sink->watch.ready = drain_sink;
        if (loop_watch_set(&request->engine->loop, &sink->watch, sink->fd, false, true) < 0)
                return error_set_memory(error, MUSTER_PHASE_RECEIVE);
        return 0;
}

void exchange_unblock(struct muster_request *request)
{
        struct conn *conn = request->exchange.conn;
        struct sink *sink = &request->sink;

        if (!conn || !sink->is_blocked)
                return;
        sink->is_blocked = false;
        if (sink->watch.loop)
                loop_watch_set(sink->watch.loop, &sink->watch, sink->fd, false, false);
        mux_of(conn)->resume(conn, request);
        if (sink->is_ending) {
                users_complete(request);
                return;
        }
        deadline_received(request, engine_now(conn->engine));
        /* Sets the timer. Without memory for it, the next timer checks the read timeout. */
        deadline_watch_speed(request, engine_now(conn->engine));
        (void)deadline_arm(request);
}

static void drain_sink(struct loop_watch *watch, bool readable, bool writable)
{
        struct muster_request *request = LIST_OWNER(watch, struct muster_request, sink.watch);
        struct muster_error error = { 0 };
        int r = response_drain(request, &error);

        (void)readable;
        (void)writable;
        if (r < 0)
                users_fail(request, r, &error);
        else if (r == 0)
                exchange_unblock(request);
}

/* --- the response ---------------------------------------------------------------------------- */

static int take_head(struct muster_request *request, const struct http_head *head,
        struct muster_error *error)
{
        int r = response_head(request, head, error);

        if (r >= 0 && request->use == USE_AS_RESULT && request->uses_sink &&
                request->sink.kind == SINK_STREAM)
                request->engine->exchange_ops->announce(request, &request->exchange.conn->info);
        return r;
}

static void take_event(struct muster_request *request, const struct http_event *event,
        struct muster_error *error)
{
        int r = 0;

        switch (event->kind) {
        case HTTP_INTERIM:
                heads_note_received(request, &event->head);
                response_forget_arrival(request);
                request->exchange.last_received = 0; /* what comes behind it arrives now */
                if (event->head.status == 100)
                        r = exchange_send_body(request, error);
                break;
        case HTTP_HEAD:
                r = take_head(request, &event->head, error);
                break;
        case HTTP_BODY:
                r = response_body(request, event->body, error);
                break;
        case HTTP_DONE:
                users_complete(request);
                return;
        }
        if (r == RESPONSE_BLOCKED)
                r = block(request, error);
        if (r < 0)
                users_fail(request, r, error);
        else if (r == RESPONSE_UNWANTED)
                users_complete(request);
}

/* --- told by the connection ------------------------------------------------------------------ */

static void conn_placed(struct conn *conn, size_t n)
{
        assert(n && !list_is_empty(&conn->exchanges));
        response_placed(mux_of(conn)->skip_body(conn, n), n);
}

/* Receive the rest of a large body straight into the result. */
static void place_next(struct conn *conn, struct muster_request *request)
{
        uint64_t left = request && !conn_has_place(conn) ? mux_of(conn)->body_left(conn) : 0;
        struct iovec room = { 0 };

        if (left)
                room = response_room(request, left);
        if (room.iov_len)
                conn_place(conn, room);
}

/* A response has begun and is not complete: does its server wait for our acknowledgement? */
static void await_more(struct conn *conn, struct muster_request *request)
{
        if (!request)
                return;
        request->notes.taken_bytes = request->result.wire_bytes;
        if (!mux_of(conn)->is_shared && conn->notes.family &&
                mux_of(conn)->body_left(conn) <= QUICK_ACK_BODY_MAX &&
                tracing_tries_quick_ack(request))
                loop_socket_ack(&conn->socket);
}

/* Reading failed. A failure that has set no error is one of memory. */
static void fail_reading(struct conn *conn, int code, struct muster_error *error)
{
        assert(code < 0);
        if (!conn_has_users(conn)) {
                conn_close(conn, TRACE_CLOSED_BY_CLIENT); /* nobody asked for these bytes */
                return;
        }
        error_set(error, (enum muster_code)code, MUSTER_PHASE_RECEIVE, 0,
                "resource: out of memory while reading the response");
        users_fail_all(conn, error);
}

/* The server has said how much room there is, or that there will be none any more. */
static void take_change(struct conn *conn)
{
        if (!mux_of(conn)->is_closing(conn)) {
                room_known(conn);
                users_offer_room(conn);
                return;
        }
        room_closing(conn);
        users_put_back_all(&conn->waiting, TRACE_WAIT_STREAM);
        room_count(conn->engine, conn->origin);
        if (!conn_has_users(conn))
                conn_close(conn, TRACE_CLOSED_BY_SERVER);
}

/* Stamp an arrival for the request, once for each time that something was received. */
static void stamp_arrival(struct muster_request *request, uint64_t kernel_ns, uint64_t now_ns)
{
        struct exchange *exchange = &request->exchange;

        if (exchange->last_received == exchange->conn->n_received)
                return;
        exchange->last_received = exchange->conn->n_received;
        response_stamp(request, kernel_ns, now_ns);
}

/*
 * Take all events, from bytes that the kernel got at `kernel_ns`. 0: nothing was received, the mux
 * may have something to tell all the same.
 */
static void take_events(struct conn *conn, struct muster_str bytes, uint64_t kernel_ns)
{
        struct muster_request *request;
        struct muster_error error = { 0 };
        uint64_t now_ns = engine_now(conn->engine);
        struct http_event event;
        int r;

        do {
                size_t n_left = bytes.len;

                r = mux_of(conn)->next(conn, &bytes, now_ns, &request, &event, &error);
                /* Behind an interim response nothing may have come yet. */
                if (request && r >= 0 && (r != MUX_MORE || n_left))
                        stamp_arrival(request, kernel_ns, now_ns);
                if (r == 0)
                        take_event(request, &event, &error);
                else if (r == MUX_CHANGED)
                        take_change(conn);
                else if (r < 0 && request)
                        users_fail(request, r, &error);
        } while (r != MUX_MORE && (r >= 0 || request) && conn->state != CONN_DEAD);
        if (r == MUX_MORE) {
                place_next(conn, request);
                await_more(conn, request);
        } else if (r < 0 && !request)
                fail_reading(conn, r, &error);
}

static void conn_received(struct conn *conn, struct muster_str bytes, uint64_t kernel_ns)
{
        if (!++conn->n_received)
                conn->n_received = 1; /* 0 is: never */
        conn->input_ns = kernel_ns;
        take_events(conn, bytes, kernel_ns);
}

static void conn_ended(struct conn *conn)
{
        struct muster_request *request;
        struct muster_error error = { 0 };
        int r = mux_of(conn)->eof(conn, &request, &error);

        if (r < 0)
                fail_reading(conn, r, &error);
        else if (request)
                users_complete(request);
        else
                conn_close(conn, TRACE_CLOSED_BY_SERVER);
}

/* The connection can be used. */
static void conn_ready(struct conn *conn)
{
        struct muster_error error = { 0 };

        assert(conn->state == CONN_READY && !conn->mux);
        conn->mux = conn_is_h2(conn) ? mux_h2_new(conn) : mux_h1_new();
        if (conn->mux) {
                room_ready(conn);
                users_offer_room(conn);
                return;
        }
        error_set_memory(&error, MUSTER_PHASE_SEND);
        users_fail_all(conn, &error);
}

static void conn_sent(struct conn *conn)
{
        struct muster_request *failed;
        struct muster_error error = { 0 };
        int r = exchange_send_on(conn, &failed, &error);

        if (r < 0 && failed)
                users_fail(failed, r, &error);
        else if (r < 0)
                fail_reading(conn, r, &error);
        else if (mux_of(conn)->is_shared)
                take_events(conn, (struct muster_str){ 0 }, 0);
        users_offer_room(conn); /* streams that were reset are free when the server has been told */
}

/* --- a body that comes slowly ---------------------------------------------------------------- */

/* The pipe that the request's body comes from has something. The server's turn begins now. */
static void send_more(struct loop_watch *watch, bool readable, bool writable)
{
        struct muster_request *request = LIST_OWNER(watch, struct muster_request, upload.watch);
        struct conn *conn = request->exchange.conn;

        (void)readable;
        (void)writable;
        assert(conn && conn->mux);
        upload_stop_waiting(&request->upload);
        deadline_received(request, engine_now(conn->engine));
        (void)deadline_arm(request);
        if (mux_of(conn)->hungry)
                mux_of(conn)->hungry(conn, request);
        conn_sent(conn);
}

void exchange_flush(struct engine *engine)
{
        struct list *link;

        while ((link = list_pop(&engine->unflushed)))
                conn_sent(conn_of_flush_link(link));
}

static void conn_closed(struct conn *conn)
{
        room_retire(conn);
        pool_bury(conn);
        room_count(conn->engine, conn->origin);
}

static void conn_acked(struct conn *conn, uint64_t kernel_ns)
{
        uint64_t now_ns = engine_now(conn->engine);

        for (struct list *link = conn->exchanges.next; link != &conn->exchanges;
                link = link->next) {
                struct muster_request *request = request_of_exchange_link(link);

                /* A late acknowledgement belongs to an earlier request. */
                if (request->notes.number == conn->notes.acked_attempt &&
                        kernel_ns >= request->attempt.send_start_ns)
                        request->attempt.acked_ns = kernel_ns < now_ns ? kernel_ns : now_ns;
        }
}

static const struct conn_ops conn_ops = {
        .ready = conn_ready,
        .sent = conn_sent,
        .placed = conn_placed,
        .received = conn_received,
        .ended = conn_ended,
        .acked = conn_acked,
        .failed = users_fail_all,
        .closed = conn_closed,
};

static void use_conn(struct conn *conn, struct muster_request *request)
{
        users_join(conn, request);
        conn->engine->stats.n_conns_reused++;
        request->notes.is_reused = true;
        request->notes.conn_idle_ns = conn->info.idle_ns;
        users_begin(request, request->attempt.slot_ns);
        if (mux_of(conn)->is_shared)
                users_offer_room(conn);
}

/* Wait for a connection that is being made for another request. */
static void await_conn(struct conn *conn, struct muster_request *request)
{
        struct muster_error error = { 0 };

        assert(conn->is_awaited);
        if (deadline_arm(request) < 0) {
                error_set_memory(&error, MUSTER_PHASE_DNS);
                users_report_over(request, &error);
                return;
        }
        users_join(conn, request);
        users_note_progress(request);
        request->notes.is_reused = true; /* another one opened it */
}

/* Open a connection. The request waits for it. */
static void make_conn(struct muster_request *request)
{
        struct engine *engine = request->engine;
        struct muster_error error = { 0 };
        struct conn *conn = NULL;

        assert(!request->exchange.conn && request->origin);
        request->attempt.stage = MUSTER_PHASE_DNS;
        if (deadline_arm(request) == 0)
                conn = conn_new(engine, request->origin, room_kind(request), &conn_ops,
                        request->attempt.slot_ns);
        if (!conn) {
                error_set_memory(&error, MUSTER_PHASE_DNS);
                users_report_over(request, &error);
                return;
        }
        pool_count(&engine->pool);
        conn->notes.wanted_by = request->notes.number;
        users_join(conn, request);
        room_opened(conn, !request->limits.no_reuse);
        if (conn_open(conn, &error) < 0) {
                users_leave(request);
                conn_close(conn, TRACE_NEVER_OPEN);
                users_report_over(request, &error);
        }
}

void exchange_start(struct muster_request *request)
{
        struct conn *conn = NULL;

        assert(request->state == REQUEST_RUNNING && !request->exchange.conn);
        request->upload.watch.ready = send_more;
        if (!request->wants_fresh_conn)
                conn = pool_take(&request->engine->pool, request->origin, room_kind(request),
                        request->attempt.slot_ns);
        if (conn)
                use_conn(conn, request);
        else if (!request->limits.no_reuse && (conn = room_awaited(request)))
                await_conn(conn, request);
        else if (room_may_open(request))
                make_conn(request);
        else
                users_put_back(request, TRACE_WAIT_STREAM);
}

/* --- what its connection shows --------------------------------------------------------------- */

struct exchange_signs exchange_signs(const struct muster_request *request)
{
        const struct conn *conn = request->exchange.conn;

        if (!conn)
                return (struct exchange_signs){ 0 };
        return (struct exchange_signs){ .has_input = conn_has_input(conn),
                .input_ns = conn->input_ns,
                .unsent_bytes =
                        request->exchange.has_begun ? mux_of(conn)->unsent(conn, request) : 0 };
}
