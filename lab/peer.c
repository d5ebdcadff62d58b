/* SPDX-License-Identifier: MIT */
#include "peer.h"

#include "document.h"
#include "lab.h"
#include "listener.h"
#include "route.h"
#include <base/mem.h>
#include <http/h1_head.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <unistd.h>
#include <zlib.h>

#define IN_BYTES_MAX   (128 * 1024)  /* of requests that wait; beyond it the kernel keeps them */
#define ECHO_BYTES_MAX (1024 * 1024) /* of a body; what is more is counted and not echoed */
#define LINGER_NS      (2 * NS_PER_S)
#define KEEP_BYTES     2048

static void peer_pump(struct peer *peer);
static void peer_read_on(struct peer *peer, struct muster_str bytes);

static uint64_t peer_now(const struct peer *peer)
{
        return clock_now(peer->listener->lab->loop->clock);
}

static void peer_set_timer(struct peer *peer, struct loop_timer *timer, uint64_t ns)
{
        /* Without memory for a timer the connection would stand still, maybe for ever. */
        if (loop_timer_set(peer->listener->lab->loop, timer, clock_after(peer_now(peer), ns)) < 0)
                peer_close(peer);
}

/* --- the end of a connection ----------------------------------------------------------------- */

static bool is_busy(const struct peer *peer)
{
        return peer->state >= PEER_BODY && peer->state <= PEER_HANGING;
}

static void retire(struct peer *peer)
{
        struct lab *lab = peer->listener->lab;

        if (is_busy(peer) && !peer->plan.is_exempt) {
                peer->listener->stats.n_gone++;
                peer->listener->stats.n_busy--;
        }
        capacity_leave(&peer->job);
        loop_timer_stop(lab->loop, &peer->timer);
        loop_timer_stop(lab->loop, &peer->idle_timer);
        peer->state = PEER_DEAD;
        list_remove(&peer->link);
        list_push_back(&lab->dead, &peer->link);
        peer->listener->stats.n_open--;
}

void peer_close(struct peer *peer)
{
        if (peer->state == PEER_DEAD)
                return;
        retire(peer);
        wire_close(&peer->wire);
}

static void peer_reset(struct peer *peer)
{
        retire(peer);
        wire_reset(&peer->wire);
}

void peer_free(struct peer *peer)
{
        buf_deinit(&peer->in);
        buf_deinit(&peer->upload);
        plan_deinit(&peer->plan);
        reply_deinit(&peer->reply);
        mem_free(peer);
}

/*
 * Our side ends; what the client sends still is dropped, so that a RST does not overtake the
 * response.
 */
static void peer_linger(struct peer *peer)
{
        peer->state = PEER_LINGERING;
        if (peer->has_ended) {
                peer_close(peer);
                return;
        }
        wire_end(&peer->wire);
        loop_recv_start(&peer->wire.socket);
        peer_set_timer(peer, &peer->timer, LINGER_NS);
}

/* --- answering ------------------------------------------------------------------------------- */

static void peer_become_idle(struct peer *peer)
{
        const struct listener_config *config = peer->listener->config;

        peer->state = PEER_IDLE;
        if (config->idle_timeout_ns)
                peer_set_timer(peer, &peer->idle_timer, config->idle_timeout_ns);
}

static void finish_response(struct peer *peer)
{
        struct listener_stats *stats = &peer->listener->stats;

        if (!peer->plan.is_exempt) {
                stats->n_responses[peer->plan.status / 100]++;
                stats->n_busy--;
        }
        if (!peer->keeps_alive) {
                peer_linger(peer);
                return;
        }
        peer_become_idle(peer);
}

/* Carry out a step that sends nothing. True when there are more to come now. */
static bool do_step(struct peer *peer, const struct reply_step *step)
{
        switch (step->kind) {
        case REPLY_SEND:
                return true;
        case REPLY_WAIT:
                peer->state = PEER_PAUSED;
                peer_set_timer(peer, &peer->timer, step->wait_ns);
                return false;
        case REPLY_DONE:
                finish_response(peer);
                return false;
        case REPLY_HANG:
                peer->state = PEER_HANGING;
                return false;
        case REPLY_CLOSE:
                peer_close(peer);
                return false;
        case REPLY_RESET:
                peer_reset(peer);
                return false;
        }
        return false;
}

static void peer_pump(struct peer *peer)
{
        struct reply_step step;

        peer->state = PEER_REPLYING;
        for (;;) {
                int r = reply_next(&peer->reply, &peer->listener->lab->rand, &step);

                if (r < 0) {
                        peer_close(peer);
                        return;
                }
                if (!do_step(peer, &step))
                        return;
                for (unsigned i = 0; i < step.n_pieces; i++)
                        peer->listener->stats.n_bytes_sent += step.pieces[i].iov_len;
                r = wire_send(&peer->wire, step.pieces, step.n_pieces);
                if (r < 0) {
                        peer_close(peer);
                        return;
                }
                if (r == LOOP_PENDING)
                        return;
        }
}

static void peer_reply(struct peer *peer)
{
        struct listener *listener = peer->listener;
        const struct plan *plan = &peer->plan;
        const struct listener_config *config = listener->config;
        struct reply_manner manner;

        if (plan->closes || plan->framing == PLAN_UNTIL_CLOSE ||
                (plan->framing == PLAN_CHUNKED && peer->version == 10))
                peer->keeps_alive = false;
        manner = (struct reply_manner){ .is_head = peer->is_head,
                .keeps_alive = peer->keeps_alive,
                .version = peer->version,
                .date = lab_date(listener->lab),
                .filling = lab_filling(listener->lab, 0),
                .filling_period = LAB_FILLING_PERIOD,
                .write_bytes = config->write_bytes };
        reply_begin(&peer->reply, plan, &manner);
        peer_pump(peer);
}

/* The request has its worker, or needs none: now the delay. */
static void peer_admit(struct peer *peer)
{
        struct listener *listener = peer->listener;
        struct rand *rand = &listener->lab->rand;
        uint64_t ns = spread_draw(&peer->plan.delay, rand);

        if (!peer->plan.is_exempt)
                ns += spread_draw(&listener->config->delay, rand);
        if (!ns) {
                peer_reply(peer);
                return;
        }
        peer->state = PEER_WAITING;
        peer_set_timer(peer, &peer->timer, ns);
}

static void worked_on(struct job *job)
{
        struct peer *peer = LIST_OWNER(job, struct peer, job);

        peer_admit(peer);
        if (peer->state == PEER_IDLE)
                peer_read_on(peer, (struct muster_str){ NULL, 0 });
}

static void peer_refuse(struct peer *peer)
{
        if (peer->listener->config->refusal == REFUSE_CLOSE) {
                peer_close(peer);
                return;
        }
        plan_begin(&peer->plan);
        plan_say(&peer->plan, 503, "all workers are busy and the queue is full\n");
        plan_add_field(&peer->plan, "Retry-After", str_of("1"));
        peer_reply(peer);
}

/* --- a request that is complete -------------------------------------------------------------- */

/* What the body was goes into the JSON text that the behaviour began. */
static void tell_of_upload(struct peer *peer)
{
        struct buf *text = &peer->plan.text;
        char numbers[100];
        bool echoes = peer->plan.upload == PLAN_ECHOES;

        if (peer->plan.upload == PLAN_DROPS)
                return;
        snprintf(numbers, sizeof(numbers), "%s\"body_bytes\":%llu,\"body_crc32\":\"%08x\"",
                echoes ? "," : "", (unsigned long long)peer->n_body_bytes, peer->body_crc);
        if (buf_add_text(text, numbers) < 0 ||
                (echoes && (buf_add_text(text, ",\"body\":") < 0 ||
                                   document_add_string(text, buf_str(&peer->upload)) < 0)))
                text->len = 0;
        (void)buf_add_text(text, "}\n");
}

static void complete_request(struct peer *peer)
{
        struct listener *listener = peer->listener;
        int r;

        tell_of_upload(peer);
        buf_recycle(&peer->upload, KEEP_BYTES);
        if (!listener->config->workers || peer->plan.is_exempt) {
                peer_admit(peer);
                return;
        }
        peer->state = PEER_QUEUED;
        r = capacity_enter(&listener->capacity, &peer->job, worked_on);
        if (r == CAPACITY_FULL)
                peer_refuse(peer);
        else if (r < 0)
                peer_close(peer);
}

/* What the listener does to any request, whatever its path. */
static void apply_conditions(struct peer *peer)
{
        struct listener *listener = peer->listener;
        const struct listener_config *config = listener->config;
        uint64_t wait_ns;
        char seconds[32];

        if (peer->plan.is_exempt)
                return;
        if (config->rate_per_s > 0 && (wait_ns = tally_take(&listener->tally, config->rate_per_s,
                                               config->burst, peer_now(peer)))) {
                listener->stats.n_rate_limited++;
                plan_begin(&peer->plan);
                plan_say(&peer->plan, config->limit_status ? config->limit_status : 429,
                        "more than %g requests a second\n", config->rate_per_s);
                snprintf(seconds, sizeof(seconds), "%llu",
                        (unsigned long long)((wait_ns + NS_PER_S - 1) / NS_PER_S));
                if (!config->limit_is_silent)
                        plan_add_field(&peer->plan, "Retry-After", str_of(seconds));
        } else if (config->error_share > 0 && lab_chance(listener->lab, config->error_share)) {
                plan_begin(&peer->plan);
                plan_say(&peer->plan, 500, "this request is one of those that fail\n");
        }
}

static void count_request(struct peer *peer)
{
        struct listener_stats *stats = &peer->listener->stats;

        peer->n_requests++;
        if (peer->plan.is_exempt)
                return;
        stats->n_requests++;
        if (++stats->n_busy > stats->n_busy_max)
                stats->n_busy_max = stats->n_busy;
}

static void refuse_head(struct peer *peer, const struct muster_error *error)
{
        struct listener_stats *stats = &peer->listener->stats;

        stats->n_bad_requests++;
        peer->keeps_alive = peer->is_head = false;
        peer->version = 11;
        peer->body.state = BODY_IS_OVER;
        if (peer->state == PEER_BODY && !peer->plan.is_exempt) {
                /* It was counted with its head. */
                stats->n_busy--;
                stats->n_requests--;
        }
        plan_begin(&peer->plan);
        count_request(peer);
        plan_say(&peer->plan, error->code == MUSTER_E_TOO_LARGE ? 431 : 400, "%s\n", error->text);
        peer_reply(peer);
}

static void expect_body(struct peer *peer, const struct request *request)
{
        static const char text[] = "HTTP/1.1 100 Continue\r\n\r\n";
        struct iovec piece = { (void *)(uintptr_t)text, sizeof(text) - 1 };

        peer->state = PEER_BODY;
        /* A client that waits for this has read everything before it: there is room to send. */
        if (request->expects_continue && wire_send(&peer->wire, &piece, 1) != 0)
                peer_close(peer);
}

/* A head has come, whole. */
static void begin_request(struct peer *peer, struct muster_str head)
{
        struct listener *listener = peer->listener;
        const struct listener_config *config = listener->config;
        struct muster_error error = { 0 };
        struct request request;
        int r = request_parse(&request, head, &listener->lab->scratch, &error);

        loop_timer_stop(listener->lab->loop, &peer->idle_timer);
        peer->n_body_bytes = 0;
        peer->body_crc = 0;
        if (r < 0) {
                refuse_head(peer, &error);
                return;
        }
        peer->is_head = request.is_head;
        peer->version = request.version;
        peer->keeps_alive = request.keeps_alive && !config->no_keep_alive &&
                            !(config->max_requests && peer->n_requests + 1 >= config->max_requests);
        request_body_begin(&peer->body, &request);
        route_request(listener, &request, peer_now(peer), &peer->plan);
        count_request(peer);
        apply_conditions(peer);
        if (peer->body.state == BODY_IS_OVER)
                complete_request(peer);
        else
                expect_body(peer, &request);
}

/* --- reading --------------------------------------------------------------------------------- */

static void take_body(struct peer *peer, struct muster_str *in)
{
        struct muster_error error = { 0 };
        struct muster_str data = { NULL, 0 };
        int r;

        while ((r = request_body_next(&peer->body, in, &data)) == 0) {
                peer->n_body_bytes += data.len;
                if (peer->plan.upload != PLAN_DROPS)
                        peer->body_crc = (uint32_t)crc32_z(peer->body_crc,
                                (const unsigned char *)data.at, data.len);
                if (peer->plan.upload == PLAN_ECHOES &&
                        peer->upload.len + data.len <= ECHO_BYTES_MAX)
                        (void)buf_add_str(&peer->upload, data);
        }
        if (r < 0) {
                error.code = MUSTER_E_PROTOCOL;
                snprintf(error.text, sizeof(error.text),
                        "the chunked coding of the body is broken");
                refuse_head(peer, &error);
        } else if (peer->body.state == BODY_IS_OVER) {
                complete_request(peer);
        }
}

/* Empty lines before a request are skipped (RFC 9112 section 2.2). */
static void skip_empty_lines(struct muster_str *in)
{
        while (in->len && (in->at[0] == '\r' || in->at[0] == '\n')) {
                in->at++;
                in->len--;
        }
}

/* Take a head off `in`. False: it has not come yet, or it never will. */
static bool take_head(struct peer *peer, struct muster_str *in)
{
        size_t end;

        if (!peer->scanned)
                skip_empty_lines(in);
        end = h1_head_end(*in, &peer->scanned);
        if (end && end <= REQUEST_HEAD_BYTES_MAX) {
                struct muster_str head = { in->at, end };

                in->at += end;
                in->len -= end;
                peer->scanned = 0;
                begin_request(peer, head);
                return true;
        }
        if (in->len > REQUEST_HEAD_BYTES_MAX) {
                struct muster_error error = { .code = MUSTER_E_TOO_LARGE,
                        .text = "the head is larger than 64 KiB" };

                refuse_head(peer, &error);
        }
        return false;
}

/* Bytes came; or a response is over, and what came meanwhile is looked at. */
static void peer_read_on(struct peer *peer, struct muster_str bytes)
{
        bool is_kept = peer->in.len > 0;
        struct muster_str in = bytes;

        if (is_kept) {
                if (buf_add_str(&peer->in, bytes) < 0) {
                        peer_close(peer);
                        return;
                }
                in = buf_str(&peer->in);
        }
        while (in.len && (peer->state == PEER_IDLE || peer->state == PEER_BODY)) {
                if (peer->state == PEER_BODY)
                        take_body(peer, &in);
                else if (!take_head(peer, &in))
                        break;
        }
        if (peer->state == PEER_DEAD)
                return;
        if (is_kept)
                buf_drop_front(&peer->in, peer->in.len - in.len);
        else if (in.len && buf_add_str(&peer->in, in) < 0)
                peer_close(peer);
        if (peer->state == PEER_IDLE || peer->state == PEER_BODY)
                loop_recv_start(&peer->wire.socket);
        if (!peer->in.len)
                buf_recycle(&peer->in, KEEP_BYTES);
}

static void peer_receive(struct peer *peer, struct muster_str bytes)
{
        peer->listener->stats.n_bytes_received += bytes.len;
        if (peer->state == PEER_LINGERING)
                return;
        if (peer->state == PEER_IDLE || peer->state == PEER_BODY) {
                peer_read_on(peer, bytes);
                return;
        }
        if (buf_add_str(&peer->in, bytes) < 0)
                peer_close(peer);
        else if (peer->in.len > IN_BYTES_MAX)
                loop_recv_stop(&peer->wire.socket);
}

/* --- what happens ---------------------------------------------------------------------------- */

static void handle_wire(struct wire *wire, enum wire_event_kind kind, struct muster_str bytes)
{
        struct peer *peer = LIST_OWNER(wire, struct peer, wire);

        switch (kind) {
        case WIRE_SHAKEN:
                peer->listener->stats.n_handshakes++;
                peer->listener->stats.n_resumed += tls_was_resumed(wire->tls);
                return;
        case WIRE_RECEIVED:
                peer_receive(peer, bytes);
                return;
        case WIRE_SENT:
                if (peer->state != PEER_REPLYING)
                        return;
                peer_pump(peer);
                if (peer->state == PEER_IDLE)
                        peer_read_on(peer, (struct muster_str){ NULL, 0 });
                return;
        case WIRE_ENDED:
                peer->has_ended = true;
                /*
                 * A response on its way may still be read; in any other state nobody is there any
                 * more.
                 */
                if (peer->state != PEER_REPLYING && peer->state != PEER_PAUSED)
                        peer_close(peer);
                else
                        peer->keeps_alive = false;
                return;
        case WIRE_FAILED:
                if (wire->tls && !wire->is_shaken)
                        peer->listener->stats.n_handshakes_failed++;
                peer_close(peer);
                return;
        }
}

static void peer_timer_fire(struct loop_timer *timer, uint64_t late_ns)
{
        struct peer *peer = LIST_OWNER(timer, struct peer, timer);

        (void)late_ns;
        if (peer->state == PEER_LINGERING) {
                peer_close(peer);
                return;
        }
        if (peer->state == PEER_WAITING)
                peer_reply(peer);
        else
                peer_pump(peer);
        if (peer->state == PEER_IDLE)
                peer_read_on(peer, (struct muster_str){ NULL, 0 });
}

static void peer_idle_fire(struct loop_timer *timer, uint64_t late_ns)
{
        (void)late_ns;
        peer_close(LIST_OWNER(timer, struct peer, idle_timer));
}

int peer_accept(struct listener *listener, int take_fd)
{
        const struct listener_config *config = listener->config;
        struct peer *peer = mem_zalloc(sizeof(*peer));
        int no = 0;

        if (!peer) {
                close(take_fd);
                return MUSTER_E_RESOURCE;
        }
        if (wire_open(&peer->wire, listener->lab->loop, take_fd, listener->tls_context,
                    handle_wire) < 0) {
                mem_free(peer);
                return MUSTER_E_RESOURCE;
        }
        if (config->no_nodelay)
                (void)setsockopt(peer->wire.socket.fd, IPPROTO_TCP, TCP_NODELAY, &no, sizeof(no));
        peer->wire.handshake_cost_ns = config->tls_handshake_cost_ns;
        peer->listener = listener;
        peer->timer.fire = peer_timer_fire;
        peer->idle_timer.fire = peer_idle_fire;
        list_push_back(&listener->peers, &peer->link);
        listener->stats.n_accepted++;
        if (++listener->stats.n_open > listener->stats.n_open_max)
                listener->stats.n_open_max = listener->stats.n_open;
        peer_become_idle(peer);
        return 0;
}
