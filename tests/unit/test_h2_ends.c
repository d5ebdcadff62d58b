/* SPDX-License-Identifier: MIT */
/*
 * The HTTP/2 session and how streams and connections end: GOAWAY, resets, cancelling, the end of the
 * connection, and what may be sent again
 */
#include "h2_peer.h"

#include <http/h2_internal.h>

#define CANCEL 8
#define SECOND UINT64_C(1000000000)

static const char *const ok[] = { ":status", "200", NULL };

/* A world with `n` requests that were sent, and the server's SETTINGS. */
static void open_with(struct h2_world *world, struct exchange *exchanges, size_t n)
{
        struct buf say = { 0 };

        world_open(world, NULL);
        for (size_t i = 0; i < n; i++)
                world_get(world, &exchanges[i]);
        assert_int_equal(world_pull(world), 0);
        peer_settings(&say, 0, 0);
        assert_int_equal(peer_say(world, &say), H2_MORE);
}

static void close_with(struct h2_world *world, struct exchange *exchanges, size_t n)
{
        for (size_t i = 0; i < n; i++)
                exchange_close(world, &exchanges[i]);
        assert_int_equal(world_pull(world), 0);
        assert_int_equal(h2_n_open(world->h2), 0);
        world_close(world);
}

/* --- room ------------------------------------------------------------------------------------ */

static void test_room(void **state)
{
        /* [9113 5.1.2 stream-limit] [9113 6.5.3 applied] */
        struct h2_world world;
        struct exchange gets[4];
        struct buf say = { 0 };

        (void)state;
        open_with(&world, gets, 2);
        assert_int_equal(h2_room(world.h2), H2_STREAMS_MAX - 2); /* these SETTINGS set no limit */
        peer_settings(&say, 3, 3);
        assert_int_equal(peer_say(&world, &say), H2_MORE);
        assert_int_equal(world.n_settings, 2);
        assert_int_equal(h2_room(world.h2), 1);
        world_begin(&world, &gets[2], "POST", "/", true);
        assert_int_equal(h2_room(world.h2), 0);
        assert_false(h2_is_closing(world.h2));
        peer_settings(&say, 3, 1); /* less than there are */
        peer_response(&say, 1, "");
        assert_int_equal(peer_say(&world, &say), H2_MORE);
        assert_int_equal(h2_room(world.h2), 0);
        exchange_close(&world, &gets[0]);
        assert_int_equal(h2_room(world.h2), 0);
        /* The third, which may have no second body, waits in the session until it is allowed. */
        assert_int_equal(world_pull(&world), 0);
        assert_false(h2_is_sent(gets[2].stream));
        peer_settings(&say, 3, 100);
        assert_int_equal(peer_say(&world, &say), H2_MORE);
        assert_int_equal(world_pull(&world), 0);
        assert_true(h2_is_sent(gets[2].stream));
        assert_int_equal(h2_room(world.h2), 98);
        world_get(&world, &gets[3]);
        close_with(&world, gets, 4);
}

/* Requests begun before the server told how few it allows: they are given back, the last ones first. */
static void test_withdrawn(void **state)
{
        struct h2_world world;
        struct exchange gets[6];
        struct buf say = { 0 };

        (void)state;
        open_with(&world, gets, 2);
        for (size_t i = 2; i < 5; i++)
                world_get(&world, &gets[i]);
        peer_settings(&say, 3, 3);
        assert_int_equal(peer_say(&world, &say), H2_MORE);
        assert_false(gets[2].has_failed);
        for (size_t i = 3; i < 5; i++) {
                assert_true(gets[i].is_unprocessed);
                expect_failed(&gets[i], MUSTER_E_CLOSED,
                        "closed: the server allows fewer requests at a time on its HTTP/2 connection, and this one was not sent yet");
                exchange_close(&world, &gets[i]);
        }
        /* They take no room, neither before nor after the session forgets them. */
        assert_int_equal(h2_n_open(world.h2), 3);
        assert_int_equal(h2_room(world.h2), 0);
        assert_int_equal(world_pull(&world), 0);
        assert_true(h2_is_sent(gets[2].stream));
        assert_int_equal(h2_n_open(world.h2), 3);
        peer_response(&say, 1, "first");
        assert_int_equal(peer_say(&world, &say), H2_MORE);
        exchange_close(&world, &gets[0]);
        assert_int_equal(h2_room(world.h2), 1);
        world_get(&world, &gets[5]);
        assert_int_equal(world_pull(&world), 0);
        assert_true(h2_is_sent(gets[5].stream));
        assert_int_equal(peer_count(&world, PEER_HEADERS, 7, NULL), 0);
        assert_int_equal(peer_count(&world, PEER_HEADERS, 9, NULL), 0);
        assert_int_equal(peer_count(&world, PEER_HEADERS, 11, NULL), 1);
        assert_int_equal(h2_n_open(world.h2), 3);
        for (size_t i = 1; i < 6; i++)
                exchange_close(&world, &gets[i]);
        assert_int_equal(world_pull(&world), 0);
        assert_int_equal(h2_n_open(world.h2), 0);
        world_close(&world);
}

static void test_numbers_used_up(void **state)
{
        struct h2_world world;
        struct exchange get;
        struct buf say = { 0 };

        (void)state;
        world_open(&world, NULL);
        assert_int_equal(nghttp2_session_set_next_stream_id(world.h2->session, INT32_MAX), 0);
        assert_true(h2_room(world.h2) > 0);
        world_get(&world, &get);
        assert_int_equal(h2_stream_id(get.stream), INT32_MAX);
        assert_int_equal(h2_room(world.h2), 0);
        assert_true(h2_is_closing(world.h2));
        assert_int_equal(world_pull(&world), 0);
        peer_settings(&say, 0, 0);
        peer_response(&say, INT32_MAX, "last");
        assert_int_equal(peer_say(&world, &say), H2_MORE);
        expect_response(&get, 200, "last");
        close_with(&world, &get, 1);
}

/* --- GOAWAY ---------------------------------------------------------------------------------- */

static void test_goaway(void **state)
{
        /* [9113 6.8 no-new-streams] [9113 8.7 retried] */
        struct h2_world world;
        struct exchange gets[4];
        struct buf say = { 0 };

        (void)state;
        open_with(&world, gets, 3);
        world_get(&world, &gets[3]); /* not pulled */
        peer_headers(&say, 1, PEER_END_HEADERS, ok);
        peer_goaway(&say, 3, 0, "maintenance");
        assert_int_equal(peer_say(&world, &say), H2_MORE);
        assert_int_equal(world.n_goaway, 1);
        assert_int_equal(world.last_stream, 3);
        assert_string_equal(world.said, "maintenance");
        assert_int_equal(h2_room(world.h2), 0);
        assert_true(h2_is_closing(world.h2));
        for (int i = 2; i < 4; i++) {
                expect_failed(&gets[i], MUSTER_E_CLOSED,
                        "closed: the server is closing the HTTP/2 connection (GOAWAY, NO_ERROR) and has not processed the request");
                assert_true(gets[i].is_unprocessed);
        }
        /* The others go on. */
        peer_data(&say, 1, PEER_END_STREAM, "first");
        peer_response(&say, 3, "second");
        assert_int_equal(peer_say(&world, &say), H2_MORE);
        expect_response(&gets[0], 200, "first");
        expect_response(&gets[1], 200, "second");
        assert_int_equal(world_pull(&world), 0);
        assert_int_equal(peer_count(&world, PEER_HEADERS, 7, NULL), 0);
        close_with(&world, gets, 4);
}

/* Servers say first that they will close, then what they have got (RFC 9113 section 6.8). */
static void test_graceful_goaway(void **state)
{
        struct h2_world world;
        struct exchange gets[2];
        struct buf say = { 0 };

        (void)state;
        open_with(&world, gets, 2);
        peer_goaway(&say, INT32_MAX, 0, "");
        assert_int_equal(peer_say(&world, &say), H2_MORE);
        assert_false(gets[0].has_failed || gets[1].has_failed);
        peer_goaway(&say, 1, 0, "");
        assert_int_equal(peer_say(&world, &say), H2_MORE);
        assert_int_equal(world.n_goaway, 2);
        assert_true(gets[1].is_unprocessed && !gets[0].has_failed);
        assert_int_equal(h2_eof(world.h2, &world.error), MUSTER_E_CLOSED);
        assert_string_equal(world.error.text,
                "closed: the server ended the HTTP/2 connection after GOAWAY (NO_ERROR), before the response was complete");
        assert_false(h2_is_unprocessed(world.h2, gets[0].stream));
        assert_true(h2_is_unprocessed(world.h2, gets[1].stream));
        exchange_close(&world, &gets[0]);
        exchange_close(&world, &gets[1]);
        world_close(&world);
}

static void test_goaway_with_error(void **state)
{
        struct h2_world world;
        struct exchange get;
        struct buf say = { 0 };

        (void)state;
        open_with(&world, &get, 1);
        peer_goaway(&say, 0, 11, "too_many_pings");
        assert_int_equal(peer_say(&world, &say), H2_MORE);
        assert_int_equal(world.goaway_code, 11);
        expect_failed(&get, MUSTER_E_CLOSED,
                "closed: the server is closing the HTTP/2 connection (GOAWAY, ENHANCE_YOUR_CALM) and has not processed the request");
        close_with(&world, &get, 1);
}

/* --- the end of the connection --------------------------------------------------------------- */

static void test_eof(void **state)
{
        struct h2_world world;
        struct exchange gets[2];
        struct buf say = { 0 };

        (void)state;
        open_with(&world, gets, 1);
        world_get(&world, &gets[1]);
        peer_headers(&say, 1, PEER_END_HEADERS, ok);
        assert_int_equal(peer_say(&world, &say), H2_MORE);
        assert_true(h2_has_begun(gets[0].stream) && !h2_has_begun(gets[1].stream));
        assert_int_equal(h2_eof(world.h2, &world.error), MUSTER_E_CLOSED);
        assert_string_equal(world.error.text,
                "closed: the server ended the HTTP/2 connection without GOAWAY, before the response was complete");
        /* Nothing is certain about what was sent. */
        assert_false(h2_is_unprocessed(world.h2, gets[0].stream));
        assert_true(h2_is_unprocessed(world.h2, gets[1].stream));
        assert_int_equal(h2_room(world.h2), 0);
        exchange_close(&world, &gets[0]);
        exchange_close(&world, &gets[1]);
        world_close(&world);

        open_with(&world, gets, 0);
        assert_int_equal(h2_eof(world.h2, &world.error), 0);
        world_close(&world);
}

static void run_stranger(const char *bytes, const char *text)
{
        struct h2_world world;
        struct exchange get;

        for (int mode = 0; mode < 2; mode++) {
                world_open(&world, NULL);
                world.byte_by_byte = mode;
                world_get(&world, &get);
                assert_int_equal(world_pull(&world), 0);
                assert_int_equal(world_feed(&world, bytes, strlen(bytes)), MUSTER_E_PROTOCOL);
                assert_string_equal(world.error.text, text);
                exchange_close(&world, &get);
                world_close(&world);
        }
}

static void test_strangers(void **state)
{
        /* [9113 3.4 invalid-preface] */
        (void)state;
        run_stranger("HTTP/1.1 400 Bad Request\r\n\r\n",
                "protocol: the server does not speak HTTP/2 here, but HTTP/1; use --http1.1");
        run_stranger("SSH-2.0-OpenSSH_9.2\r\n",
                "protocol: the server does not speak HTTP/2; it began with: \"SSH-2.0-O\"");
}

/* --- our side -------------------------------------------------------------------------------- */

static void test_cancel(void **state)
{
        /* [9113 5.1 closed-streams] [9113 5.4.2 after-reset] */
        struct h2_world world;
        struct exchange gets[4];
        struct muster_str reset;
        struct buf say = { 0 };

        (void)state;
        open_with(&world, gets, 3);
        world_get(&world, &gets[3]);
        exchange_close(&world, &gets[3]); /* never sent */
        peer_headers(&say, 1, PEER_END_HEADERS, ok);
        peer_data(&say, 1, 0, "beginning");
        assert_int_equal(peer_say(&world, &say), H2_MORE);
        exchange_close(&world, &gets[0]); /* amid its response */
        /* Before the server knows of it: nothing is told, and no other stream is hurt. */
        peer_data(&say, 1, PEER_END_STREAM, "the end");
        peer_response(&say, 3, "second");
        assert_int_equal(peer_say(&world, &say), H2_MORE);
        expect_response(&gets[1], 200, "second");
        assert_int_equal(world_pull(&world), 0);
        assert_int_equal(peer_count(&world, PEER_RST_STREAM, 1, &reset), 1);
        assert_int_equal(reset.at[3], CANCEL);
        assert_int_equal(peer_count(&world, PEER_HEADERS, 7, NULL), 0);
        exchange_close(&world, &gets[2]); /* before its response */
        assert_int_equal(world_pull(&world), 0);
        assert_int_equal(peer_count(&world, PEER_RST_STREAM, 5, NULL), 1);
        peer_response(&say, 5, "third");
        assert_int_equal(peer_say(&world, &say), H2_MORE);
        close_with(&world, gets, 4);
}

/* A server that needs no more of an upload answers, and resets without an error (section 8.1). */
static void test_early_answer(void **state)
{
        /* [9113 6.4 reset-ends] [9113 8.1 early-response] [9113 5.4.2 no-reset-of-reset] */
        struct h2_world world;
        struct exchange post;
        struct buf say = { 0 };

        (void)state;
        for (int with_reset = 0; with_reset < 2; with_reset++) {
                open_with(&world, NULL, 0);
                world_begin(&world, &post, "POST", "/", true);
                h2_offer(world.h2, post.stream, str_of("part"), false);
                assert_int_equal(world_pull(&world), 0);
                peer_response(&say, 1, "enough");
                if (with_reset)
                        peer_number(&say, PEER_RST_STREAM, 1, 0);
                assert_int_equal(peer_say(&world, &say), H2_MORE);
                expect_response(&post, 200, "enough");
                if (with_reset)
                        h2_offer(world.h2, post.stream, str_of("more"), true); /* to nobody */
                exchange_close(&world, &post);
                assert_int_equal(world_pull(&world), 0);
                assert_int_equal(peer_count(&world, PEER_RST_STREAM, 1, NULL), !with_reset);
                close_with(&world, NULL, 0);
        }
}

static void test_ping(void **state)
{
        /* [9113 6.7 ping-answer] */
        struct h2_world world;
        struct buf say = { 0 };

        (void)state;
        open_with(&world, NULL, 0);
        assert_int_equal(h2_ping(world.h2), 0);
        assert_int_equal(h2_ping(world.h2), 0); /* one at a time */
        peer_ping(&say, PEER_ACK);              /* to what was not asked yet */
        assert_int_equal(peer_say(&world, &say), H2_MORE);
        assert_int_equal(world.n_pong, 0);
        assert_int_equal(world_pull(&world), 0);
        assert_int_equal(peer_count(&world, PEER_PING, 0, NULL), 1);
        world.now_ns += 30;
        peer_ping(&say, PEER_ACK);
        peer_ping(&say, PEER_ACK);
        assert_int_equal(peer_say(&world, &say), H2_MORE);
        assert_int_equal(world.n_pong, 1);
        assert_int_equal(world.rtt_ns, 30);
        assert_int_equal(h2_rtt_ns(world.h2), 30);
        /* Theirs is answered. */
        buf_deinit(&world.sent);
        peer_ping(&say, 0);
        assert_int_equal(peer_say(&world, &say), H2_MORE);
        assert_int_equal(world_pull(&world), 0);
        assert_int_equal(peer_count(&world, PEER_PING, 0, NULL), 1);
        close_with(&world, NULL, 0);
}

static void test_shutdown(void **state)
{
        struct h2_world world;
        struct muster_str goaway;

        (void)state;
        open_with(&world, NULL, 0);
        assert_int_equal(h2_shutdown(world.h2), 0);
        assert_int_equal(h2_room(world.h2), 0);
        assert_int_equal(world_pull(&world), 0);
        assert_int_equal(peer_count(&world, PEER_GOAWAY, 0, &goaway), 1);
        assert_memory_equal(goaway.at, "\0\0\0\0\0\0\0\0", 8);
        assert_false(h2_wants_send(world.h2));
        close_with(&world, NULL, 0);
}

/* What a request says of a connection is for HTTP/1; names are in lower case. */
static void test_fields(void **state)
{
        /*
         * [9113 8.2 lower-case] [9113 8.2.2 no-connection-fields] [9113 8.3 pseudo-fields-sent]
         * [9113 8.3.1 request]
         */
        static const struct http_request_field fields[] = { { BYTES("X-Mixed-Case"), BYTES(" a ") },
                { BYTES("Connection"), BYTES("close") }, { BYTES("TE"), BYTES("gzip") },
                { BYTES("Host"), BYTES("other.example") }, { BYTES("Upgrade"), BYTES("h2c") },
                { BYTES("Transfer-Encoding"), BYTES("chunked") } };
        struct http_request request = { .method = str_of("GET"),
                .fields = fields,
                .n_fields = LENGTH(fields),
                .authorization = str_of("Basic c2VjcmV0") };
        nghttp2_nv nva[H2_REQUEST_FIELDS_MAX];
        struct buf text = { 0 }, all = { 0 };
        struct url url = { 0 };
        size_t n = 0;

        (void)state;
        assert_int_equal(url_parse(&url, str_of("https://example.com/a?b"), NULL, NULL), 0);
        request.url = &url;
        assert_int_equal(h2_request_fields(&request, &text, nva, &n, NULL), 0);
        for (size_t i = 0; i < n; i++) {
                buf_add(&all, nva[i].name, nva[i].namelen);
                buf_add_text(&all, nva[i].flags & NGHTTP2_NV_FLAG_NO_INDEX ? "! " : ": ");
                buf_add(&all, nva[i].value, nva[i].valuelen);
                buf_add_char(&all, '\n');
        }
        buf_terminate(&all);
        assert_string_equal(all.at,
                ":method: GET\n:scheme: https\n:authority: other.example\n:path: /a?b\n"
                "accept: */*\nauthorization! Basic c2VjcmV0\nx-mixed-case: a\n");
        url_deinit(&url);
        buf_deinit(&text);
        buf_deinit(&all);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_room),
                cmocka_unit_test(test_withdrawn),
                cmocka_unit_test(test_numbers_used_up),
                cmocka_unit_test(test_goaway),
                cmocka_unit_test(test_graceful_goaway),
                cmocka_unit_test(test_goaway_with_error),
                cmocka_unit_test(test_eof),
                cmocka_unit_test(test_strangers),
                cmocka_unit_test(test_cancel),
                cmocka_unit_test(test_early_answer),
                cmocka_unit_test(test_ping),
                cmocka_unit_test(test_shutdown),
                cmocka_unit_test(test_fields),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
