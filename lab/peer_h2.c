/* SPDX-License-Identifier: MIT */
#include "peer_h2.h"

#include "peer_stream.h"
#include "lab.h"
#include "listener.h"
#include "peer_internal.h"
#include <assert.h>
#include <base/mem.h>
#include <string.h>

#define BATCH_BYTES (64 * 1024) /* frames sent at once: few calls, and news is not far behind */
#define KEEP_BYTES  2048
#define STREAMS     100 /* at once, unless it is set: what servers allow */

static const struct h2_config *config_of(const struct peer_h2 *conn)
{
        return &conn->peer->listener->config->h2;
}

static struct listener_stats *stats_of(const struct peer_h2 *conn)
{
        return &conn->peer->listener->stats;
}

/* --- streams come and go --------------------------------------------------------------------- */

static int begin_headers(nghttp2_session *session, const nghttp2_frame *frame, void *data)
{
        struct peer_h2 *conn = data;
        struct listener_stats *stats = stats_of(conn);
        struct peer_stream *stream;

        if (frame->headers.cat != NGHTTP2_HCAT_REQUEST)
                return 0; /* trailers */
        stream = peer_stream_new(conn, frame->hd.stream_id);
        if (!stream)
                return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
        (void)nghttp2_session_set_stream_user_data(session, stream->id, stream);
        list_push_back(&conn->streams, &stream->link);
        stats->n_streams++;
        if (++conn->n_streams > stats->n_streams_at_once_max)
                stats->n_streams_at_once_max = conn->n_streams;
        loop_timer_stop(conn->peer->listener->lab->loop, &conn->peer->idle_timer);
        return 0;
}

static int stream_closed(nghttp2_session *session, int32_t id, uint32_t code, void *data)
{
        struct peer_h2 *conn = data;
        struct peer_stream *stream = nghttp2_session_get_stream_user_data(session, id);

        if (!stream)
                return 0;
        if (code != NGHTTP2_NO_ERROR && stream->task.is_open)
                stats_of(conn)->n_streams_reset++;
        list_remove(&stream->link);
        conn->n_streams--;
        peer_stream_stop(stream);
        peer_stream_free(stream);
        return 0;
}

/* --- what is received ------------------------------------------------------------------------ */

static int take_field(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
        size_t name_len, const uint8_t *value, size_t value_len, uint8_t flags, void *data)
{
        struct peer_stream *stream =
                nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);

        (void)flags;
        (void)data;
        if (!stream || stream->is_begun)
                return 0;
        return stream_request_add(&stream->fields,
                       (struct muster_str){ (const char *)name, name_len },
                       (struct muster_str){ (const char *)value, value_len }) < 0
                       ? NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE
                       : 0;
}

static int take_frame(nghttp2_session *session, const nghttp2_frame *frame, void *data)
{
        bool is_last = frame->hd.flags & NGHTTP2_FLAG_END_STREAM;
        struct peer_stream *stream;

        if (frame->hd.type == NGHTTP2_PING && !(frame->hd.flags & NGHTTP2_FLAG_ACK))
                stats_of(data)->n_pings++;
        if (frame->hd.type != NGHTTP2_HEADERS && frame->hd.type != NGHTTP2_DATA)
                return 0;
        stream = nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);
        if (!stream)
                return 0;
        if (!stream->is_begun)
                peer_stream_begin(stream, is_last);
        else if (is_last)
                peer_stream_complete(stream);
        return 0;
}

static void window_timer_fire(struct loop_timer *timer, uint64_t late_ns)
{
        struct peer_h2 *conn = LIST_OWNER(timer, struct peer_h2, window_timer);
        struct list *link;

        (void)late_ns;
        for (link = conn->streams.next; link != &conn->streams; link = link->next) {
                struct peer_stream *stream = peer_stream_of_link(link);

                (void)nghttp2_session_consume_stream(conn->session, stream->id,
                        stream->unacknowledged_bytes);
                stream->unacknowledged_bytes = 0;
        }
        (void)nghttp2_session_consume_connection(conn->session, conn->unacknowledged_bytes);
        conn->unacknowledged_bytes = 0;
        peer_h2_flush(conn);
}

/* Where it was asked for, WINDOW_UPDATEs wait until the next one is due, or for ever. */
static void hold_window(struct peer_h2 *conn, struct peer_stream *stream, size_t n_bytes)
{
        uint64_t interval_ns = config_of(conn)->window_interval_ns;

        if (!interval_ns)
                return; /* nghttp2 does what is needed */
        conn->unacknowledged_bytes += n_bytes;
        if (stream)
                stream->unacknowledged_bytes += n_bytes;
        /* Without memory for the timer the next bytes try again. */
        if (interval_ns != UINT64_MAX && !heap_has(&conn->window_timer.node))
                (void)loop_timer_set(conn->peer->listener->lab->loop, &conn->window_timer,
                        clock_after(peer_now(conn->peer), interval_ns));
}

static int take_data(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *at,
        size_t len, void *data)
{
        struct peer_stream *stream = nghttp2_session_get_stream_user_data(session, id);

        (void)flags;
        hold_window(data, stream, len);
        if (stream && stream->task.is_open)
                task_take_body(&stream->task, (struct muster_str){ (const char *)at, len });
        return 0;
}

static int refuse_frame(nghttp2_session *session, const nghttp2_frame *frame, int code, void *data)
{
        (void)session;
        (void)frame;
        (void)code;
        stats_of(data)->n_bad_requests++;
        return 0;
}

/* --- what is sent ---------------------------------------------------------------------------- */

/* The response is over with the frame that ends its stream. */
static void end_sent(nghttp2_session *session, struct peer_stream *stream)
{
        task_done(&stream->task);
        /* An answer that did not wait for all of the request: the rest is not wanted (8.1). */
        if (!nghttp2_session_get_stream_remote_close(session, stream->id))
                peer_stream_reset(stream, NGHTTP2_NO_ERROR);
}

static int frame_sent(nghttp2_session *session, const nghttp2_frame *frame, void *data)
{
        struct peer_stream *stream =
                nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);

        if (frame->hd.type == NGHTTP2_RST_STREAM &&
                frame->rst_stream.error_code == NGHTTP2_REFUSED_STREAM)
                stats_of(data)->n_streams_refused++;
        if (stream && (frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA) &&
                frame->hd.flags & NGHTTP2_FLAG_END_STREAM)
                end_sent(session, stream);
        return 0;
}

/* The head of a frame, RFC 9113 section 4.1: length, type, flags, stream. */
#define FRAME_HEAD_BYTES 9
enum { AT_TYPE = 3, AT_FLAGS = 4 };

static int add_piece(struct buf *to, uint8_t *head, const uint8_t *at, size_t len)
{
        head[0] = (uint8_t)(len >> 16);
        head[1] = (uint8_t)(len >> 8);
        head[2] = (uint8_t)len;
        if (buf_add(to, (const char *)head, FRAME_HEAD_BYTES) < 0)
                return MUSTER_E_RESOURCE;
        return buf_add(to, (const char *)at, len);
}

/* A field block in pieces: all behind the first are CONTINUATION (RFC 9113 section 6.10). */
static int add_pieces(struct buf *to, const uint8_t *frame, size_t len, size_t most)
{
        uint8_t head[FRAME_HEAD_BYTES], ends = frame[AT_FLAGS] & NGHTTP2_FLAG_END_HEADERS;
        size_t at = FRAME_HEAD_BYTES;
        int r = 0;

        memcpy(head, frame, sizeof(head));
        head[AT_FLAGS] ^= ends;
        for (; r == 0 && len - at > most; at += most) {
                r = add_piece(to, head, frame + at, most);
                head[AT_TYPE] = NGHTTP2_CONTINUATION;
                head[AT_FLAGS] = 0;
        }
        head[AT_FLAGS] |= ends;
        return r < 0 ? r : add_piece(to, head, frame + at, len - at);
}

static int add_frame(struct peer_h2 *conn, const uint8_t *frame, size_t len)
{
        size_t most = config_of(conn)->head_frame_bytes;

        assert(len >= FRAME_HEAD_BYTES);
        if (most && (frame[AT_TYPE] == NGHTTP2_HEADERS || frame[AT_TYPE] == NGHTTP2_CONTINUATION))
                return add_pieces(&conn->out, frame, len, most);
        return buf_add(&conn->out, (const char *)frame, len);
}

static int gather(struct peer_h2 *conn)
{
        size_t batch = conn->peer->listener->config->write_bytes ? 1 : BATCH_BYTES;

        assert(!conn->is_sending);
        buf_recycle(&conn->out, BATCH_BYTES + 32 * 1024);
        while (conn->out.len < batch && conn->end != H2_IS_CUT) {
                const uint8_t *at;
                ssize_t n = nghttp2_session_mem_send(conn->session, &at);

                if (n < 0 || (n > 0 && add_frame(conn, at, (size_t)n) < 0))
                        return MUSTER_E_RESOURCE;
                if (n == 0)
                        break;
        }
        stats_of(conn)->n_bytes_sent += conn->out.len;
        return 0;
}

/* False: the connection is closed. */
static bool send_all(struct peer_h2 *conn)
{
        while (!conn->is_sending) {
                struct iovec piece;
                int r = gather(conn);

                if (r == 0 && !conn->out.len)
                        return true;
                piece = (struct iovec){ conn->out.at, conn->out.len };
                if (r == 0)
                        r = wire_send(&conn->peer->wire, &piece, 1);
                if (r < 0) {
                        peer_close(conn->peer);
                        return false;
                }
                conn->is_sending = r == LOOP_PENDING;
        }
        return true;
}

void peer_h2_flush(struct peer_h2 *conn)
{
        struct peer *peer = conn->peer;
        uint64_t idle_ns = peer->listener->config->idle_timeout_ns;

        if (peer->state != PEER_H2 || conn->is_held || !send_all(conn) || conn->is_sending)
                return;
        if (conn->end == H2_IS_CUT) {
                peer_close(peer);
        } else if (conn->end == H2_ENDS || (!nghttp2_session_want_read(conn->session) &&
                                                   !nghttp2_session_want_write(conn->session))) {
                peer_h2_stop(conn);
                peer_linger(peer);
        } else if (!conn->n_streams && idle_ns && !heap_has(&peer->idle_timer.node)) {
                peer_set_timer(peer, &peer->idle_timer, idle_ns);
        }
}

void peer_h2_sent(struct peer_h2 *conn)
{
        conn->is_sending = false;
        peer_h2_flush(conn);
}

/* --- bytes, and the end ---------------------------------------------------------------------- */

void peer_h2_receive(struct peer_h2 *conn, struct muster_str bytes)
{
        ssize_t n = nghttp2_session_mem_recv(conn->session, (const uint8_t *)bytes.at, bytes.len);

        assert(conn->peer->state == PEER_H2);
        if (n < 0) {
                stats_of(conn)->n_bad_requests += n == NGHTTP2_ERR_BAD_CLIENT_MAGIC;
                peer_close(conn->peer);
                return;
        }
        peer_h2_flush(conn);
}

void peer_h2_leave(struct peer_h2 *conn, int32_t last_id, uint32_t code)
{
        if (conn->is_leaving)
                return;
        conn->is_leaving = true;
        stats_of(conn)->n_goaways++;
        (void)nghttp2_submit_goaway(conn->session, NGHTTP2_FLAG_NONE, last_id, code, NULL, 0);
        if (code != NGHTTP2_NO_ERROR)
                conn->end = H2_ENDS;
}

void peer_h2_say_goodbye(struct peer_h2 *conn)
{
        peer_h2_leave(conn, conn->last_id, NGHTTP2_NO_ERROR);
        peer_h2_flush(conn);
}

/* --- beginning ------------------------------------------------------------------------------- */

static void *allocate(size_t size, void *data)
{
        (void)data;
        return mem_alloc(size);
}

static void release(void *at, void *data)
{
        (void)data;
        mem_free(at);
}

static void *allocate_zeroed(size_t n, size_t size, void *data)
{
        (void)data;
        return mem_array(n, size);
}

static void *reallocate(void *at, size_t size, void *data)
{
        (void)data;
        return mem_realloc(at, size);
}

static int open_session(struct peer_h2 *conn, nghttp2_session_callbacks *callbacks,
        nghttp2_option *option)
{
        const struct h2_config *config = config_of(conn);
        nghttp2_mem memory = { NULL, allocate, release, allocate_zeroed, reallocate };

        nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, begin_headers);
        nghttp2_session_callbacks_set_on_header_callback(callbacks, take_field);
        nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, take_frame);
        nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, take_data);
        nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(callbacks, refuse_frame);
        nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, frame_sent);
        nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, stream_closed);
        nghttp2_option_set_no_auto_window_update(option, config->window_interval_ns != 0);
        nghttp2_option_set_no_auto_ping_ack(option, config->no_pong);
        return nghttp2_session_server_new3(&conn->session, callbacks, conn, option, &memory) != 0
                       ? MUSTER_E_RESOURCE
                       : 0;
}

/* The first SETTINGS, and the window of the connection. */
static int greet(struct peer_h2 *conn)
{
        const struct h2_config *config = config_of(conn);
        nghttp2_settings_entry entries[4];
        size_t n = 0;
        int r;

        entries[n++] = (nghttp2_settings_entry){ NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS,
                config->streams ? config->streams : STREAMS };
        if (config->has_window)
                entries[n++] = (nghttp2_settings_entry){ NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE,
                        config->window_bytes };
        if (config->frame_bytes)
                entries[n++] = (nghttp2_settings_entry){ NGHTTP2_SETTINGS_MAX_FRAME_SIZE,
                        config->frame_bytes };
        if (config->header_list_bytes)
                entries[n++] = (nghttp2_settings_entry){ NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE,
                        config->header_list_bytes };
        r = nghttp2_submit_settings(conn->session, NGHTTP2_FLAG_NONE, entries, n);
        if (r == 0 && config->connection_window_bytes)
                r = nghttp2_session_set_local_window_size(conn->session, NGHTTP2_FLAG_NONE, 0,
                        (int32_t)config->connection_window_bytes);
        return r == 0 ? 0 : MUSTER_E_RESOURCE;
}

static void settings_timer_fire(struct loop_timer *timer, uint64_t late_ns)
{
        struct peer_h2 *conn = LIST_OWNER(timer, struct peer_h2, settings_timer);

        (void)late_ns;
        conn->is_held = false;
        peer_h2_flush(conn);
}

static int start_session(struct peer_h2 *conn)
{
        nghttp2_session_callbacks *callbacks = NULL;
        nghttp2_option *option = NULL;
        int r = MUSTER_E_RESOURCE;

        if (nghttp2_session_callbacks_new(&callbacks) == 0 && nghttp2_option_new(&option) == 0)
                r = open_session(conn, callbacks, option);
        nghttp2_session_callbacks_del(callbacks);
        nghttp2_option_del(option);
        return r == 0 ? greet(conn) : r;
}

int peer_h2_new(struct peer_h2 **ret_conn, struct peer *peer)
{
        struct peer_h2 *conn = mem_zalloc(sizeof(*conn));
        uint64_t settings_ns = peer->listener->config->h2.settings_delay_ns;

        if (!conn)
                return MUSTER_E_RESOURCE;
        conn->peer = peer;
        list_init(&conn->streams);
        conn->settings_timer.fire = settings_timer_fire;
        conn->window_timer.fire = window_timer_fire;
        conn->is_held = settings_ns != 0;
        if (start_session(conn) < 0 ||
                (conn->is_held && loop_timer_set(peer->listener->lab->loop, &conn->settings_timer,
                                          clock_after(peer_now(peer), settings_ns)) < 0)) {
                peer_h2_free(conn);
                return MUSTER_E_RESOURCE;
        }
        stats_of(conn)->n_h2++;
        *ret_conn = conn;
        return 0;
}

void peer_h2_stop(struct peer_h2 *conn)
{
        struct loop *loop = conn->peer->listener->lab->loop;
        struct list *link;

        for (link = conn->streams.next; link != &conn->streams; link = link->next)
                peer_stream_stop(peer_stream_of_link(link));
        loop_timer_stop(loop, &conn->settings_timer);
        loop_timer_stop(loop, &conn->window_timer);
}

struct peer_h2 *peer_h2_free(struct peer_h2 *conn)
{
        struct list *link;

        if (!conn)
                return NULL;
        while ((link = list_pop(&conn->streams)))
                peer_stream_free(peer_stream_of_link(link));
        nghttp2_session_del(conn->session);
        buf_deinit(&conn->out);
        return mem_free(conn);
}
