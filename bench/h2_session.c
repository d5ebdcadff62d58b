/* SPDX-License-Identifier: MIT */
/*
 * h2_session ROUNDS [bare]: what a request costs in the HTTP/2 session, without a network
 *
 * 100 streams at once are begun, answered with the bytes that nginx sends for a small file, and
 * ended. With `bare` nghttp2 is used directly, as h2load does: that is the floor. Count with
 * valgrind --tool=callgrind --toggle-collect=run_round, and divide by 100 x ROUNDS.
 */
#include <base/error.h>
#include <http/h2.h>
#include <nghttp2/nghttp2.h>
#include <stdio.h>
#include <stdlib.h>

#define N_STREAMS 100

/* --- the server ------------------------------------------------------------------------------ */

static const char *const fields[][2] = {
        { ":status", "200" },
        { "server", "nginx/1.22.1" },
        { "date", "Sat, 28 Nov 2026 17:00:00 GMT" },
        { "content-type", "application/octet-stream" },
        { "content-length", "64" },
        { "last-modified", "Sat, 28 Nov 2026 16:00:00 GMT" },
        { "etag", "\"6749a5f0-40\"" },
        { "accept-ranges", "bytes" },
};

#define N_FIELDS (sizeof(fields) / sizeof(fields[0]))

static void add_frame(struct buf *to, unsigned type, unsigned flags, uint32_t stream,
        const void *payload, size_t len)
{
        unsigned char head[9] = { 0, (unsigned char)(len >> 8), (unsigned char)len,
                (unsigned char)type, (unsigned char)flags, (unsigned char)(stream >> 24),
                (unsigned char)(stream >> 16), (unsigned char)(stream >> 8),
                (unsigned char)stream };

        if (buf_add(to, head, sizeof(head)) < 0 || buf_add(to, payload, len) < 0)
                abort();
}

/* The field block of a response; nginx uses no dynamic table. */
static size_t make_block(unsigned char *block, size_t size)
{
        nghttp2_hd_deflater *deflater;
        nghttp2_nv nva[N_FIELDS];
        ssize_t n;

        for (size_t i = 0; i < N_FIELDS; i++)
                nva[i] = (nghttp2_nv){ (uint8_t *)(uintptr_t)fields[i][0],
                        (uint8_t *)(uintptr_t)fields[i][1], strlen(fields[i][0]),
                        strlen(fields[i][1]), NGHTTP2_NV_FLAG_NONE };
        if (nghttp2_hd_deflate_new(&deflater, 0) != 0)
                abort();
        n = nghttp2_hd_deflate_hd(deflater, block, size, nva, N_FIELDS);
        nghttp2_hd_deflate_del(deflater);
        if (n < 0)
                abort();
        return (size_t)n;
}

static void answer(struct buf *to, uint32_t first)
{
        static unsigned char block[1024];
        static size_t block_bytes;
        static const char body[64];

        if (!block_bytes)
                block_bytes = make_block(block, sizeof(block));
        to->len = 0;
        for (uint32_t id = first; id < first + 2 * N_STREAMS; id += 2) {
                add_frame(to, NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS, id, block, block_bytes);
                add_frame(to, NGHTTP2_DATA, NGHTTP2_FLAG_END_STREAM, id, body, sizeof(body));
        }
}

/* --- the clients ----------------------------------------------------------------------------- */

struct client {
        struct h2 *h2;
        nghttp2_session *bare;
        struct url url;
        struct buf out, in;
        uint32_t next_id;
        unsigned n_done;
        size_t n_head_bytes, n_body_bytes;
};

static void take(struct client *client, const struct h2_event *event)
{
        if (event->kind == H2_SETTINGS)
                return;
        if (event->kind != H2_HTTP)
                abort();
        if (event->http.kind == HTTP_HEAD)
                client->n_head_bytes += event->http.head.raw.len;
        if (event->http.kind == HTTP_BODY) {
                client->n_body_bytes += event->http.body.len;
                h2_consume(client->h2, event->stream, event->http.body.len);
        }
        if (event->http.kind != HTTP_DONE)
                return;
        client->n_done++;
        h2_end(client->h2, event->stream);
}

static void begin_all(struct client *client)
{
        const struct http_request request = { .method = str_of("GET"),
                .url = &client->url,
                .user_agent = str_of("muster/0.1.0"),
                .accept_encoding = str_of("gzip, deflate, br, zstd") };
        struct h2_stream *stream;

        for (int i = 0; i < N_STREAMS; i++)
                if (h2_begin(client->h2, &request, client, &stream, NULL) != 0)
                        abort();
        while (h2_wants_send(client->h2))
                if (h2_pull(client->h2, &client->out, 65536, 1, NULL) < 0)
                        abort();
}

static void feed(struct client *client)
{
        struct muster_str bytes = buf_str(&client->in);
        struct h2_event event;
        int r;

        while ((r = h2_next(client->h2, &bytes, 1, &event, NULL)) == 0)
                take(client, &event);
        if (r < 0)
                abort();
}

/* --- nghttp2 alone --------------------------------------------------------------------------- */

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
        size_t name_len, const uint8_t *value, size_t value_len, uint8_t flags, void *user)
{
        struct client *client = user;

        (void)session;
        (void)frame;
        (void)name;
        (void)value;
        (void)flags;
        client->n_head_bytes += name_len + value_len + 4;
        return 0;
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t stream_id, const uint8_t *at,
        size_t len, void *user)
{
        struct client *client = user;

        (void)session;
        (void)flags;
        (void)stream_id;
        (void)at;
        client->n_body_bytes += len;
        return 0;
}

static int on_close(nghttp2_session *session, int32_t stream_id, uint32_t code, void *user)
{
        struct client *client = user;

        (void)session;
        (void)stream_id;
        (void)code;
        client->n_done++;
        return 0;
}

static void open_bare(struct client *client)
{
        nghttp2_session_callbacks *callbacks;

        nghttp2_session_callbacks_new(&callbacks);
        nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
        nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
        nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_close);
        nghttp2_session_client_new(&client->bare, callbacks, client);
        nghttp2_session_callbacks_del(callbacks);
        nghttp2_submit_settings(client->bare, NGHTTP2_FLAG_NONE, NULL, 0);
}

static void begin_all_bare(struct client *client)
{
        static const char *const sent[][2] = { { ":method", "GET" }, { ":scheme", "http" },
                { ":authority", "example.com" }, { ":path", "/a/small/file.bin" },
                { "user-agent", "muster/0.1.0" }, { "accept", "*/*" },
                { "accept-encoding", "gzip, deflate, br, zstd" } };
        nghttp2_nv nva[7];
        const uint8_t *at;
        ssize_t n;

        for (size_t i = 0; i < 7; i++)
                nva[i] = (nghttp2_nv){ (uint8_t *)(uintptr_t)sent[i][0],
                        (uint8_t *)(uintptr_t)sent[i][1], strlen(sent[i][0]), strlen(sent[i][1]),
                        NGHTTP2_NV_FLAG_NO_COPY_NAME | NGHTTP2_NV_FLAG_NO_COPY_VALUE };
        for (int i = 0; i < N_STREAMS; i++)
                if (nghttp2_submit_request(client->bare, NULL, nva, 7, NULL, client) < 0)
                        abort();
        while ((n = nghttp2_session_mem_send(client->bare, &at)) > 0)
                if (buf_add(&client->out, at, (size_t)n) < 0)
                        abort();
}

/* --- rounds ---------------------------------------------------------------------------------- */

__attribute__((noinline)) static void run_round(struct client *client)
{
        client->out.len = 0;
        if (client->bare) {
                begin_all_bare(client);
                if (nghttp2_session_mem_recv(client->bare, (const uint8_t *)client->in.at,
                            client->in.len) < 0)
                        abort();
        } else {
                begin_all(client);
                feed(client);
        }
}

int main(int argc, char **argv)
{
        struct client client = { .next_id = 1 };
        unsigned n_rounds = argc > 1 ? (unsigned)atoi(argv[1]) : 100;

        if (url_parse(&client.url, str_of("http://example.com/a/small/file.bin"), NULL, NULL) < 0)
                return 1;
        if (argc > 2)
                open_bare(&client);
        else
                client.h2 = h2_new(NULL);
        for (unsigned i = 0; i < n_rounds; i++) {
                answer(&client.in, client.next_id);
                if (i == 0) {
                        struct buf all = { 0 };

                        add_frame(&all, NGHTTP2_SETTINGS, 0, 0, "", 0);
                        buf_add(&all, client.in.at, client.in.len);
                        buf_deinit(&client.in);
                        client.in = all;
                }
                client.next_id += 2 * N_STREAMS;
                run_round(&client);
        }
        printf("%u requests, %zu bytes of heads, %zu of bodies\n", client.n_done,
                client.n_head_bytes, client.n_body_bytes);
        h2_free(client.h2);
        nghttp2_session_del(client.bare);
        url_deinit(&client.url);
        buf_deinit(&client.in);
        buf_deinit(&client.out);
        return client.n_done == n_rounds * N_STREAMS ? 0 : 1;
}
