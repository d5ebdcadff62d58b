/* SPDX-License-Identifier: MIT */
/*
 * The HTTP/2 session: what a usual connection looks like
 */
#include "h2_peer.h"

#define HEAD PEER_END_HEADERS

static void test_get(void **state)
{
        /* [9113 3.4 settings-first] [9113 3.2 preface] [9113 5.1.1 odd-numbers] */
        struct h2_world world;
        struct exchange get;
        struct buf say = { 0 };

        (void)state;
        for (int mode = 0; mode < 2; mode++) {
                world_open(&world, NULL);
                world.byte_by_byte = mode;
                assert_int_equal(h2_room(world.h2), H2_STREAMS_ASSUMED);
                world_get(&world, &get);
                assert_int_equal(h2_room(world.h2), H2_STREAMS_ASSUMED - 1);
                assert_true(h2_is_unprocessed(world.h2, get.stream));
                assert_int_equal(world_pull(&world), 0);
                assert_true(h2_is_sent(get.stream) && h2_is_sent_whole(get.stream));
                assert_false(h2_is_unprocessed(world.h2, get.stream));
                assert_int_equal(peer_count(&world, PEER_HEADERS, 1, NULL), 1);
                assert_int_equal(peer_count(&world, PEER_SETTINGS, 0, NULL), 1);

                peer_settings(&say, 0, 0);
                peer_headers(&say, 1, HEAD,
                        (const char *[]){
                                ":status", "200", "content-length", "5", "x-a", "b", NULL });
                peer_data(&say, 1, PEER_END_STREAM, "hello");
                assert_int_equal(peer_say(&world, &say), H2_MORE);
                expect_response(&get, 200, "hello");
                assert_true(get.has_body && get.has_length && get.length == 5);
                assert_true(str_is(buf_str(&get.head),
                        "HTTP/2 200\r\ncontent-length: 5\r\nx-a: b\r\n\r\n"));
                assert_int_equal(world.n_settings, 1);

                exchange_close(&world, &get);
                assert_int_equal(h2_n_open(world.h2), 0);
                assert_int_equal(world_pull(&world), 0);
                assert_int_equal(peer_count(&world, PEER_RST_STREAM, 1, NULL), 0);
                assert_false(h2_wants_send(world.h2));
                world_close(&world);
        }
}

static void test_upload(void **state)
{
        struct h2_world world;
        struct exchange post;
        struct muster_str payload;
        struct buf say = { 0 };

        (void)state;
        world_open(&world, NULL);
        world_begin(&world, &post, "POST", "/", true);
        assert_null(h2_next_hungry(world.h2));
        assert_int_equal(world_pull(&world), 0);
        assert_ptr_equal(h2_next_hungry(world.h2), post.stream);
        assert_null(h2_next_hungry(world.h2));
        h2_offer(world.h2, post.stream, str_of("one "), false);
        assert_int_equal(world_pull(&world), 0);
        assert_ptr_equal(h2_next_hungry(world.h2), post.stream);
        assert_false(h2_is_sent_whole(post.stream));
        h2_offer(world.h2, post.stream, str_of("two"), true);
        buf_deinit(&world.sent);
        assert_int_equal(world_pull(&world), 0);
        assert_null(h2_next_hungry(world.h2));
        assert_true(h2_is_sent_whole(post.stream));
        assert_int_equal(peer_count(&world, PEER_DATA, 1, &payload), 1);
        assert_true(str_is(payload, "two"));

        peer_settings(&say, 0, 0);
        peer_response(&say, 1, "thanks");
        assert_int_equal(peer_say(&world, &say), H2_MORE);
        expect_response(&post, 200, "thanks");
        exchange_close(&world, &post);
        world_close(&world);
}

static void test_reset(void **state)
{
        struct h2_world world;
        struct exchange a, b;
        struct buf say = { 0 };

        (void)state;
        world_open(&world, NULL);
        world_get(&world, &a);
        world_get(&world, &b);
        assert_int_equal(world_pull(&world), 0);
        peer_settings(&say, 0, 0);
        peer_number(&say, PEER_RST_STREAM, 1, 7);
        peer_number(&say, PEER_RST_STREAM, 3, 2);
        assert_int_equal(peer_say(&world, &say), H2_MORE);
        expect_failed(&a, MUSTER_E_CLOSED,
                "closed: the server reset the HTTP/2 stream: REFUSED_STREAM (it has not processed the request)");
        assert_true(a.is_unprocessed);
        expect_failed(&b, MUSTER_E_CLOSED,
                "closed: the server reset the HTTP/2 stream: INTERNAL_ERROR");
        assert_false(b.is_unprocessed);
        exchange_close(&world, &a);
        exchange_close(&world, &b);
        world_close(&world);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_get),
                cmocka_unit_test(test_upload),
                cmocka_unit_test(test_reset),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
