/* SPDX-License-Identifier: MIT */
#include "reply.h"

#include <assert.h>
#include <stdio.h>

/* a body up to this is copied behind its head: one piece less to send */
#define JOINED_BYTES_MAX (16 * 1024)
#define KEEP_BYTES       2048

static bool status_has_body(int status)
{
        return status != 204 && status != 304;
}

static bool is_h2(const struct reply *reply)
{
        return reply->manner.version == 20;
}

/* --- head ------------------------------------------------------------------------------------ */

static int add_status_line(struct reply *reply, int status)
{
        char line[80];
        int n = snprintf(line, sizeof(line), "HTTP/1.%d %d %s\r\n", !reply->plan->is_http_1_0,
                status, status_reason(status));

        return buf_add(&reply->out, line, (size_t)n);
}

static int add_framing(struct reply *reply)
{
        const struct plan *plan = reply->plan;
        struct buf *out = &reply->out;
        int r;

        if (reply->is_chunked)
                return buf_add_text(out, "Transfer-Encoding: chunked\r\n");
        if (plan->framing == PLAN_UNTIL_CLOSE || !status_has_body(plan->status) ||
                (is_h2(reply) && plan->framing == PLAN_CHUNKED))
                return 0;
        r = buf_add_text(out, "Content-Length: ");
        if (r == 0)
                r = buf_add_u64(out, plan_body_bytes(plan));
        return r == 0 ? buf_add_text(out, "\r\n") : r;
}

static int add_connection(struct reply *reply)
{
        if (is_h2(reply))
                return 0;
        if (!reply->manner.keeps_alive)
                return buf_add_text(&reply->out, "Connection: close\r\n");
        return reply->manner.version == 10 ? buf_add_text(&reply->out, "Connection: keep-alive\r\n")
                                           : 0;
}

static int add_fields(struct reply *reply)
{
        const struct plan *plan = reply->plan;
        struct buf *out = &reply->out;
        int r = buf_add_str(out, reply->manner.date);

        if (r == 0 && plan->type) {
                r = buf_add_text(out, "Content-Type: ");
                if (r == 0)
                        r = buf_add_text(out, plan->type);
                if (r == 0)
                        r = buf_add_text(out, "\r\n");
        }
        if (r == 0)
                r = add_framing(reply);
        if (r == 0)
                r = add_connection(reply);
        return r == 0 ? buf_add_str(out, buf_str(&plan->fields)) : r;
}

static int add_head(struct reply *reply)
{
        int r = add_status_line(reply, reply->plan->status);

        if (r == 0)
                r = add_fields(reply);
        return r == 0 ? buf_add_text(&reply->out, "\r\n") : r;
}

/* --- body ------------------------------------------------------------------------------------ */

/* The next bytes of the body, at most `max`. */
static struct muster_str body_piece(const struct reply *reply, uint64_t max)
{
        const struct plan *plan = reply->plan;
        uint64_t left = reply->body_bytes - reply->body_sent;
        struct muster_str all;

        if (max > left)
                max = left;
        if (plan->has_filling) {
                size_t period = reply->manner.filling_period;
                size_t at = period ? (size_t)(reply->body_sent % period) : 0;

                if (max > reply->manner.filling.len - at)
                        max = reply->manner.filling.len - at;
                return (struct muster_str){ reply->manner.filling.at + at, (size_t)max };
        }
        all = plan->blob ? buf_str(&plan->blob->bytes) : buf_str(&plan->text);
        return (struct muster_str){ all.at + reply->body_sent, (size_t)max };
}

static void add_piece(struct reply_step *step, struct muster_str bytes)
{
        if (bytes.len)
                step->pieces[step->n_pieces++] =
                        (struct iovec){ (void *)(uintptr_t)bytes.at, bytes.len };
}

/* The next chunk, whole with its frame; after the last one the end of all of them. */
static int next_chunk(struct reply *reply, struct reply_step *step)
{
        uint64_t wanted = reply->plan->piece_bytes ? reply->plan->piece_bytes : JOINED_BYTES_MAX;
        struct muster_str piece = body_piece(reply, wanted);
        char size[32];
        int n = snprintf(size, sizeof(size), "%zx\r\n", piece.len);
        int r;

        reply->out.len = 0;
        r = buf_add(&reply->out, size, (size_t)n);
        if (r == 0)
                r = buf_add_str(&reply->out, piece);
        if (r == 0)
                r = buf_add_text(&reply->out, "\r\n");
        if (r < 0)
                return r;
        reply->body_sent += piece.len;
        if (!piece.len)
                reply->state = REPLY_AT_END;
        add_piece(step, buf_str(&reply->out));
        return 0;
}

static uint64_t piece_bytes(const struct reply *reply)
{
        if (reply->plan->piece_bytes)
                return reply->plan->piece_bytes;
        return reply->manner.write_bytes ? reply->manner.write_bytes : UINT64_MAX;
}

static int next_of_body(struct reply *reply, struct reply_step *step)
{
        struct muster_str piece;

        if (reply->is_chunked)
                return next_chunk(reply, step);
        piece = body_piece(reply, piece_bytes(reply));
        reply->body_sent += piece.len;
        if (reply->body_sent == reply->body_bytes)
                reply->state = REPLY_AT_END;
        add_piece(step, piece);
        return 0;
}

/* The head is made: now it can be told where the response stops. `counted`: its bytes that count. */
static void set_stop(struct reply *reply, size_t counted)
{
        if (reply->plan->stop == PLAN_GOES_ON)
                reply->stop_at = UINT64_MAX;
        else if (reply->plan->stop_where == PLAN_IN_HEAD)
                reply->stop_at = reply->n_sent + counted / 2;
        else if (reply->plan->stop_where == PLAN_IN_BODY)
                reply->stop_at = reply->n_sent + counted + reply->body_bytes / 2;
}

static bool holds_body(const struct reply *reply)
{
        return !spread_is_zero(&reply->plan->body_delay) ||
               !spread_is_zero(&reply->manner.body_delay);
}

/* The head, with as much of the body as may go with it. */
static int next_of_head(struct reply *reply, struct reply_step *step)
{
        uint64_t left = reply->body_bytes;
        bool is_whole =
                !reply->is_chunked && piece_bytes(reply) == UINT64_MAX && !holds_body(reply);
        int r;

        reply->out.len = 0;
        r = add_head(reply);
        reply->state = left || reply->is_chunked ? REPLY_AT_BODY : REPLY_AT_END;
        if (r < 0)
                return r;
        set_stop(reply, reply->out.len);
        if (is_whole && left && left <= JOINED_BYTES_MAX && body_piece(reply, left).len == left) {
                r = buf_add_str(&reply->out, body_piece(reply, left));
                reply->body_sent = left;
                reply->state = REPLY_AT_END;
        }
        add_piece(step, buf_str(&reply->out));
        return r == 0 && is_whole && reply->state == REPLY_AT_BODY ? next_of_body(reply, step) : r;
}

static int next_head_of_h2(struct reply *reply, struct reply_step *step)
{
        int r;

        reply->out.len = 0;
        r = add_fields(reply);
        reply->state = reply->body_bytes ? REPLY_AT_BODY : REPLY_AT_END;
        set_stop(reply, 0);
        *step = (struct reply_step){
                .kind = REPLY_HEAD, .status = reply->plan->status, .is_last = !reply->body_bytes
        };
        add_piece(step, buf_str(&reply->out));
        return r;
}

static int next_interim(struct reply *reply, struct reply_step *step)
{
        int r;

        reply->out.len = 0;
        r = is_h2(reply) ? 0 : add_status_line(reply, reply->plan->interim_status);
        if (r == 0 && reply->plan->interim_status == 103)
                r = buf_add_text(&reply->out, "Link: </style.css>; rel=preload; as=style\r\n");
        if (r == 0 && !is_h2(reply))
                r = buf_add_text(&reply->out, "\r\n");
        if (++reply->n_interim == reply->plan->n_interim)
                reply->state = REPLY_AT_HEAD;
        if (is_h2(reply))
                *step = (struct reply_step){ .kind = REPLY_HEAD,
                        .status = reply->plan->interim_status };
        add_piece(step, buf_str(&reply->out));
        return r;
}

/* --- steps ----------------------------------------------------------------------------------- */

void reply_begin(struct reply *reply, const struct plan *plan, const struct reply_manner *manner)
{
        struct buf out = reply->out;

        buf_recycle(&out, KEEP_BYTES);
        *reply =
                (struct reply){ .state = plan->n_interim && manner->version >= 11 ? REPLY_AT_INTERIM
                                                                                  : REPLY_AT_HEAD,
                        .plan = plan,
                        .manner = *manner,
                        .out = out };
        reply->is_chunked = plan->framing == PLAN_CHUNKED && manner->version == 11 &&
                            !plan->is_http_1_0 && status_has_body(plan->status);
        reply->stop_at = plan->stop == PLAN_GOES_ON || plan->stop_where != PLAN_AT_BYTE
                                 ? UINT64_MAX
                                 : plan->stop_at;
        if (is_h2(reply) && plan->stop_where == PLAN_IN_HEAD)
                reply->stop_at = 0; /* half a head would stop the whole connection */
        if (status_has_body(plan->status) && !manner->is_head)
                reply->body_bytes = plan_body_bytes(plan);
        if (manner->is_head)
                reply->is_chunked = false;
}

void reply_deinit(struct reply *reply)
{
        buf_deinit(&reply->out);
}

static void stop(const struct reply *reply, struct reply_step *step)
{
        switch (reply->plan->stop) {
        case PLAN_HANGS:
                step->kind = REPLY_HANG;
                return;
        case PLAN_CLOSES:
                step->kind = REPLY_CLOSE;
                return;
        case PLAN_RESETS:
                step->kind = REPLY_RESET;
                return;
        case PLAN_GOES_ON:
                step->kind = REPLY_DONE;
                return;
        }
}

/* Cut a step at the byte where the response stops. */
static void cut(struct reply *reply, struct reply_step *step)
{
        uint64_t left = reply->stop_at - reply->n_sent;

        for (unsigned i = 0; i < step->n_pieces; i++) {
                if (step->pieces[i].iov_len > left)
                        step->pieces[i].iov_len = (size_t)left;
                left -= step->pieces[i].iov_len;
                reply->n_sent += step->pieces[i].iov_len;
        }
}

int reply_next(struct reply *reply, struct rand *rand, struct reply_step *ret_step)
{
        int r = 0;

        *ret_step = (struct reply_step){ .kind = REPLY_SEND };
        if (reply->n_sent >= reply->stop_at) {
                stop(reply, ret_step);
                return 0;
        }
        if (reply->is_pausing) {
                reply->is_pausing = false;
                *ret_step = (struct reply_step){ .kind = REPLY_WAIT,
                        .wait_ns = spread_draw(&reply->plan->gap, rand) };
                return 0;
        }
        if (reply->is_holding) {
                reply->is_holding = false;
                *ret_step = (struct reply_step){ .kind = REPLY_WAIT,
                        .wait_ns = spread_draw(&reply->plan->body_delay, rand) +
                                   spread_draw(&reply->manner.body_delay, rand) };
                return 0;
        }
        switch (reply->state) {
        case REPLY_AT_INTERIM:
                r = next_interim(reply, ret_step);
                break;
        case REPLY_AT_HEAD:
                r = is_h2(reply) ? next_head_of_h2(reply, ret_step) : next_of_head(reply, ret_step);
                reply->is_holding = holds_body(reply) && reply->state == REPLY_AT_BODY;
                break;
        case REPLY_AT_BODY:
                r = next_of_body(reply, ret_step);
                reply->is_pausing =
                        !spread_is_zero(&reply->plan->gap) && reply->body_sent < reply->body_bytes;
                break;
        case REPLY_AT_END:
                ret_step->kind = REPLY_DONE;
                return 0;
        }
        if (ret_step->kind == REPLY_SEND)
                cut(reply, ret_step);
        return r;
}

bool reply_is_over(const struct reply *reply)
{
        return reply->state == REPLY_AT_END && !reply->is_pausing && reply->n_sent < reply->stop_at;
}
