/* SPDX-License-Identifier: MIT */
/*
 * What a peer is asked: bytes become requests, and each one a plan
 */
#include "peer_internal.h"

#include "document.h"
#include "route.h"
#include <http/h1_head.h>
#include <stdio.h>
#include <zlib.h>

#define IN_BYTES_MAX   (128 * 1024)  /* bytes of waiting requests; the kernel keeps the rest */
#define ECHO_BYTES_MAX (1024 * 1024) /* bytes of a body that are echoed; the rest is only counted */
#define KEEP_BYTES     2048

/* --- a request that is complete -------------------------------------------------------------- */

/* Add what the body was to the JSON text that the behaviour began. */
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
        r = capacity_enter(&listener->capacity, &peer->job, peer_worked_on);
        if (r == CAPACITY_FULL)
                peer_refuse(peer);
        else if (r < 0)
                peer_close(peer);
}

/* The conditions of the listener, for every path. */
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
                plan_say(&peer->plan, 500, "this request was chosen to fail (error-share)\n");
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

/* A complete head arrived. */
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
                        "the chunked coding of the body is invalid");
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

/* Take a head off `in`. False: it has not arrived, or it never will. */
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

void peer_read_on(struct peer *peer, struct muster_str bytes)
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

void peer_receive(struct peer *peer, struct muster_str bytes)
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
