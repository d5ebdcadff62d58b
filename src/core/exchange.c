/* SPDX-License-Identifier: MIT */
#include "exchange.h"

#include "engine.h"
#include "deadline.h"
#include "decision.h"
#include "flow.h"
#include <base/error.h>

/* Of a body that nobody wants: reading more, or for longer, costs more than a new connection. */
#define DRAIN_BYTES_MAX (64 * 1024)
#define DRAIN_NS        (100 * NS_PER_MS)

/* of a body whose length is known: beyond, it grows as it comes */
#define RESERVE_BYTES (16 * 1024 * 1024)

#define DECODE_STEP_BYTES 2048 /* at most 2 MiB come out of it, in a millisecond or two */

static uint64_t now_of(const struct conn *conn)
{
        return clock_now(&conn->engine->clock);
}

/* --- the end of it --------------------------------------------------------------------------- */

/* Part request and connection; the result keeps what is known of the latter. */
static struct muster_request *part(struct conn *conn)
{
        struct muster_request *request = conn->request;

        request->result.conn = conn->info;
        request->conn = NULL;
        conn->request = NULL;
        conn->decoder = decoder_free(conn->decoder);
        return request;
}

/* Of a connection that is not used again. */
static enum trace_closer closer_of(const struct conn *conn)
{
        return conn->reader.keeps_alive || conn->notes.we_close ? TRACE_CLOSED_BY_CLIENT
                                                                : TRACE_CLOSED_BY_SERVER;
}

static void leave(struct conn *conn, bool can_be_reused)
{
        if (!can_be_reused) {
                conn_close(conn, closer_of(conn));
                return;
        }
        loop_recv_start(&conn->socket); /* a slow reader may have had it stopped */
        pool_put(&conn->engine->pool, conn, conn->engine->loop.now_ns);
}

/* What is to be done was told by the head: the server can break only what nobody wants. */
static bool is_failure_of_dropped_body(const struct muster_request *request, enum muster_code code)
{
        return request->use != RESPONSE_IS_RESULT &&
               (code == MUSTER_E_CLOSED || code == MUSTER_E_PROTOCOL || code == MUSTER_E_SEND ||
                       code == MUSTER_E_TLS || code == MUSTER_E_TOO_LARGE);
}

void exchange_note_dial(struct conn *conn)
{
        struct attempt *attempt = &conn->request->attempt;
        uint64_t dns_end_ns = conn_dns_end_ns(conn);

        if (!dns_end_ns)
                return;
        attempt->dns_end_ns = dns_end_ns;
        attempt->stage = MUSTER_PHASE_TCP;
}

void exchange_failed(struct conn *conn, const struct muster_error *error)
{
        struct muster_request *request = conn->request;
        struct muster_error why = *error;
        bool is_server = why.code == MUSTER_E_CLOSED || why.code == MUSTER_E_SEND;
        enum trace_closer closer = is_server ? TRACE_CLOSED_BY_SERVER : TRACE_CLOSED_BY_CLIENT;

        exchange_note_dial(conn);
        if (why.stage != MUSTER_PHASE_DECODE)
                why.stage = request->attempt.stage;
        request->died_stale = conn->info.reuse_count > 0 && !h1_read_has_begun(&conn->reader) &&
                              (why.code == MUSTER_E_CLOSED || why.code == MUSTER_E_SEND);
        part(conn);
        conn_close(conn, closer);
        flow_attempt_over(request, is_failure_of_dropped_body(request, why.code) ? NULL : &why);
}

static void fail(struct conn *conn, int code, struct muster_error *error)
{
        error_set(error, (enum muster_code)code, conn->request->attempt.stage, 0,
                "resource: out of memory while reading the response");
        exchange_failed(conn, error);
}

static int end_body(struct conn *conn, struct muster_request *request, struct muster_error *error)
{
        struct muster_result *result = &request->result;
        int r = 0;

        if (request->work.encoded.len) {
                /* The rest is decoded off the loop. */
                request->work.decoder = conn->decoder;
                conn->decoder = NULL;
                return 0;
        }
        if (conn->decoder && request->use == RESPONSE_IS_RESULT) {
                r = decoder_end(conn->decoder, error);
                result->body_bytes = decoder_n_out(conn->decoder);
                if (r == 0)
                        r = result_add_decoder_warning(result, conn->decoder);
        }
        if (r == 0 && result->body.at)
                r = buf_terminate(&result->body);
        return r;
}

/* What is left of the body waits for somebody who reads slowly. */
static bool waits_for_sink(struct conn *conn, size_t n_left)
{
        struct sink *sink = &conn->request->sink;

        if (!conn->request->uses_sink || sink->kind == SINK_STREAM || !sink->is_blocked)
                return false;
        sink->is_ending = true;
        sink->n_left = n_left;
        return true;
}

/* The response is complete; `n_left` bytes came that are not of it, and nobody asked for those. */
static void complete(struct conn *conn, size_t n_left)
{
        struct muster_request *request = conn->request;
        struct muster_error error = { 0 };
        bool can_be_reused = conn->reader.keeps_alive && !conn->is_sending && !conn->send_sys &&
                             n_left == 0 && conn->state == CONN_READY && !request->limits.no_reuse;
        int r;

        if (waits_for_sink(conn, n_left))
                return;
        if (request_has_upload(request) && !request->upload.is_over)
                can_be_reused = false;
        r = end_body(conn, request, &error);
        if (r < 0) {
                fail(conn, r, &error);
                return;
        }
        conn_sample(conn, request->attempt.last_byte_read_ns);
        part(conn);
        leave(conn, can_be_reused);
        flow_attempt_over(request, NULL);
}

/* --- a body that goes elsewhere -------------------------------------------------------------- */

static void drain_sink(struct loop_watch *watch, bool readable, bool writable);

/* Read no more from the server until there is room: that is nobody's silence. */
static int block(struct conn *conn, struct muster_request *request, struct muster_error *error)
{
        struct sink *sink = &request->sink;

        if (sink->is_blocked)
                return 0;
        sink->is_blocked = true;
        loop_recv_stop(&conn->socket);
        request->read_until_ns = UINT64_MAX;
        if (sink->kind == SINK_STREAM)
                return 0;
        sink->watch.ready = drain_sink;
        if (loop_watch_set(&conn->engine->loop, &sink->watch, sink->fd, false, true) < 0)
                return error_set_memory(error, MUSTER_PHASE_RECEIVE);
        return 0;
}

void exchange_unblock(struct conn *conn)
{
        struct muster_request *request = conn->request;
        struct sink *sink = &request->sink;

        if (!sink->is_blocked)
                return;
        sink->is_blocked = false;
        if (sink->watch.loop)
                loop_watch_set(sink->watch.loop, &sink->watch, sink->fd, false, false);
        if (sink->is_ending) {
                complete(conn, sink->n_left);
                return;
        }
        deadline_received(request, now_of(conn));
        /*
         * Without memory for the timer the read timeout is not looked at until the next one that is
         * set.
         */
        (void)deadline_arm(request);
        loop_recv_start(&conn->socket);
}

static void drain_sink(struct loop_watch *watch, bool readable, bool writable)
{
        struct muster_request *request = LIST_OWNER(watch, struct muster_request, sink.watch);
        struct conn *conn = request->conn;
        struct muster_error error = { 0 };
        int r = sink_take(&request->sink, &request->result.body, &error);

        (void)readable;
        (void)writable;
        if (r < 0)
                fail(conn, r, &error);
        else if (r == 0)
                exchange_unblock(conn);
}

/* What has come of the body goes where it belongs. */
static int pass_on(struct conn *conn, struct muster_request *request, struct muster_error *error)
{
        int r;

        if (!request->uses_sink)
                return 0;
        r = sink_take(&request->sink, &request->result.body, error);
        return r == SINK_BLOCKED ? block(conn, request, error) : r;
}

/* --- the response ---------------------------------------------------------------------------- */

static void stamp_arrival(struct muster_request *request, uint64_t kernel_ns, uint64_t now_ns)
{
        struct attempt *attempt = &request->attempt;

        if (!kernel_ns || kernel_ns > now_ns)
                kernel_ns = now_ns;
        if (!attempt->first_byte_read_ns) {
                attempt->first_byte_kernel_ns = kernel_ns;
                attempt->first_byte_read_ns = now_ns;
                attempt->stage = MUSTER_PHASE_RECEIVE;
        }
        request->notes.n_receives++;
        tracing_received(request->engine, kernel_ns);
        attempt->last_byte_kernel_ns = kernel_ns;
        attempt->last_byte_read_ns = now_ns;
        deadline_received(request, now_ns);
}

/* What came was not the response yet (RFC 9110 section 15.2): go on waiting for that. */
static void forget_arrival(struct muster_request *request)
{
        request->attempt.first_byte_kernel_ns = request->attempt.first_byte_read_ns = 0;
        request->attempt.stage = MUSTER_PHASE_WAIT;
}

static int too_large(const struct muster_request *request, uint64_t bytes,
        struct muster_error *error)
{
        return error_set(error, MUSTER_E_TOO_LARGE, MUSTER_PHASE_RECEIVE, 0,
                "too_large: the body has %s%llu bytes, the cap is %llu; raise it with max_body_bytes (--max-filesize)",
                bytes ? "" : "more than ",
                (unsigned long long)(bytes ? bytes : request->limits.max_body_bytes),
                (unsigned long long)request->limits.max_body_bytes);
}

/* Make ready for the body: its decoder, or room for all of it. */
static int expect_body(struct conn *conn, struct muster_request *request,
        const struct http_head *head, struct muster_error *error)
{
        const struct settings *settings = conn->engine->settings;
        struct decode_limits limits = { .max_bytes = request->limits.max_body_bytes,
                .max_ratio = settings->max_decode_ratio };
        int r;

        if (!request->limits.no_decoding) {
                if (result_set_undecoded(&request->result, &head->fields) < 0)
                        return error_set_memory(error, MUSTER_PHASE_DECODE);
                r = decoder_new(&conn->decoder, &head->fields, &limits, error);
                if (r <= 0) {
                        request->notes.is_encoded = r == 0 && conn->decoder;
                        return r;
                }
        }
        if (!head->has_length)
                return 0;
        if (head->length > request->limits.max_body_bytes)
                return too_large(request, head->length, error);
        if (request->limits.discard_body || request->uses_sink || head->length > RESERVE_BYTES)
                return 0;
        return buf_reserve(&request->result.body, (size_t)head->length + 1);
}

/*
 * A body that is an error's stays in memory, to be looked at, unless it is wanted where good ones
 * go.
 */
static int begin_sink(struct conn *conn, struct muster_request *request,
        const struct http_head *head, struct muster_error *error)
{
        bool is_error = request->limits.fail_on_status && !request->limits.fail_with_body &&
                        head->status >= 400;
        int r = 0;

        request->uses_sink = request->sink.kind != SINK_MEMORY && !is_error &&
                             !(request->limits.discard_body && request->sink.kind != SINK_STREAM);
        if (request->uses_sink)
                r = sink_begin(&request->sink, error);
        if (r == 0 && request->uses_sink && request->sink.kind == SINK_STREAM)
                flow_announce(request, &conn->info);
        return r;
}

void exchange_drop_rest(struct conn *conn)
{
        conn->notes.we_close |= conn->reader.keeps_alive;
        conn->reader.keeps_alive = false;
        complete(conn, 0);
}

/*
 * The body of a redirect, or of what is tried again. It is read only to keep the connection, as far
 * as it is short and comes at once; the request does not wait for it. DROPPED: the exchange is
 * over.
 */
#define DROPPED 1
static int expect_unwanted_body(struct conn *conn, struct muster_request *request,
        const struct http_head *head)
{
        bool saves_conn = head->keeps_alive && !request->limits.no_reuse &&
                          !(head->has_length && head->length > DRAIN_BYTES_MAX);

        request->drain_until_ns = clock_after(now_of(conn), DRAIN_NS);
        if (saves_conn && deadline_arm(request) == 0)
                return 0;
        exchange_drop_rest(conn);
        return DROPPED;
}

static int take_head(struct conn *conn, struct muster_request *request,
        const struct http_head *head, struct muster_error *error)
{
        int r = result_set_head(&request->result, head);

        if (r == 0)
                r = decide_use(request, head, error);
        if (r == 0 && request->use == RESPONSE_IS_RESULT)
                r = begin_sink(conn, request, head, error);
        if (r < 0 || !head->has_body)
                return r;
        return request->use == RESPONSE_IS_RESULT ? expect_body(conn, request, head, error)
                                                  : expect_unwanted_body(conn, request, head);
}

/* Keep encoded bytes for a worker. */
static int decode_later(struct muster_request *request, struct muster_str bytes,
        struct muster_error *error)
{
        struct buf *encoded = &request->work.encoded;

        if (encoded->len + bytes.len > request->limits.max_body_bytes)
                return too_large(request, 0, error);
        return buf_add_str(encoded, bytes);
}

/*
 * Decode what came; from the point on where the body is a large one, that is left to a worker. In
 * small steps, as one of 128 KiB could become 128 MiB before the loop goes on.
 */
static int decode(struct conn *conn, struct muster_request *request, struct muster_str bytes,
        struct muster_error *error)
{
        struct muster_result *result = &request->result;
        /* What goes on from here cannot be decoded elsewhere. */
        uint64_t threshold =
                request->uses_sink ? UINT64_MAX : conn->engine->settings->decode_threshold_bytes;
        uint64_t start = now_of(conn);
        int r = 0;

        while (r == 0 && bytes.len && decoder_n_out(conn->decoder) <= threshold) {
                struct muster_str step = bytes;

                if (threshold != UINT64_MAX && step.len > DECODE_STEP_BYTES)
                        step.len = DECODE_STEP_BYTES;
                r = decoder_feed(conn->decoder, step,
                        request->limits.discard_body ? NULL : &result->body, error);
                bytes.at += step.len;
                bytes.len -= step.len;
        }
        result->body_bytes = decoder_n_out(conn->decoder);
        start = now_of(conn) - start;
        request->attempt.decode_ns += start;
        tracing_worked(conn->engine, TRACE_WORK_DECODE, start, request->notes.number);
        return r == 0 && bytes.len ? decode_later(request, bytes, error) : r;
}

#define BODY_NOT_WANTED 1 /* it is longer than is worth reading */

static int take_body(struct conn *conn, struct muster_request *request, struct muster_str bytes,
        struct muster_error *error)
{
        struct muster_result *result = &request->result;
        int r;

        result->wire_bytes += bytes.len;
        if (request->use != RESPONSE_IS_RESULT)
                return result->wire_bytes > DRAIN_BYTES_MAX ? BODY_NOT_WANTED : 0;
        if (conn->decoder) {
                r = decode(conn, request, bytes, error);
        } else {
                result->body_bytes += bytes.len;
                if (result->body_bytes > request->limits.max_body_bytes)
                        return too_large(request, 0, error);
                r = request->limits.discard_body ? 0 : buf_add_str(&result->body, bytes);
        }
        return r == 0 ? pass_on(conn, request, error) : r;
}

/* One event of the reader. 0: go on. Positive: the exchange is over. Negative: it failed. */
static int take_event(struct conn *conn, const struct http_event *event, size_t n_left,
        struct muster_error *error)
{
        struct muster_request *request = conn->request;
        int r;

        switch (event->kind) {
        case HTTP_INTERIM:
                if (n_left == 0)
                        forget_arrival(request);
                return 0;
        case HTTP_HEAD:
                conn->notes.we_close |= event->head.is_in_doubt;
                return take_head(conn, request, &event->head, error);
        case HTTP_BODY:
                r = take_body(conn, request, event->body, error);
                if (r == BODY_NOT_WANTED)
                        exchange_drop_rest(conn);
                return r;
        case HTTP_DONE:
                complete(conn, n_left);
                return 1;
        }
        return MUSTER_E_INTERNAL;
}

void exchange_received(struct conn *conn, struct muster_str bytes, uint64_t kernel_ns)
{
        struct h1_scratch *scratch = &conn->engine->scratch;
        struct muster_error error = { 0 };
        int r = 0;

        if (!conn->request) {
                conn_close(conn,
                        /* nobody asked: whose response would it be taken for? */
                        TRACE_CLOSED_BY_CLIENT);
                return;
        }
        stamp_arrival(conn->request, kernel_ns, now_of(conn));
        while (r == 0) {
                struct http_event event;

                r = h1_read_next(&conn->reader, scratch, &bytes, &event, &error);
                if (r == 0)
                        r = take_event(conn, &event, bytes.len, &error);
        }
        if (r < 0)
                fail(conn, r, &error);
}

void exchange_ended(struct conn *conn)
{
        struct muster_error error = { 0 };
        int r;

        if (!conn->request) {
                conn_close(conn, TRACE_CLOSED_BY_SERVER);
                return;
        }
        conn->reader.keeps_alive = false;
        r = h1_read_eof(&conn->reader, &error);
        if (r < 0)
                fail(conn, r, &error);
        else
                complete(conn, 0);
}
