/* SPDX-License-Identifier: MIT */
/*
 * Frames out
 *
 * nghttp2 gives frames one by one, which are gathered. Bodies go from where they are offered into
 * the frame without another copy. A stream whose piece is used up is deferred, and told as hungry.
 */
#include "h2_internal.h"

#include <assert.h>
#include <base/error.h>
#include <base/minmax.h>

/* --- bodies ---------------------------------------------------------------------------------- */

static ssize_t read_body(nghttp2_session *session, int32_t stream_id, uint8_t *to, size_t size,
        uint32_t *flags, nghttp2_data_source *source, void *user)
{
        struct h2 *h2 = user;
        struct h2_stream *stream = h2_find(h2, stream_id);
        size_t n;

        (void)session;
        (void)to;
        (void)source;
        if (h2->is_peeking)
                return NGHTTP2_ERR_PAUSE;
        if (!stream || (!stream->piece.len && !stream->is_last_piece)) {
                if (stream && !list_is_linked(&stream->hungry_link))
                        list_push_back(&h2->hungry, &stream->hungry_link);
                if (stream)
                        stream->is_deferred = true;
                return NGHTTP2_ERR_DEFERRED;
        }
        n = min_size(size, stream->piece.len);
        *flags |= NGHTTP2_DATA_FLAG_NO_COPY;
        if (stream->is_last_piece && n == stream->piece.len)
                *flags |= NGHTTP2_DATA_FLAG_EOF;
        return (ssize_t)n;
}

static int send_data(nghttp2_session *session, nghttp2_frame *frame, const uint8_t *frame_head,
        size_t len, nghttp2_data_source *source, void *user)
{
        struct h2 *h2 = user;
        struct h2_stream *stream = h2_find(h2, frame->hd.stream_id);

        (void)session;
        (void)source;
        if (!stream)
                return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
        assert(frame->data.padlen == 0 && len <= stream->piece.len);
        if (buf_reserve(h2->pull, 9 + len) < 0)
                return NGHTTP2_ERR_CALLBACK_FAILURE;
        buf_add(h2->pull, frame_head, 9);
        buf_add(h2->pull, stream->piece.at, len);
        stream->piece.at += len;
        stream->piece.len -= len;
        return 0;
}

nghttp2_data_provider h2_body_provider(void)
{
        return (nghttp2_data_provider){ .read_callback = read_body };
}

void h2_offer(struct h2 *h2, struct h2_stream *stream, struct muster_str borrow_piece, bool is_last)
{
        assert(!stream->piece.len && !stream->is_last_piece);
        assert(borrow_piece.len || is_last);
        stream->piece = borrow_piece;
        stream->is_last_piece = is_last;
        list_remove(&stream->hungry_link);
        if (!stream->is_deferred || stream->is_closed)
                return;
        stream->is_deferred = false;
        /* Without memory the stream stays deferred, until its request times out. */
        (void)nghttp2_session_resume_data(h2->session, stream->id);
}

void h2_set_hungry(struct h2 *h2, struct h2_stream *stream)
{
        if (!stream->is_closed && !list_is_linked(&stream->hungry_link))
                list_push_back(&h2->hungry, &stream->hungry_link);
}

struct h2_stream *h2_next_hungry(struct h2 *h2)
{
        struct list *link = list_pop(&h2->hungry);

        return link ? LIST_OWNER(link, struct h2_stream, hungry_link) : NULL;
}

/* --- frames ---------------------------------------------------------------------------------- */

static void sent_headers(struct h2 *h2, const nghttp2_frame *frame)
{
        struct h2_stream *stream = h2_find(h2, frame->hd.stream_id);

        if (!stream)
                return;
        stream->is_sent = true;
        stream->is_sent_whole = frame->hd.flags & NGHTTP2_FLAG_END_STREAM;
}

static void sent_data(struct h2 *h2, const nghttp2_frame *frame)
{
        struct h2_stream *stream = h2_find(h2, frame->hd.stream_id);

        h2->idle_frames_ns = 0; /* the server has to say that it has room again */
        h2->n_answers += H2_ANSWERS_TO_DATA;
        if (stream && frame->hd.flags & NGHTTP2_FLAG_END_STREAM)
                stream->is_sent_whole = true;
}

/* What we reset without having asked for it nghttp2 found to be malformed. */
static void sent_reset(struct h2 *h2, const nghttp2_frame *frame)
{
        struct h2_stream *stream = h2_find(h2, frame->hd.stream_id);

        h2->late_bytes_max += h2->options.window_bytes_max;
        h2->n_answers += H2_ANSWERS_TO_RESET;
        if (stream)
                h2_stream_fail(h2, stream, H2_MALFORMED, frame->rst_stream.error_code);
}

/* nghttp2 ends the connection for what the server did; h2_shutdown() has no error code. */
static void sent_goaway(struct h2 *h2, const nghttp2_goaway *frame)
{
        if (frame->error_code)
                (void)h2_fail_goaway(h2, frame->error_code,
                        (struct muster_str){
                                (const char *)frame->opaque_data, frame->opaque_data_len });
}

/* Frames that the server answers. */
static void sent_question(struct h2 *h2, uint8_t type)
{
        if (type == NGHTTP2_SETTINGS) {
                h2->settings_sent_ns = h2->now_ns;
                h2->awaits_ack = true;
        } else if (type == NGHTTP2_PING) {
                h2->ping_sent_ns = h2->now_ns;
                h2->awaits_pong = true;
        }
}

static int on_frame_sent(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
        struct h2 *h2 = user;

        (void)session;
        if (frame->hd.type == NGHTTP2_HEADERS)
                sent_headers(h2, frame);
        else if (frame->hd.type == NGHTTP2_DATA)
                sent_data(h2, frame);
        else if (frame->hd.type == NGHTTP2_RST_STREAM)
                sent_reset(h2, frame);
        else if (frame->hd.type == NGHTTP2_GOAWAY)
                sent_goaway(h2, &frame->goaway);
        else if (!(frame->hd.flags & NGHTTP2_FLAG_ACK))
                sent_question(h2, frame->hd.type);
        return 0;
}

static int on_frame_not_sent(nghttp2_session *session, const nghttp2_frame *frame, int code,
        void *user)
{
        struct h2 *h2 = user;
        struct h2_stream *stream = h2_find(h2, frame->hd.stream_id);

        (void)session;
        (void)code;
        if (frame->hd.type == NGHTTP2_HEADERS && stream)
                h2_stream_fail(h2, stream, H2_NOT_SENT, NGHTTP2_INTERNAL_ERROR);
        else if (frame->hd.type == NGHTTP2_HEADERS)
                h2->n_open++; /* h2_end() has left it out, and nghttp2 closes it now */
        return 0;
}

void h2_send_callbacks(nghttp2_session_callbacks *callbacks)
{
        nghttp2_session_callbacks_set_send_data_callback(callbacks, send_data);
        nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, on_frame_sent);
        nghttp2_session_callbacks_set_on_frame_not_send_callback(callbacks, on_frame_not_sent);
}

/* Gather frames until there are `bytes_max`. */
static int gather(struct h2 *h2, struct buf *to, size_t bytes_max)
{
        const uint8_t *at;
        ssize_t n;

        h2->pull = to;
        while (to->len < bytes_max) {
                n = nghttp2_session_mem_send(h2->session, &at);
                if (n < 0)
                        return h2_fail_nghttp2(h2, (int)n);
                if (n == 0)
                        return 0;
                if (buf_add(to, at, (size_t)n) < 0)
                        return h2_fail_memory(h2);
        }
        return 0;
}

int h2_peek(struct h2 *h2)
{
        int r;

        h2->is_peeking = true;
        r = gather(h2, &h2->out, SIZE_MAX);
        h2->is_peeking = false;
        if (r == 0 && h2->out.len > H2_UNSENT_BYTES_MAX)
                r = h2_fail_unsent(h2);
        return r < 0 ? r : (int)h2->fatal.code;
}

static int take_peeked(struct h2 *h2, struct buf *to)
{
        if (!h2->out.len)
                return 0;
        if (buf_add(to, h2->out.at, h2->out.len) < 0)
                return h2_fail_memory(h2);
        buf_recycle(&h2->out, 0);
        return 0;
}

int h2_pull(struct h2 *h2, struct buf *to, size_t bytes_max, uint64_t now_ns,
        struct muster_error *error)
{
        bool had_failed = h2->fatal.code;
        int r;

        h2->now_ns = now_ns;
        r = take_peeked(h2, to);
        if (r == 0 && !h2->fatal.code)
                r = gather(h2, to, bytes_max);
        if (had_failed)
                return 0; /* the caller knows; this is what is left to say */
        return h2->fatal.code ? h2_fatal(h2, error) : r;
}

bool h2_wants_send(const struct h2 *h2)
{
        return h2->out.len || (!h2->fatal.code && nghttp2_session_want_write(h2->session));
}
