/* SPDX-License-Identifier: MIT */
/*
 * The HTTP/2 session and the heads of requests: each one is sent as on a connection of its own,
 * whatever was sent before
 */
#include "h2_peer.h"

#include <nghttp2/nghttp2.h>
#include <stdio.h>

/* --- what is sent ---------------------------------------------------------------------------- */

struct sender {
        struct h2_world world;
        nghttp2_hd_inflater *inflater;
};

static void open_sender(struct sender *sender)
{
        world_open(&sender->world, NULL);
        assert_int_equal(nghttp2_hd_inflate_new(&sender->inflater), 0);
        assert_int_equal(world_pull(&sender->world), 0);
}

static void close_sender(struct sender *sender)
{
        nghttp2_hd_inflate_del(sender->inflater);
        world_close(&sender->world);
}

static struct h2_stream *begin(struct sender *sender, const char *url_text,
        struct http_request request)
{
        struct h2_stream *stream;
        struct url url = { 0 };

        assert_int_equal(url_parse(&url, str_of(url_text), NULL, NULL), 0);
        request.url = &url;
        assert_int_equal(h2_begin(sender->world.h2, &request, NULL, &stream, NULL), 0);
        url_deinit(&url); /* nothing of a request is kept */
        return stream;
}

/* Append the fields of the stream's HEADERS as lines. */
static void decode(struct sender *sender, uint32_t id, struct buf *to)
{
        struct muster_str block;
        nghttp2_nv nv;
        int flags = 0;

        assert_int_equal(peer_count(&sender->world, PEER_HEADERS, id, &block), 1);
        do {
                ssize_t n = nghttp2_hd_inflate_hd2(sender->inflater, &nv, &flags,
                        (const uint8_t *)block.at, block.len, 1);

                assert_true(n >= 0);
                block.at += n;
                block.len -= (size_t)n;
                if (!(flags & NGHTTP2_HD_INFLATE_EMIT))
                        continue;
                buf_add(to, nv.name, nv.namelen);
                buf_add(to, ": ", 2);
                buf_add(to, nv.value, nv.valuelen);
                buf_add_text(to, nv.flags & NGHTTP2_NV_FLAG_NO_INDEX ? " (never indexed)\n" : "\n");
        } while (!(flags & NGHTTP2_HD_INFLATE_FINAL));
        nghttp2_hd_inflate_end_headers(sender->inflater);
}

/* The request on a connection of its own. */
static void send_alone(const char *url, struct http_request request, struct buf *to,
        size_t *ret_bytes)
{
        struct sender sender;
        struct h2_stream *stream;

        open_sender(&sender);
        stream = begin(&sender, url, request);
        *ret_bytes = h2_head_bytes(stream);
        assert_int_equal(world_pull(&sender.world), 0);
        decode(&sender, 1, to);
        close_sender(&sender);
}

/* What was begun as `stream` has been pulled: is it what it would be alone? */
static void expect_as_alone(struct sender *sender, const struct h2_stream *stream, const char *url,
        struct http_request request)
{
        struct buf alone = { 0 }, sent = { 0 };
        size_t bytes;

        send_alone(url, request, &alone, &bytes);
        decode(sender, h2_stream_id(stream), &sent);
        assert_int_equal(buf_terminate(&alone), 0);
        assert_int_equal(buf_terminate(&sent), 0);
        assert_string_equal(sent.at, alone.at);
        assert_int_equal(h2_head_bytes(stream), bytes);
        buf_deinit(&alone);
        buf_deinit(&sent);
}

static void expect_sent(struct sender *sender, const char *url, struct http_request request)
{
        struct h2_stream *stream = begin(sender, url, request);

        assert_int_equal(world_pull(&sender->world), 0);
        expect_as_alone(sender, stream, url, request);
        h2_end(sender->world.h2, stream);
}

/* --- requests -------------------------------------------------------------------------------- */

#define TEXT(literal)                                                                              \
        {                                                                                          \
                literal, sizeof(literal) - 1                                                       \
        }

static const struct http_request_field usual_fields[] = { { TEXT("X-Key"), TEXT("1") },
        { TEXT("X-Other"), TEXT("2") } };
static const struct http_request_field other_value[] = { { TEXT("X-Key"), TEXT("2") },
        { TEXT("X-Other"), TEXT("2") } };
static const struct http_request_field other_name[] = { { TEXT("X-Kez"), TEXT("1") },
        { TEXT("X-Other"), TEXT("2") } };
static const struct http_request_field shifted[] = { { TEXT("X-Key"), TEXT("1X") },
        { TEXT("-Other"), TEXT("2") } };
static const struct http_request_field without_accept[] = { { TEXT("X-Key"), TEXT("1") },
        { TEXT("Accept"), { NULL, 0 } } };
static const struct http_request_field with_host[] = { { TEXT("Host"), TEXT("a.example") },
        { TEXT("Connection"), TEXT("close") } };
static struct http_request_field many[60];

#define ROOT "http://example.com/"

static const struct http_request usual = { .method = TEXT("GET"),
        .user_agent = TEXT("test"),
        .accept_encoding = TEXT("gzip"),
        .authorization = TEXT("Basic eA=="),
        .cookie = TEXT("a=1"),
        .fields = usual_fields,
        .n_fields = 2 };

/* Requests that are not quite as usual. */
static struct {
        const char *url;
        struct http_request request;
} others[40];
static size_t n_others;

static struct http_request *add(const char *url)
{
        assert_true(n_others < sizeof(others) / sizeof(others[0]));
        others[n_others].url = url;
        others[n_others].request = usual;
        return &others[n_others++].request;
}

static int add_others(void **state)
{
        static char names[60][8];
        struct http_request *request;

        (void)state;
        for (size_t i = 0; i < 60; i++) {
                snprintf(names[i], sizeof(names[i]), "X-%zu", i);
                many[i] = (struct http_request_field){ .name = str_of(names[i]),
                        .value = str_of("value") };
        }
        add("http://example.com/other");
        add("http://example.com/?q=1");
        add("http://example.org/");
        add("http://example.com:81/");
        add(ROOT)->user_agent = str_of("tesu");
        add(ROOT)->user_agent = str_of("");
        add(ROOT)->accept = str_of("text/html");
        add(ROOT)->accept_encoding = str_of("");
        add(ROOT)->authorization = str_of("Basic eQ==");
        add(ROOT)->authorization = str_of("");
        add(ROOT)->cookie = str_of("a=2");
        add(ROOT)->cookie = str_of("");
        add(ROOT)->proxy_authorization = str_of("Basic eA==");
        add(ROOT)->expect = str_of("100-continue");
        add(ROOT)->method = str_of("HEAD");
        add(ROOT)->method = str_of("POST");
        for (unsigned bytes = 5; bytes < 7; bytes++) {
                request = add(ROOT);
                request->has_body = true;
                request->body_bytes = bytes;
                request->content_type = str_of("text/plain");
        }
        add(ROOT)->n_fields = 1;
        add(ROOT)->n_fields = 0;
        add(ROOT)->fields = other_value;
        add(ROOT)->fields = other_name;
        add(ROOT)->fields = shifted;
        add(ROOT)->fields = without_accept;
        add(ROOT)->fields = with_host;
        request = add(ROOT);
        request->fields = with_host;
        request->drops_host = true;
        add(ROOT)->drops_body_fields = true;
        request = add(ROOT);
        request->fields = many;
        request->n_fields = 60;
        add("https://example.com/"); /* last: a template made of it would change what others sent */
        return 0;
}

/* --- tests ----------------------------------------------------------------------------------- */

static void test_one_after_another(void **state)
{
        (void)state;
        for (size_t i = 0; i < n_others; i++) {
                struct sender sender;

                open_sender(&sender);
                for (int round = 0; round < 2; round++) {
                        expect_sent(&sender, ROOT, usual);
                        expect_sent(&sender, "http://example.com/more", usual);
                        expect_sent(&sender, others[i].url, others[i].request);
                        expect_sent(&sender, others[i].url, others[i].request);
                }
                close_sender(&sender);
        }
}

/* Begun before any of them is pulled; then what they refer to must still be there. */
static void test_all_at_once(void **state)
{
        struct h2_stream *streams[2 * sizeof(others) / sizeof(others[0])];
        struct sender sender;

        (void)state;
        open_sender(&sender);
        for (size_t i = 0; i < n_others; i++) {
                streams[2 * i] = begin(&sender, ROOT, usual);
                streams[2 * i + 1] = begin(&sender, others[i].url, others[i].request);
        }
        assert_int_equal(world_pull(&sender.world), 0);
        for (size_t i = 0; i < n_others; i++) {
                expect_as_alone(&sender, streams[2 * i], ROOT, usual);
                expect_as_alone(&sender, streams[2 * i + 1], others[i].url, others[i].request);
        }
        close_sender(&sender);
}

static void test_ended_unsent(void **state)
{
        struct sender sender;

        (void)state;
        open_sender(&sender);
        expect_sent(&sender, ROOT, usual);
        for (size_t i = 0; i < n_others; i++) {
                struct h2_stream *unsent = begin(&sender, "http://example.com/unsent", usual);
                struct h2_stream *sent = begin(&sender, others[i].url, others[i].request);

                h2_end(sender.world.h2, unsent);
                assert_int_equal(world_pull(&sender.world), 0);
                expect_as_alone(&sender, sent, others[i].url, others[i].request);
                expect_sent(&sender, ROOT, usual);
        }
        close_sender(&sender);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_one_after_another),
                cmocka_unit_test(test_all_at_once),
                cmocka_unit_test(test_ended_unsent),
        };

        return cmocka_run_group_tests_name("h2_heads", tests, add_others, NULL);
}
