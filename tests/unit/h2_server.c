/* SPDX-License-Identifier: MIT */
#include "h2_server.h"

#include <base/minmax.h>
#include <stdio.h>
#include <stdlib.h>

/* A response's body, or a request. */
struct served {
        size_t left, at;
        size_t n_received;
        bool is_post;
        char text[24];
};

static char byte_at(size_t at)
{
        return (char)('a' + at % 23);
}

void expect_body(const struct exchange *exchange, size_t n)
{
        if (exchange->has_failed)
                fail_msg("it failed: %s", exchange->error.text);
        assert_true(exchange->is_done);
        assert_int_equal(exchange->status, 200);
        assert_int_equal(exchange->body.len, n);
        for (size_t i = 0; i < n; i++)
                if (exchange->body.at[i] != byte_at(i))
                        fail_msg("byte %zu is another", i);
}

/* --- answers --------------------------------------------------------------------------------- */

static ssize_t read_body(nghttp2_session *session, int32_t stream_id, uint8_t *to, size_t size,
        uint32_t *flags, nghttp2_data_source *source, void *user)
{
        struct served *served = source->ptr;
        size_t n = min_size(size, served->left);

        (void)session;
        (void)stream_id;
        (void)user;
        for (size_t i = 0; i < n; i++, served->at++)
                to[i] = (uint8_t)(served->is_post ? served->text[served->at] : byte_at(served->at));
        served->left -= n;
        if (!served->left)
                *flags |= NGHTTP2_DATA_FLAG_EOF;
        return (ssize_t)n;
}

static nghttp2_nv pair(const char *name, const char *value)
{
        return (nghttp2_nv){ .name = (uint8_t *)(uintptr_t)name,
                .value = (uint8_t *)(uintptr_t)value,
                .namelen = strlen(name),
                .valuelen = strlen(value) };
}

static void answer(nghttp2_session *session, int32_t stream_id, struct served *served)
{
        nghttp2_data_provider body = { .source = { .ptr = served }, .read_callback = read_body };
        char length[24];
        nghttp2_nv fields[] = { pair(":status", "200"), pair("server", "test"),
                pair("content-length", length) };

        if (served->is_post)
                served->left = (size_t)snprintf(served->text, sizeof(served->text), "%zu",
                        served->n_received);
        snprintf(length, sizeof(length), "%zu", served->left);
        fields[2].valuelen = strlen(length);
        assert_int_equal(nghttp2_submit_response(session, stream_id, fields, 3, &body), 0);
}

/* --- requests -------------------------------------------------------------------------------- */

static int on_begin_headers(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
        struct served *served = calloc(1, sizeof(*served));

        (void)user;
        assert_non_null(served);
        nghttp2_session_set_stream_user_data(session, frame->hd.stream_id, served);
        return 0;
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
        size_t name_len, const uint8_t *value, size_t value_len, uint8_t flags, void *user)
{
        struct served *served = nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);

        (void)flags;
        (void)user;
        (void)value_len;
        if (name_len == 7 && memcmp(name, ":method", 7) == 0)
                served->is_post = memcmp(value, "POST", 4) == 0;
        if (name_len == 5 && memcmp(name, ":path", 5) == 0)
                served->left = strtoul((const char *)value + 1, NULL, 10);
        return 0;
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t stream_id, const uint8_t *at,
        size_t len, void *user)
{
        struct served *served = nghttp2_session_get_stream_user_data(session, stream_id);

        (void)flags;
        (void)at;
        (void)user;
        served->n_received += len;
        return 0;
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
        struct h2_server *server = user;

        if (frame->hd.type == NGHTTP2_RST_STREAM)
                server->n_resets++;
        if ((frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA) &&
                frame->hd.flags & NGHTTP2_FLAG_END_STREAM)
                answer(session, frame->hd.stream_id,
                        nghttp2_session_get_stream_user_data(session, frame->hd.stream_id));
        return 0;
}

static int on_stream_close(nghttp2_session *session, int32_t stream_id, uint32_t code, void *user)
{
        (void)code;
        (void)user;
        free(nghttp2_session_get_stream_user_data(session, stream_id));
        nghttp2_session_set_stream_user_data(session, stream_id, NULL);
        return 0;
}

static ssize_t select_padding(nghttp2_session *session, const nghttp2_frame *frame, size_t max,
        void *user)
{
        const struct h2_server *server = user;

        (void)session;
        return (ssize_t)min_size(frame->hd.length + server->padding, max);
}

/* --- the session ----------------------------------------------------------------------------- */

void server_open(struct h2_server *server, uint32_t max_streams, uint32_t window)
{
        const nghttp2_settings_entry settings[] = {
                { NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, max_streams },
                { NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, window },
        };
        nghttp2_session_callbacks *callbacks = NULL;

        *server = (struct h2_server){ 0 };
        assert_int_equal(nghttp2_session_callbacks_new(&callbacks), 0);
        nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, on_begin_headers);
        nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
        nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
        nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
        nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_stream_close);
        nghttp2_session_callbacks_set_select_padding_callback(callbacks, select_padding);
        assert_int_equal(nghttp2_session_server_new(&server->session, callbacks, server), 0);
        nghttp2_session_callbacks_del(callbacks);
        assert_int_equal(nghttp2_submit_settings(server->session, NGHTTP2_FLAG_NONE, settings, 2),
                0);
}

void server_close(struct h2_server *server)
{
        nghttp2_session_del(server->session);
        server->session = NULL;
}

void server_feed(struct h2_server *server, const void *at, size_t len)
{
        assert_int_equal(nghttp2_session_mem_recv(server->session, at, len), len);
}

void server_pull(struct h2_server *server, struct buf *to, size_t max)
{
        while (max) {
                ssize_t n;

                if (!server->rest_bytes) {
                        n = nghttp2_session_mem_send(server->session, &server->rest);
                        assert_true(n >= 0);
                        if (n == 0)
                                return;
                        server->rest_bytes = (size_t)n;
                }
                n = (ssize_t)min_size(max, server->rest_bytes);
                assert_int_equal(buf_add(to, server->rest, (size_t)n), 0);
                server->rest += n;
                server->rest_bytes -= (size_t)n;
                max -= (size_t)n;
        }
}

void server_talk(struct h2_server *server, struct h2_world *world)
{
        struct buf say = { 0 };

        do {
                assert_int_equal(world_pull(world), 0);
                server_feed(server, world->sent.at, world->sent.len);
                buf_deinit(&world->sent);
                buf_deinit(&say);
                server_pull(server, &say, SIZE_MAX);
                assert_int_equal(world_feed(world, say.at, say.len), H2_MORE);
        } while (say.len);
        buf_deinit(&say);
}
