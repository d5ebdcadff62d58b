/* SPDX-License-Identifier: MIT */
#include "tracing.h"

#include "engine.h"
#include "conn.h"
#include "turns.h"
#include <assert.h>
#include <base/minmax.h>
#include <http/url.h>
#include <net/tcp_info.h>

/* each costs two system calls: together a few tenths of a percent of a processor */
#define ACKS_PER_S 1000
/* A few responses tell; those that come later tell whether it is still so. */
#define QUICK_ACKS_FIRST 8
#define QUICK_ACK_FIRST  4 /* one of so many */
#define QUICK_ACK_LATER  32
/* Of a response: a server that writes in more pieces has shown by then what it does. */
#define QUICK_ACK_PIECES 4

static struct tracing *tracing_of(const struct muster_request *request)
{
        return &request->engine->tracing;
}

void tracing_deinit(struct tracing *tracing)
{
        if (tracing->ended)
                tracing->ended->ops->free(tracing->ended);
        tracing->ended = NULL;
        thread_meter_deinit(&tracing->meter);
}

/* --- attempts -------------------------------------------------------------------------------- */

static uint64_t next_attempt(struct tracing *tracing)
{
        return tracing->shared ? atomic_fetch_add(&tracing->shared->n_attempts, 1) + 1
                               : ++tracing->n_attempts;
}

uint64_t tracing_number_conn(struct tracing *tracing)
{
        return tracing->shared ? atomic_fetch_add(&tracing->shared->n_conns, 1) + 1
                               : ++tracing->n_conns;
}

static uint32_t next_origin(struct tracing *tracing)
{
        return tracing->shared ? atomic_fetch_add(&tracing->shared->n_origins, 1) + 1
                               : ++tracing->n_origins;
}

void tracing_number(struct muster_request *request)
{
        uint16_t n = request->notes.n;

        request->notes = (struct trace_notes){ .number = next_attempt(tracing_of(request)),
                .n = n < UINT16_MAX ? n + 1 : n };
}

void tracing_origin(struct engine *engine, struct origin *origin)
{
        struct tracing *tracing = &engine->tracing;

        if (!tracing->tracer || origin->number)
                return;
        origin->number = next_origin(tracing);
        tracing->tracer->ops->origin(tracing->tracer,
                &(struct trace_origin){ .number = origin->number, .key = buf_str(&origin->key) });
}

bool tracing_wants_ack(struct engine *engine)
{
        struct tracing *tracing = &engine->tracing;

        if (!tracing->tracer)
                return false;
        if (engine->loop.now_ns - tracing->acks_since_ns >= NS_PER_S) {
                tracing->acks_since_ns = engine->loop.now_ns;
                tracing->n_acks_wanted = 0;
        }
        return tracing->n_acks_wanted++ < ACKS_PER_S;
}

/*
 * Which ones is by a hash of the number (multiples of the golden section), as connections take
 * turns, and one of them would get all.
 */
static bool is_tried(struct tracing *tracing, uint64_t number)
{
        uint64_t one_of =
                tracing->n_quick_acks < QUICK_ACKS_FIRST ? QUICK_ACK_FIRST : QUICK_ACK_LATER;

        if (number * UINT64_C(0x9e3779b97f4a7c15) > UINT64_MAX / one_of)
                return false;
        tracing->n_quick_acks++;
        return true;
}

bool tracing_tries_quick_ack(struct muster_request *request)
{
        struct tracing *tracing = tracing_of(request);
        struct trace_notes *notes = &request->notes;

        if (!tracing->tracer || !notes->n_receives || notes->n_receives > QUICK_ACK_PIECES)
                return false;
        if (notes->n_receives == 1)
                notes->is_acked_at_once = is_tried(tracing, notes->number);
        return notes->is_acked_at_once;
}

/* The URL without user name and password; made in `scratch` if it has these. */
static struct muster_str public_url(const struct url *url, struct buf *scratch)
{
        if (!url->user.len && !url->password.len)
                return buf_str(&url->text);
        if (url_add_public(url, scratch) < 0)
                return (struct muster_str){ "", 0 };
        return buf_str(scratch);
}

static bool is_safe(const struct muster_request *request)
{
        struct muster_str method = request_asked_method(request);

        return !request->has_body && !upload_is_there(&request->upload) &&
               (str_is(method, "GET") || str_is(method, "HEAD") || str_is(method, "OPTIONS"));
}

static bool has_fields(const struct muster_request *request)
{
        return request->fields.len || request->auth.kind != CREDENTIALS_NONE ||
               request->url.user.len || request->url.password.len;
}

static bool is_plain(const struct muster_request *request)
{
        return is_safe(request) && !has_fields(request) &&
               str_is(request_asked_method(request), "GET");
}

static enum trace_method method_of(const struct muster_request *request)
{
        struct muster_str method = request_asked_method(request);

        if (str_is(method, "GET"))
                return TRACE_METHOD_GET;
        if (str_is(method, "HEAD"))
                return TRACE_METHOD_HEAD;
        return str_is(method, "OPTIONS") ? TRACE_METHOD_OPTIONS : TRACE_METHOD_OTHER;
}

/*
 * Clear the response of a row whose attempt never got a slot: the result still has that of the
 * attempt before.
 */
static void forget_response(struct trace_attempt *row)
{
        row->wire_bytes = row->body_bytes = 0;
        row->status = 0;
        row->http_version = 0;
}

static struct trace_attempt row_of(struct muster_request *request, struct buf *scratch)
{
        const struct trace_notes *notes = &request->notes;
        const struct muster_result *result = &request->result;
        struct trace_attempt row = {
                .number = notes->number,
                .request = request->id,
                .slot_from = notes->slot_from,
                .conn = notes->conn,
                .stamps = request->attempt,
                .submitted_ns = result->submitted_ns,
                .planned_ns = notes->planned_ns,
                .conn_idle_ns = notes->conn_idle_ns,
                .wire_bytes = result->wire_bytes,
                .body_bytes = result->body_bytes,
                .sent_bytes = notes->sent_bytes,
                .retry_after_ns = notes->retry_after_ns,
                .gap_ns = notes->gap_ns,
                .gap_bytes = notes->gap_bytes,
                .origin = notes->origin,
                .in_flight = notes->in_flight,
                .host_in_flight = notes->host_in_flight,
                .stream = notes->stream,
                .n_sharing = notes->n_sharing,
                .n_receives = notes->n_receives,
                .n = notes->n,
                .status = (int16_t)result->status,
                .code = (int8_t)result->error.code,
                .sys = result->error.sys,
                .stage = (uint8_t)request->attempt.stage,
                .wait = notes->wait,
                .http_version = (uint8_t)result->http_version,
                .method = (uint8_t)method_of(request),
                .engine = request->engine->number,
                .is_unheard = notes->is_unheard,
                .is_reused = notes->is_reused,
                .is_safe = is_safe(request),
                .is_plain = is_plain(request),
                .is_encoded = notes->is_encoded,
                .is_acked_at_once = notes->is_acked_at_once,
                .has_fields = has_fields(request),
                .withheld = (uint8_t)request->withheld,
                .url = public_url(&request->url, scratch),
        };

        if (!row.stamps.slot_ns)
                forget_response(&row);
        return row;
}

void tracing_attempt(struct muster_request *request, enum trace_outcome outcome,
        const struct muster_error *error)
{
        struct tracer *tracer = tracing_of(request)->tracer;
        struct trace_attempt row;
        struct buf scratch = { 0 };

        if (!tracer)
                return;
        row = row_of(request, &scratch);
        row.outcome = (uint8_t)outcome;
        row.code = (int8_t)(error ? error->code : MUSTER_OK);
        row.sys = (uint16_t)(error ? error->sys : 0);
        tracer->ops->attempt(tracer, &row);
        buf_deinit(&scratch);
}

static void tell_request(struct tracer *tracer, struct muster_request *request)
{
        const struct muster_result *result = &request->result;
        struct trace_attempt row;
        struct buf scratch = { 0 };

        row = row_of(request, &scratch);
        row.outcome = result->error.code ? TRACE_FAILED : TRACE_RESULT;
        row.is_last = true;
        row.finished_ns = result->finished_ns;
        row.taken_ns = result->taken_ns;
        if (request->work.end_ns && request->work.end_ns > request->attempt.end_ns) {
                row.process_end_ns = request->work.end_ns;
                row.worker_decode_ns = request->work.decode_ns;
        }
        tracer->ops->attempt(tracer, &row);
        buf_deinit(&scratch);
}

void tracing_request(struct muster_request *request)
{
        struct tracer *tracer = tracing_of(request)->tracer;

        if (tracer)
                tell_request(tracer, request);
}

void tracing_untaken(struct muster_request *request)
{
        struct tracer *tracer = tracing_of(request)->ended;

        if (tracer)
                tell_request(tracer, request);
}

/* --- connections and names ------------------------------------------------------------------- */

static void add_kernel_view(struct trace_conn *row, const struct conn *conn)
{
        int fd = conn->socket.fd;
        struct tcp_sample sample;

        if (tcp_sample_read(fd, &sample) < 0)
                return;
        row->rtt_us = sample.rtt_us;
        row->max_rtt_us = (uint32_t)max_u64(conn->notes.max_rtt_us, sample.rtt_us);
        row->min_rtt_us = sample.min_rtt_us;
        row->n_retransmits = sample.n_retransmits;
        row->cwnd = sample.cwnd;
        row->delivery_rate = sample.delivery_rate;
        row->rwnd_limited_us = sample.rwnd_limited_us;
        row->sndbuf_limited_us = sample.sndbuf_limited_us;
        row->busy_us = sample.busy_us;
        row->bytes_received = sample.bytes_received;
        row->n_out_of_order = sample.n_out_of_order;
}

/* The number under which a proxy's URL is in the record; 0: there is no proxy. */
static uint32_t number_of_proxy(struct engine *engine, const struct route *route)
{
        struct engine_proxy *known = &engine->proxies[route->proxy_index];

        if (!route->proxy || known->number)
                return route->proxy ? known->number : 0;
        known->number = next_origin(&engine->tracing);
        engine->tracing.tracer->ops->origin(engine->tracing.tracer,
                &(struct trace_origin){
                        .number = known->number, .key = buf_str(&route->proxy->name) });
        return known->number;
}

void tracing_conn(struct conn *conn, enum trace_closer closer)
{
        struct tracer *tracer = conn->engine->tracing.tracer;
        struct trace_conn_notes *notes = &conn->notes;
        struct trace_conn row;

        if (!tracer || notes->is_reported)
                return;
        notes->is_reported = true;
        row = (struct trace_conn){
                .id = notes->id,
                .origin = notes->opened_for ? notes->opened_for : conn->origin->number,
                .opened_ns = notes->opened_ns,
                .dns_end_ns = notes->dns_end_ns,
                .tcp_end_ns = notes->tcp_end_ns,
                .tunnel_end_ns = notes->tunnel_end_ns,
                .tls_end_ns = notes->tls_end_ns,
                .closed_ns = engine_now(conn->engine),
                .n_attempts = notes->n_attempts,
                .n_addresses = conn->info.n_addresses,
                .family = notes->family,
                .engine = conn->engine->number,
                .closer = (uint8_t)(notes->n_attempts ? closer : TRACE_NEVER_OPEN),
                .is_tls = conn->origin->is_tls,
                .is_resumed = conn->info.tls_resumed,
                .had_ticket = notes->had_ticket,
                .tls_work_ns = notes->tls_work_ns,
                .proxy = number_of_proxy(conn->engine, &conn->origin->route),
                .remote = str_of(conn->info.remote),
        };
        if (loop_socket_is_open(&conn->socket))
                add_kernel_view(&row, conn);
        tracer->ops->conn(tracer, &row);
}

void tracing_lookup(void *observer, const struct resolve_lookup *lookup)
{
        struct engine *engine = observer;
        struct tracer *tracer = engine->tracing.tracer;

        if (!tracer)
                return;
        tracer->ops->lookup(tracer, &(struct trace_lookup){ .start_ns = lookup->start_ns,
                                            .end_ns = engine_now(engine),
                                            .code = (int8_t)lookup->code,
                                            .n_addresses = (uint16_t)lookup->n_addresses,
                                            .name = str_of(lookup->host) });
}

/* --- begin and end --------------------------------------------------------------------------- */

int tracing_begin(struct engine *engine, struct tracer *take_tracer)
{
        struct tracing *tracing = &engine->tracing;

        assert(take_tracer);
        if (tracing->tracer || tracing->ended || engine->stats.n_submitted)
                return MUSTER_E_INVALID;
        tracing->tracer = take_tracer;
        turns_begin(engine);
        return 0;
}

static void tell_open_conns(struct engine *engine)
{
        struct list *link;

        for (link = engine->pool.idle.next; link != &engine->pool.idle; link = link->next)
                tracing_conn(conn_of_pool_link(link), TRACE_CLOSED_BY_END);
        for (link = engine->outstanding.list.next; link != &engine->outstanding.list;
                link = link->next)
                if (request_of_all_link(link)->exchange.conn)
                        tracing_conn(request_of_all_link(link)->exchange.conn, TRACE_CLOSED_BY_END);
}

void tracing_detach(struct engine *engine)
{
        struct tracing *tracing = &engine->tracing;

        if (!tracing->tracer)
                return;
        tell_open_conns(engine);
        if (!engine->ops)
                turns_enter(engine); /* otherwise this is in the middle of a turn */
        turns_over(engine);
        turns_sample(engine, engine_now(engine));
        thread_meter_deinit(&tracing->meter);
        tracing->ended = tracing->tracer;
        tracing->tracer = NULL;
}

void tracing_finish(struct engine *engine)
{
        struct tracer *tracer = engine->tracing.ended;

        if (tracer)
                tracer->ops->end(tracer);
}

void tracing_end(struct engine *engine)
{
        struct list *link;

        if (!engine->tracing.tracer)
                return;
        for (link = engine->finished.next; link != &engine->finished; link = link->next)
                if (request_of_link(link)->state == REQUEST_FINISHED)
                        tracing_request(request_of_link(link));
        tracing_detach(engine);
        tracing_finish(engine);
}
