/* SPDX-License-Identifier: MIT */
/*
 * Exchanges: what counts as a request of a program that was seen from outside
 */
#include "log_maker.h"
#include "unit.h"

#include <base/rand.h>
#include <watch/read.h>

static struct log_maker outside;

static void begin(void)
{
        outside = (struct log_maker){ 0 };
        maker_begin(&outside, 7, 1);
        maker_head(&outside)->unseen = WATCH_UNSEEN_CALLS;
}

/* Sent by `from`, in so many segments, and answered by `to`; 0: never. Moments are ms. */
static void turn(int32_t fd, uint64_t from, uint64_t to, int64_t n_sent, uint64_t n_pieces)
{
        outside.next.extra = n_pieces;
        maker_add(&outside, WATCH_SEND, fd, from * 1000, n_sent, NULL, 0);
        if (to)
                maker_receive_more(&outside, fd, to, 300);
}

static void read_it(struct record *record)
{
        maker_end(&outside, 900);
        maker_read(record, &outside, NULL, NULL);
        maker_deinit(&outside);
}

static size_t requests_of(void)
{
        struct record record;
        size_t n;

        read_it(&record);
        n = record.n_attempts;
        record_deinit(&record);
        return n;
}

static uint64_t ms_of(uint64_t ns)
{
        return (ns + NS_PER_MS / 2) / NS_PER_MS;
}

/* --- turns ----------------------------------------------------------------------------------- */

static void test_turns(void **state)
{
        const struct trace_attempt *first, *second;
        struct record record;

        (void)state;
        begin();
        maker_connect(&outside, 3, 10, 8080);
        turn(3, 11, 31, 100, 1);
        turn(3, 40, 70, 100, 2);
        maker_receive_more(&outside, 3, 75, 500);
        turn(3, 80, 0, 100, 1); /* was not answered */
        maker_close(&outside, 3, 90);
        read_it(&record);
        assert_int_equal(record.n_attempts, 2);
        first = &record.attempts[0];
        second = &record.attempts[1];
        assert_false(first->is_reused);
        assert_true(second->is_reused);
        assert_int_equal(ms_of(second->stamps.first_byte_read_ns - second->stamps.send_start_ns),
                30);
        assert_int_equal(ms_of(second->stamps.end_ns - second->stamps.send_start_ns), 35);
        assert_int_equal(ms_of(second->conn_idle_ns), 9);
        assert_int_equal(second->wire_bytes, 800);
        assert_int_equal(second->status, 0);
        assert_int_equal(first->url.len, 0);
        record_deinit(&record);
}

/* Only what was opened, and by the program, and over the network. */
static void test_other_connections(void **state)
{
        (void)state;
        begin();
        turn(3, 11, 31, 100, 1); /* was open before */
        maker_add(&outside, WATCH_ACCEPT, 4, 12000, 0, NULL, 0);
        turn(4, 13, 33, 100, 1);
        maker_add(&outside, WATCH_CONNECT, 5, 14000, 111, NULL, 0);
        turn(5, 15, 35, 100, 1);
        assert_int_equal(requests_of(), 0);
}

/* Many small pieces before an answer share the connection: nobody knows whose the answer is. */
static void test_mixed(void **state)
{
        (void)state;
        begin();
        maker_connect(&outside, 3, 10, 8080);
        turn(3, 11, 31, 100, 1);
        turn(3, 40, 70, 400, 4);
        assert_int_equal(requests_of(), 0);
        begin();
        maker_connect(&outside, 3, 10, 8080);
        turn(3, 11, 31, 100, 1);
        turn(3, 40, 70, 40000, 28); /* a body */
        assert_int_equal(requests_of(), 2);
}

/* --- under TLS ------------------------------------------------------------------------------- */

/* Three connections, with so many turns each. */
static void open_three(uint16_t port, unsigned n_turns)
{
        begin();
        for (int32_t i = 0; i < 3; i++) {
                uint64_t at = 10 + (uint64_t)i * 100;

                maker_connect(&outside, 3, at, port);
                for (unsigned k = 0; k < n_turns; k++)
                        turn(3, at + 1 + k * 10, at + 6 + k * 10, 200, 1);
                maker_close(&outside, 3, at + 90);
        }
}

static void check_tls(uint16_t port)
{
        struct record record;

        for (unsigned n_turns = 1; n_turns <= 3; n_turns++) {
                open_three(port, n_turns);
                read_it(&record);
                assert_int_equal(record.n_attempts, 3); /* the handshake and one request */
                assert_false(record.attempts[2].is_reused);
                assert_int_equal(record.n_conns, 3);
                if (n_turns > 1)
                        assert_true(record.attempts[1].stamps.tls_end_ns > 0);
                record_deinit(&record);
        }
        open_three(port, 5);
        assert_int_equal(requests_of(), 0);
}

static void test_tls(void **state)
{
        (void)state;
        check_tls(443);
        check_tls(8443);
        check_tls(10443);
        open_three(8080, 5);
        assert_int_equal(requests_of(), 15);
        begin();
        maker_connect(&outside, 3, 10, 443); /* one connection does not say how they are used */
        turn(3, 11, 16, 200, 1);
        turn(3, 21, 26, 200, 1);
        assert_int_equal(requests_of(), 0);
}

/* Connections in plain text count, whatever those under TLS are. */
static void test_beside_tls(void **state)
{
        (void)state;
        open_three(443, 5);
        maker_connect(&outside, 4, 400, 8080);
        turn(4, 401, 406, 200, 1);
        assert_int_equal(requests_of(), 1);
}

/* --- logs that are not as they should be ----------------------------------------------------- */

static int read_first(size_t len)
{
        const struct watch_text text = { .bytes = { outside.bytes.at, len },
                .start_ns = LOG_START_NS };
        struct record record;
        int r = watch_read_texts(&record, &text, 1);

        record_deinit(&record);
        return r;
}

static void test_cut_anywhere(void **state)
{
        (void)state;
        open_three(443, 2);
        maker_connect(&outside, 4, 400, 8080);
        turn(4, 401, 406, 200, 3);
        for (size_t len = 0; len <= outside.bytes.len; len++)
                read_first(len);
        maker_deinit(&outside);
}

static void test_scribbled(void **state)
{
        struct rand rand;

        (void)state;
        rand_init(&rand, 3);
        for (size_t i = 0; i < 2000; i++) {
                open_three(i % 2 ? 443 : 8080, 2);
                for (size_t k = 0; k < 1 + i % 8; k++)
                        outside.bytes.at[sizeof(struct watch_log) +
                                         rand_up_to(&rand, outside.bytes.len -
                                                                   sizeof(struct watch_log) - 1)] =
                                (char)rand_up_to(&rand, 255);
                read_first(outside.bytes.len);
                maker_deinit(&outside);
        }
}

static void read_without_memory(void)
{
        int r = read_first(outside.bytes.len);

        assert_true(r == 0 || r == MUSTER_E_RESOURCE);
}

static void test_without_memory(void **state)
{
        (void)state;
        open_three(443, 2);
        for_each_failing_allocation(read_without_memory);
        maker_deinit(&outside);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_turns),
                cmocka_unit_test(test_other_connections),
                cmocka_unit_test(test_mixed),
                cmocka_unit_test(test_tls),
                cmocka_unit_test(test_beside_tls),
                cmocka_unit_test(test_cut_anywhere),
                cmocka_unit_test(test_scribbled),
                cmocka_unit_test(test_without_memory),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
