/* SPDX-License-Identifier: MIT */
/*
 * The HTTP/2 session with a server that keeps the rules: many streams, windows in both directions,
 * and a fast link that is long
 */
#include "h2_server.h"

#include <base/minmax.h>
#include <base/rand.h>
#include <http/h2_internal.h>
#include <stdio.h>

#define KB 1024u
#define MB (1024u * 1024u)

static void get(struct h2_world *world, struct exchange *exchange, size_t n)
{
        char path[32];

        snprintf(path, sizeof(path), "/%zu", n);
        world_begin(world, exchange, "GET", path, false);
}

static void close_all(struct h2_world *world, struct h2_server *server)
{
        server_talk(server, world);
        assert_int_equal(h2_n_open(world->h2), 0);
        world_close(world);
        server_close(server);
}

static void test_many_streams(void **state)
{
        static struct exchange gets[100];
        struct h2_world world;
        struct h2_server server;

        (void)state;
        for (int mode = 0; mode < 2; mode++) {
                world_open(&world, NULL);
                world.byte_by_byte = mode;
                server_open(&server, 100, 65535);
                server.padding = mode ? 7 : 0;
                for (size_t round = 0; round < 3; round++) {
                        for (size_t i = 0; i < 100; i++)
                                get(&world, &gets[i], i * i);
                        assert_int_equal(h2_room(world.h2), 0);
                        server_talk(&server, &world);
                        for (size_t i = 0; i < 100; i++) {
                                expect_body(&gets[i], i * i);
                                exchange_close(&world, &gets[i]);
                        }
                }
                close_all(&world, &server);
        }
}

/* Each byte is either read or in the window, padded or not, so that it does not run dry. */
static void test_padding_is_given_back(void **state)
{
        struct h2_world world;
        struct h2_server server;
        struct exchange exchange;

        (void)state;
        world_open(&world, &(struct h2_options){ .window_bytes = 64 * KB });
        server_open(&server, 100, 65535);
        server.padding = 255;
        get(&world, &exchange, 8 * MB);
        server_talk(&server, &world);
        expect_body(&exchange, 8 * MB);
        exchange_close(&world, &exchange);
        close_all(&world, &server);
}

/* A reader that stops costs its stream's window, and no other stream a byte. */
static void test_slow_reader(void **state)
{
        /* [9113 5.2.2 reads-on] */
        struct h2_world world;
        struct h2_server server;
        struct exchange slow, fast;

        (void)state;
        world_open(&world, NULL);
        server_open(&server, 100, 65535);
        world.keeps_windows = true;
        get(&world, &slow, 100 * MB);
        server_talk(&server, &world);
        assert_int_equal(slow.body.len, H2_STREAM_WINDOW_BYTES);
        world.keeps_windows = false;
        get(&world, &fast, 100 * MB); /* more than the connection's window */
        server_talk(&server, &world);
        expect_body(&fast, 100 * MB);
        assert_int_equal(slow.body.len, H2_STREAM_WINDOW_BYTES);
        h2_consume(world.h2, slow.stream, slow.body.len);
        server_talk(&server, &world);
        expect_body(&slow, 100 * MB);
        exchange_close(&world, &fast);
        exchange_close(&world, &slow);
        close_all(&world, &server);
}

static void test_cancelled_amid(void **state)
{
        /* [9113 6.9 all-is-counted] [9113 5.4.2 after-reset] */
        static struct exchange gets[20];
        struct h2_world world;
        struct h2_server server;

        (void)state;
        world_open(&world, NULL);
        server_open(&server, 100, 65535);
        world.keeps_windows = true;
        for (size_t round = 0; round < 10; round++) {
                for (size_t i = 0; i < 20; i++)
                        get(&world, &gets[i], 2 * MB);
                server_talk(&server, &world);
                for (size_t i = 0; i < 20; i++) {
                        assert_int_equal(gets[i].body.len, H2_STREAM_WINDOW_BYTES);
                        exchange_close(&world, &gets[i]);
                }
                /* 200 MiB were sent for nothing: the connection's window has them back */
                server_talk(&server, &world);
                assert_int_equal(h2_room(world.h2), 100);
        }
        assert_int_equal(server.n_resets, 200);
        close_all(&world, &server);
}

/* An upload is asked for pieces as the windows allow, and not before. */
static void run_upload(uint32_t window, size_t piece_bytes, size_t n_pieces)
{
        char *piece = mem_zalloc(piece_bytes), expected[24];
        struct h2_world world;
        struct h2_server server;
        struct exchange post;
        struct h2_stream *hungry;
        size_t n = 0;

        world_open(&world, NULL);
        server_open(&server, 100, window);
        server_talk(&server, &world);
        world_begin(&world, &post, "POST", "/", true);
        do {
                server_talk(&server, &world);
                while ((hungry = h2_next_hungry(world.h2))) {
                        assert_ptr_equal(hungry, post.stream);
                        n++;
                        h2_offer(world.h2, hungry,
                                (struct muster_str){ piece, n < n_pieces ? piece_bytes : 0 },
                                n == n_pieces);
                        assert_int_equal(world_pull(&world), 0);
                }
        } while (n < n_pieces);
        server_talk(&server, &world);
        assert_true(h2_is_sent_whole(post.stream));
        snprintf(expected, sizeof(expected), "%zu", (n_pieces - 1) * piece_bytes);
        expect_response(&post, 200, expected);
        exchange_close(&world, &post);
        close_all(&world, &server);
        mem_free(piece);
}

static void test_uploads(void **state)
{
        /* [9113 5.2.1 windows] [9113 4.1 frame-size] */
        (void)state;
        run_upload(65535, 64 * KB, 100);
        run_upload(1000, 64 * KB, 5);
        run_upload(65535, 1, 100);
        run_upload(MB, 100, 1);
}

/* Without a window nothing is sent, and nothing is asked for. */
static void test_starved_upload(void **state)
{
        /* [9113 5.2.1 windows] */
        struct h2_world world;
        struct h2_server server;
        struct exchange post;

        (void)state;
        world_open(&world, NULL);
        server_open(&server, 100, 0);
        server_talk(&server, &world);
        world_begin(&world, &post, "POST", "/", true);
        h2_offer(world.h2, post.stream, str_of("hello"), true);
        server_talk(&server, &world);
        assert_true(h2_is_sent(post.stream) && !h2_is_sent_whole(post.stream));
        assert_null(h2_next_hungry(world.h2));
        assert_false(h2_wants_send(world.h2));
        exchange_close(&world, &post);
        close_all(&world, &server);
}

/* Faults are looked for while bodies wait to be sent: these are not lost. */
static void test_peek_amid_uploads(void **state)
{
        /* [9113 4.1 unknown-frames] */
        struct h2_world world;
        struct h2_server server;
        struct exchange posts[3];

        (void)state;
        world_open(&world, NULL);
        server_open(&server, 100, 65535);
        server_talk(&server, &world);
        for (size_t i = 0; i < 3; i++) {
                world_begin(&world, &posts[i], "POST", "/", true);
                h2_offer(world.h2, posts[i].stream, str_of("hello"), true);
                /* a frame of an unknown type */
                assert_int_equal(world_feed(&world, "\0\0\1\x63\0\0\0\0\0?", 10), H2_MORE);
        }
        assert_false(h2_is_sent_whole(posts[0].stream));
        server_talk(&server, &world);
        for (size_t i = 0; i < 3; i++) {
                expect_response(&posts[i], 200, "5");
                exchange_close(&world, &posts[i]);
        }
        close_all(&world, &server);
}

/* --- a link ---------------------------------------------------------------------------------- */

#define STEPS 200 /* a round trip */

struct link {
        struct buf down[STEPS / 2], up[STEPS / 2]; /* what arrives at that time */
        uint64_t step_ns;
        size_t step_bytes;       /* down, at the link's rate */
        size_t slow_start_bytes; /* in a round trip; doubles with each */
};

/* Get `n` bytes over the link; returns how long that took. */
static uint64_t run_link(struct link *link, struct h2_world *world, size_t n)
{
        struct h2_server server;
        struct exchange exchange;
        uint64_t begin_ns = world->now_ns;
        size_t per_step = link->slow_start_bytes / STEPS;

        server_open(&server, 100, 65535);
        get(world, &exchange, n);
        for (size_t step = 0; !exchange.is_done; step++) {
                struct buf *down = &link->down[step % (STEPS / 2)],
                           *up = &link->up[step % (STEPS / 2)];

                assert_true(step < 100 * STEPS);
                assert_int_equal(world_feed(world, down->at, down->len), H2_MORE);
                exchange.body.len = 0; /* its bytes are of no interest here */
                down->len = 0;
                server_feed(&server, up->at, up->len);
                up->len = 0;
                assert_int_equal(world_pull(world), 0);
                buf_add_str(up, buf_str(&world->sent));
                world->sent.len = 0;
                server_pull(&server, down, min_size(per_step, link->step_bytes));
                world->now_ns += link->step_ns;
                if (step % STEPS == STEPS - 1)
                        per_step = min_size(2 * per_step, link->step_bytes);
        }
        for (size_t i = 0; i < STEPS / 2; i++) {
                buf_deinit(&link->down[i]);
                buf_deinit(&link->up[i]);
        }
        assert_true(exchange.stream->window_bytes <= H2_STREAM_WINDOW_BYTES_MAX);
        world->rtt_ns = exchange.stream->window_bytes;
        exchange_close(world, &exchange);
        server_close(&server);
        return world->now_ns - begin_ns;
}

/* How long it takes if no window is in the way. */
static uint64_t free_ns(const struct link *link, size_t n)
{
        uint64_t ns = STEPS * link->step_ns; /* the request, and the first byte */
        size_t per_step = link->slow_start_bytes / STEPS;

        for (size_t step = 0, done = 0; done < n; step++, ns += link->step_ns) {
                done += min_size(per_step, link->step_bytes);
                if (step % STEPS == STEPS - 1)
                        per_step = min_size(2 * per_step, link->step_bytes);
        }
        return ns;
}

static void test_long_fat_link(void **state)
{
        struct h2_world world;
        struct link link = { .step_ns = 500000, .step_bytes = 62500, .slow_start_bytes = 14600 };
        uint64_t ns;

        (void)state;
        /* 100 ms, 1 Gbit/s: within 5 % of what TCP allows */
        world_open(&world, NULL);
        ns = run_link(&link, &world, 100 * MB);
        assert_in_range(ns, free_ns(&link, 100 * MB) * 99 / 100,
                free_ns(&link, 100 * MB) * 105 / 100);
        assert_in_range(world.rtt_ns, 15 * MB, 16 * MB); /* the window */
        world_close(&world);
}

static void test_short_link(void **state)
{
        struct h2_world world;
        struct link link = { .step_ns = 5000, .step_bytes = 625, .slow_start_bytes = 14600 };

        (void)state;
        /* 1 ms, 1 Gbit/s: 125 kB are on the way, and the window stays as it begins */
        world_open(&world, NULL);
        assert_in_range(run_link(&link, &world, 10 * MB), 1, free_ns(&link, 10 * MB) * 105 / 100);
        assert_int_equal(world.rtt_ns, H2_STREAM_WINDOW_BYTES);
        world_close(&world);
}

/* --- memory ---------------------------------------------------------------------------------- */

/* What a server says: its SETTINGS, then a whole response for each stream in turn. */
static const char *const answers[] = {
        "\0\0\6\4\0\0\0\0\0\0\3\0\0\0\x64",
        "\0\0\1\1\4\0\0\0\1\x88\0\0\5\0\1\0\0\0\1hello",
        "\0\0\1\1\4\0\0\0\3\x88\0\0\5\0\1\0\0\0\3hello\0\0\4\3\0\0\0\0\5\0\0\0\1",
        "\0\0\x08\6\0\0\0\0\0abcdefgh\0\0\x0b\7\0\0\0\0\0\0\0\0\3\0\0\0\0bye",
};
static const size_t answer_bytes[] = { 15, 24, 37, 37 };

/* False for want of memory: nothing was begun, and the connection is as before. */
static bool begin_post(struct h2 *h2, const struct url *url)
{
        struct http_request request = { .method = str_of("POST"), .url = url, .has_body = true };
        struct h2_stream *stream;

        if (!h2_room(h2))
                return true;
        if (h2_begin(h2, &request, NULL, &stream, NULL) < 0)
                return false;
        h2_offer(h2, stream, str_of("hello"), true);
        return true;
}

static int take_events(struct h2 *h2, struct muster_str bytes, struct muster_error *error)
{
        struct h2_event event;
        int r;

        while ((r = h2_next(h2, &bytes, 0, &event, error)) == 0)
                if (event.kind == H2_HTTP && event.http.kind == HTTP_BODY)
                        h2_consume(h2, event.stream, event.http.body.len);
        return r;
}

/* Requests and answers while memory may run out anywhere: that ends the connection, in order. */
static void talk_without_memory(void)
{
        struct muster_error error = { 0 };
        struct url url = { 0 };
        struct buf out = { 0 };
        struct h2 *h2 = h2_new(NULL);
        int r = 0;

        if (url_parse(&url, str_of("http://example.com/"), NULL, NULL) < 0)
                h2 = h2_free(h2);
        for (size_t i = 0; h2 && i < LENGTH(answers) && r >= 0; i++) {
                if (!begin_post(h2, &url))
                        break;
                r = h2_pull(h2, &out, 1 << 20, 0, &error);
                if (r == 0)
                        r = take_events(h2, (struct muster_str){ answers[i], answer_bytes[i] },
                                &error);
        }
        if (r < 0) {
                assert_int_equal(r, MUSTER_E_RESOURCE);
                assert_int_equal(error.code, MUSTER_E_RESOURCE);
                assert_true(mem_has_failed());
        }
        h2_free(h2);
        buf_deinit(&out);
        url_deinit(&url);
}

static void test_without_memory(void **state)
{
        (void)state;
        for_each_failing_allocation(talk_without_memory);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_many_streams),
                cmocka_unit_test(test_padding_is_given_back),
                cmocka_unit_test(test_slow_reader),
                cmocka_unit_test(test_cancelled_amid),
                cmocka_unit_test(test_uploads),
                cmocka_unit_test(test_starved_upload),
                cmocka_unit_test(test_peek_amid_uploads),
                cmocka_unit_test(test_long_fat_link),
                cmocka_unit_test(test_short_link),
                cmocka_unit_test(test_without_memory),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
