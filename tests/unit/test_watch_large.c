/* SPDX-License-Identifier: MIT */
/*
 * Logs of long runs: what is looked for is found at once, however much there is of it
 */
#include "log_maker.h"
#include "unit.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <time.h>

#define N 100000

/* Of processor time, so that other programs do no harm. To go through all for each takes minutes. */
#define MOST_S 30

static struct record record;
static struct log_maker wire;
static struct buf hook;

static int begin(void **state)
{
        (void)state;
        maker_begin(&wire, 7, 1);
        return buf_add_text(&hook, "muster-hook\t1\tpython\t3.11.2\t7\n");
}

static int end(void **state)
{
        (void)state;
        record_deinit(&record);
        maker_deinit(&wire);
        buf_deinit(&hook);
        return 0;
}

static void look(void)
{
        clock_t start = clock();

        maker_end(&wire, UINT64_C(20) * N);
        assert_int_equal(buf_terminate(&hook), 0);
        maker_read(&record, &wire, NULL, hook.at);
        assert_true((clock() - start) / CLOCKS_PER_SEC < MOST_S);
}

static uint64_t moment_of(uint64_t us)
{
        return LOG_START_NS + us * NS_PER_US;
}

static uint64_t us_of(uint64_t ns)
{
        return ns / NS_PER_US;
}

static void exchange(uint64_t from_us, uint64_t to_us)
{
        static const char request[] = "GET / HTTP/1.1\r\nHost: example.test:8080\r\n\r\n";
        static const char response[] = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

        wire.next.flags = WATCH_FLAG_TEXT;
        maker_add(&wire, WATCH_SEND, 3, from_us, sizeof(request) - 1, request, sizeof(request) - 1);
        wire.next.flags = WATCH_FLAG_TEXT;
        maker_add(&wire, WATCH_RECEIVE, 3, to_us, sizeof(response) - 1, response,
                sizeof(response) - 1);
}

/* All names first, and then a connection for each of them: the last one has the first's. */
static void test_lookups(void **state)
{
        const struct sockaddr_in address = { .sin_family = AF_INET,
                .sin_port = htons(8080),
                .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
        const uint64_t apart_us = 9, connects_us = apart_us * N + 100;

        (void)state;
        for (uint64_t i = 0; i < N; i++)
                maker_add(&wire, WATCH_LOOKUP, -1, apart_us * i, 0, "Example.test", 12);
        for (uint64_t i = 0; i < N; i++) {
                uint64_t at_us = connects_us + apart_us * i;

                maker_add(&wire, WATCH_CONNECT, 3, at_us, 0, &address, sizeof(address));
                exchange(at_us + 2, at_us + 4);
                maker_add(&wire, WATCH_CLOSE, 3, at_us + 6, 0, NULL, 0);
        }
        look();
        assert_int_equal(record.n_conns, N);
        assert_int_equal(record.n_lookups, N);
        for (size_t i = 0; i < N; i++) { /* in order of their beginnings, which are the look-ups' */
                assert_int_equal(us_of(record.conns[i].opened_ns),
                        us_of(record.lookups[i].start_ns));
                assert_int_equal(record.conns[i].dns_end_ns, record.lookups[i].end_ns);
        }
}

/* Each request is held by 6 ms of its 8 ms. */
static void test_holds(void **state)
{
        char row[128];

        (void)state;
        maker_connect(&wire, 3, 0, 8080);
        for (uint64_t i = 1; i <= N; i++) {
                uint64_t at_us = 10000 * i;

                exchange(at_us, at_us + 8000);
                wire.next.took_ns = 6 * NS_PER_MS;
                maker_add(&wire, WATCH_AWAY, -1, at_us + 1000, 1000000, NULL, 0);
                maker_add(&wire, WATCH_WAIT, -1, at_us + 7000, 1, NULL, 0);
                snprintf(row, sizeof(row), "held\t%llu\t%llu\t-1\t0\t0\tmain\n",
                        (unsigned long long)moment_of(at_us + 1000),
                        (unsigned long long)moment_of(at_us + 7000));
                assert_int_equal(buf_add_text(&hook, row), 0);
        }
        look();
        assert_int_equal(record.programs.n_holds, N);
        assert_int_equal(record.programs.n_calls, N);
        for (size_t i = 0; i < N; i++) {
                assert_int_equal(record.programs.holds[i].kind, PROGRAM_HOLD_BLOCKED);
                assert_int_equal(record.programs.holds[i].engine, record.turns[0].engine);
                assert_int_equal(record.programs.calls[i].held_ns, 6 * NS_PER_MS);
        }
}

/* A deadline ends all at once, each in a thread of its own. */
static void test_timeouts(void **state)
{
        char row[256];

        (void)state;
        for (int32_t i = 1; i <= N; i++) {
                wire.next.tid = 100 + i;
                maker_add(&wire, WATCH_THREAD, -1, (uint64_t)i, 0, NULL, 0);
                snprintf(row, sizeof(row),
                        "request\t%llu\t%llu\t0\t0\t0\t0\t0\t0\t%d\tGET\thttps://example.test/\tServerDisconnectedError\n"
                        "timeout\t%llu\t0\t0\t0\n",
                        (unsigned long long)moment_of(1000 + (uint64_t)i),
                        (unsigned long long)moment_of(1000000), 100 + i,
                        (unsigned long long)moment_of(1000000));
                assert_int_equal(buf_add_text(&hook, row), 0);
        }
        look();
        assert_int_equal(record.programs.n_calls, N);
        for (size_t i = 0; i < N; i++)
                assert_true(record.programs.calls[i].is_timeout);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_lookups, begin, end),
                cmocka_unit_test_setup_teardown(test_holds, begin, end),
                cmocka_unit_test_setup_teardown(test_timeouts, begin, end),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
