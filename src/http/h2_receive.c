/* SPDX-License-Identifier: MIT */
/*
 * Bytes in: nghttp2 is fed up to the end of one frame at a time
 *
 * What it finds it tells by callbacks, which note it as news. A frame that it found no fault with
 * leads to one of them. When none was called, it may have queued RST_STREAM or GOAWAY: that is
 * looked up at once (h2_peek()), so that errors are told where they happen.
 */
#include "h2_internal.h"

#include "h1_read.h"
#include <assert.h>
#include <base/error.h>
#include <base/minmax.h>
#include <stdio.h>

/* --- callbacks ------------------------------------------------------------------------------- */

static int on_begin_headers(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
        struct h2 *h2 = user;

        (void)session;
        h2_head_begin(&h2->head, frame->hd.stream_id, h2_find(h2, frame->hd.stream_id));
        /*
         * PUSH_PROMISE was forbidden by our first frame. nghttp2 ends the connection for it once
         * that is acknowledged; until then the promised stream is refused.
         */
        return frame->hd.type == NGHTTP2_HEADERS ? 0 : NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
        size_t name_len, const uint8_t *value, size_t value_len, uint8_t flags, void *user)
{
        struct h2 *h2 = user;
        struct h2_stream *stream = h2->head.stream;
        uint32_t code = NGHTTP2_CANCEL;
        int r;

        (void)frame;
        (void)flags;
        if (!stream)
                return 0;
        r = h2_head_add(&h2->head, h2->options.head_bytes_max,
                (struct muster_str){ (const char *)name, name_len },
                (struct muster_str){ (const char *)value, value_len });
        if (r < 0)
                return NGHTTP2_ERR_CALLBACK_FAILURE;
        if (r == 0)
                return 0;
        if (r == H2_MALFORMED) {
                code = NGHTTP2_PROTOCOL_ERROR;
                snprintf(h2->words, sizeof(h2->words), "field \":status\" is not valid");
        }
        h2_stream_fail(h2, stream, (enum h2_failure)r, code);
        if (nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, stream->id, code) != 0)
                return NGHTTP2_ERR_CALLBACK_FAILURE;
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
}

/*
 * nghttp2 would ignore the field. RFC 9113 section 8.2.1 wants the response to be an error, and
 * what one reader ignores another believes.
 */
static int on_invalid_header(nghttp2_session *session, const nghttp2_frame *frame,
        const uint8_t *name, size_t name_len, const uint8_t *value, size_t value_len, uint8_t flags,
        void *user)
{
        (void)session;
        (void)frame;
        (void)name;
        (void)name_len;
        (void)value;
        (void)value_len;
        (void)flags;
        (void)user;
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
}

/* The only place where nghttp2 says which field is not valid. The value may be a secret. */
static int on_error(nghttp2_session *session, int code, const char *message, size_t len, void *user)
{
        struct h2 *h2 = user;
        const char *name = len ? strstr(message, "name: [") : NULL;

        (void)session;
        if (code != NGHTTP2_ERR_HTTP_HEADER || !name)
                return 0;
        name += strlen("name: [");
        snprintf(h2->words, sizeof(h2->words), "field \"%.*s\" is not valid",
                (int)min_size(strcspn(name, "]"), 60), name);
        return 0;
}

static int on_invalid_frame(nghttp2_session *session, const nghttp2_frame *frame, int code,
        void *user)
{
        struct h2 *h2 = user;

        (void)session;
        (void)frame;
        if (!h2->words[0])
                snprintf(h2->words, sizeof(h2->words), "%s", nghttp2_strerror(code));
        return 0;
}

static int on_data_chunk(nghttp2_session *session, uint8_t flags, int32_t stream_id,
        const uint8_t *at, size_t len, void *user)
{
        struct h2 *h2 = user;
        struct h2_stream *stream = h2_find(h2, stream_id);

        (void)session;
        (void)flags;
        assert(!h2->piece_of && len);
        h2->piece = (struct muster_str){ (const char *)at, len };
        if (!stream || stream->failure)
                return 0;
        h2->was_useful = true;
        stream->unread_bytes += (uint32_t)len;
        h2->piece_of = stream;
        h2_stream_news(h2, stream, NEWS_BODY);
        return 0;
}

/* --- whole frames ---------------------------------------------------------------------------- */

static int got_headers(struct h2 *h2, struct h2_stream *stream, bool ends)
{
        struct h2_head *head = &h2->head;

        assert(head->stream_id == stream->id);
        h2->was_useful = true;
        stream->has_begun = true;
        if (stream->has_head)
                return 0; /* trailers: checked, and not used */
        head->ends_stream = ends;
        if (head->status >= 200)
                stream->has_head = true;
        else if (++stream->n_interim > H1_INTERIM_MAX) {
                h2_stream_fail(h2, stream, H2_TOO_MANY_INTERIM, NGHTTP2_CANCEL);
                return nghttp2_submit_rst_stream(h2->session, NGHTTP2_FLAG_NONE, stream->id,
                        NGHTTP2_CANCEL);
        }
        if (h2_head_end(head) < 0)
                return MUSTER_E_RESOURCE;
        h2_stream_news(h2, stream, NEWS_HEAD);
        return 0;
}

static int got_message(struct h2 *h2, const nghttp2_frame *frame)
{
        struct h2_stream *stream = h2_find(h2, frame->hd.stream_id);
        bool ends = frame->hd.flags & NGHTTP2_FLAG_END_STREAM;

        if (!stream || stream->failure)
                return 0;
        if (frame->hd.type == NGHTTP2_HEADERS && got_headers(h2, stream, ends) != 0)
                return NGHTTP2_ERR_CALLBACK_FAILURE;
        if (ends && !stream->failure) {
                h2->was_useful = true;
                stream->is_done = true;
                h2_stream_news(h2, stream, NEWS_DONE);
        }
        return 0;
}

/*
 * Requests are begun before the server tells how many it allows. Those that are more would wait in
 * nghttp2, where nobody sees that they wait, nor could give them to another connection. What reads
 * its body piece by piece stays, as it may not be able to begin again.
 */
static void withdraw_beyond(struct h2 *h2)
{
        unsigned allowed = h2_allowed(h2), n_over;

        n_over = h2->n_open > allowed ? h2->n_open - allowed : 0;
        for (struct list *link = h2->streams.prev; n_over && link != &h2->streams;
                link = link->prev) {
                struct h2_stream *stream = stream_of_link(link);

                if (stream->is_sent || !stream->is_last_piece || stream->failure)
                        continue;
                h2_stream_fail(h2, stream, H2_WITHDRAWN, NGHTTP2_REFUSED_STREAM);
                n_over--;
        }
}

static void got_settings(struct h2 *h2, const nghttp2_frame *frame)
{
        if (frame->hd.flags & NGHTTP2_FLAG_ACK) {
                if (h2->awaits_ack)
                        h2_measured_rtt(h2, h2->now_ns - h2->settings_sent_ns);
                h2->awaits_ack = false;
                return;
        }
        h2->peer_max = nghttp2_session_get_remote_settings(h2->session,
                NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS);
        h2->news |= NEWS_SETTINGS;
        withdraw_beyond(h2);
}

static void got_pong(struct h2 *h2, const nghttp2_frame *frame)
{
        if (!(frame->hd.flags & NGHTTP2_FLAG_ACK) || !h2->awaits_pong)
                return;
        h2->is_pinging = h2->awaits_pong = false;
        h2->pong_rtt_ns = h2->now_ns - h2->ping_sent_ns;
        h2_measured_rtt(h2, h2->pong_rtt_ns);
        h2->news |= NEWS_PONG;
}

/* The streams that the server will not look at; those not sent yet are among them. */
static void fail_above(struct h2 *h2, int32_t last)
{
        for (struct list *link = h2->streams.next; link != &h2->streams; link = link->next) {
                struct h2_stream *stream = stream_of_link(link);

                if (stream->id > last || !stream->is_sent)
                        h2_stream_fail(h2, stream, H2_ABOVE_GOAWAY, NGHTTP2_REFUSED_STREAM);
        }
}

static int got_goaway(struct h2 *h2, const nghttp2_goaway *frame)
{
        buf_recycle(&h2->goaway_said, 0);
        if (buf_add(&h2->goaway_said, frame->opaque_data,
                    min_size(frame->opaque_data_len, H2_GOAWAY_SAID_MAX)) < 0)
                return NGHTTP2_ERR_CALLBACK_FAILURE;
        h2->has_goaway = true;
        h2->last_stream = frame->last_stream_id;
        h2->goaway_code = frame->error_code;
        h2->news |= NEWS_GOAWAY;
        fail_above(h2, h2->last_stream);
        return 0;
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
        struct h2 *h2 = user;

        (void)session;
        h2->was_told = true;
        switch (frame->hd.type) {
        case NGHTTP2_DATA:
        case NGHTTP2_HEADERS:
                return got_message(h2, frame);
        case NGHTTP2_SETTINGS:
                got_settings(h2, frame);
                return 0;
        case NGHTTP2_PING:
                got_pong(h2, frame);
                return 0;
        case NGHTTP2_GOAWAY:
                return got_goaway(h2, &frame->goaway);
        }
        return 0;
}

static int on_stream_close(nghttp2_session *session, int32_t stream_id, uint32_t code, void *user)
{
        struct h2 *h2 = user;
        struct h2_stream *stream = h2_find(h2, stream_id);

        (void)session;
        if (stream_id % 2) { /* ours; a refused promise of the server is none */
                assert(h2->n_open > 0);
                h2->n_open--;
        }
        if (!stream)
                return 0;
        h2->was_useful = true; /* once for each request */
        stream->is_closed = true;
        h2->found = NULL; /* nghttp2 forgets it */
        list_remove(&stream->hungry_link);
        h2_stream_fail(h2, stream, H2_RESET_BY_SERVER, code);
        return 0;
}

void h2_receive_callbacks(nghttp2_session_callbacks *callbacks)
{
        nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, on_begin_headers);
        nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
        nghttp2_session_callbacks_set_on_invalid_header_callback(callbacks, on_invalid_header);
        nghttp2_session_callbacks_set_error_callback2(callbacks, on_error);
        nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(callbacks, on_invalid_frame);
        nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data_chunk);
        nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
        nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_stream_close);
}

/* --- a frame at a time ----------------------------------------------------------------------- */

#define FRAME_HEAD_BYTES 9 /* RFC 9113 section 4.1 */
#define IDLE_FRAME_NS    (UINT64_C(1000000000) / H2_IDLE_FRAMES_PER_S)

enum {
        TYPE_DATA = 0,
        TYPE_HEADERS = 1,
        TYPE_RST_STREAM = 3,
        TYPE_SETTINGS = 4,
        TYPE_WINDOW_UPDATE = 8,
        TYPE_CONTINUATION = 9,
};

static size_t frame_length(const struct h2 *h2)
{
        return (size_t)h2->frame_head[0] << 16 | (size_t)h2->frame_head[1] << 8 | h2->frame_head[2];
}

/* End the connection, as the server asks too much of us. */
static int too_many(struct h2 *h2, const char *what)
{
        snprintf(h2->words, sizeof(h2->words), "%s", what);
        if (nghttp2_session_terminate_session(h2->session, NGHTTP2_ENHANCE_YOUR_CALM) != 0)
                return h2_fail_memory(h2);
        return h2_peek(h2);
}

/* The encoded fields of one head, in HEADERS and CONTINUATION. */
static int count_block(struct h2 *h2, unsigned type)
{
        if (type != TYPE_CONTINUATION)
                h2->block_bytes = 0;
        h2->block_bytes += frame_length(h2);
        if (h2->block_bytes > h2->options.head_bytes_max + H2_FIELD_BLOCK_BYTES_SPARE)
                return too_many(h2, "a field block without an end");
        return 0;
}

/*
 * Bodies for streams that we reset may be on their way, as much as the windows of these allowed.
 * nghttp2 ignores them.
 */
static int count_late_bytes(struct h2 *h2)
{
        h2->late_bytes += frame_length(h2);
        if (h2->late_bytes > h2->late_bytes_max + h2->options.window_bytes_max)
                return too_many(h2, "DATA for streams that are over");
        return 0;
}

/* May it be an answer to DATA or RST_STREAM? */
static bool is_answer(unsigned type)
{
        return type == TYPE_DATA || type == TYPE_HEADERS || type == TYPE_RST_STREAM ||
               type == TYPE_WINDOW_UPDATE;
}

/* A leaky bucket: each idle frame takes some time to run out. */
static int count_idle_frame(struct h2 *h2)
{
        if (h2->n_answers && is_answer(h2->frame_head[3])) {
                h2->n_answers--;
                return 0;
        }
        h2->idle_frames_ns = max_u64(h2->idle_frames_ns, h2->now_ns) + IDLE_FRAME_NS;
        if (h2->idle_frames_ns - h2->now_ns <= H2_IDLE_FRAMES_MAX * IDLE_FRAME_NS)
                return 0;
        return too_many(h2, "a flood of frames that bring nothing");
}

/* DATA that brought nothing, though it is not empty: padding alone is idle, the rest came late. */
static int count_data(struct h2 *h2)
{
        const unsigned char *id = h2->frame_head + 5;
        int32_t stream = (id[0] & 0x7f) << 24 | id[1] << 16 | id[2] << 8 | id[3];

        return h2_find(h2, stream) ? count_idle_frame(h2) : count_late_bytes(h2);
}

/* Bound what nghttp2 does not; called at the end of each frame. */
static int count_frame(struct h2 *h2)
{
        unsigned type = h2->frame_head[3];
        bool is_block = type == TYPE_HEADERS || type == TYPE_CONTINUATION;
        bool is_part = is_block && !(h2->frame_head[4] & NGHTTP2_FLAG_END_HEADERS);
        int r = is_block ? count_block(h2, type) : 0;

        if (r < 0)
                return r;
        if (h2->was_useful) {
                h2->idle_frames_ns -= min_u64(h2->idle_frames_ns, IDLE_FRAME_NS);
                return 0;
        }
        if (frame_length(h2) && is_part)
                return 0;
        return frame_length(h2) && type == TYPE_DATA ? count_data(h2) : count_idle_frame(h2);
}

/*
 * Cut off the bytes to read next: a frame as far as it is there. A frame's head is read whole, as
 * nghttp2 counts each piece of one as a frame where it expects CONTINUATION.
 */
static struct muster_str take_bytes(struct h2 *h2, struct muster_str *bytes)
{
        struct muster_str taken = { bytes->at, 0 };
        size_t n = min_size(FRAME_HEAD_BYTES - h2->n_frame_head, bytes->len);
        bool is_split = n && n < FRAME_HEAD_BYTES;

        memcpy(h2->frame_head + h2->n_frame_head, bytes->at, n);
        h2->n_frame_head += (unsigned)n;
        if (n && h2->n_frame_head == FRAME_HEAD_BYTES) {
                h2->frame_left = frame_length(h2);
                taken.len = FRAME_HEAD_BYTES;
        }
        if (is_split)
                taken.at = (const char *)h2->frame_head;
        else if (h2->n_frame_head == FRAME_HEAD_BYTES) {
                size_t payload = min_size(h2->frame_left, bytes->len - n);

                h2->frame_left -= payload;
                n += payload;
                taken.len = n;
        }
        bytes->at += n;
        bytes->len -= n;
        return taken;
}

static int frame_ended(struct h2 *h2)
{
        int r = count_frame(h2);

        h2->n_frame_head = 0;
        h2->was_useful = false;
        return r;
}

/* Have nghttp2 read these bytes. */
static int read_bytes(struct h2 *h2, struct muster_str bytes)
{
        ssize_t fed;

        h2->was_told = false;
        h2->words[0] = '\0';
        h2->piece.len = 0;
        fed = nghttp2_session_mem_recv(h2->session, (const uint8_t *)bytes.at, bytes.len);
        if (fed < 0)
                return h2_fail_nghttp2(h2, (int)fed);
        assert((size_t)fed == bytes.len);
        /* What was received is consumed for the connection; streams consume for themselves. */
        if (h2->piece.len && nghttp2_session_consume_connection(h2->session, h2->piece.len) != 0)
                return h2_fail_memory(h2);
        return h2->was_told || (h2->frame_left && h2->piece.len) ? 0 : h2_peek(h2);
}

/* A server begins with SETTINGS (RFC 9113 section 3.4); what does not is no HTTP/2 server. */
static int check_first_frame(struct h2 *h2)
{
        if (h2->was_recognised)
                return 0;
        h2->was_recognised = h2->frame_head[3] == TYPE_SETTINGS;
        return h2->was_recognised ? 0 : h2_fail_stranger(h2);
}

int h2_feed(struct h2 *h2, struct muster_str *bytes)
{
        struct muster_str taken;
        int r;

        assert(bytes->len && !h2->piece_of && list_is_empty(&h2->ready));
        taken = take_bytes(h2, bytes);
        if (!taken.len)
                return 0;
        r = check_first_frame(h2);
        if (r == 0)
                r = read_bytes(h2, taken);
        if (r == 0 && h2->frame_left == 0)
                r = frame_ended(h2);
        return r;
}

int h2_next(struct h2 *h2, struct muster_str *bytes, uint64_t now_ns, struct h2_event *ret_event,
        struct muster_error *error)
{
        h2->now_ns = now_ns;
        for (;;) {
                if (h2_take_news(h2, ret_event))
                        return 0;
                if (h2->fatal.code)
                        return h2_fatal(h2, error);
                if (!bytes->len)
                        return H2_MORE;
                (void)h2_feed(h2, bytes);
        }
}
