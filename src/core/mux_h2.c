/* SPDX-License-Identifier: MIT */
#include "mux_h2.h"

#include "attempt_head.h"
#include "conn.h"
#include "engine.h"
#include <assert.h>
#include <base/error.h>
#include <base/mem.h>
#include <base/minmax.h>
#include <http/h2.h>
#include <limits.h>

/* What is written in one go: enough to fill a link, little enough to stay in caches. */
#define PULL_BYTES (64 * 1024)

struct mux_h2 {
        struct mux mux;
        struct h2 *h2;
        struct conn *conn;
        struct muster_request *fed;    /* whose body was told last: what it keeps is settled next */
        struct muster_request *failed; /* whose stream, and not the connection, has failed last */
        struct buf framing;            /* that of uploads in HTTP/1, which is not needed */
        struct loop_timer pong_timer;
        struct loop_timer room_timer; /* since the server allows no stream */
        bool knows_room, awaits_room;
        unsigned n_begun, n_ended; /* exchanges, since the connection began */
        unsigned n_expected;       /* of them, that the server takes; 0: not known */
        unsigned n_taken; /* of them, by GOAWAY, which left the others over; 0: it did not */
};

static struct mux_h2 *h2_of(const struct conn *conn)
{
        return LIST_OWNER(conn->mux, struct mux_h2, mux);
}

static void flush_later(struct conn *conn)
{
        if (!list_is_linked(&conn->flush_link))
                list_push_back(&conn->engine->unflushed, &conn->flush_link);
}

/*
 * Where earlier connections took a number of requests and left the others over, more than that
 * would be sent in vain. One that has answered as many, and goes on, is bounded no more.
 */
static unsigned left_to_take(const struct mux_h2 *mux)
{
        if (mux->n_ended >= mux->n_expected)
                return UINT_MAX;
        return mux->n_expected - mux->n_begun;
}

/*
 * Until the server has told, a connection is expected to have no more streams than an earlier one:
 * it would refuse the others.
 */
static unsigned mux_room(const struct conn *conn)
{
        const struct mux_h2 *mux = h2_of(conn);
        unsigned allowed = conn->origin->n_streams_allowed, n_open = h2_n_open(mux->h2);
        unsigned room = min_unsigned(h2_room(mux->h2), left_to_take(mux));

        if (mux->knows_room || !allowed)
                return room;
        return min_unsigned(room, allowed > n_open ? allowed - n_open : 0);
}

static unsigned mux_allowed(const struct conn *conn)
{
        return h2_allowed(h2_of(conn)->h2);
}

static bool mux_knows_room(const struct conn *conn)
{
        return h2_of(conn)->knows_room;
}

static bool mux_is_closing(const struct conn *conn)
{
        return h2_is_closing(h2_of(conn)->h2);
}

static unsigned mux_taken(const struct conn *conn)
{
        return h2_of(conn)->n_taken;
}

static void note_begun(struct mux_h2 *mux)
{
        mux->n_begun++;
        if (mux->n_expected && mux->n_begun > mux->n_expected)
                mux->conn->origin->takes_as_many = false; /* it went on: it leaves none over */
}

/* --- is the server still there? --------------------------------------------------------------- */

static void pong_is_missing(struct loop_timer *timer, uint64_t late_ns)
{
        struct mux_h2 *mux = LIST_OWNER(timer, struct mux_h2, pong_timer);
        struct conn *conn = mux->conn;
        struct muster_error error = { 0 };

        (void)late_ns;
        error_set(&error, MUSTER_E_CLOSED, MUSTER_PHASE_WAIT, 0,
                "closed: %s did not answer a PING within %d s on a connection that had been idle",
                conn->info.remote, (int)(MUX_H2_PONG_NS / NS_PER_S));
        conn->ops->failed(conn, &error);
}

/* Without memory for it, the request's read timeout finds out. */
static void ask_if_alive(struct conn *conn)
{
        struct mux_h2 *mux = h2_of(conn);
        uint64_t until_ns = clock_after(engine_now(conn->engine), MUX_H2_PONG_NS);

        if (h2_ping(mux->h2) == 0)
                (void)loop_timer_set(&conn->engine->loop, &mux->pong_timer, until_ns);
}

/* --- does the server allow anything? ---------------------------------------------------------- */

/* The server has told. What it says again does not give it more time. */
static void await_room(struct mux_h2 *mux)
{
        struct engine *engine = mux->conn->engine;
        bool is_waiting = mux->awaits_room;

        mux->awaits_room = h2_allowed(mux->h2) == 0;
        if (!mux->awaits_room)
                loop_timer_stop(&engine->loop, &mux->room_timer);
        else if (!is_waiting) /* without memory for it, what the server says next is waited for */
                mux->awaits_room = loop_timer_set(&engine->loop, &mux->room_timer,
                                           clock_after(engine_now(engine), MUX_H2_NO_ROOM_NS)) == 0;
}

static void room_is_missing(struct loop_timer *timer, uint64_t late_ns)
{
        struct mux_h2 *mux = LIST_OWNER(timer, struct mux_h2, room_timer);
        struct conn *conn = mux->conn;
        struct muster_error error = { 0 };

        (void)late_ns;
        mux->awaits_room = false;
        if (h2_n_open(mux->h2)) {
                await_room(mux);
                return;
        }
        error_set(&error, MUSTER_E_CLOSED, MUSTER_PHASE_WAIT, 0,
                "closed: %s has allowed no request on its HTTP/2 connection for %d s",
                conn->info.remote, (int)(MUX_H2_NO_ROOM_NS / NS_PER_S));
        conn->ops->failed(conn, &error);
}

/* --- requests -------------------------------------------------------------------------------- */

static int begin_stream(struct conn *conn, struct muster_request *request,
        struct muster_error *error)
{
        struct attempt_head head;
        int r = attempt_head_init(&head, request);

        if (r < 0)
                error_set_memory(error, MUSTER_PHASE_SEND);
        if (r == 0)
                r = h2_begin(h2_of(conn)->h2, &head.http, request, &request->exchange.stream,
                        error);
        if (r == 0)
                request->notes.sent_bytes += h2_head_bytes(request->exchange.stream);
        attempt_head_deinit(&head);
        return r;
}

static int mux_begin(struct conn *conn, struct muster_request *request, struct muster_error *error)
{
        struct exchange *exchange = &request->exchange;
        int r;

        assert(!exchange->stream && mux_room(conn) > 0);
        exchange->owed_bytes = 0;
        exchange->is_paused = false;
        r = begin_stream(conn, request, error);
        if (r < 0)
                return r;
        note_begun(h2_of(conn));
        if (request_sends_body(request) && !request_has_upload(request)) {
                request->notes.sent_bytes += request->body.len;
                h2_offer(h2_of(conn)->h2, exchange->stream, buf_str(&request->body), true);
        }
        if (conn->n_begun == 1 && exchange->idle_ns >= MUX_H2_PING_IDLE_NS)
                ask_if_alive(conn);
        request->notes.stream = h2_stream_id(exchange->stream);
        request->notes.n_sharing = conn->n_begun;
        flush_later(conn);
        return CONN_SENDING;
}

/* Offer the next piece of a stream's upload. */
static int offer_piece(struct mux_h2 *mux, struct muster_request *request,
        struct muster_error *error)
{
        struct upload *upload = &request->upload;
        struct muster_str piece = { NULL, 0 };
        int r;

        if (!request_has_upload(request) || upload->is_over)
                return 0;
        mux->framing.len = 0;
        r = upload_next(upload, &mux->conn->engine->loop, &mux->framing, &piece, error);
        if (r != 0)
                return r == UPLOAD_WAITS ? 0 : r; /* mux_hungry() when it has something */
        request->notes.sent_bytes += piece.len;
        h2_offer(mux->h2, request->exchange.stream, piece, upload->is_over);
        return 0;
}

static void mux_hungry(struct conn *conn, struct muster_request *request)
{
        h2_set_hungry(h2_of(conn)->h2, request->exchange.stream);
}

static int offer_pieces(struct mux_h2 *mux, struct muster_request **ret_request,
        struct muster_error *error)
{
        struct h2_stream *stream;
        int r = 0;

        while (r == 0 && (stream = h2_next_hungry(mux->h2))) {
                *ret_request = h2_stream_user(stream);
                r = offer_piece(mux, *ret_request, error);
        }
        return r;
}

static int mux_flush(struct conn *conn, struct muster_request **ret_request,
        struct muster_error *error)
{
        struct mux_h2 *mux = h2_of(conn);
        int r = 0;

        assert(conn->state == CONN_READY);
        while (r == 0) {
                r = offer_pieces(mux, ret_request, error);
                if (r < 0)
                        flush_later(conn); /* others go on */
                if (r < 0 || (r = conn_is_sending(conn) ? CONN_SENDING : 0) > 0)
                        return r;
                *ret_request = NULL;
                if (!h2_wants_send(mux->h2))
                        return 0;
                r = h2_pull(mux->h2, conn_head(conn), PULL_BYTES, engine_now(conn->engine), error);
                if (r == 0)
                        r = conn_send(conn, (struct muster_str){ 0 }, error);
        }
        return r;
}

static bool mux_is_sent(const struct conn *conn, const struct muster_request *request)
{
        return h2_is_sent_whole(request->exchange.stream) && !conn_is_sending(conn);
}

/* While others send, its own bytes count; at the end those of all, as they are one stream then. */
static size_t mux_unsent(const struct conn *conn, const struct muster_request *request)
{
        if (h2_is_sent_whole(request->exchange.stream))
                return conn_unsent_bytes(conn);
        return (size_t)request->notes.sent_bytes + 1;
}

/* --- responses ------------------------------------------------------------------------------- */

/* Let the server send as much as was received, unless the reader is behind. */
static void settle(struct mux_h2 *mux, struct muster_request *request)
{
        struct exchange *exchange = &request->exchange;

        if (exchange->is_paused || !exchange->stream || !exchange->owed_bytes)
                return;
        h2_consume(mux->h2, exchange->stream, exchange->owed_bytes);
        exchange->owed_bytes = 0;
        flush_later(mux->conn);
}

static void mux_pause(struct conn *conn, struct muster_request *request)
{
        (void)conn;
        request->exchange.is_paused = true;
}

static void mux_resume(struct conn *conn, struct muster_request *request)
{
        request->exchange.is_paused = false;
        settle(h2_of(conn), request);
}

/* The requests up to `last_stream` are taken. Their streams have odd numbers, from 1. */
static void note_goaway(struct mux_h2 *mux, uint32_t last_stream)
{
        unsigned n = last_stream / 2 + last_stream % 2;

        mux->n_taken = n < mux->n_begun ? n : 0;
}

/* 0: it is an event of a request. MUX_CHANGED, MUX_MORE: go on; the request failed: negative. */
static int take_h2_event(struct mux_h2 *mux, const struct h2_event *event,
        struct muster_request **ret_request, struct http_event *ret_event,
        struct muster_error *error)
{
        switch (event->kind) {
        case H2_HTTP:
                *ret_request = event->user;
                *ret_event = event->http;
                if (event->http.kind == HTTP_BODY) {
                        mux->fed = event->user;
                        mux->fed->exchange.owed_bytes += event->http.body.len;
                }
                return 0;
        case H2_FAILED:
                *ret_request = mux->failed = event->user;
                *error = *event->error;
                return (int)event->error->code;
        case H2_SETTINGS:
                mux->knows_room = true;
                await_room(mux);
                return MUX_CHANGED;
        case H2_GOAWAY:
                note_goaway(mux, event->last_stream);
                return MUX_CHANGED;
        case H2_PONG:
                loop_timer_stop(&mux->conn->engine->loop, &mux->pong_timer);
                return MUX_MORE;
        }
        return MUX_MORE;
}

static int mux_next(struct conn *conn, struct muster_str *bytes, uint64_t now_ns,
        struct muster_request **ret_request, struct http_event *ret_event,
        struct muster_error *error)
{
        struct mux_h2 *mux = h2_of(conn);
        int r;

        *ret_request = NULL;
        do {
                struct h2_event event;

                if (mux->fed)
                        settle(mux, mux->fed);
                mux->fed = NULL;
                r = h2_next(mux->h2, bytes, now_ns, &event, error);
                if (r < 0)
                        return r;
                if (r == H2_MORE)
                        break;
                r = take_h2_event(mux, &event, ret_request, ret_event, error);
        } while (r == MUX_MORE);
        if (r != H2_MORE)
                return r;
        if (h2_wants_send(mux->h2) && !conn_is_sending(conn))
                flush_later(conn); /* else it goes on when that is sent */
        return MUX_MORE;
}

static uint64_t mux_body_left(const struct conn *conn)
{
        (void)conn;
        return 0;
}

static struct muster_request *mux_skip_body(struct conn *conn, size_t n)
{
        (void)conn;
        (void)n;
        assert(!"nothing has a place");
        return NULL;
}

static int mux_eof(struct conn *conn, struct muster_request **ret_request,
        struct muster_error *error)
{
        *ret_request = NULL;
        return h2_eof(h2_of(conn)->h2, error);
}

static enum request_fate mux_fate(const struct conn *conn, const struct muster_request *request)
{
        const struct h2_stream *stream = request->exchange.stream;

        if (stream && h2_is_left_over(h2_of(conn)->h2, stream))
                return FATE_LEFT_OVER;
        if (!stream || h2_is_unprocessed(h2_of(conn)->h2, stream))
                return FATE_UNPROCESSED;
        /* A server that resets a stream is there, and has seen it. */
        return h2_has_begun(stream) || h2_of(conn)->failed == request ? FATE_UNKNOWN
                                                                      : FATE_UNANSWERED;
}

/* --- the end --------------------------------------------------------------------------------- */

static void end_stream(struct conn *conn, struct muster_request *request)
{
        struct mux_h2 *mux = h2_of(conn);
        struct exchange *exchange = &request->exchange;

        if (mux->fed == request)
                mux->fed = NULL;
        if (mux->failed == request)
                mux->failed = NULL;
        if (exchange->stream) {
                h2_end(mux->h2, exchange->stream);
                mux->n_ended++;
        }
        exchange->stream = NULL;
        flush_later(conn);
}

static bool mux_end(struct conn *conn, struct muster_request *request)
{
        end_stream(conn, request);
        conn->mux->keeps_alive = !mux_is_closing(conn);
        return conn->mux->keeps_alive;
}

static bool mux_cancel(struct conn *conn, struct muster_request *request)
{
        end_stream(conn, request);
        return !mux_is_closing(conn);
}

static struct mux *mux_free(struct mux *base)
{
        struct mux_h2 *mux = LIST_OWNER(base, struct mux_h2, mux);

        loop_timer_stop(&mux->conn->engine->loop, &mux->pong_timer);
        loop_timer_stop(&mux->conn->engine->loop, &mux->room_timer);
        mux->h2 = h2_free(mux->h2);
        buf_deinit(&mux->framing);
        return mem_free(mux);
}

static const struct mux_ops h2_ops = {
        .is_shared = true,
        .room = mux_room,
        .allowed = mux_allowed,
        .knows_room = mux_knows_room,
        .is_closing = mux_is_closing,
        .taken = mux_taken,
        .begin = mux_begin,
        .flush = mux_flush,
        .hungry = mux_hungry,
        .is_sent = mux_is_sent,
        .pause = mux_pause,
        .resume = mux_resume,
        .next = mux_next,
        .body_left = mux_body_left,
        .skip_body = mux_skip_body,
        .eof = mux_eof,
        .fate = mux_fate,
        .unsent = mux_unsent,
        .end = mux_end,
        .cancel = mux_cancel,
        .free = mux_free,
};

struct mux *mux_h2_new(struct conn *conn)
{
        struct mux_h2 *mux = mem_zalloc(sizeof(*mux));
        struct h2_options options = { .head_bytes_max = conn->engine->settings->max_header_bytes };

        if (!mux)
                return NULL;
        mux->mux.ops = &h2_ops;
        mux->conn = conn;
        mux->n_expected = conn->origin->takes_as_many ? conn->origin->n_taken : 0;
        mux->pong_timer.fire = pong_is_missing;
        mux->room_timer.fire = room_is_missing;
        mux->h2 = h2_new(&options);
        if (!mux->h2)
                return mem_free(mux);
        flush_later(conn);
        return &mux->mux;
}
