/* SPDX-License-Identifier: MIT */
/*
 * The loop: sockets
 */
#include "loop_world.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/timerfd.h>
#include <unistd.h>

static void test_bytes_both_ways(void **state)
{
        static struct world w;

        (void)state;
        open_world(&w, false);
        open_pair(&w);
        assert_int_equal(send_text(&w.a, "hello ", "world"), 0);
        assert_int_equal(send_text(&w.a, "", ""), 0);
        loop_turn(&w.loop, clock_now(&w.clock) + NS_PER_S);
        assert_int_equal(w.b.len, 11);
        assert_memory_equal(w.b.got, "hello world", 11);
        assert_int_equal(send_text(&w.b, "", "back"), 0);
        loop_turn(&w.loop, clock_now(&w.clock) + NS_PER_S);
        assert_memory_equal(w.a.got, "back", 4);
        /*
         * The kernel begins to stamp a while after it is asked; then the stamp is of this very
         * moment, by our clock.
         */
        for (int i = 0; i < 1000 && !w.a.kernel_ns; i++) {
                send_text(&w.b, "x", "");
                loop_turn(&w.loop, clock_now(&w.clock) + NS_PER_S);
        }
        assert_true(w.a.kernel_ns <= clock_now(&w.clock));
        assert_true(clock_now(&w.clock) - w.a.kernel_ns < 10 * NS_PER_S);
        close_world(&w);
}

static struct side *paused;

static void read_on(struct loop_watch *watch, bool readable, bool writable)
{
        (void)readable;
        (void)writable;
        loop_watch_set(watch->loop, watch, watch->fd, false, false);
        loop_recv_start(&paused->socket);
}

/*
 * What came while its owner did not want it lay there for that long, though the loop slept
 * meanwhile.
 */
static void test_stamp_of_what_waited_for_its_reader(void **state)
{
        static struct world w;
        struct itimerspec in_20ms = { .it_value.tv_nsec = 20 * NS_PER_MS };
        struct loop_watch watch = { .ready = read_on };
        uint64_t before_ns;
        int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);

        (void)state;
        open_world(&w, false);
        open_pair(&w);
        for (int i = 0; i < 1000 && !w.a.kernel_ns; i++) { /* until it stamps */
                send_text(&w.b, "x", "");
                loop_turn(&w.loop, clock_now(&w.clock) + NS_PER_S);
        }
        loop_recv_stop(&w.a.socket);
        send_text(&w.b, "late", "");
        loop_turn(&w.loop, clock_now(&w.clock) + NS_PER_MS);
        paused = &w.a;
        w.a.kernel_ns = 0;
        assert_int_equal(timerfd_settime(fd, 0, &in_20ms, NULL), 0);
        assert_int_equal(loop_watch_set(&w.loop, &watch, fd, true, false), 0);
        before_ns = clock_now(&w.clock);
        while (!w.a.kernel_ns)
                loop_turn(&w.loop, clock_now(&w.clock) + NS_PER_S);
        assert_true(w.a.kernel_ns < before_ns);
        close(fd);
        close_world(&w);
}

/* Who asks for it is told when the peer has what was sent; who does not is not. */
static void test_acknowledgement_is_stamped(void **state)
{
        static struct world w;
        uint64_t before_ns;

        (void)state;
        open_world(&w, false);
        open_pair(&w);
        assert_int_equal(send_text(&w.a, "unstamped", ""), 0);
        turn_until_received(&w, 9);
        assert_int_equal(w.a.acked_ns, 0);
        before_ns = clock_now(&w.clock);
        w.a.socket.wants_ack = true;
        assert_int_equal(send_text(&w.a, "stam", "ped"), 0);
        assert_false(w.a.socket.wants_ack);
        turn_until_received(&w, 16);
        for (int i = 0; i < 100 && !w.a.acked_ns; i++)
                loop_turn(&w.loop, clock_now(&w.clock) + 10 * NS_PER_MS);
        /* The two clocks are converted: a microsecond either way is no news. */
        assert_true(w.a.acked_ns + NS_PER_MS >= before_ns);
        assert_true(w.a.acked_ns <= clock_now(&w.clock) + NS_PER_MS);
        assert_int_equal(w.a.n_failed, 0);
        /* The socket goes on, and nothing is left that would keep the loop awake. */
        send_text(&w.b, "back", "");
        while (w.a.len < 4)
                loop_turn(&w.loop, clock_now(&w.clock) + NS_PER_S);
        assert_false(w.a.socket.hung_up);
        close_world(&w);
}

/*
 * Stamps do not say what they are of: none is asked for while another one is still to come, and
 * none is taken for an error.
 */
static void test_one_acknowledgement_at_a_time(void **state)
{
        static struct world w;
        uint64_t until_ns;
        int no = 0;

        (void)state;
        open_world(&w, false);
        open_pair(&w);
        w.a.socket.wants_ack = true;
        assert_int_equal(send_text(&w.a, "one", ""), 0);
        assert_int_equal(send_text(&w.b, "x", ""), 0); /* with the acknowledgement */
        setsockopt(w.b.socket.fd, IPPROTO_TCP, TCP_QUICKACK, &no, sizeof(no));
        w.a.socket.wants_ack = true;
        assert_int_equal(send_text(&w.a, "two", ""), 0); /* acknowledged a while later */
        until_ns = clock_now(&w.clock) + 300 * NS_PER_MS;
        while (clock_now(&w.clock) < until_ns)
                loop_turn(&w.loop, until_ns);
        assert_int_equal(w.a.n_acked, 1);
        assert_false(w.a.socket.hung_up);
        assert_false(w.a.socket.wants_ack);
        w.a.socket.wants_ack = true;
        assert_int_equal(send_text(&w.a, "three", ""), 0);
        until_ns += 300 * NS_PER_MS;
        while (w.a.n_acked < 2 && clock_now(&w.clock) < until_ns)
                loop_turn(&w.loop, until_ns);
        assert_int_equal(w.a.n_acked, 2);
        assert_false(w.a.socket.hung_up);
        close_world(&w);
}

/* Of what the kernel took only a part of, the stamp would be that part's. */
static void test_part_is_not_acknowledged(void **state)
{
        static struct world w;
        static char large[900 * 1000];
        struct iovec piece = { large, sizeof(large) };
        int sys = 0, small = 4096;

        (void)state;
        open_world(&w, false);
        open_pair(&w);
        setsockopt(w.a.socket.fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof(small));
        w.a.socket.wants_ack = true;
        assert_int_equal(loop_send(&w.a.socket, &piece, 1, &sys), LOOP_PENDING);
        while (w.b.len < sizeof(large))
                loop_turn(&w.loop, clock_now(&w.clock) + NS_PER_S);
        assert_int_equal(w.a.n_acked, 0);
        assert_false(w.a.socket.hung_up);
        close_world(&w);
}

/* A reset while an acknowledgement is awaited is a reset. */
static void test_reset_instead_of_acknowledgement(void **state)
{
        static struct world w;
        struct linger linger = { .l_onoff = 1 };

        (void)state;
        open_world(&w, false);
        open_pair(&w);
        loop_recv_stop(&w.b.socket);
        w.a.socket.wants_ack = true;
        assert_int_equal(send_text(&w.a, "gone", ""), 0);
        setsockopt(w.b.socket.fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
        loop_socket_close(&w.b.socket);
        turn_until(&w, &w.a.n_failed);
        assert_int_equal(w.a.n_failed, 1);
        assert_int_equal(w.a.sys, ECONNRESET);
        close_world(&w);
}

static void test_large_send_completes_once(void **state)
{
        static struct world w;
        static char large[900 * 1000];
        struct iovec pieces[2] = { { large, 1000 }, { large + 1000, sizeof(large) - 1000 } };
        int sys = 0, small = 4096;

        (void)state;
        for (size_t i = 0; i < sizeof(large); i++)
                large[i] = (char)(i * 7 + i / 251);
        open_world(&w, false);
        open_pair(&w);
        setsockopt(w.a.socket.fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof(small));
        assert_int_equal(loop_send(&w.a.socket, pieces, 2, &sys), LOOP_PENDING);
        turn_until(&w, &w.a.n_sent);
        while (w.b.len < sizeof(large))
                loop_turn(&w.loop, clock_now(&w.clock) + NS_PER_S);
        assert_int_equal(w.a.n_sent, 1);
        assert_memory_equal(w.b.got, large, sizeof(large));
        close_world(&w);
}

static void test_eof_comes_after_the_last_bytes(void **state)
{
        static struct world w;

        (void)state;
        open_world(&w, false);
        open_pair(&w);
        send_text(&w.b, "last", "");
        loop_socket_close(&w.b.socket);
        turn_until(&w, &w.a.n_eof);
        assert_int_equal(w.a.len, 4);
        loop_turn(&w.loop, 0);
        assert_int_equal(w.a.n_eof, 1);
        assert_int_equal(w.a.n_failed, 0);
        close_world(&w);
}

/* A peer that says it will send no more still reads what it is sent. */
static void test_send_goes_on_after_eof(void **state)
{
        struct world w;
        size_t size = sizeof(w.a.got);
        char *text = calloc(1, size);
        struct iovec piece = { text, size };
        int sys, small = 4096;

        (void)state;
        open_world(&w, false);
        open_pair(&w);
        setsockopt(w.b.socket.fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof(small));
        loop_recv_start(&w.b.socket);
        assert_int_equal(shutdown(w.a.socket.fd, SHUT_WR), 0);
        assert_int_equal(loop_send(&w.b.socket, &piece, 1, &sys), LOOP_PENDING);
        turn_until(&w, &w.b.n_eof);
        loop_recv_start(&w.a.socket);
        turn_until(&w, &w.b.n_sent);
        while (w.a.len < size)
                assert_int_equal(loop_turn(&w.loop, clock_now(&w.clock) + 10 * NS_PER_MS), 0);
        assert_int_equal(w.b.n_failed, 0);
        close_world(&w);
        free(text);
}

/* And one that goes away meanwhile is a failure. */
static void test_send_fails_after_eof(void **state)
{
        struct linger linger = { .l_onoff = 1 };
        struct world w;
        size_t size = 64 * 1024 * 1024;
        char *text = calloc(1, size);
        struct iovec piece = { text, size };
        int sys;

        (void)state;
        open_world(&w, false);
        open_pair(&w);
        loop_recv_start(&w.b.socket);
        assert_int_equal(shutdown(w.a.socket.fd, SHUT_WR), 0);
        assert_int_equal(loop_send(&w.b.socket, &piece, 1, &sys), LOOP_PENDING);
        turn_until(&w, &w.b.n_eof);
        setsockopt(w.a.socket.fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
        loop_socket_close(&w.a.socket);
        turn_until(&w, &w.b.n_failed);
        assert_int_equal(w.b.n_sent, 0);
        close_world(&w);
        free(text);
}

static void test_reset_is_a_failure(void **state)
{
        static struct world w;
        struct linger linger = { .l_onoff = 1 };

        (void)state;
        open_world(&w, false);
        open_pair(&w);
        setsockopt(w.b.socket.fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
        loop_socket_close(&w.b.socket);
        turn_until(&w, &w.a.n_failed);
        assert_int_equal(w.a.sys, ECONNRESET);
        loop_turn(&w.loop, 0);
        assert_int_equal(w.a.n_failed, 1);
        close_world(&w);
}

static void test_refused_connection(void **state)
{
        static struct world w;
        int sys = 0;

        (void)state;
        open_world(&w, false);
        close(w.listener);
        assert_int_equal(loop_socket_connect(&w.loop, &w.a.socket, handle,
                                 (struct sockaddr *)&w.address, sizeof(w.address), &sys),
                0);
        turn_until(&w, &w.a.n_failed);
        assert_int_equal(w.a.sys, ECONNREFUSED);
        w.listener = -1;
        close_world(&w);
}

static void test_pause_and_move(void **state)
{
        static struct world w;
        static struct side other;

        (void)state;
        open_world(&w, false);
        open_pair(&w);
        loop_recv_stop(&w.a.socket);
        send_text(&w.b, "kept", "");
        for (int i = 0; i < 3; i++)
                loop_turn(&w.loop, 0);
        assert_int_equal(w.a.len, 0);
        memset(&other, 0, sizeof(other));
        loop_socket_move(&other.socket, &w.a.socket, handle);
        assert_false(loop_socket_is_open(&w.a.socket));
        loop_recv_start(&other.socket);
        assert_true(loop_socket_has_input(&other.socket));
        loop_turn(&w.loop, 0);
        loop_turn(&w.loop, 0);
        assert_memory_equal(other.got, "kept", 4);
        loop_socket_close(&other.socket);
        close_world(&w);
}

/* What is there can be read between two events, and is not told again. */
static void test_read_now(void **state)
{
        static struct world w;
        char got[8] = "";

        (void)state;
        open_world(&w, false);
        open_pair(&w);
        assert_int_equal(loop_recv_now(&w.b.socket, got, sizeof(got)), 0);
        send_text(&w.a, "abc", "def");
        assert_int_equal(loop_recv_now(&w.b.socket, got, 4), 4);
        assert_memory_equal(got, "abcd", 4);
        turn_until_received(&w, 2);
        assert_memory_equal(w.b.got, "ef", 2);
        loop_socket_close(&w.a.socket);
        turn_until(&w, &w.b.n_eof);
        assert_int_equal(loop_recv_now(&w.b.socket, got, sizeof(got)), 0);
        close_world(&w);
}

static void test_socket_may_close_in_its_handler(void **state)
{
        static struct world w;

        (void)state;
        open_world(&w, false);
        open_pair(&w);
        w.a.closes_on_receive = true;
        send_text(&w.b, "x", "");
        for (int i = 0; i < 1000 && !w.a.len; i++)
                loop_turn(&w.loop, clock_now(&w.clock) + NS_PER_MS);
        loop_turn(&w.loop, 0);
        assert_int_equal(w.a.len, 1);
        assert_false(loop_socket_is_open(&w.a.socket));
        close_world(&w);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_bytes_both_ways),
                cmocka_unit_test(test_stamp_of_what_waited_for_its_reader),
                cmocka_unit_test(test_acknowledgement_is_stamped),
                cmocka_unit_test(test_one_acknowledgement_at_a_time),
                cmocka_unit_test(test_part_is_not_acknowledged),
                cmocka_unit_test(test_reset_instead_of_acknowledgement),
                cmocka_unit_test(test_large_send_completes_once),
                cmocka_unit_test(test_eof_comes_after_the_last_bytes),
                cmocka_unit_test(test_send_goes_on_after_eof),
                cmocka_unit_test(test_send_fails_after_eof),
                cmocka_unit_test(test_reset_is_a_failure),
                cmocka_unit_test(test_refused_connection),
                cmocka_unit_test(test_pause_and_move),
                cmocka_unit_test(test_read_now),
                cmocka_unit_test(test_socket_may_close_in_its_handler),
        };

        return cmocka_run_group_tests_name("loop", tests, NULL, NULL);
}
