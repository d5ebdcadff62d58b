/* SPDX-License-Identifier: MIT */
#include "response.h"

#include "deadline.h"
#include "decision.h"
#include "engine.h"
#include "heads.h"
#include "hsts_list.h"
#include "jar.h"
#include "turns.h"
#include <assert.h>
#include <base/error.h>
#include <http/decode.h>

/* Bounds for an unwanted body: reading more, or for longer, costs more than a new connection. */
#define DRAIN_BYTES_MAX (64 * 1024)
#define DRAIN_NS        (100 * NS_PER_MS)

/* the most reserved for a body of known length; beyond that it grows as it arrives */
#define RESERVE_BYTES (16 * 1024 * 1024)

#define DECODE_STEP_BYTES 2048 /* decodes to at most 2 MiB, in a millisecond or two */

/* --- arrival --------------------------------------------------------------------------------- */

/* How long nothing had come before this piece. */
static void note_gap(struct muster_request *request, uint64_t kernel_ns)
{
        uint64_t before_ns = request->attempt.last_byte_kernel_ns;

        if (!request->notes.n_receives || kernel_ns <= before_ns ||
                kernel_ns - before_ns <= request->notes.gap_ns)
                return;
        request->notes.gap_ns = kernel_ns - before_ns;
        request->notes.gap_bytes = request->notes.taken_bytes;
}

void response_stamp(struct muster_request *request, uint64_t kernel_ns, uint64_t now_ns)
{
        struct attempt *attempt = &request->attempt;

        assert(request->state == REQUEST_RUNNING);
        if (!kernel_ns || kernel_ns > now_ns)
                kernel_ns = now_ns;
        if (!attempt->first_byte_read_ns) {
                attempt->first_byte_kernel_ns = kernel_ns;
                attempt->first_byte_read_ns = now_ns;
                attempt->stage = MUSTER_PHASE_RECEIVE;
                deadline_watch_speed(request, now_ns);
        }
        note_gap(request, kernel_ns);
        request->notes.n_receives++;
        turns_received(request->engine, kernel_ns);
        attempt->last_byte_kernel_ns = kernel_ns;
        attempt->last_byte_read_ns = now_ns;
        /* While its sink is full nothing is expected of the server. */
        if (!request->sink.is_blocked)
                deadline_received(request, now_ns);
}

void response_forget_arrival(struct muster_request *request)
{
        assert(request->notes.n_receives);
        request->notes.n_receives--;
        request->notes.gap_ns = request->notes.gap_bytes = 0;
        request->attempt.first_byte_kernel_ns = request->attempt.first_byte_read_ns = 0;
        request->attempt.stage = MUSTER_PHASE_WAIT;
}

/* --- the head -------------------------------------------------------------------------------- */

static int too_large(const struct muster_request *request, uint64_t bytes,
        struct muster_error *error)
{
        return error_set(error, MUSTER_E_TOO_LARGE, MUSTER_PHASE_RECEIVE, 0,
                "too_large: the body has %s%llu bytes, the cap is %llu; raise it with max_body_bytes (--max-filesize)",
                bytes ? "" : "more than ",
                (unsigned long long)(bytes ? bytes : request->limits.max_body_bytes),
                (unsigned long long)request->limits.max_body_bytes);
}

/* Make a decoder. 0: none is needed. Positive: the body must go through it. */
static int make_decoder(struct muster_request *request, const struct http_head *head,
        struct muster_error *error)
{
        struct decode_limits limits = { .max_bytes = request->limits.max_body_bytes,
                .max_ratio = request->engine->settings->max_decode_ratio };
        int r;

        if (request->limits.no_decoding)
                return 0;
        if (result_set_undecoded(&request->result, &head->fields) < 0)
                return error_set_memory(error, MUSTER_PHASE_DECODE);
        r = decoder_new(&request->exchange.decoder, &head->fields, &limits, error);
        if (r < 0)
                return r;
        request->notes.is_encoded = r == 0 && request->exchange.decoder;
        return r == 0;
}

/*
 * Take note of what the body has in memory now. One that is large must ask before more of it comes.
 */
static int account(struct muster_request *request)
{
        struct body_hold *hold = &request->hold;
        uint64_t bytes = request->result.body.len + request->work.encoded.len;

        if (bytes < BODY_ASKS_BYTES || bytes <= hold->bytes || request->uses_sink)
                return 0;
        if (!request->sink.is_blocked)
                return body_hold_ask(&request->engine->body_share, hold, bytes, BODY_STEP_BYTES) ==
                                       BODY_WAITS
                               ? RESPONSE_BLOCKED
                               : 0;
        /* It waits, and this was on its way already. */
        body_hold_fit(request->engine->body_share.memory, hold, bytes);
        return 0;
}

/* Make room for a body. A large one gets memory that another one had. */
static int make_room(struct muster_request *request, size_t bytes)
{
        struct buf *body = &request->result.body;

        assert(body->len == 0);
        if (bytes < BUF_STORE_LEAST_BYTES || body->size >= bytes)
                return buf_reserve(body, bytes);
        buf_store_give(request->engine->bodies, body);
        return buf_store_take(request->engine->bodies, body, bytes);
}

/* Prepare for the body: make its decoder, or room for all of it. */
static int expect_body(struct muster_request *request, const struct http_head *head,
        struct muster_error *error)
{
        int r = make_decoder(request, head, error);

        if (r < 0)
                return r;
        if (r > 0 || !head->has_length)
                return 0;
        if (head->length > request->limits.max_body_bytes)
                return too_large(request, head->length, error);
        if (request->limits.discard_body || request->uses_sink)
                return 0;
        if (head->length >= BODY_ASKS_BYTES &&
                body_hold_ask(&request->engine->body_share, &request->hold, 0, head->length + 1) ==
                        BODY_WAITS)
                return RESPONSE_BLOCKED;
        return head->length > RESERVE_BYTES ? 0 : make_room(request, (size_t)head->length + 1);
}

/*
 * Begin the sink. The body of an error status stays in memory, unless the caller wants it in the
 * sink as well.
 */
static int begin_sink(struct muster_request *request, const struct http_head *head,
        struct muster_error *error)
{
        bool is_error = request->limits.fail_on_status && !request->limits.fail_with_body &&
                        head->status >= 400;

        request->uses_sink = request->sink.kind != SINK_MEMORY && !is_error &&
                             !(request->limits.discard_body && request->sink.kind != SINK_STREAM);
        return request->uses_sink ? sink_begin(&request->sink, error) : 0;
}

/*
 * Prepare for the body of a redirect or of a response that is retried. It is read only to keep the
 * connection, if it is short and comes at once. The request does not wait for it.
 */
static int expect_unwanted_body(struct muster_request *request, const struct http_head *head)
{
        bool saves_conn = head->keeps_alive && !request->limits.no_reuse &&
                          !(head->has_length && head->length > DRAIN_BYTES_MAX);

        assert(request->use != USE_AS_RESULT);
        request->drain_until_ns = clock_after(engine_now(request->engine), DRAIN_NS);
        return saves_conn && deadline_arm(request) == 0 ? 0 : RESPONSE_UNWANTED;
}

int response_head(struct muster_request *request, const struct http_head *head,
        struct muster_error *error)
{
        const struct settings *settings = request->engine->settings;
        struct muster_jar *jar = request_jar(request);
        int r = result_set_head(&request->result, head);

        assert(request->state == REQUEST_RUNNING && !request->exchange.decoder);
        heads_note_received(request, head);
        if (r == 0 && jar)
                r = jar_take(jar, &request->url, &head->fields);
        if (r == 0 && settings->learns_hsts)
                r = hsts_list_take(settings->hsts, &request->url, &head->fields);
        if (r == 0)
                r = decide_use(request, head, error);
        if (r == 0 && request->use == USE_AS_RESULT)
                r = begin_sink(request, head, error);
        if (r < 0 || !head->has_body)
                return r;
        return request->use == USE_AS_RESULT ? expect_body(request, head, error)
                                             : expect_unwanted_body(request, head);
}

/* --- the body -------------------------------------------------------------------------------- */

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
 * Decode the bytes; once the body is large, the rest is left to a worker. Goes in small steps, as
 * 128 KiB could become 128 MiB before the loop goes on.
 */
static int decode(struct muster_request *request, struct muster_str bytes,
        struct muster_error *error)
{
        struct decoder *decoder = request->exchange.decoder;
        struct muster_result *result = &request->result;
        /* A body that goes on to a sink must be decoded here. */
        uint64_t threshold =
                request->uses_sink ? UINT64_MAX : request->engine->settings->decode_threshold_bytes;
        uint64_t start = engine_now(request->engine);
        int r = 0;

        assert(decoder && request->use == USE_AS_RESULT);
        while (r == 0 && bytes.len && decoder_n_out(decoder) <= threshold) {
                struct muster_str step = bytes;

                if (threshold != UINT64_MAX && step.len > DECODE_STEP_BYTES)
                        step.len = DECODE_STEP_BYTES;
                r = decoder_feed(decoder, step, request->limits.discard_body ? NULL : &result->body,
                        error);
                bytes.at += step.len;
                bytes.len -= step.len;
        }
        result->body_bytes = decoder_n_out(decoder);
        start = engine_now(request->engine) - start;
        request->attempt.decode_ns += start;
        turns_worked(request->engine, TRACE_WORK_DECODE, start, request->notes.number);
        return r == 0 && bytes.len ? decode_later(request, bytes, error) : r;
}

int response_drain(struct muster_request *request, struct muster_error *error)
{
        int r = sink_take(&request->sink, &request->result.body, error);

        return r == SINK_BLOCKED ? RESPONSE_BLOCKED : r;
}

int response_body(struct muster_request *request, struct muster_str bytes,
        struct muster_error *error)
{
        struct muster_result *result = &request->result;
        int r;

        assert(request->state == REQUEST_RUNNING);
        result->wire_bytes += bytes.len;
        if (request->use != USE_AS_RESULT)
                return result->wire_bytes > DRAIN_BYTES_MAX ? RESPONSE_UNWANTED : 0;
        if (request->exchange.decoder) {
                r = decode(request, bytes, error);
        } else {
                result->body_bytes += bytes.len;
                if (result->body_bytes > request->limits.max_body_bytes)
                        return too_large(request, 0, error);
                r = request->limits.discard_body ? 0 : buf_add_str(&result->body, bytes);
        }
        if (r < 0)
                return r;
        return request->uses_sink ? response_drain(request, error) : account(request);
}

/* Is the body kept in memory exactly as received? */
static bool is_kept_as_it_is(const struct muster_request *request)
{
        return request->use == USE_AS_RESULT && !request->exchange.decoder && !request->uses_sink &&
               !request->limits.discard_body;
}

struct iovec response_room(struct muster_request *request, uint64_t left)
{
        struct buf *body = &request->result.body;
        size_t room;

        if (left == 0 || !is_kept_as_it_is(request) || request->sink.is_blocked)
                return (struct iovec){ 0 };
        /* A body that was too large to reserve at once grows step by step. */
        if (body->size < body->len + 2 &&
                buf_reserve(body, (left < RESERVE_BYTES ? (size_t)left : RESERVE_BYTES) + 1) < 0)
                return (struct iovec){ 0 };
        room = body->size - body->len - 1; /* a zero byte must fit behind it */
        return (struct iovec){ body->at + body->len, left < room ? (size_t)left : room };
}

void response_placed(struct muster_request *request, size_t n)
{
        request->result.wire_bytes += n;
        request->result.body_bytes += n;
        request->result.body.len += n;
        assert(request->result.body.len < request->result.body.size);
}

/* --- the end --------------------------------------------------------------------------------- */

bool response_waits(const struct muster_request *request)
{
        return request->uses_sink && request->sink.kind != SINK_STREAM && request->sink.is_blocked;
}

int response_end(struct muster_request *request, struct muster_error *error)
{
        struct decoder *decoder = request->exchange.decoder;
        struct muster_result *result = &request->result;
        int r = 0;

        assert(request->state == REQUEST_RUNNING);
        if (request->work.encoded.len) {
                /* A worker decodes the rest. */
                request->work.decoder = decoder;
                request->exchange.decoder = NULL;
                return 0;
        }
        if (decoder && request->use == USE_AS_RESULT) {
                r = decoder_end(decoder, error);
                result->body_bytes = decoder_n_out(decoder);
                if (r == 0)
                        r = result_add_decoder_warning(result, decoder);
        }
        if (r == 0 && result->body.at)
                r = buf_terminate(&result->body);
        return r;
}

/*
 * Unless the response is the result, its head has told what to do: only an unwanted body is lost.
 */
bool response_is_lost(const struct muster_request *request, enum muster_code code)
{
        bool is_server = code == MUSTER_E_CLOSED || code == MUSTER_E_PROTOCOL ||
                         code == MUSTER_E_SEND || code == MUSTER_E_TLS ||
                         code == MUSTER_E_TOO_LARGE;

        return request->use == USE_AS_RESULT || !is_server;
}
