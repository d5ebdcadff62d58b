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
#include <assert.h>
#include <base/error.h>
#include <http/decode.h>

static const struct mux_ops *mux_of(const struct conn *conn)
{
        return conn->mux->ops;
}

static void offer_room(struct conn *conn);

static void report_over(struct muster_request *request, const struct muster_error *error)
{
        assert(!request->exchange.conn);
        request->engine->exchange_ops->over(request, error);
}

/* --- the end of it --------------------------------------------------------------------------- */

void exchange_note_progress(struct muster_request *request)
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

/* Detach the request from its connection. The result keeps what is known about that. */
static void detach(struct muster_request *request)
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
                offer_room(conn);
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

/* Note how far a request came that fails. Returns the error as the request sees it. */
static struct muster_error note_failure(struct muster_request *request,
        const struct muster_error *error)
{
        struct muster_error why = *error;

        exchange_note_progress(request);
        if (why.stage != MUSTER_PHASE_DECODE)
                why.stage = request->attempt.stage;
        request->fate = fate_of(request, why.code);
        request->was_denied = request->exchange.conn && request->exchange.conn->notes.is_denied;
        return why;
}

static void over_failed(struct muster_request *request, const struct muster_error *error)
{
        report_over(request, response_is_lost(request, error->code) ? error : NULL);
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

void exchange_cancel(struct muster_request *request, const struct muster_error *error)
{
        struct conn *conn = request->exchange.conn;
        struct muster_error why = note_failure(request, error);
        bool goes_alone = can_go_alone(conn, request);

        assert(request->state == REQUEST_RUNNING && conn);
        detach(request);
        release_conn(conn, goes_alone, closer_for(why.code));
        over_failed(request, &why);
}

/* Fail a request. A failure that has set no error is one of memory. */
static void fail_exchange(struct muster_request *request, int code, struct muster_error *error)
{
        assert(code < 0 && request->exchange.conn);
        error_set(error, (enum muster_code)code, request->attempt.stage, 0,
                "resource: out of memory, in phase %s", muster_phase_name(request->attempt.stage));
        exchange_cancel(request, error);
        error_clear(error);
}

/* The request cannot begin on its connection, if it has one, and waits in the queue again. */
static void put_back(struct muster_request *request, enum trace_wait why)
{
        assert(!request->exchange.has_begun);
        if (request->exchange.conn)
                detach(request);
        request->notes.conn = 0;
        request->notes.is_reused = false;
        request->engine->exchange_ops->put_back(request, why);
}

/* The same for all in the list; each is put before the others, so the last one comes first. */
static void put_back_all(struct list *waiting, enum trace_wait why)
{
        struct list *link;

        while ((link = list_last(waiting)))
                put_back(request_of_exchange_link(link), why);
}

static enum trace_wait waited_for(const struct conn *conn)
{
        return conn->origin->protocol == ORIGIN_HTTP_2 ? TRACE_WAIT_STREAM : TRACE_WAIT_PROTOCOL;
}

/*
 * The connection is unusable: all its exchanges fail. If it never was usable, that is the failure of
 * the first request that waits for it; the others find out for themselves.
 */
static void conn_failed(struct conn *conn, const struct muster_error *error)
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
        put_back_all(&others, waited_for(conn));
        while ((link = list_first(&failed))) {
                struct muster_request *request = request_of_exchange_link(link);
                struct muster_error why = note_failure(request, error);

                detach(request);
                over_failed(request, &why);
        }
}

/* The response is complete, or the rest of it is unwanted. */
static void complete_exchange(struct muster_request *request)
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
                fail_exchange(request, r, &error);
                return;
        }
        can_be_reused = mux_of(conn)->end(conn, request) && !request->limits.no_reuse &&
                        conn->state == CONN_READY;
        if (can_be_reused)
                mux_of(conn)->resume(conn, request); /* a slow reader may have paused it */
        conn_sample(conn, request->attempt.last_byte_read_ns);
        detach(request);
        release_conn(conn, can_be_reused,
                conn->mux->keeps_alive || conn->notes.we_close ? TRACE_CLOSED_BY_CLIENT
                                                               : TRACE_CLOSED_BY_SERVER);
        report_over(request, NULL);
}

void exchange_send_unasked(struct muster_request *request)
{
        struct muster_error error = { 0 };
        int r = exchange_send_body(request, &error);

        if (r < 0)
                fail_exchange(request, r, &error);
}

void exchange_drop_body(struct muster_request *request)
{
        complete_exchange(request);
}

/* --- a reader that is slow ------------------------------------------------------------------- */

static void drain_sink(struct loop_watch *watch, bool readable, bool writable);

/* Stop reading until the sink has room. The server's silence does not count meanwhile. */
static int block_sink(struct muster_request *request, struct muster_error *error)
{
        struct conn *conn = request->exchange.conn;
        struct sink *sink = &request->sink;

        assert(request->uses_sink && conn->mux);
        if (sink->is_blocked)
                return 0;
        sink->is_blocked = true;
        mux_of(conn)->pause(conn, request);
        request->read_until_ns = UINT64_MAX;
        if (sink->kind == SINK_STREAM)
                return 0;
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
                complete_exchange(request);
                return;
        }
        deadline_received(request, engine_now(conn->engine));
        /* Without memory for the timer, the next timer checks the read timeout. */
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
                fail_exchange(request, r, &error);
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
                complete_exchange(request);
                return;
        }
        if (r == RESPONSE_BLOCKED)
                r = block_sink(request, error);
        if (r < 0)
                fail_exchange(request, r, error);
        else if (r == RESPONSE_UNWANTED)
                complete_exchange(request);
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
        conn_failed(conn, error);
}

/* The server has said how much room there is, or that there will be none any more. */
static void take_change(struct conn *conn)
{
        if (!mux_of(conn)->is_closing(conn)) {
                room_known(conn);
                offer_room(conn);
                return;
        }
        room_retire(conn);
        put_back_all(&conn->waiting, TRACE_WAIT_STREAM);
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
                r = mux_of(conn)->next(conn, &bytes, &request, &event, &error);
                if (request && r >= 0)
                        stamp_arrival(request, kernel_ns, now_ns);
                if (r == 0)
                        take_event(request, &event, &error);
                else if (r == MUX_CHANGED)
                        take_change(conn);
                else if (r < 0 && request)
                        fail_exchange(request, r, &error);
        } while (r != MUX_MORE && (r >= 0 || request) && conn->state != CONN_DEAD);
        if (r == MUX_MORE)
                place_next(conn, request);
        else if (r < 0 && !request)
                fail_reading(conn, r, &error);
}

static void conn_received(struct conn *conn, struct muster_str bytes, uint64_t kernel_ns)
{
        if (!++conn->n_received)
                conn->n_received = 1; /* 0 is: never */
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
                complete_exchange(request);
        else
                conn_close(conn, TRACE_CLOSED_BY_SERVER);
}

/* --- the beginning --------------------------------------------------------------------------- */

static void send_request(struct muster_request *request, uint64_t now_ns)
{
        struct muster_error error = { 0 };
        int r = exchange_send_begin(request, now_ns, &error);

        if (r < 0)
                fail_exchange(request, r, &error);
}

/* Begin the exchange of a request that waits for the connection, which has room. */
static void begin_exchange(struct muster_request *request, uint64_t now_ns)
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
                exchange_note_progress(request_of_exchange_link(link));
                begin_exchange(request_of_exchange_link(link), engine_now(conn->engine));
        }
}

/*
 * Give what room there is to those that wait for the connection, and to the pool. When the server
 * has told how much it is, nobody waits here any more.
 */
static void offer_room(struct conn *conn)
{
        if (conn->state != CONN_READY || !conn->mux)
                return;
        begin_waiting(conn);
        if (conn->n_waiting && mux_of(conn)->knows_room(conn))
                put_back_all(&conn->waiting, waited_for(conn));
        else if (conn->n_waiting && conn->state == CONN_READY)
                room_await(conn);
        if (conn->state != CONN_READY)
                return;
        pool_put(&conn->engine->pool, conn, conn->engine->loop.now_ns);
        room_count(conn->engine, conn->origin);
}

/* The connection can be used. */
static void conn_ready(struct conn *conn)
{
        struct muster_error error = { 0 };

        assert(conn->state == CONN_READY && !conn->mux);
        conn->mux = conn_is_h2(conn) ? mux_h2_new(conn) : mux_h1_new();
        if (conn->mux) {
                room_ready(conn);
                offer_room(conn);
                return;
        }
        error_set_memory(&error, MUSTER_PHASE_SEND);
        conn_failed(conn, &error);
}

static void conn_sent(struct conn *conn)
{
        struct muster_request *failed;
        struct muster_error error = { 0 };
        int r = exchange_send_on(conn, &failed, &error);

        if (r < 0 && failed)
                fail_exchange(failed, r, &error);
        else if (r < 0)
                fail_reading(conn, r, &error);
        else if (mux_of(conn)->is_shared)
                take_events(conn, (struct muster_str){ 0 }, 0);
        offer_room(conn); /* streams that were reset are free when the server has been told */
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
        .failed = conn_failed,
        .closed = conn_closed,
};

/* The request belongs to the connection from now on, and waits until it can begin. */
static void join_conn(struct conn *conn, struct muster_request *request)
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

static void use_conn(struct conn *conn, struct muster_request *request)
{
        join_conn(conn, request);
        conn->engine->stats.n_conns_reused++;
        request->notes.is_reused = true;
        request->notes.conn_idle_ns = conn->info.idle_ns;
        begin_exchange(request, request->attempt.slot_ns);
        if (mux_of(conn)->is_shared)
                offer_room(conn);
}

/* Wait for a connection that is being made for another request. */
static void await_conn(struct conn *conn, struct muster_request *request)
{
        struct muster_error error = { 0 };

        assert(conn->is_awaited);
        if (deadline_arm(request) < 0) {
                error_set_memory(&error, MUSTER_PHASE_DNS);
                report_over(request, &error);
                return;
        }
        join_conn(conn, request);
        exchange_note_progress(request);
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
                report_over(request, &error);
                return;
        }
        pool_count(&engine->pool);
        conn->notes.wanted_by = request->notes.number;
        join_conn(conn, request);
        room_opened(conn, !request->limits.no_reuse);
        if (conn_open(conn, &error) < 0) {
                detach(request);
                conn_close(conn, TRACE_NEVER_OPEN);
                report_over(request, &error);
        }
}

void exchange_start(struct muster_request *request)
{
        struct conn *conn = NULL;

        assert(request->state == REQUEST_RUNNING && !request->exchange.conn);
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
                put_back(request, TRACE_WAIT_STREAM);
}

/* --- what its connection shows --------------------------------------------------------------- */

struct exchange_signs exchange_signs(const struct muster_request *request)
{
        const struct conn *conn = request->exchange.conn;

        if (!conn)
                return (struct exchange_signs){ 0 };
        return (struct exchange_signs){ .has_input = conn_has_input(conn),
                .unsent_bytes =
                        request->exchange.has_begun ? mux_of(conn)->unsent(conn, request) : 0 };
}
