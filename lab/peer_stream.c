/* SPDX-License-Identifier: MIT */
#include "peer_stream.h"

#include "stream_head.h"
#include "lab.h"
#include "listener.h"
#include "peer_internal.h"
#include <assert.h>
#include <base/mem.h>

static const struct listener *listener_of(const struct peer_stream *stream)
{
        return stream->conn->peer->listener;
}

static const struct h2_config *config_of(const struct peer_stream *stream)
{
        return &listener_of(stream)->config->h2;
}

/* --- its life -------------------------------------------------------------------------------- */

static void pause_is_over(struct loop_timer *timer, uint64_t late_ns)
{
        struct peer_stream *stream = LIST_OWNER(timer, struct peer_stream, timer);
        struct peer_h2 *conn = stream->conn;

        (void)late_ns;
        (void)nghttp2_session_resume_data(conn->session, stream->id);
        peer_h2_flush(conn);
}

static const struct task_ops task_ops;

struct peer_stream *peer_stream_new(struct peer_h2 *conn, int32_t id)
{
        uint64_t most = conn->peer->listener->config->h2.header_list_bytes;
        struct peer_stream *stream = mem_zalloc(sizeof(*stream));

        if (!stream)
                return NULL;
        stream->conn = conn;
        stream->id = id;
        stream->timer.fire = pause_is_over;
        stream->fields.n_bytes_max = most ? most : REQUEST_HEAD_BYTES_MAX;
        task_init(&stream->task, conn->peer->listener, &task_ops);
        stream->task.is_turned_away = conn->peer->is_beyond;
        return stream;
}

void peer_stream_stop(struct peer_stream *stream)
{
        task_gone(&stream->task);
        loop_timer_stop(listener_of(stream)->lab->loop, &stream->timer);
}

void peer_stream_free(struct peer_stream *stream)
{
        stream_request_deinit(&stream->fields);
        task_deinit(&stream->task);
        mem_free(stream);
}

void peer_stream_reset(struct peer_stream *stream, uint32_t code)
{
        (void)nghttp2_submit_rst_stream(stream->conn->session, NGHTTP2_FLAG_NONE, stream->id, code);
}

/* --- the response ---------------------------------------------------------------------------- */

/* A step that sends nothing. Whatever it is, there is nothing to send for now. */
static void do_step(struct peer_stream *stream, const struct reply_step *step)
{
        struct loop *loop = listener_of(stream)->lab->loop;

        switch (step->kind) {
        case REPLY_WAIT:
                if (loop_timer_set(loop, &stream->timer,
                            clock_after(peer_now(stream->conn->peer), step->wait_ns)) < 0)
                        peer_stream_reset(stream, NGHTTP2_INTERNAL_ERROR);
                return;
        case REPLY_CLOSE:
                stream->conn->end = H2_IS_CUT;
                return;
        case REPLY_RESET:
                peer_stream_reset(stream, stream->task.plan.reset_code);
                return;
        case REPLY_SEND:
        case REPLY_HEAD:
        case REPLY_DONE:
        case REPLY_HANG:
                return;
        }
}

/* The next piece of the body. False: *ret has what is to be done instead. */
static bool find_piece(struct peer_stream *stream, struct reply_step *ret)
{
        struct reply *reply = &stream->task.reply;

        while (!stream->piece.iov_len) {
                if (reply_next(reply, &listener_of(stream)->lab->rand, ret) < 0)
                        *ret = (struct reply_step){ .kind = REPLY_CLOSE };
                if (ret->kind != REPLY_SEND)
                        return false;
                if (ret->n_pieces)
                        stream->piece = ret->pieces[0];
        }
        return true;
}

/* nghttp2 has room for `size` bytes of the body. */
static ssize_t give_body(nghttp2_session *session, int32_t id, uint8_t *to, size_t size,
        uint32_t *flags, nghttp2_data_source *source, void *data)
{
        struct peer_stream *stream = source->ptr;
        struct reply_step step;
        size_t n;

        (void)session;
        (void)id;
        (void)data;
        if (!find_piece(stream, &step)) {
                if (step.kind == REPLY_DONE) {
                        *flags |= NGHTTP2_DATA_FLAG_EOF;
                        return 0;
                }
                do_step(stream, &step);
                return NGHTTP2_ERR_DEFERRED;
        }
        n = stream->piece.iov_len < size ? stream->piece.iov_len : size;
        memcpy(to, stream->piece.iov_base, n);
        stream->piece =
                (struct iovec){ (char *)stream->piece.iov_base + n, stream->piece.iov_len - n };
        if (!stream->piece.iov_len && reply_is_over(&stream->task.reply))
                *flags |= NGHTTP2_DATA_FLAG_EOF;
        return (ssize_t)n;
}

static int send_head(struct peer_stream *stream, const struct reply_step *step)
{
        nghttp2_data_provider body = { .source.ptr = stream, .read_callback = give_body };
        nghttp2_session *session = stream->conn->session;
        static char none[1];
        struct iovec lines = { none, 0 };
        struct stream_head fields;

        if (step->n_pieces)
                lines = step->pieces[0];
        stream_head_make(&fields, step->status, lines.iov_base, lines.iov_len);
        if (step->status < 200)
                return nghttp2_submit_headers(session, NGHTTP2_FLAG_NONE, stream->id, NULL,
                        fields.list, fields.n, NULL);
        return nghttp2_submit_response(session, stream->id, fields.list, fields.n,
                step->is_last ? NULL : &body);
}

/* Queue the heads; nghttp2 asks for the body when it may be sent. */
static void answer(struct peer_stream *stream)
{
        struct task *task = &stream->task;
        struct lab *lab = listener_of(stream)->lab;
        struct reply_manner manner = { .is_head = task->is_head,
                .keeps_alive = true,
                .version = 20,
                .date = lab_date(lab),
                .filling = lab_filling(lab, 0),
                .filling_period = LAB_FILLING_PERIOD,
                .write_bytes = listener_of(stream)->config->write_bytes };
        struct reply_step step;

        if (!task->plan.is_exempt)
                manner.body_delay = listener_of(stream)->config->body_delay;
        if (task->plan.closes)
                peer_h2_leave(stream->conn, stream->conn->last_id, NGHTTP2_NO_ERROR);
        reply_begin(&task->reply, &task->plan, &manner);
        do {
                if (reply_next(&task->reply, &lab->rand, &step) < 0)
                        step = (struct reply_step){ .kind = REPLY_CLOSE };
                if (step.kind != REPLY_HEAD)
                        do_step(stream, &step);
                else if (send_head(stream, &step) != 0)
                        peer_stream_reset(stream, NGHTTP2_INTERNAL_ERROR);
        } while (step.kind == REPLY_HEAD && step.status < 200);
}

static void answer_late(struct task *task)
{
        struct peer_stream *stream = LIST_OWNER(task, struct peer_stream, task);
        struct peer_h2 *conn = stream->conn;

        answer(stream);
        peer_h2_flush(conn);
}

static void drop(struct task *task)
{
        struct peer_stream *stream = LIST_OWNER(task, struct peer_stream, task);
        struct peer_h2 *conn = stream->conn;

        peer_stream_reset(stream, NGHTTP2_REFUSED_STREAM);
        peer_h2_flush(conn);
}

static const struct task_ops task_ops = { .reply = answer_late, .drop = drop };

/* --- the request ----------------------------------------------------------------------------- */

/* How many requests a connection may have, by whatever setting is the strictest. */
static uint64_t requests_max(const struct listener_config *config)
{
        uint64_t most = config->no_keep_alive ? 1 : UINT64_MAX;

        if (config->max_requests && config->max_requests < most)
                most = config->max_requests;
        return most;
}

/* True: the connection goes away, and this request is not looked at. */
static bool goes_away(struct peer_stream *stream)
{
        struct peer_h2 *conn = stream->conn;
        const struct h2_config *config = config_of(stream);

        if (conn->is_leaving)
                return true;
        if (config->goaway_after && config->goaway_code != NGHTTP2_NO_ERROR &&
                conn->n_requests == config->goaway_after) {
                peer_h2_leave(conn, conn->last_id, config->goaway_code);
                return true;
        }
        conn->n_requests++;
        conn->last_id = stream->id;
        if (conn->n_requests == requests_max(listener_of(stream)->config) ||
                (conn->n_requests == config->goaway_after &&
                        config->goaway_code == NGHTTP2_NO_ERROR))
                peer_h2_leave(conn, stream->id, NGHTTP2_NO_ERROR);
        return false;
}

/* True: it is one of those that are refused unseen. */
static bool is_refused(struct peer_stream *stream)
{
        const struct h2_config *config = config_of(stream);

        if (config->refuse_share <= 0 ||
                !lab_chance(listener_of(stream)->lab, config->refuse_share))
                return false;
        peer_stream_reset(stream, config->refuse_code);
        return true;
}

static void refuse_head(struct peer_stream *stream, const struct muster_error *error)
{
        task_refuse(&stream->task, error);
        answer(stream);
        stream->is_ignored = true; /* its body, if it has one */
}

void peer_stream_begin(struct peer_stream *stream, bool is_last)
{
        struct reply_step go_on = { .kind = REPLY_HEAD, .status = 100 };
        struct muster_error error = { 0 };
        struct request request;

        assert(!stream->is_begun);
        stream->is_begun = true;
        if (goes_away(stream) || is_refused(stream)) {
                stream->is_ignored = true;
                return;
        }
        if (stream_request_parse(&stream->fields, &listener_of(stream)->lab->scratch, &request,
                    &error) < 0) {
                refuse_head(stream, &error);
                return;
        }
        task_begin(&stream->task, &request);
        if (is_last)
                peer_stream_complete(stream);
        else if (request.expects_continue)
                (void)send_head(stream, &go_on);
}

void peer_stream_complete(struct peer_stream *stream)
{
        int r;

        if (stream->is_ignored || !stream->task.is_open)
                return;
        r = task_complete(&stream->task);
        if (r == 0)
                answer(stream);
        else if (r == TASK_DROPPED)
                peer_stream_reset(stream, NGHTTP2_REFUSED_STREAM);
}
