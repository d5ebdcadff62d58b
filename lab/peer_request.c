/* SPDX-License-Identifier: MIT */
/*
 * What a peer is asked: bytes become requests, and each one a plan
 */
#include "peer_internal.h"

#include "peer_h2.h"
#include <http/h1_head.h>
#include <stdio.h>

#define IN_BYTES_MAX (128 * 1024) /* bytes of waiting requests; the kernel keeps the rest */
#define KEEP_BYTES   2048

/* --- a request that is complete -------------------------------------------------------------- */

static void complete_request(struct peer *peer)
{
        peer->state = PEER_WAITING;
        switch (task_complete(&peer->task)) {
        case 0:
                peer_reply(peer);
                return;
        case TASK_DROPPED:
                peer_close(peer);
                return;
        }
}

static void refuse_head(struct peer *peer, const struct muster_error *error)
{
        peer->keeps_alive = false;
        peer->version = 11;
        peer->body.state = BODY_IS_OVER;
        task_refuse(&peer->task, error);
        peer_reply(peer);
}

static void expect_body(struct peer *peer, const struct request *request)
{
        static const char text[] = "HTTP/1.1 100 Continue\r\n\r\n";
        struct iovec piece = { (void *)(uintptr_t)text, sizeof(text) - 1 };

        peer->state = PEER_BODY;
        /* A client that waits for this has read everything before it: there is room to send. */
        if (request->expects_continue && !peer->listener->config->no_continue &&
                wire_send(&peer->wire, &piece, 1) != 0)
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
        if (r < 0) {
                refuse_head(peer, &error);
                return;
        }
        peer->version = request.version;
        peer->keeps_alive = request.keeps_alive && !config->no_keep_alive &&
                            !(config->max_requests && peer->n_requests + 1 >= config->max_requests);
        request_body_begin(&peer->body, &request);
        task_begin(&peer->task, &request);
        peer->n_requests++;
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

        while ((r = request_body_next(&peer->body, in, &data)) == 0)
                task_take_body(&peer->task, data);
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

/*
 * The client's preface (RFC 9113 section 3.4) begins like a head, so that it is found where heads
 * are. A client that is told by ALPN to speak HTTP/1 must not send it.
 */
static bool is_preface(const struct peer *peer, struct muster_str head)
{
        return str_is(head, "PRI * HTTP/2.0\r\n\r\n") && !peer->n_requests && !peer->wire.tls &&
               peer->listener->config->h2.is_on;
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

                if (is_preface(peer, head)) {
                        peer_become_h2(peer);
                        return true;
                }
                *in = str_after(*in, end);
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

/* All that came so far is its. */
static void begin_h2(struct peer *peer, struct muster_str in)
{
        peer_h2_receive(peer->h2, in);
        buf_recycle(&peer->in, 0);
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
        if (peer->state == PEER_H2) {
                begin_h2(peer, in);
                return;
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
        if (peer->state == PEER_H2) {
                peer_h2_receive(peer->h2, bytes);
                return;
        }
        if (peer->state == PEER_IDLE || peer->state == PEER_BODY) {
                peer_read_on(peer, bytes);
                return;
        }
        if (buf_add_str(&peer->in, bytes) < 0)
                peer_close(peer);
        else if (peer->in.len > IN_BYTES_MAX)
                loop_recv_stop(&peer->wire.socket);
}
