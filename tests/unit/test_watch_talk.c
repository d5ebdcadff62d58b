/* SPDX-License-Identifier: MIT */
/*
 * What programs say in HTTP/1, from logs of programs that never ran
 */
#include "log_maker.h"
#include "unit.h"

static struct record record;
static struct log_maker record_log;

static int begin(void **state)
{
        (void)state;
        maker_begin(&record_log, 7, 1);
        return 0;
}

static int end(void **state)
{
        (void)state;
        record_deinit(&record);
        maker_deinit(&record_log);
        return 0;
}

static void look(void)
{
        record_deinit(&record);
        maker_end(&record_log, 900);
        maker_read(&record, &record_log, NULL, NULL);
}

/* Moments in a record count from 1 ns before the first process. */
static uint64_t ms_of(uint64_t moment_ns)
{
        return (moment_ns + 10 * NS_PER_US) / NS_PER_MS;
}

static bool url_is(size_t i, const char *url)
{
        return str_is(record.attempts[i].url, url);
}

static void test_one_after_the_other(void **state)
{
        (void)state;
        maker_connect(&record_log, 3, 10, 8080);
        maker_exchange(&record_log, 3, 11, 31, "/a?q=1");
        maker_exchange(&record_log, 3, 40, 60, "/b");
        maker_close(&record_log, 3, 70);
        look();
        assert_int_equal(record.n_attempts, 2);
        assert_int_equal(record.n_conns, 1);
        assert_int_equal(record.n_origins, 1);
        assert_true(str_is(record.origins[0].key, "http://example.test:8080"));
        assert_true(url_is(0, "http://example.test:8080/a?q=1"));
        assert_true(str_is(record.paths[record.attempts[0].path - 1],
                "http://example.test:8080/a"));
        assert_int_equal(ms_of(record.attempts[0].stamps.start_ns), 10);
        assert_int_equal(ms_of(record.attempts[0].stamps.tcp_end_ns), 10);
        assert_int_equal(ms_of(record.attempts[0].stamps.send_start_ns), 11);
        assert_int_equal(ms_of(record.attempts[0].stamps.first_byte_read_ns), 31);
        assert_int_equal(ms_of(record.attempts[0].stamps.end_ns), 31);
        assert_int_equal(record.attempts[0].status, 200);
        assert_int_equal(record.attempts[0].wire_bytes, 5);
        assert_false(record.attempts[0].is_reused);
        assert_true(record.attempts[1].is_reused);
        assert_int_equal(ms_of(record.attempts[1].stamps.start_ns), 40);
        assert_int_equal(record.attempts[1].stamps.tcp_end_ns, 0);
        assert_int_equal(record.attempts[1].slot_from, 1);
        assert_int_equal(ms_of(record.attempts[1].conn_idle_ns), 9);
        assert_int_equal(record.conns[0].n_attempts, 2);
        assert_int_equal(record.conns[0].min_rtt_us, 40);
        assert_true(str_is(record.conns[0].remote, "127.0.0.1:8080"));
        assert_true(record.run.is_complete);
        assert_string_equal(record.run.command, "[\"python3\",\"script.py\"]");
}

static void test_in_pieces(void **state)
{
        (void)state;
        maker_connect(&record_log, 3, 10, 8080);
        maker_send(&record_log, 3, 11,
                "POST /up HTTP/1.1\r\nHost: h\r\nContent-Length: 4000\r\n\r\n");
        maker_add(&record_log, WATCH_SEND, 3, 15000, 4000, NULL, 0);
        record_log.next.extra = LOG_START_NS + 30 * NS_PER_MS;
        maker_receive(&record_log, 3, 31,
                "HTTP/1.1 201 Created\r\nContent-Length: 3000\r\n\r\nxxxxx");
        maker_receive_more(&record_log, 3, 50, 2000);
        maker_receive_more(&record_log, 3, 51, 995);
        look();
        assert_int_equal(record.n_attempts, 1);
        assert_int_equal(record.attempts[0].status, 201);
        assert_int_equal(record.attempts[0].sent_bytes, 52 + 4000);
        assert_int_equal(record.attempts[0].wire_bytes, 3000);
        assert_int_equal(record.attempts[0].n_receives, 3);
        assert_int_equal(ms_of(record.attempts[0].stamps.send_end_ns), 15);
        assert_int_equal(ms_of(record.attempts[0].stamps.first_byte_kernel_ns), 30);
        assert_int_equal(ms_of(record.attempts[0].stamps.end_ns), 51);
        assert_int_equal(ms_of(record.attempts[0].gap_ns), 20);
        assert_int_equal(record.attempts[0].gap_bytes, 5);
        assert_false(record.attempts[0].is_safe);
        assert_true(record.programs.calls[0].is_split == false);
}

static void test_pipelined(void **state)
{
        (void)state;
        maker_connect(&record_log, 3, 10, 80);
        maker_send(&record_log, 3, 11,
                "GET /1 HTTP/1.1\r\nHost: h\r\n\r\nHEAD /2 HTTP/1.1\r\nHost: h\r\n\r\n");
        maker_send(&record_log, 3, 12, "GET /3 HTTP/1.1\r\nHost: h\r\n\r\n");
        maker_receive(&record_log, 3, 31,
                "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 404 Not Found\r\nContent-Length: 99\r\n\r\nHTTP/1.1 304 Not Modified\r\n\r\n");
        look();
        assert_int_equal(record.n_attempts, 3);
        assert_int_equal(record.attempts[0].status, 200);
        assert_int_equal(record.attempts[1].status, 404);
        assert_int_equal(record.attempts[1].method, TRACE_METHOD_HEAD);
        assert_int_equal(record.attempts[1].wire_bytes, 0);
        assert_int_equal(record.attempts[2].status, 304);
        assert_true(url_is(2, "http://h/3"));
}

/* Of a chunked response the end is not known until something else follows. */
static void test_chunks(void **state)
{
        (void)state;
        maker_connect(&record_log, 3, 10, 80);
        maker_send(&record_log, 3, 11, "GET /1 HTTP/1.1\r\nHost: h\r\n\r\n");
        maker_receive(&record_log, 3, 31, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
        maker_receive_more(&record_log, 3, 40, 5000);
        maker_receive_more(&record_log, 3, 45, 5000);
        maker_send(&record_log, 3, 60, "GET /2 HTTP/1.1\r\nHost: h\r\n\r\n");
        maker_receive(&record_log, 3, 70,
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n");
        maker_close(&record_log, 3, 100);
        look();
        assert_int_equal(record.n_attempts, 2);
        assert_int_equal(ms_of(record.attempts[0].stamps.end_ns), 45);
        assert_int_equal(record.attempts[0].wire_bytes, 10000);
        assert_int_equal(ms_of(record.attempts[1].stamps.end_ns), 70);
        assert_int_equal(record.attempts[1].code, 0);
}

static void test_interim(void **state)
{
        (void)state;
        maker_connect(&record_log, 3, 10, 80);
        maker_send(&record_log, 3, 11,
                "POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n");
        maker_receive(&record_log, 3, 20, "HTTP/1.1 100 Continue\r\n\r\n");
        maker_add(&record_log, WATCH_SEND, 3, 21000, 3, NULL, 0);
        maker_receive(&record_log, 3, 31, "HTTP/1.1 204 No Content\r\n\r\n");
        look();
        assert_int_equal(record.n_attempts, 1);
        assert_int_equal(record.attempts[0].status, 204);
        assert_int_equal(ms_of(record.attempts[0].stamps.first_byte_read_ns), 31);
}

/* A head that is longer than what is kept has a status, but its end is not known. */
static void test_cut_head(void **state)
{
        char text[WATCH_TEXT_MAX + 500];

        (void)state;
        memset(text, 'x', sizeof(text) - 1);
        text[sizeof(text) - 1] = '\0';
        memcpy(text, "HTTP/1.1 200 OK\r\nX: ", 20);
        maker_connect(&record_log, 3, 10, 80);
        maker_send(&record_log, 3, 11, "GET /1 HTTP/1.1\r\nHost: h\r\n\r\n");
        maker_receive(&record_log, 3, 31, text);
        maker_receive_more(&record_log, 3, 33, 100);
        memcpy(text, "GET /long HTTP/1.1\r\nX: ", 23);
        maker_send(&record_log, 3, 50, text);
        maker_receive(&record_log, 3, 60, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        look();
        assert_int_equal(record.n_attempts, 2);
        assert_int_equal(record.attempts[0].status, 200);
        assert_int_equal(ms_of(record.attempts[0].stamps.end_ns), 33);
        assert_true(record.attempts[1].has_fields); /* nobody knows */
        assert_true(url_is(1, "http://127.0.0.1/long"));
}

static void test_ends(void **state)
{
        struct watch_tcp tcp = { .state = 8 }; /* TCP_CLOSE_WAIT */

        (void)state;
        maker_connect(&record_log, 3, 10, 80); /* the server closes without an answer */
        maker_send(&record_log, 3, 11, "GET /1 HTTP/1.1\r\nHost: h\r\n\r\n");
        maker_add(&record_log, WATCH_RECEIVE, 3, 20000, 0, NULL, 0);
        maker_close(&record_log, 3, 21);
        maker_connect(&record_log, 3, 30, 80); /* its length is the connection's */
        maker_send(&record_log, 3, 31, "GET /2 HTTP/1.0\r\nHost: h\r\n\r\n");
        maker_receive(&record_log, 3, 40, "HTTP/1.0 200 OK\r\n\r\nbody");
        maker_add(&record_log, WATCH_RECEIVE, 3, 50000, 0, NULL, 0);
        maker_add(&record_log, WATCH_CLOSE, 3, 51000, 0, &tcp, sizeof(tcp));
        maker_connect(&record_log, 3, 60, 80); /* not read to its end */
        maker_send(&record_log, 3, 61, "GET /3 HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
        maker_receive(&record_log, 3, 70, "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\nbody");
        maker_close(&record_log, 3, 80);
        maker_connect(&record_log, 3, 90, 80); /* given up */
        maker_send(&record_log, 3, 91, "GET /4 HTTP/1.1\r\nHost: h\r\n\r\n");
        maker_close(&record_log, 3, 100);
        maker_connect(&record_log, 3, 110, 80); /* reset */
        maker_send(&record_log, 3, 111, "GET /5 HTTP/1.1\r\nHost: h\r\n\r\n");
        maker_add(&record_log, WATCH_RECEIVE, 3, 120000, -104, NULL, 0);
        look();
        assert_int_equal(record.n_attempts, 5);
        assert_int_equal(record.attempts[0].code, MUSTER_E_CLOSED);
        assert_int_equal(record.attempts[0].outcome, TRACE_FAILED);
        assert_int_equal(record.conns[0].closer, TRACE_CLOSED_BY_SERVER);
        assert_int_equal(record.attempts[1].code, 0);
        assert_int_equal(ms_of(record.attempts[1].stamps.end_ns), 50);
        assert_true(record.programs.calls[1].asks_close);
        assert_int_equal(record.conns[1].closer, TRACE_CLOSED_BY_SERVER);
        assert_int_equal(record.attempts[2].code, 0);
        assert_true(record.programs.calls[2].is_unread);
        assert_int_equal(record.programs.calls[2].left_bytes, 496);
        assert_true(record.programs.calls[2].asks_close);
        assert_int_equal(record.conns[2].closer, TRACE_CLOSED_BY_CLIENT);
        assert_int_equal(record.attempts[3].code, MUSTER_E_CANCELLED);
        assert_int_equal(record.attempts[4].code, MUSTER_E_CLOSED);
        assert_int_equal(record.attempts[4].sys, 104);
}

/* Other protocols are none of our business, and neither are servers. */
static void test_others(void **state)
{
        (void)state;
        maker_connect(&record_log, 3, 10, 6379);
        maker_add(&record_log, WATCH_SEND, 3, 11000, 20, NULL, 0);
        maker_receive_more(&record_log, 3, 12, 100);
        maker_add(&record_log, WATCH_ACCEPT, 4, 20000, 0, NULL, 0);
        record_log.next.flags = WATCH_FLAG_TEXT;
        maker_receive(&record_log, 4, 21, "GET / HTTP/1.1\r\n\r\n");
        maker_send(&record_log, 4, 22, "HTTP/1.1 200 OK\r\n\r\n");
        look();
        assert_int_equal(record.n_attempts, 0);
        assert_int_equal(record.n_conns, 0);
        assert_int_equal(record.programs.n_processes, 1);
}

/* A server is asked, and asks others; a program asks a server of its own. */
static void test_served(void **state)
{
        (void)state;
        maker_connect(&record_log, 3, 10, 8080);
        maker_add(&record_log, WATCH_ACCEPT, 4, 20000, 0, NULL, 0);
        for (uint64_t at = 30; at <= 90; at += 30) {
                maker_receive_more(&record_log, 4, at, 100);
                maker_receive_more(&record_log, 4, at + 1, 100); /* its body */
                maker_exchange(&record_log, 3, at + 2, at + 12, "/a");
                maker_send(&record_log, 4, at + 14, "HTTP/1.1 200 OK\r\n\r\n");
        }
        maker_send(&record_log, 3, 120, "GET /own HTTP/1.1\r\nHost: h\r\n\r\n");
        maker_receive_more(&record_log, 4, 121, 100);
        maker_send(&record_log, 4, 122, "HTTP/1.1 200 OK\r\n\r\n");
        maker_receive(&record_log, 3, 123, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        look();
        assert_int_equal(record.n_attempts, 4);
        assert_int_equal(record.programs.processes[0].n_served, 3);
}

static void test_proxies(void **state)
{
        (void)state;
        maker_connect(&record_log, 3, 10, 3128);
        maker_send(&record_log, 3, 11,
                "GET http://example.test/a HTTP/1.1\r\nHost: example.test\r\n\r\n");
        maker_receive(&record_log, 3, 31, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        look();
        assert_int_equal(record.n_attempts, 1);
        assert_true(url_is(0, "http://example.test/a"));
        assert_int_equal(record.conns[0].origin, record.attempts[0].origin);
        assert_true(record.conns[0].proxy > 0);
        assert_true(str_is(record.origins[record.conns[0].proxy - 1].key, "http://127.0.0.1:3128"));
}

static void test_small_writes(void **state)
{
        (void)state;
        maker_connect(&record_log, 3, 10, 80);
        maker_send(&record_log, 3, 11, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\n");
        maker_add(&record_log, WATCH_SEND, 3, 12000, 3, NULL, 0);
        maker_receive(&record_log, 3, 52, "HTTP/1.1 204 No Content\r\n\r\n");
        maker_add(&record_log, WATCH_NODELAY, 3, 53000, 1, NULL, 0);
        look();
        assert_false(record.programs.calls[0].is_split); /* it was set at last */
        maker_deinit(&record_log);
        maker_begin(&record_log, 7, 1);
        maker_connect(&record_log, 3, 10, 80);
        maker_send(&record_log, 3, 11, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\n");
        maker_add(&record_log, WATCH_SEND, 3, 12000, 3, NULL, 0);
        maker_receive(&record_log, 3, 52, "HTTP/1.1 204 No Content\r\n\r\n");
        look();
        assert_true(record.programs.calls[0].is_split);
}

static void test_names(void **state)
{
        (void)state;
        record_log.next.took_ns = 4 * NS_PER_MS;
        maker_add(&record_log, WATCH_LOOKUP, -1, 5000, 0, "example.test", 12);
        maker_add(&record_log, WATCH_LOOKUP, -1, 9500, 0, "127.0.0.1", 9);
        maker_connect(&record_log, 3, 10, 8080);
        maker_exchange(&record_log, 3, 11, 31, "/a");
        look();
        assert_int_equal(record.n_lookups, 1);
        assert_true(str_is(record.lookups[0].name, "example.test"));
        assert_int_equal(ms_of(record.attempts[0].stamps.start_ns), 5);
        assert_int_equal(ms_of(record.attempts[0].stamps.dns_end_ns), 9);
        assert_int_equal(ms_of(record.conns[0].opened_ns), 5);
}

/* Each of several connections has a look-up of its own, whichever ended last. */
static void test_names_together(void **state)
{
        (void)state;
        record_log.next.took_ns = 4 * NS_PER_MS;
        maker_add(&record_log, WATCH_LOOKUP, -1, 4000, 0, "example.test", 12);
        maker_add(&record_log, WATCH_LOOKUP, -1, 5000, 0, "example.test", 12);
        maker_connect(&record_log, 3, 10, 8080);
        maker_connect(&record_log, 4, 10, 8080);
        maker_exchange(&record_log, 3, 11, 31, "/a");
        maker_exchange(&record_log, 4, 11, 31, "/b");
        look();
        assert_int_equal(record.n_lookups, 2);
        for (size_t i = 0; i < 2; i++)
                assert_true(record.conns[i].dns_end_ns > 0);
}

static void test_descriptors_used_again(void **state)
{
        (void)state;
        maker_connect(&record_log, 3, 10, 8080);
        maker_exchange(&record_log, 3, 11, 20, "/a");
        maker_add(&record_log, WATCH_DUP, 3, 21000, 5, NULL, 0);
        maker_close(&record_log, 3, 22);
        maker_exchange(&record_log, 5, 23, 30, "/b"); /* the same connection */
        maker_connect(&record_log, 3, 31, 8080);
        maker_exchange(&record_log, 3, 32, 40, "/c"); /* another one */
        look();
        assert_int_equal(record.n_attempts, 3);
        assert_int_equal(record.n_conns, 2);
        assert_true(record.attempts[1].is_reused);
        assert_int_equal(record.attempts[1].conn, record.attempts[0].conn);
        assert_false(record.attempts[2].is_reused);
        assert_int_equal(record.conns[0].closer, TRACE_CLOSED_BY_END);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_one_after_the_other, begin, end),
                cmocka_unit_test_setup_teardown(test_in_pieces, begin, end),
                cmocka_unit_test_setup_teardown(test_pipelined, begin, end),
                cmocka_unit_test_setup_teardown(test_chunks, begin, end),
                cmocka_unit_test_setup_teardown(test_interim, begin, end),
                cmocka_unit_test_setup_teardown(test_cut_head, begin, end),
                cmocka_unit_test_setup_teardown(test_ends, begin, end),
                cmocka_unit_test_setup_teardown(test_others, begin, end),
                cmocka_unit_test_setup_teardown(test_served, begin, end),
                cmocka_unit_test_setup_teardown(test_proxies, begin, end),
                cmocka_unit_test_setup_teardown(test_small_writes, begin, end),
                cmocka_unit_test_setup_teardown(test_names, begin, end),
                cmocka_unit_test_setup_teardown(test_names_together, begin, end),
                cmocka_unit_test_setup_teardown(test_descriptors_used_again, begin, end),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
