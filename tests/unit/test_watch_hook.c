/* SPDX-License-Identifier: MIT */
/*
 * What hooks tell, and which of it is what on the wire
 */
#include "log_maker.h"
#include "unit.h"

#include <stdio.h>
#include <watch/hook_log.h>
#include <watch/match.h>

static struct record record;
static struct log_maker wire;

static int begin(void **state)
{
        (void)state;
        maker_begin(&wire, 7, 1);
        return 0;
}

static int end(void **state)
{
        (void)state;
        record_deinit(&record);
        maker_deinit(&wire);
        return 0;
}

static void look(const char *hook)
{
        record_deinit(&record);
        maker_end(&wire, 900);
        maker_read(&record, &wire, NULL, hook);
}

static uint64_t ms_of(uint64_t moment_ns)
{
        return (moment_ns + 10 * NS_PER_US) / NS_PER_MS;
}

#define HEAD   "muster-hook\t1\tpython\t3.11.2\t7\n"
#define AT(ms) "1000" ms "000000"

/* A pool of one connection: the second waits until the first is over. */
static void test_queue(void **state)
{
        (void)state;
        maker_connect(&wire, 3, 10, 8080);
        maker_exchange(&wire, 3, 11, 31, "/a");
        maker_exchange(&wire, 3, 33, 53, "/b");
        look(HEAD
                "library\taiohttp\t3.9.1\nlibrary\thttp.client\t\nlibrary\tuvloop\t0.19\nloop\tuvloop\n"
                "site\t1\t/x/my%09script.py\t12\tmain\nsite\t2\t/x/my.py\t20\tone\n"
                "client\t" AT(
                        "005") "\t9\taiohttp\t1\t1\t0\t0\n"
                               "request\t" AT("009") "\t" AT(
                                       "032") "\t0\t1000000\t200\t0\t9\t2\t7\tGET\thttp://example.test:8080/a\t\t1\n"
                                              "request\t" AT("009") "\t" AT(
                                                      "054") "\t23000000\t0\t200\t1\t9\t2\t7\tGET\thttp://example.test:8080/b\t\n"
                                                             "client-end\t" AT(
                                                                     "060") "\t9\n"
                                                                            "unheard-of\t1\t2\nrequest\ttorn\n"
                                                                            "request\t" AT("070") "\t" AT(
                                                                                    "080") "\t0\t0\t200\t0\t9\t2\t7\tGET\thttp://torn");
        assert_int_equal(record.n_attempts, 2);
        assert_int_equal(ms_of(record.attempts[0].stamps.start_ns), 9);
        assert_int_equal(ms_of(record.attempts[0].taken_ns), 32);
        assert_int_equal(ms_of(record.attempts[1].stamps.start_ns), 9);
        assert_int_equal(ms_of(record.attempts[1].stamps.slot_ns), 32);
        assert_int_equal(record.attempts[1].wait, TRACE_WAIT_SLOT);
        assert_int_equal(record.attempts[1].slot_from, 1);
        assert_int_equal(record.attempts[1].in_flight, 1);
        assert_int_equal(record.programs.n_sites, 2);
        assert_true(str_is(record.programs.sites[0].file, "/x/my?script.py"));
        assert_int_equal(record.programs.n_clients, 1);
        assert_int_equal(record.programs.clients[0].limit, 1);
        assert_int_equal(record.programs.clients[0].n_requests, 2);
        assert_int_equal(ms_of(record.programs.clients[0].closed_ns), 60);
        assert_int_equal(record.programs.n_calls, 2);
        assert_int_equal(record.programs.calls[1].attempt, 2);
        assert_int_equal(record.programs.calls[1].site, 2);
        assert_int_equal(record.programs.calls[0].caller, 1);
        assert_int_equal(record.programs.calls[1].caller, 0);
        assert_int_equal(record.programs.calls[1].queued_ns, 23 * NS_PER_MS);
        assert_true(str_is(record.programs.processes[0].language, "Python 3.11.2"));
        assert_true(str_is(record.programs.processes[0].libraries,
                "aiohttp 3.9.1, http.client, uvloop 0.19"));
        assert_true(str_is(record.programs.processes[0].loop, "uvloop"));
        assert_int_equal(record.programs.processes[0].unseen, 0);
}

/* Requests that are alike are told apart by their times, and threads by their numbers. */
static void test_alike(void **state)
{
        (void)state;
        maker_connect(&wire, 3, 10, 8080);
        maker_connect(&wire, 4, 10, 8080);
        wire.next.tid = 8;
        maker_exchange(&wire, 4, 11, 41, "/a");
        maker_exchange(&wire, 3, 12, 31, "/a");
        maker_exchange(&wire, 3, 50, 60, "/a");
        look(HEAD "request\t" AT("049") "\t" AT(
                "061") "\t0\t0\t200\t0\t0\t0\t7\tGET\thttp://example.test:8080/a\t\n"
                       "request\t" AT("009") "\t" AT(
                               "032") "\t0\t1000000\t200\t0\t0\t0\t7\tGET\thttp://example.test:8080/a\t\n"
                                      "request\t" AT("008") "\t" AT(
                                              "042") "\t0\t1000000\t200\t2\t0\t0\t8\tGET\thttp://example.test:8080/a\t\n");
        assert_int_equal(record.n_attempts, 3);
        assert_int_equal(ms_of(record.attempts[0].stamps.start_ns), 8);
        assert_int_equal(ms_of(record.attempts[0].stamps.end_ns), 41);
        assert_true(record.programs.calls[0].is_unread);
        assert_int_equal(ms_of(record.attempts[1].stamps.start_ns), 9);
        assert_int_equal(ms_of(record.attempts[1].stamps.end_ns), 31);
        assert_int_equal(ms_of(record.attempts[2].stamps.start_ns), 49);
        assert_int_not_equal(record.attempts[0].engine, record.attempts[1].engine);
}

/*
 * A response that the program gave up was over when it did so, and not when its connection was closed,
 * which takes a round trip where that says goodbye.
 */
static void test_over_when_given_up(void **state)
{
        (void)state;
        maker_connect(&wire, 3, 10, 8080);
        maker_send(&wire, 3, 11, "GET /a HTTP/1.1\r\nHost: example.test:8080\r\n\r\n");
        maker_receive(&wire, 3, 31, "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\nbody");
        maker_close(&wire, 3, 80);
        look(HEAD "request\t" AT("009") "\t" AT(
                "032") "\t0\t1000000\t200\t2\t0\t0\t7\tGET\thttp://example.test:8080/a\t\n");
        assert_int_equal(record.n_attempts, 1);
        assert_true(record.programs.calls[0].is_unread);
        assert_int_equal(record.programs.calls[0].left_bytes, 496);
        assert_int_equal(ms_of(record.attempts[0].stamps.end_ns), 32);
        assert_int_equal(ms_of(record.attempts[0].taken_ns), 32);
}

/* Its library noted no wait, and yet another request was on the only connection. */
static void test_turns(void **state)
{
        (void)state;
        maker_connect(&wire, 3, 10, 8080);
        maker_exchange(&wire, 3, 11, 31, "/a");
        maker_exchange(&wire, 3, 33, 52, "/b");
        look(HEAD "request\t" AT("009") "\t" AT(
                "032") "\t0\t1000000\t200\t0\t0\t0\t7\tGET\thttp://example.test:8080/a\t\n"
                       "request\t" AT("010") "\t" AT(
                               "053") "\t0\t0\t200\t1\t0\t0\t7\tGET\thttp://example.test:8080/b\t\n");
        assert_int_equal(record.n_attempts, 2);
        assert_int_equal(ms_of(record.attempts[1].stamps.start_ns), 10);
        assert_int_equal(ms_of(record.attempts[1].stamps.slot_ns), 31);
        assert_int_equal(record.attempts[1].wait, TRACE_WAIT_SLOT);
        assert_int_equal(record.attempts[1].in_flight, 1);
}

/* A response that the program gave up is unread, and did not fail; one that broke off did. */
static void test_given_up(void **state)
{
        (void)state;
        look(HEAD "request\t" AT("010") "\t" AT(
                "040") "\t0\t8000000\t200\t2\t0\t0\t7\tGET\thttps://example.test/a\tClientConnectionError\n"
                       "request\t" AT("011") "\t" AT(
                               "040") "\t0\t8000000\t200\t2\t0\t0\t7\tGET\thttps://example.test/b\tAbortError\n"
                                      "request\t" AT("012") "\t" AT(
                                              "040") "\t0\t8000000\t200\t2\t0\t0\t7\tGET\thttps://example.test/c\tClientPayloadError\n");
        assert_int_equal(record.n_attempts, 3);
        for (size_t i = 0; i < 3; i++)
                assert_true(record.programs.calls[i].is_unread);
        assert_int_equal(record.attempts[0].code, 0);
        assert_int_equal(record.attempts[1].code, 0);
        assert_int_equal(record.attempts[2].code, MUSTER_E_CLOSED);
}

/* What nobody saw on the wire is there as the hook has it. */
static void test_unseen(void **state)
{
        (void)state;
        look(HEAD "request\t" AT("010") "\t" AT(
                "040") "\t5000000\t8000000\t200\t0\t0\t0\t7\tGET\thttps://example.test/a\t\n"
                       "request\t" AT("020") "\t" AT(
                               "040") "\t0\t0\t0\t0\t0\t0\t7\tPOST\thttps://example.test/b\tClientConnectorError\n"
                                      "request\t" AT("020") "\t" AT(
                                              "050") "\t30000000\t0\t0\t0\t0\t0\t7\tGET\thttps://example.test/c\tPoolTimeout\n"
                                                     "timeout\t" AT("050") "\t0\t0\t15000000\n");
        assert_int_equal(record.n_attempts, 3);
        assert_int_equal(ms_of(record.attempts[0].stamps.slot_ns), 15);
        assert_int_equal(ms_of(record.attempts[0].stamps.tcp_end_ns), 23);
        assert_int_equal(ms_of(record.attempts[0].stamps.end_ns), 40);
        assert_int_equal(record.attempts[0].status, 200);
        assert_true(record.attempts[0].is_plain);
        assert_int_equal(record.attempts[1].code, MUSTER_E_CONNECT);
        assert_int_equal(record.attempts[1].stage, MUSTER_PHASE_TCP);
        assert_false(record.attempts[1].is_safe);
        assert_int_equal(record.attempts[2].code, MUSTER_E_TIMEOUT);
        assert_int_equal(record.attempts[2].stage, MUSTER_PHASE_QUEUE);
        assert_int_equal(record.attempts[2].stamps.slot_ns, 0);
        assert_true(record.programs.calls[2].is_timeout);
        assert_true(str_is(record.programs.calls[2].error, "PoolTimeout"));
}

#define FAILED(to, client, path)                                                                   \
        "request\t" AT("010") "\t" AT(to) "\t0\t0\t0\t0\t" client "\t0\t7\tGET\thttps://h/" path   \
                                          "\tServerDisconnectedError\n"

/* A time-out is of the request that ended nearest to it, and of no other that has its own. */
static void test_timeouts(void **state)
{
        static const bool is_timeout[] = { false, true, true, true, false };

        (void)state;
        look(HEAD "client\t" AT(
                "005") "\t1\taiohttp\t0\t9\t0\t0\n"
                       "client\t" AT("006") "\t2\taiohttp\t0\t9\t0\t0\n" FAILED("040", "1",
                               "a") FAILED("050", "1", "b") FAILED("060", "1", "c")
                               FAILED("065", "2", "d") FAILED("090", "1", "e") "timeout\t" AT(
                                       "051") "\t1\t0\t0\n"
                                              "timeout\t" AT(
                                                      "051") "\t1\t0\t0\n"
                                                             "timeout\t" AT(
                                                                     "041") "\t2\t0\t0\n"
                                                                            "timeout\t" AT(
                                                                                    "041") "\t2\t0\t0\n");
        assert_int_equal(record.programs.n_calls, 5);
        for (size_t i = 0; i < 5; i++)
                assert_int_equal(record.programs.calls[i].is_timeout, is_timeout[i]);
}

/* Under TLS that is not seen, bytes tell when a request was sent and answered. */
static void test_by_bytes(void **state)
{
        (void)state;
        maker_connect(&wire, 3, 10, 443);
        maker_add(&wire, WATCH_SEND, 3, 11000, 300, NULL, 0);
        maker_receive_more(&wire, 3, 13, 1300);
        maker_add(&wire, WATCH_SEND, 3, 14000, 80, NULL, 0); /* of the handshake */
        maker_add(&wire, WATCH_SEND, 3, 15000, 200, NULL, 0);
        maker_receive_more(&wire, 3, 16, 510); /* tickets */
        maker_receive_more(&wire, 3, 35, 1150);
        maker_add(&wire, WATCH_SEND, 3, 50000, 200, NULL, 0);
        wire.next.extra = LOG_START_NS + 60 * NS_PER_MS;
        maker_receive_more(&wire, 3, 62, 1150);
        maker_connect(&wire, 4, 70, 443); /* fails in its handshake */
        maker_add(&wire, WATCH_SEND, 4, 71000, 300, NULL, 0);
        maker_close(&wire, 4, 80);
        look(HEAD "request\t" AT("009") "\t" AT(
                "040") "\t0\t5500000\t200\t0\t0\t0\t7\tGET\thttps://h/a\t\n"
                       "request\t" AT("049") "\t" AT(
                               "065") "\t0\t0\t200\t1\t0\t0\t7\tGET\thttps://h/b\t\n"
                                      "request\t" AT("069") "\t" AT(
                                              "081") "\t0\t0\t0\t0\t0\t0\t7\tGET\thttps://h/c\tSSLError\n");
        assert_int_equal(record.n_attempts, 3);
        assert_int_equal(record.n_conns, 2);
        assert_int_equal(record.conns[0].n_attempts, 2);
        assert_true(record.conns[0].is_tls);
        assert_int_equal(record.attempts[0].conn, 1);
        assert_int_equal(ms_of(record.attempts[0].stamps.tcp_end_ns), 10);
        assert_int_equal(ms_of(record.attempts[0].stamps.send_end_ns), 15);
        assert_int_equal(ms_of(record.attempts[0].stamps.first_byte_read_ns), 35);
        assert_int_equal(ms_of(record.attempts[0].stamps.end_ns), 35);
        assert_int_equal(ms_of(record.attempts[0].taken_ns), 40);
        assert_int_equal(record.attempts[1].conn, 1);
        assert_true(record.attempts[1].is_reused);
        assert_int_equal(ms_of(record.attempts[1].stamps.send_start_ns), 50);
        assert_int_equal(ms_of(record.attempts[1].stamps.first_byte_kernel_ns), 60);
        assert_int_equal(ms_of(record.attempts[1].stamps.end_ns), 62);
        assert_int_equal(record.attempts[2].conn, 2);
        assert_int_equal(record.attempts[2].code, MUSTER_E_TLS);
        assert_int_equal(record.attempts[2].stage, MUSTER_PHASE_TLS);
}

/* The library has one request, whose status is the last one's; on the wire there are two. */
static void test_redirect(void **state)
{
        (void)state;
        maker_connect(&wire, 3, 10, 8080);
        maker_send(&wire, 3, 20, "GET /a HTTP/1.1\r\nHost: example.test:8080\r\n\r\n");
        maker_receive(&wire, 3, 40,
                "HTTP/1.1 302 Found\r\nLocation: /b?c\r\nContent-Length: 0\r\n\r\n");
        maker_exchange(&wire, 3, 41, 60, "/b?c");
        maker_exchange(&wire, 3, 70, 90, "/b?c");
        look(HEAD "site\t1\t/x/my.py\t12\tmain\n"
                  "request\t" AT("019") "\t" AT(
                          "062") "\t0\t0\t200\t1\t0\t1\t7\tGET\thttp://example.test:8080/a\t\n");
        assert_int_equal(record.n_attempts, 3);
        assert_int_equal(record.attempts[0].outcome, TRACE_REDIRECTED);
        assert_false(record.attempts[0].is_last);
        assert_int_equal(record.attempts[1].request, record.attempts[0].request);
        assert_int_equal(record.attempts[1].n, 2);
        assert_true(record.attempts[1].is_last);
        assert_int_equal(record.programs.calls[1].site, 1);
        assert_int_equal(ms_of(record.attempts[1].submitted_ns), 19);
        assert_int_equal(ms_of(record.attempts[1].taken_ns), 62);
        assert_int_not_equal(record.attempts[2].request, record.attempts[0].request);
        assert_int_equal(record.attempts[2].n, 1);
}

/* A library tries again by itself, and says so; another time it was asked for the same. */
static void test_tries(void **state)
{
        (void)state;
        maker_connect(&wire, 3, 10, 8080);
        maker_send(&wire, 3, 20, "GET /a HTTP/1.1\r\nHost: example.test:8080\r\n\r\n");
        maker_receive(&wire, 3, 40, "HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n");
        maker_exchange(&wire, 3, 81, 100, "/a");
        maker_exchange(&wire, 3, 110, 120, "/a");
        look(HEAD "request\t" AT("019") "\t" AT(
                "041") "\t0\t0\t503\t1\t0\t0\t7\tGET\thttp://example.test:8080/a\t\n"
                       "request\t" AT("080") "\t" AT(
                               "101") "\t0\t0\t200\t9\t0\t0\t7\tGET\thttp://example.test:8080/a\t\n"
                                      "request\t" AT("109") "\t" AT(
                                              "121") "\t0\t0\t200\t1\t0\t0\t7\tGET\thttp://example.test:8080/a\t\n");
        assert_int_equal(record.n_attempts, 3);
        assert_int_equal(record.attempts[0].outcome, TRACE_RETRIED);
        assert_false(record.attempts[0].is_last);
        assert_int_equal(record.attempts[1].request, record.attempts[0].request);
        assert_int_equal(record.attempts[1].n, 2);
        assert_int_equal(ms_of(record.attempts[1].submitted_ns), 19);
        assert_int_equal(ms_of(record.attempts[1].stamps.start_ns), 80);
        assert_int_equal(record.attempts[1].outcome, TRACE_RESULT);
        assert_int_not_equal(record.attempts[2].request, record.attempts[0].request);
        assert_int_equal(record.attempts[2].n, 1);
}

/* The server closed a connection that was used before; the library asked again, and knows of one. */
static void test_asked_again_on_another_connection(void **state)
{
        (void)state;
        maker_connect(&wire, 3, 10, 8080);
        maker_exchange(&wire, 3, 11, 20, "/z");
        maker_send(&wire, 3, 31, "GET /a HTTP/1.1\r\nHost: example.test:8080\r\n\r\n");
        maker_receive_more(&wire, 3, 32, 0);
        maker_close(&wire, 3, 33);
        maker_connect(&wire, 4, 34, 8080);
        maker_exchange(&wire, 4, 35, 60, "/a");
        look(HEAD "request\t" AT("010") "\t" AT(
                "021") "\t0\t0\t200\t0\t0\t0\t7\tGET\thttp://example.test:8080/z\t\n"
                       "request\t" AT("030") "\t" AT(
                               "061") "\t0\t0\t200\t0\t0\t0\t7\tGET\thttp://example.test:8080/a\t\n");
        assert_int_equal(record.n_attempts, 3);
        assert_int_equal(record.attempts[1].outcome, TRACE_REPEATED);
        assert_false(record.attempts[1].is_last);
        assert_int_equal(record.attempts[2].request, record.attempts[1].request);
        assert_int_equal(record.attempts[2].n, 2);
        assert_int_equal(record.attempts[2].status, 200);
}

/* A loop that was held for 98 ms, of which its thread had no processor for 80 and computed for 15. */
static void test_hold_without_a_processor(void **state)
{
        const struct program_hold *hold;

        (void)state;
        wire.next.took_ns = 100 * NS_PER_MS;
        wire.next.extra = 80 * NS_PER_MS;
        maker_add(&wire, WATCH_AWAY, -1, 100000, 15 * (int64_t)NS_PER_MS, NULL, 0);
        maker_add(&wire, WATCH_WAIT, -1, 200000, 1, NULL, 0);
        maker_connect(&wire, 3, 90, 8080);
        maker_exchange(&wire, 3, 91, 201, "/a");
        look(HEAD "held\t" AT("101") "\t" AT("199") "\t15000000\t0\t0\tmain\n");
        assert_int_equal(record.programs.n_holds, 1);
        hold = &record.programs.holds[0];
        assert_in_range((hold->end_ns - hold->start_ns) / NS_PER_MS, 15, 20);
        assert_int_equal(hold->kind, PROGRAM_HOLD_COMPUTES);
}

/* The place of a hold may be told later, and only of one that is there. */
static void test_hold_placed_later(void **state)
{
        (void)state;
        maker_connect(&wire, 3, 90, 8080);
        maker_exchange(&wire, 3, 91, 201, "/a");
        look(HEAD "held\t" AT("101") "\t" AT(
                "110") "\t-1\t0\t0\t\n"
                       "held\t" AT("120") "\t" AT(
                               "199") "\t-1\t0\t0\t\n"
                                      "site\t4\t/x/my.mjs\t12\tkeyOf\n"
                                      "held-at\t" AT(
                                              "120") "\t4\t88\tcrypto.pbkdf2Sync\n"
                                                     "held-at\t" AT(
                                                             "121") "\t4\t88\tnothing\nheld-at\tx\t4\t88\tnothing\n");
        assert_int_equal(record.programs.n_holds, 2);
        assert_int_equal(record.programs.holds[0].site, 0);
        assert_int_equal(record.programs.holds[0].name.len, 0);
        assert_int_equal(record.programs.sites[record.programs.holds[1].site - 1].line, 12);
        assert_true(str_is(record.programs.holds[1].name, "crypto.pbkdf2Sync"));
}

static void test_the_rest(void **state)
{
        (void)state;
        wire.next.took_ns = 100 * NS_PER_MS;
        wire.next.extra = 2 * NS_PER_MS;
        maker_add(&wire, WATCH_AWAY, -1, 100000, 90 * (int64_t)NS_PER_MS, NULL, 0);
        maker_add(&wire, WATCH_WAIT, -1, 200000, 1, NULL, 0);
        maker_connect(&wire, 3, 90, 8080);
        maker_exchange(&wire, 3, 91, 201, "/a");
        look(HEAD
                "site\t1\t/x/my.py\t12\tmain\n"
                "held\t" AT("101") "\t" AT(
                        "199") "\t-1\t1\t90\tjson.loads\n"
                               "held\t" AT("300") "\t" AT(
                                       "400") "\t1000000\t1\t90\ttime.sleep\n"
                                              "semaphore\t" AT("020") "\t" AT(
                                                      "400") "\t5\t100\t95\t900000000\t90\t1\n"
                                                             "gather\t" AT("020") "\t" AT(
                                                                     "400") "\t20\t1\n"
                                                                            "executor\t" AT("020") "\t" AT("400") "\t4\t100\t500000000\t96\tgetaddrinfo\t1\npause\t" AT("025") "\t" AT(
                                                                                    "400") "\t7\t300000000\t1\n"
                                                                                           "context\t" AT(
                                                                                                   "030") "\t20000000\t1\n"
                                                                                                          "interpreter\t" AT("020") "\t" AT(
                                                                                                                  "400") "\t7000000\nlost\t3\n"
                                                                                                                         "runtime\tcpython\t1\t5000000\n"
                                                                                                                         "interpreter\t" AT("020") "\t" AT(
                                                                                                                                 "210") "\t2000000\t10\t3\t0\t0\t\n"
                                                                                                                                        "interpreter\t" AT("210") "\t" AT(
                                                                                                                                                "400") "\t3000000\t11\t4\t1\t90\tre.split\n");
        assert_int_equal(record.programs.n_holds, 2);
        assert_int_equal(record.programs.holds[0].kind, PROGRAM_HOLD_COMPUTES); /* says the turn */
        assert_int_equal(record.programs.holds[0].engine, record.turns[0].engine);
        assert_int_equal(record.programs.holds[1].kind, PROGRAM_HOLD_BLOCKED);
        assert_true(str_is(record.programs.holds[1].name, "time.sleep"));
        assert_int_equal(record.programs.n_bounds, 4);
        assert_int_equal(record.programs.bounds[0].kind, PROGRAM_SEMAPHORE);
        assert_int_equal(record.programs.bounds[0].n_waited, 95);
        assert_int_equal(record.programs.bounds[1].kind, PROGRAM_GATHER);
        assert_int_equal(record.programs.bounds[1].n, 20);
        assert_int_equal(record.programs.bounds[2].kind, PROGRAM_NAMES);
        assert_int_equal(record.programs.bounds[2].waited_ns, 500 * NS_PER_MS);
        assert_int_equal(record.programs.bounds[2].site, 1);
        assert_int_equal(record.programs.bounds[3].kind, PROGRAM_PAUSE);
        assert_int_equal(record.programs.bounds[3].n, 7);
        assert_int_equal(record.programs.bounds[3].waited_ns, 300 * NS_PER_MS);
        assert_int_equal(record.programs.n_contexts, 1);
        assert_int_equal(record.programs.contexts[0].site, 1);
        assert_int_equal(record.programs.lock_waited_ns, 12 * NS_PER_MS);
        assert_int_equal(record.programs.n_interpreters, 1);
        assert_int_equal(record.programs.interpreters[0].n_asked, 21);
        assert_int_equal(record.programs.interpreters[0].n_taken, 7);
        assert_int_equal(record.programs.interpreters[0].waited_ns, 5 * NS_PER_MS);
        assert_int_equal(record.programs.interpreters[0].site, 1);
        assert_int_equal(ms_of(record.programs.interpreters[0].start_ns), 20);
        assert_true(str_is(record.programs.interpreters[0].call_name, "re.split"));
        assert_int_equal(record.programs.n_lost, 3);
        assert_int_equal(ms_of(record.programs.calls[0].held_ns), 96);
}

static void test_codes(void **state)
{
        (void)state;
        assert_int_equal(match_code_of(str_of("asyncio.TimeoutError")), MUSTER_E_TIMEOUT);
        assert_int_equal(match_code_of(str_of("ReadTimeout")), MUSTER_E_TIMEOUT);
        assert_int_equal(match_code_of(str_of("ClientConnectorDNSError")), MUSTER_E_RESOLVE);
        assert_int_equal(match_code_of(str_of("ClientConnectorError")), MUSTER_E_CONNECT);
        assert_int_equal(match_code_of(str_of("ServerDisconnectedError")), MUSTER_E_CLOSED);
        assert_int_equal(match_code_of(str_of("SSLCertVerificationError")), MUSTER_E_TLS_VERIFY);
        assert_int_equal(match_code_of(str_of("SSLError")), MUSTER_E_TLS);
        assert_int_equal(match_code_of(str_of("CancelledError")), MUSTER_E_CANCELLED);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_queue, begin, end),
                cmocka_unit_test_setup_teardown(test_alike, begin, end),
                cmocka_unit_test_setup_teardown(test_over_when_given_up, begin, end),
                cmocka_unit_test_setup_teardown(test_given_up, begin, end),
                cmocka_unit_test_setup_teardown(test_turns, begin, end),
                cmocka_unit_test_setup_teardown(test_unseen, begin, end),
                cmocka_unit_test_setup_teardown(test_timeouts, begin, end),
                cmocka_unit_test_setup_teardown(test_by_bytes, begin, end),
                cmocka_unit_test_setup_teardown(test_hold_without_a_processor, begin, end),
                cmocka_unit_test_setup_teardown(test_redirect, begin, end),
                cmocka_unit_test_setup_teardown(test_tries, begin, end),
                cmocka_unit_test_setup_teardown(test_asked_again_on_another_connection, begin, end),
                cmocka_unit_test_setup_teardown(test_hold_placed_later, begin, end),
                cmocka_unit_test_setup_teardown(test_the_rest, begin, end),
                cmocka_unit_test(test_codes),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
