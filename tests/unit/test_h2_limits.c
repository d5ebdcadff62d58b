/* SPDX-License-Identifier: MIT */
/*
 * The HTTP/2 session and servers that ask for too much: each limit is met and not passed
 */
#include "h2_peer.h"

#include <base/minmax.h>
#include <stdio.h>

#define CALM   "protocol: the server broke the rules of HTTP/2: ENHANCE_YOUR_CALM, "
#define FLOOD  CALM "a flood of frames that bring nothing"
#define SECOND UINT64_C(1000000000)

static const char *const ok[] = { ":status", "200", NULL };

/* A world with a request whose response has begun. */
static void open_waiting(struct h2_world *world, struct exchange *exchange,
        const struct h2_options *options)
{
        struct buf say = { 0 };

        world_open(world, options);
        world_get(world, exchange);
        assert_int_equal(world_pull(world), 0);
        peer_settings(&say, 0, 0);
        assert_int_equal(peer_say(world, &say), H2_MORE);
        buf_deinit(&world->sent);
}

static void close_waiting(struct h2_world *world, struct exchange *exchange)
{
        exchange_close(world, exchange);
        world_close(world);
}

/* --- floods ---------------------------------------------------------------------------------- */

static void say_ping(struct buf *to)
{
        peer_ping(to, 0);
}

static void say_settings(struct buf *to)
{
        peer_settings(to, 3, 100);
}

static void say_empty_data(struct buf *to)
{
        peer_data(to, 1, 0, "");
}

static void say_padding(struct buf *to)
{
        peer_frame(to, PEER_DATA, PEER_PADDED, 1, "\3\0\0\0", 4);
}

static void say_priority(struct buf *to)
{
        peer_frame(to, PEER_PRIORITY, 0, 1, "\0\0\0\3\1", 5);
}

static void say_window(struct buf *to)
{
        peer_number(to, PEER_WINDOW_UPDATE, 0, 1);
}

static void say_unknown(struct buf *to)
{
        peer_frame(to, (enum peer_type)99, 0, 0, "?", 1);
}

static void say_late_reset(struct buf *to)
{
        peer_number(to, PEER_RST_STREAM, 3, 8);
}

static void say_late_headers(struct buf *to)
{
        peer_headers(to, 3, PEER_END_HEADERS, ok);
}

/* How many of these the client takes, pulled after each or not; its error is world->error. */
static unsigned count_taken(struct h2_world *world, void (*frame)(struct buf *to), unsigned max,
        bool pulls)
{
        struct buf say = { 0 };
        unsigned n;

        for (n = 0; n < max; n++) {
                frame(&say);
                if (peer_say(world, &say) != H2_MORE)
                        return n;
                if (pulls)
                        assert_int_equal(world_pull(world), 0);
                buf_deinit(&world->sent);
        }
        return n;
}

static void test_floods(void **state)
{
        static void (*const frames[])(struct buf *) = { say_ping, say_settings, say_empty_data,
                say_padding, say_priority, say_window, say_unknown, say_late_reset,
                say_late_headers };
        struct buf say = { 0 };

        (void)state;
        for (size_t i = 0; i < LENGTH(frames); i++) {
                struct h2_world world;
                struct exchange first, second;

                open_waiting(&world, &first, NULL);
                world_get(&world, &second); /* stream 3, which is over when the flood begins */
                assert_int_equal(world_pull(&world), 0);
                peer_headers(&say, 1, PEER_END_HEADERS, ok);
                peer_response(&say, 3, "");
                assert_int_equal(peer_say(&world, &say), H2_MORE);
                exchange_close(&world, &second);

                assert_in_range(count_taken(&world, frames[i], 5000, true), H2_IDLE_FRAMES_MAX - 1,
                        H2_IDLE_FRAMES_MAX);
                assert_string_equal(world.error.text, FLOOD);
                close_waiting(&world, &first);
        }
}

/* A flood that is slow enough is none: in an hour that adds up. */
static void test_pace(void **state)
{
        struct h2_world world;
        struct exchange get;

        (void)state;
        open_waiting(&world, &get, NULL);
        for (unsigned i = 0; i < 20 * H2_IDLE_FRAMES_MAX; i++) {
                world.now_ns += SECOND / H2_IDLE_FRAMES_PER_S;
                assert_int_equal(count_taken(&world, say_ping, 1, true), 1);
        }
        close_waiting(&world, &get);
}

/* Servers may end each response with empty DATA, and give windows back during an upload. */
static void test_useful_frames_are_no_flood(void **state)
{
        struct h2_world world;
        struct exchange get, post;
        struct buf say = { 0 };

        (void)state;
        open_waiting(&world, &get, NULL);
        for (uint32_t id = 1; id < 3 * H2_IDLE_FRAMES_MAX; id += 2) {
                peer_headers(&say, id, PEER_END_HEADERS, ok);
                peer_data(&say, id, 0, "a");
                peer_data(&say, id, PEER_END_STREAM, "");
                peer_number(&say, PEER_WINDOW_UPDATE, 0, 1);
                assert_int_equal(peer_say(&world, &say), H2_MORE);
                expect_response(&get, 200, "a");
                exchange_close(&world, &get);
                world_get(&world, &get);
                assert_int_equal(world_pull(&world), 0);
                buf_deinit(&world.sent);
        }
        world_begin(&world, &post, "POST", "/", true);
        for (unsigned i = 0; i < 3 * H2_IDLE_FRAMES_MAX; i++) {
                h2_offer(world.h2, post.stream, str_of("a"), false);
                assert_int_equal(world_pull(&world), 0);
                buf_deinit(&world.sent);
                assert_int_equal(count_taken(&world, say_window, 2, true), 2);
                assert_ptr_equal(h2_next_hungry(world.h2), post.stream);
        }
        exchange_close(&world, &post);
        close_waiting(&world, &get);
}

/*
 * A server that has refused an upload resets its stream for each frame that was on its way, as h2o
 * does: as many as its window has room for come at once, when nothing is sent any more. So much is
 * an answer, and more is a flood.
 */
static void test_an_upload_is_refused_frame_by_frame(void **state)
{
        enum { N = 3 * H2_IDLE_FRAMES_MAX };
        struct h2_world world;
        struct exchange get, post;
        struct buf say = { 0 };

        (void)state;
        open_waiting(&world, &get, NULL);
        world_begin(&world, &post, "POST", "/", true);
        for (unsigned i = 0; i < N; i++) {
                h2_offer(world.h2, post.stream, str_of("a"), false);
                assert_int_equal(world_pull(&world), 0);
                buf_deinit(&world.sent);
                assert_ptr_equal(h2_next_hungry(world.h2), post.stream);
        }
        peer_number(&say, PEER_RST_STREAM, 3, 7);
        assert_int_equal(peer_say(&world, &say), H2_MORE);
        expect_failed(&post, MUSTER_E_CLOSED,
                "closed: the server reset the HTTP/2 stream: REFUSED_STREAM (it has not processed the request)");
        exchange_close(&world, &post);
        assert_int_equal(count_taken(&world, say_late_reset, N, false), N);

        assert_int_equal(count_taken(&world, say_ping, H2_IDLE_FRAMES_MAX / 2, true),
                H2_IDLE_FRAMES_MAX / 2); /* which answer nothing */
        assert_in_range(count_taken(&world, say_late_reset, 4 * N, true), N,
                H2_ANSWERS_TO_DATA * N);
        assert_string_equal(world.error.text, FLOOD);
        close_waiting(&world, &get);
}

/* Each request has an end, and a reset is one. */
static void test_each_request_is_refused(void **state)
{
        struct h2_world world;
        struct exchange get, refused;
        struct buf say = { 0 };

        (void)state;
        open_waiting(&world, &get, NULL);
        for (uint32_t i = 0; i < 3 * H2_IDLE_FRAMES_MAX; i++) {
                world_get(&world, &refused);
                assert_int_equal(world_pull(&world), 0);
                buf_deinit(&world.sent);
                peer_number(&say, PEER_RST_STREAM, 3 + 2 * i, 7);
                assert_int_equal(peer_say(&world, &say), H2_MORE);
                assert_true(refused.has_failed && refused.is_unprocessed);
                exchange_close(&world, &refused);
        }
        close_waiting(&world, &get);
}

/* What we reset the server may have answered already: the answers come late, and are no flood. */
static void test_answers_to_requests_that_were_cancelled(void **state)
{
        struct h2_world world;
        struct exchange get, cancelled;
        struct buf say = { 0 };

        (void)state;
        open_waiting(&world, &get, NULL);
        for (uint32_t i = 0; i < 2 * H2_IDLE_FRAMES_MAX; i++) {
                world_get(&world, &cancelled);
                assert_int_equal(world_pull(&world), 0);
                exchange_close(&world, &cancelled);
                assert_int_equal(world_pull(&world), 0);
                buf_deinit(&world.sent);
                peer_headers(&say, 3 + 2 * i, PEER_END_HEADERS, ok);
                peer_data(&say, 3 + 2 * i, PEER_END_STREAM, "");
                assert_int_equal(peer_say(&world, &say), H2_MORE);
        }
        close_waiting(&world, &get);
}

/* A server that does not read: nothing is pulled. */
static void test_unread_answers(void **state)
{
        struct h2_world world;
        struct exchange get;
        unsigned n = 0;

        (void)state;
        open_waiting(&world, &get, NULL);
        while (count_taken(&world, say_ping, 1, false) == 1 &&
                count_taken(&world, say_unknown, 1, false) == 1) {
                world.now_ns += SECOND;
                assert_true(++n < 100000);
        }
        assert_string_equal(world.error.text,
                "protocol: the server asks for answers on the HTTP/2 connection and does not read them: more than 262144 bytes wait");
        assert_in_range(n, H2_UNSENT_BYTES_MAX / 17 - 10, H2_UNSENT_BYTES_MAX / 17 + 10);
        close_waiting(&world, &get);

        open_waiting(&world, &get, NULL);
        for (n = 0; count_taken(&world, say_ping, 1, false) == 1; n++)
                world.now_ns += SECOND;
        assert_in_range(n, 900, 1100); /* nghttp2's own bound */
        assert_int_equal(world.error.code, MUSTER_E_PROTOCOL);
        close_waiting(&world, &get);
}

static void test_late_bodies(void **state)
{
        const struct h2_options options = { .window_bytes = 65536, .window_bytes_max = 65536 };
        char kilobyte[1025];
        struct h2_world world;
        struct exchange get;
        struct buf say = { 0 };
        unsigned n = 0;

        (void)state;
        memset(kilobyte, 'a', 1024);
        kilobyte[1024] = '\0';
        open_waiting(&world, &get, &options);
        peer_headers(&say, 1, PEER_END_HEADERS, ok);
        assert_int_equal(peer_say(&world, &say), H2_MORE);
        exchange_close(&world, &get);
        assert_int_equal(world_pull(&world), 0);
        do {
                peer_data(&say, 1, 0, kilobyte);
                n++;
        } while (peer_say(&world, &say) == H2_MORE && n < 1000);
        /* what the window of the one stream allowed, and once more to be sure */
        assert_int_equal(n, 2 * 64 + 1);
        assert_string_equal(world.error.text, CALM "DATA for streams that are over");
        world_close(&world);
}

/* --- heads ----------------------------------------------------------------------------------- */

/* The client has room for what it says it has, and not for more. */
static void run_head(size_t bytes, unsigned n_fields, const char *error)
{
        const struct h2_options options = { .head_bytes_max = 16000 };
        struct h2_world world;
        struct exchange get, other;
        struct buf say = { 0 }, block = { 0 };
        char *value = mem_alloc(bytes + 1);

        open_waiting(&world, &get, &options);
        world_get(&world, &other);
        assert_int_equal(world_pull(&world), 0);
        assert_non_null(value);
        memset(value, 'v', bytes);
        value[bytes] = '\0';
        peer_field(&block, ":status", "200");
        for (unsigned i = 0; i < n_fields; i++)
                peer_field(&block, "f", value);
        peer_frame(&say, PEER_HEADERS, PEER_END_HEADERS | PEER_END_STREAM, 1, block.at, block.len);
        peer_response(&say, 3, "other");
        assert_int_equal(peer_say(&world, &say), H2_MORE);
        if (error) {
                expect_failed(&get, MUSTER_E_TOO_LARGE, error);
                assert_int_equal(world_pull(&world), 0);
                assert_int_equal(peer_count(&world, PEER_RST_STREAM, 1, NULL), 1);
        } else {
                expect_response(&get, 200, "");
        }
        expect_response(&other, 200, "other");
        exchange_close(&world, &other);
        close_waiting(&world, &get);
        buf_deinit(&block);
        mem_free(value);
}

static void test_heads(void **state)
{
        /* [9113 10.5.1 processed] */
        const char *too_large = "too_large: the head has more than 16000 bytes (max_header_bytes)";

        (void)state;
        /* "HTTP/2 200", and three lines with name, colon, space and line end */
        run_head(5323, 3, NULL);
        run_head(5330, 3, too_large);
        run_head(1, 512, NULL);
        run_head(1, 513, "too_large: the head has more than 512 fields");
}

static void test_interim(void **state)
{
        static const char *const hints[] = { ":status", "103", "link", "a", NULL };
        struct h2_world world;
        struct exchange get;
        struct buf say = { 0 };

        (void)state;
        for (unsigned n = 32; n <= 33; n++) {
                open_waiting(&world, &get, NULL);
                for (unsigned i = 0; i < n; i++)
                        peer_headers(&say, 1, PEER_END_HEADERS, hints);
                peer_response(&say, 1, "hello");
                assert_int_equal(peer_say(&world, &say), H2_MORE);
                assert_int_equal(get.n_interim, 32);
                if (n == 32)
                        expect_response(&get, 200, "hello");
                else
                        expect_failed(&get, MUSTER_E_PROTOCOL,
                                "protocol: more than 32 interim responses (1xx)");
                close_waiting(&world, &get);
        }
}

/* Field blocks over several frames are read; without an end they are an error. */
static void test_continuation(void **state)
{
        /* [9113 6.10 continuation] */
        struct h2_world world;
        struct exchange get;
        struct buf say = { 0 }, block = { 0 };
        char big[16001];
        unsigned n = 0;

        (void)state;
        for (int mode = 0; mode < 2; mode++) {
                open_waiting(&world, &get, NULL);
                world.byte_by_byte = mode;
                peer_field(&block, ":status", "200");
                peer_field(&block, "a", "long enough for three frames");
                peer_frame(&say, PEER_HEADERS, PEER_END_STREAM, 1, block.at, 10);
                peer_frame(&say, PEER_CONTINUATION, 0, 1, block.at + 10, 10);
                peer_frame(&say, PEER_CONTINUATION, PEER_END_HEADERS, 1, block.at + 20,
                        block.len - 20);
                assert_int_equal(peer_say(&world, &say), H2_MORE);
                expect_response(&get, 200, "");
                assert_true(str_has(buf_str(&get.head), "\r\na: long enough for three frames\r\n"));
                buf_deinit(&block);
                close_waiting(&world, &get);
        }

        open_waiting(&world, &get, &(struct h2_options){ .head_bytes_max = 1000 });
        memset(big, 0x82, sizeof(big)); /* ":method: GET", which is in no head of a response */
        peer_frame(&say, PEER_HEADERS, 0, 1, "\x88", 1);
        do {
                peer_frame(&say, PEER_CONTINUATION, 0, 1, big, 16000);
        } while (peer_say(&world, &say) == H2_MORE && ++n < 1000);
        assert_in_range(n, 3, 7);
        assert_int_equal(world.error.code, MUSTER_E_PROTOCOL);
        close_waiting(&world, &get);
}

/* A head as large as we say that we take comes in more frames than nghttp2 takes by itself. */
static void test_head_in_many_frames(void **state)
{
        struct h2_world world;
        struct exchange get;
        struct buf say = { 0 }, block = { 0 };
        char value[8001];
        size_t at = 0;

        (void)state;
        memset(value, 'v', sizeof(value) - 1);
        value[sizeof(value) - 1] = '\0';
        open_waiting(&world, &get, NULL);
        peer_field(&block, ":status", "200");
        for (int i = 0; i < 38; i++)
                peer_field(&block, "f", value);
        assert_in_range(block.len, 300000, 307200);
        while (at < block.len) {
                size_t n = min_size(block.len - at, 8000);
                bool is_last = at + n == block.len;

                peer_frame(&say, at ? PEER_CONTINUATION : PEER_HEADERS,
                        (is_last ? PEER_END_HEADERS : 0) | (at ? 0 : PEER_END_STREAM), 1,
                        block.at + at, n);
                at += n;
        }
        assert_int_equal(peer_say(&world, &say), H2_MORE);
        expect_response(&get, 200, "");
        buf_deinit(&block);
        close_waiting(&world, &get);
}

static void test_request_is_too_large(void **state)
{
        static struct http_request_field fields[600];
        struct http_request request = { .method = str_of("GET"), .fields = fields };
        struct h2_world world;
        struct h2_stream *stream = NULL;
        struct muster_error error = { 0 };
        struct url url = { 0 };

        (void)state;
        for (size_t i = 0; i < LENGTH(fields); i++)
                fields[i] = (struct http_request_field){ str_of("a"), str_of("b") };
        world_open(&world, NULL);
        assert_int_equal(url_parse(&url, str_of("http://a/"), NULL, NULL), 0);
        request.url = &url;
        request.n_fields = 600;
        assert_int_equal(h2_begin(world.h2, &request, NULL, &stream, &error), MUSTER_E_TOO_LARGE);
        assert_string_equal(error.text, "too_large: the request has more than 508 header fields");
        error = (struct muster_error){ 0 };
        request = (struct http_request){ .method = str_of("CONNECT"), .url = &url };
        assert_int_equal(h2_begin(world.h2, &request, NULL, &stream, &error), MUSTER_E_INVALID);
        assert_null(stream);
        assert_int_equal(h2_n_open(world.h2), 0);
        assert_int_equal(world_pull(&world), 0);
        assert_int_equal(peer_count(&world, PEER_HEADERS, 1, NULL), 0);
        url_deinit(&url);
        world_close(&world);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_floods),
                cmocka_unit_test(test_pace),
                cmocka_unit_test(test_useful_frames_are_no_flood),
                cmocka_unit_test(test_an_upload_is_refused_frame_by_frame),
                cmocka_unit_test(test_each_request_is_refused),
                cmocka_unit_test(test_answers_to_requests_that_were_cancelled),
                cmocka_unit_test(test_unread_answers),
                cmocka_unit_test(test_late_bodies),
                cmocka_unit_test(test_heads),
                cmocka_unit_test(test_interim),
                cmocka_unit_test(test_continuation),
                cmocka_unit_test(test_head_in_many_frames),
                cmocka_unit_test(test_request_is_too_large),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
