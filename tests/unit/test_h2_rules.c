/* SPDX-License-Identifier: MIT */
/*
 * The HTTP/2 session and what a server may do, though few do it: what has no meaning is ignored, and
 * settings change what is on its way
 */
#include "h2_peer.h"

enum { UNUSED_FLAG = 0x80, SETTINGS_HEADER_TABLE_SIZE = 1, SETTINGS_INITIAL_WINDOW_SIZE = 4 };

static const char *const ok[] = { ":status", "200", NULL };

/* A world with two requests that were sent. */
static void open_with_two(struct h2_world *world, struct exchange *first, struct exchange *second)
{
        world_open(world, NULL);
        world_get(world, first);
        world_get(world, second);
        assert_int_equal(world_pull(world), 0);
}

static void close_with_two(struct h2_world *world, struct exchange *first, struct exchange *second)
{
        exchange_close(world, first);
        exchange_close(world, second);
        world_close(world);
}

/* --- what has no meaning --------------------------------------------------------------------- */

static void test_unknown_flags(void **state)
{
        /* [9113 4.1 unknown-flags] */
        struct h2_world world;
        struct exchange get;
        struct buf say = { 0 };

        (void)state;
        world_open(&world, NULL);
        world_get(&world, &get);
        assert_int_equal(world_pull(&world), 0);
        peer_frame(&say, PEER_SETTINGS, UNUSED_FLAG, 0, NULL, 0);
        peer_headers(&say, 1, PEER_END_HEADERS | UNUSED_FLAG, ok);
        peer_data(&say, 1, UNUSED_FLAG, "hel");
        peer_frame(&say, PEER_PING, UNUSED_FLAG, 0, "12345678", 8);
        peer_data(&say, 1, PEER_END_STREAM | UNUSED_FLAG, "lo");
        assert_int_equal(peer_say(&world, &say), H2_MORE);
        expect_response(&get, 200, "hello");
        exchange_close(&world, &get);
        world_close(&world);
}

static void test_unknown_settings(void **state)
{
        /* [9113 6.5.2 unknown-settings] */
        struct h2_world world;
        struct exchange get;
        struct buf say = { 0 };

        (void)state;
        world_open(&world, NULL);
        world_get(&world, &get);
        assert_int_equal(world_pull(&world), 0);
        peer_settings(&say, 0x7777, UINT32_MAX);
        peer_response(&say, 1, "hello");
        assert_int_equal(peer_say(&world, &say), H2_MORE);
        expect_response(&get, 200, "hello");
        buf_deinit(&world.sent);
        assert_int_equal(world_pull(&world), 0);
        assert_int_equal(peer_count(&world, PEER_SETTINGS, 0, NULL), 1); /* the acknowledgement */
        exchange_close(&world, &get);
        world_close(&world);
}

static void test_unknown_codes(void **state)
{
        /* [9113 7 unknown-codes] */
        struct h2_world world;
        struct exchange first, second;
        struct buf say = { 0 };

        (void)state;
        open_with_two(&world, &first, &second);
        peer_settings(&say, 0, 0);
        peer_number(&say, PEER_RST_STREAM, 1, 0x7777);
        peer_goaway(&say, 3, 0x7777, "");
        peer_response(&say, 3, "hello");
        assert_int_equal(peer_say(&world, &say), H2_MORE);
        expect_failed(&first, MUSTER_E_CLOSED,
                "closed: the server reset the HTTP/2 stream: unknown");
        assert_int_equal(world.goaway_code, 0x7777);
        expect_response(&second, 200, "hello");
        close_with_two(&world, &first, &second);
}

/* --- what comes late ------------------------------------------------------------------------- */

static void test_late_window(void **state)
{
        /* [9113 6.9 window-late] */
        struct h2_world world;
        struct exchange first, second;
        struct buf say = { 0 };

        (void)state;
        open_with_two(&world, &first, &second);
        peer_settings(&say, 0, 0);
        peer_number(&say, PEER_WINDOW_UPDATE, 1, 100); /* the request is sent */
        peer_response(&say, 1, "first");
        peer_number(&say, PEER_WINDOW_UPDATE, 1, 100);
        assert_int_equal(peer_say(&world, &say), H2_MORE);
        expect_response(&first, 200, "first");
        exchange_close(&world, &first);
        peer_number(&say, PEER_WINDOW_UPDATE, 1, 100);
        peer_response(&say, 3, "second");
        assert_int_equal(peer_say(&world, &say), H2_MORE);
        expect_response(&second, 200, "second");
        exchange_close(&world, &second);
        world_close(&world);
}

/* --- settings amid an upload ----------------------------------------------------------------- */

/* How many bytes of stream 1's body the client sends now. */
static size_t sent_now(struct h2_world *world)
{
        struct muster_str payload = { NULL, 0 };

        buf_deinit(&world->sent);
        assert_int_equal(world_pull(world), 0);
        assert_in_range(peer_count(world, PEER_DATA, 1, &payload), 0, 1);
        return payload.len;
}

static void say_now(struct h2_world *world, struct buf *say)
{
        assert_int_equal(peer_say(world, say), H2_MORE);
}

static void test_window_below_zero(void **state)
{
        /* [9113 6.9.2 initial-window] [9113 6.9.2 negative-window] */
        static const char body[] = "0123456789012345678901234567890123456789";
        struct h2_world world;
        struct exchange post;
        struct buf say = { 0 };

        (void)state;
        world_open(&world, NULL);
        peer_settings(&say, SETTINGS_INITIAL_WINDOW_SIZE, 10);
        say_now(&world, &say);
        world_begin(&world, &post, "POST", "/", true);
        h2_offer(world.h2, post.stream, str_of(body), true);
        assert_int_equal(sent_now(&world), 10);
        peer_settings(&say, SETTINGS_INITIAL_WINDOW_SIZE, 4); /* -6 */
        say_now(&world, &say);
        assert_int_equal(sent_now(&world), 0);
        peer_number(&say, PEER_WINDOW_UPDATE, 1, 6); /* 0 */
        say_now(&world, &say);
        assert_int_equal(sent_now(&world), 0);
        peer_number(&say, PEER_WINDOW_UPDATE, 1, 3);
        say_now(&world, &say);
        assert_int_equal(sent_now(&world), 3);
        peer_settings(&say, SETTINGS_INITIAL_WINDOW_SIZE, 9); /* 5 more */
        say_now(&world, &say);
        assert_int_equal(sent_now(&world), 5);
        peer_settings(&say, SETTINGS_INITIAL_WINDOW_SIZE, 1000);
        say_now(&world, &say);
        assert_int_equal(sent_now(&world), sizeof(body) - 1 - 18);
        assert_true(h2_is_sent_whole(post.stream));
        exchange_close(&world, &post);
        world_close(&world);
}

static void test_smaller_table(void **state)
{
        /* [9113 4.3.1 smaller-table] */
        struct h2_world world;
        struct exchange first, second;
        struct muster_str block = { NULL, 0 };
        struct buf say = { 0 };

        (void)state;
        world_open(&world, NULL);
        world_get(&world, &first);
        assert_int_equal(world_pull(&world), 0);
        peer_settings(&say, SETTINGS_HEADER_TABLE_SIZE, 0);
        say_now(&world, &say);
        world_get(&world, &second);
        assert_int_equal(world_pull(&world), 0);
        assert_int_equal(peer_count(&world, PEER_HEADERS, 3, &block), 1);
        assert_int_equal(block.at[0], 0x20); /* a size update to 0 (RFC 7541 section 6.3) */
        close_with_two(&world, &first, &second);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_unknown_flags),
                cmocka_unit_test(test_unknown_settings),
                cmocka_unit_test(test_unknown_codes),
                cmocka_unit_test(test_late_window),
                cmocka_unit_test(test_window_below_zero),
                cmocka_unit_test(test_smaller_table),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
