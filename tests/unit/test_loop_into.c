/* SPDX-License-Identifier: MIT */
/*
 * Bytes that the loop puts where their receiver wants them
 */
#include "loop_world.h"

#include <string.h>
#include <unistd.h>

/* What a side gets lands in `got` either way: placed there, or copied. */
static void place(struct side *side, size_t len)
{
        assert_true(side->len + len <= sizeof(side->got));
        loop_recv_into(&side->socket, side->got + side->len, len);
}

static void send_and_receive(struct world *w, const char *text)
{
        send_text(&w->a, text, "");
        turn_until_received(w, w->b.len + strlen(text));
}

static void test_place_is_filled_in_pieces(void **state)
{
        static struct world w;

        (void)state;
        open_world(&w, false);
        open_pair(&w);
        place(&w.b, 10);
        send_and_receive(&w, "abcd");
        assert_int_equal(w.b.n_placed, 4);
        send_and_receive(&w, "efghijkl");
        assert_int_equal(w.b.n_placed, 10); /* and two came behind */
        send_and_receive(&w, "mn");
        assert_int_equal(w.b.n_placed, 10);
        assert_memory_equal(w.b.got, "abcdefghijklmn", 14);
        close_world(&w);
}

static void test_next_place_follows_a_full_one(void **state)
{
        static struct world w;

        (void)state;
        open_world(&w, false);
        open_pair(&w);
        place(&w.b, 4);
        send_and_receive(&w, "abcd");
        place(&w.b, 2); /* the first one is full, and forgotten */
        send_and_receive(&w, "ef");
        assert_int_equal(w.b.n_placed, 6);
        assert_memory_equal(w.b.got, "abcdef", 6);
        close_world(&w);
}

/* All ways to cut a few bytes into places and into what is sent. */
static void test_bytes_keep_their_order(void **state)
{
        static const char text[] = "0123456789";
        static struct world w;

        (void)state;
        open_world(&w, false);
        open_pair(&w);
        for (size_t n_placed = 1; n_placed < 8; n_placed++)
                for (size_t n_first = 1; n_first < 10; n_first++) {
                        struct iovec first = { (void *)(uintptr_t)text, n_first },
                                     rest = { (void *)(uintptr_t)(text + n_first), 10 - n_first };
                        int sys;

                        w.b.len = w.b.n_placed = 0;
                        memset(w.b.got, 0, 10);
                        place(&w.b, n_placed);
                        assert_int_equal(loop_send(&w.a.socket, &first, 1, &sys), 0);
                        turn_until_received(&w, n_first);
                        assert_int_equal(loop_send(&w.a.socket, &rest, 1, &sys), 0);
                        turn_until_received(&w, 10);
                        assert_int_equal(w.b.n_placed, n_placed);
                        assert_memory_equal(w.b.got, text, 10);
                }
        close_world(&w);
}

/* A place of more than one receive, and more than what fits the kernel's buffers. */
static void test_large_place(void **state)
{
        static struct world w;
        static char large[3 * 1024 * 1024];
        struct iovec piece = { large, sizeof(large) };
        int sys = 0;

        (void)state;
        for (size_t i = 0; i < sizeof(large); i++)
                large[i] = (char)(i * 7 + i / 251);
        open_world(&w, false);
        open_pair(&w);
        place(&w.b, sizeof(large) - 100);
        assert_true(loop_send(&w.a.socket, &piece, 1, &sys) >= 0);
        while (w.b.len < sizeof(large))
                assert_int_equal(loop_turn(&w.loop, clock_now(&w.clock) + NS_PER_S), 0);
        assert_int_equal(w.b.n_placed, sizeof(large) - 100);
        assert_true(w.b.most_placed <= LOOP_INTO_BYTES_MAX);
        assert_memory_equal(w.b.got, large, sizeof(large));
        close_world(&w);
}

static void test_stream_ends_within_a_place(void **state)
{
        static struct world w;

        (void)state;
        open_world(&w, false);
        open_pair(&w);
        place(&w.b, 10);
        send_text(&w.a, "abcd", "");
        loop_socket_close(&w.a.socket);
        turn_until(&w, &w.b.n_eof);
        assert_int_equal(w.b.n_placed, 4);
        assert_int_equal(w.b.len, 4);
        loop_recv_into_end(&w.b.socket);
        loop_turn(&w.loop, 0);
        assert_int_equal(w.b.n_eof, 1);
        close_world(&w);
}

static void test_connection_breaks_within_a_place(void **state)
{
        static struct world w;
        struct linger at_once = { .l_onoff = 1 };

        (void)state;
        open_world(&w, false);
        open_pair(&w);
        place(&w.b, 10);
        send_and_receive(&w, "abcd");
        setsockopt(w.a.socket.fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
        loop_socket_close(&w.a.socket);
        turn_until(&w, &w.b.n_failed);
        assert_int_equal(w.b.n_placed, 4);
        close_world(&w);
}

static void test_place_is_taken_back(void **state)
{
        static struct world w;

        (void)state;
        open_world(&w, false);
        open_pair(&w);
        loop_recv_into_end(&w.b.socket); /* there is none */
        place(&w.b, 10);
        send_and_receive(&w, "abcd");
        loop_recv_into_end(&w.b.socket);
        memset(w.b.got + 4, '-', 6);
        w.b.len = 10; /* what comes goes behind the place */
        send_and_receive(&w, "efgh");
        assert_int_equal(w.b.n_placed, 4);
        assert_memory_equal(w.b.got, "abcd------efgh", 14);
        place(&w.b, 2);
        send_and_receive(&w, "ijk");
        assert_int_equal(w.b.n_placed, 6);
        assert_memory_equal(w.b.got + 10, "efghijk", 7);
        close_world(&w);
}

static void test_socket_closes_within_a_place(void **state)
{
        static struct world w;

        (void)state;
        open_world(&w, false);
        open_pair(&w);
        place(&w.b, 10);
        w.b.closes_on_receive = true;
        send_and_receive(&w, "abcd");
        assert_false(loop_socket_is_open(&w.b.socket));
        memset(w.b.got, 0, sizeof(w.b.got));
        send_text(&w.a, "efgh", "");
        for (int i = 0; i < 3; i++)
                loop_turn(&w.loop, clock_now(&w.clock) + NS_PER_MS);
        assert_int_equal(w.b.got[4], 0);
        close_world(&w);
}

/* A pause lets the kernel's window fill, and the place waits; a moved socket takes it along. */
static void test_place_outlives_a_pause_and_a_move(void **state)
{
        static struct world w;
        static struct side other;

        (void)state;
        open_world(&w, false);
        open_pair(&w);
        memset(&other, 0, sizeof(other));
        place(&w.b, 10);
        send_and_receive(&w, "abcd");
        loop_recv_stop(&w.b.socket);
        send_text(&w.a, "efgh", "");
        for (int i = 0; i < 3; i++)
                loop_turn(&w.loop, clock_now(&w.clock) + NS_PER_MS);
        assert_int_equal(w.b.len, 4);
        loop_socket_move(&other.socket, &w.b.socket, handle);
        loop_recv_start(&other.socket);
        for (int i = 0; i < 1000 && other.len < 4; i++)
                loop_turn(&w.loop, clock_now(&w.clock) + NS_PER_MS);
        assert_int_equal(other.n_placed, 4);
        assert_memory_equal(w.b.got, "abcdefgh", 8);
        loop_socket_close(&other.socket);
        close_world(&w);
}

static void test_placed_bytes_are_stamped(void **state)
{
        static struct world w;

        (void)state;
        open_world(&w, false);
        open_pair(&w);
        place(&w.b, 100000);
        /* The kernel begins to stamp a while after it is asked. */
        for (int i = 0; i < 1000 && !w.b.kernel_ns; i++)
                send_and_receive(&w, "x");
        assert_true(w.b.kernel_ns && w.b.kernel_ns <= clock_now(&w.clock));
        assert_true(clock_now(&w.clock) - w.b.kernel_ns < 10 * NS_PER_S);
        assert_int_equal(w.b.n_placed, w.b.len);
        close_world(&w);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_place_is_filled_in_pieces),
                cmocka_unit_test(test_next_place_follows_a_full_one),
                cmocka_unit_test(test_bytes_keep_their_order),
                cmocka_unit_test(test_large_place),
                cmocka_unit_test(test_stream_ends_within_a_place),
                cmocka_unit_test(test_connection_breaks_within_a_place),
                cmocka_unit_test(test_place_is_taken_back),
                cmocka_unit_test(test_socket_closes_within_a_place),
                cmocka_unit_test(test_place_outlives_a_pause_and_a_move),
                cmocka_unit_test(test_placed_bytes_are_stamped),
        };

        return cmocka_run_group_tests_name("loop_into", tests, NULL, NULL);
}
