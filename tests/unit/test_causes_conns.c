/* SPDX-License-Identifier: MIT */
/*
 * Findings about connections that are not kept: each against a run that has it, and those that look
 * like it
 */
#include "causes.h"
#include "connecting.h"

#include <explain/measure/conns.h>

#define MS NS_PER_MS

/* --- origins --------------------------------------------------------------------------------- */

static void test_origins(void **state)
{
        static const struct {
                const char *key, *host, *authority;
        } cases[] = {
                { "http://a.test:80", "a.test", "a.test:80" },
                { "https://[::1]:443", "[::1]", "[::1]:443" },
                { "192.0.2.1:80", "192.0.2.1", "192.0.2.1:80" },
                { "[2001:db8::1]", "[2001:db8::1]", "[2001:db8::1]" },
                { "", "", "" },
        };

        (void)state;
        for (size_t i = 0; i < LENGTH(cases); i++) {
                assert_true(str_is(origin_host(str_of(cases[i].key)), cases[i].host));
                assert_true(str_is(origin_authority(str_of(cases[i].key)), cases[i].authority));
        }
}

/* --- not kept -------------------------------------------------------------------------------- */

static void test_server_closes(void **state)
{
        struct record_maker kept = closing, slow = closing;
        struct finding finding;

        (void)state;
        assert_true(cause_is_made(&closing, causes_conns, "server-closes", &finding));
        assert_predicted(&finding, 240 * MS);
        assert_string_equal(finding.title, "The server closed the connection after each response");
        assert_null(finding.shown.option);
        kept.no_reuse = false;
        assert_false(cause_is_made(&kept, causes_conns, "server-closes", &finding));
        /* Connecting is a hundredth of it. */
        slow.each.server_ns = 4000 * MS;
        assert_false(cause_is_made(&slow, causes_conns, "server-closes", &finding));
}

/* The advice depends on why they are closed. */
static void test_why_the_server_closes(void **state)
{
        struct record record;
        struct finding finding;

        (void)state;
        make(&record, &closing);
        assert_true(cause_is_found(&record, causes_conns, "server-closes", &finding));
        assert_non_null(strstr(finding.remedy, "KeepAlive On"));
        for (size_t i = 0; i < record.n_attempts; i++)
                record.attempts[i].http_version = 10;
        assert_true(cause_is_found(&record, causes_conns, "server-closes", &finding));
        assert_non_null(strstr(finding.remedy, "speak HTTP/1.1"));
        record_deinit(&record);
        /* Ten requests each. */
        make(&record, &closing);
        for (size_t i = 0; i < record.n_conns; i++)
                record.conns[i].n_attempts = 10;
        for (size_t i = 0; i < record.n_attempts; i++)
                record.attempts[i].is_reused = i % 3 == 0;
        assert_true(cause_is_found(&record, causes_conns, "server-closes", &finding));
        assert_string_equal(finding.title, "The server closed each connection after 10 responses");
        assert_non_null(strstr(finding.remedy, "keepalive_requests"));
        record_deinit(&record);
}

/*
 * Of 100 us of our work for each, about five sixths were for its connection. At best more was, and
 * a request takes what one on a kept connection was measured to take.
 */
static void test_our_work_at_best(void **state)
{
        struct record_maker maker = {
                .n = 1500,
                .slots = 8,
                .no_reuse = true,
                .loop_ns = 100 * NS_PER_US,
                .each = { .tcp_ns = MS, .network_ns = 20 * NS_PER_US },
        };
        struct finding finding;

        (void)state;
        assert_true(cause_is_made(&maker, causes_conns, "server-closes", &finding));
        assert_predicted(&finding, 1500 * 100 / 6 * NS_PER_US);
        assert_in_range(finding.shown.wall_low_ns, 1500 * 11 * NS_PER_US, 1500 * 14 * NS_PER_US);
}

static void test_no_keep_alive(void **state)
{
        struct record record;
        struct finding finding;

        (void)state;
        make(&record, &closing);
        assert_false(is_found(&record, causes_conns, "no-keep-alive"));
        record.run.options.http_1_0 = true;
        assert_true(cause_is_found(&record, causes_conns, "no-keep-alive", &finding));
        assert_string_equal(finding.option, "without --http1.0");
        assert_predicted(&finding, 240 * MS);
        assert_false(is_found(&record, causes_conns, "server-closes"));
        record.run.options.http_1_0 = false;
        record.run.options.no_reuse = true;
        assert_true(cause_is_found(&record, causes_conns, "no-keep-alive", &finding));
        assert_null(finding.shown.option);
        record_deinit(&record);
}

/* Of the first ones each waits for those before it, to compute for 10 ms. */
static void shake_hands(struct record_maker_request *request, size_t i,
        const struct record_maker *maker)
{
        request->submit_after_ns = i;
        request->tls_ns = i < maker->slots ? (i + 1) * 10 * MS : 5 * MS;
}

/* Without HTTP/1.0 one handshake is waited for, and the others resume its session. */
static void test_one_handshake_comes_first(void **state)
{
        struct record_maker maker = { .n = 256,
                .slots = 8,
                .no_reuse = true,
                .vary = shake_hands,
                .each = { .tcp_ns = NS_PER_US, .server_ns = MS } };
        struct finding finding;
        struct record record;

        (void)state;
        make(&record, &maker);
        record.run.options.http_1_0 = true;
        assert_true(cause_is_found(&record, causes_conns, "no-keep-alive", &finding));
        assert_true(finding.shown.wall_ns >= 80 * MS); /* nothing is known of sessions */
        for (size_t i = maker.slots; i < record.n_conns; i++)
                record.conns[i].is_resumed = true;
        assert_true(cause_is_found(&record, causes_conns, "no-keep-alive", &finding));
        assert_predicted(&finding, (10 + 5 + 256 / 8) * MS);
        assert_true(finding.shown.wall_high_ns >= 80 * MS);
        record_deinit(&record);
}

/* All of the first ones are through together, after what computing them takes. */
static void shake_hands_together(struct record_maker_request *request, size_t i,
        const struct record_maker *maker)
{
        request->submit_after_ns = i;
        request->tls_ns = i < maker->slots ? 80 * MS + i : 5 * MS;
}

/* Alone the first one takes as much less as there were more than processors. */
static void test_the_first_handshake_is_alone(void **state)
{
        struct record_maker maker = { .n = 256,
                .slots = 8,
                .no_reuse = true,
                .vary = shake_hands_together,
                .each = { .tcp_ns = NS_PER_US, .server_ns = MS } };
        struct finding finding;
        struct record record;

        (void)state;
        make(&record, &maker);
        record.run.options.http_1_0 = true;
        for (size_t i = maker.slots; i < record.n_conns; i++)
                record.conns[i].is_resumed = true;
        assert_true(cause_is_found(&record, causes_conns, "no-keep-alive", &finding));
        assert_predicted(&finding, (80 * 2 / 8 + 5 + 256 / 8) * MS);
        record_deinit(&record);
}

static void each_after_a_pause(struct record_maker_request *request, size_t i,
        const struct record_maker *maker)
{
        (void)maker;
        request->submit_after_ns = i * 130 * MS;
}

/* One request each 130 ms, and connections that end 100 ms after their answer. */
static void make_ending_later(struct record *record, enum trace_closer closer)
{
        make(record, &(struct record_maker){ .n = 15,
                             .no_reuse = true,
                             .vary = each_after_a_pause,
                             .each = { .tcp_ns = 15 * MS, .network_ns = 15 * MS } });
        for (size_t i = 0; i < record->n_conns; i++) {
                record->conns[i].closer = (uint8_t)closer;
                record->conns[i].closed_ns += 90 * MS;
        }
}

static void test_stale_connections(void **state)
{
        struct record record;
        struct finding finding;

        (void)state;
        make_ending_later(&record, TRACE_CLOSED_BY_SERVER);
        assert_true(cause_is_found(&record, causes_conns, "stale-connections", &finding));
        assert_true(finding.shown.has_prediction);
        assert_non_null(strstr(finding.title, "90 ms"));
        assert_false(is_found(&record, causes_conns, "server-closes"));
        assert_false(is_found(&record, causes_conns, "idle-expired"));
        record_deinit(&record);
}

/*
 * A request that finds its connection gone is no use of that connection, which ended because nobody
 * had used it.
 */
static void test_stale_when_sent(void **state)
{
        struct record record;

        (void)state;
        make_ending_later(&record, TRACE_CLOSED_BY_SERVER);
        for (size_t i = 1; i < record.n_attempts; i += 2) {
                struct trace_attempt *attempt = &record.attempts[i];

                attempt->outcome = TRACE_REPEATED;
                attempt->is_last = false;
                attempt->is_reused = true;
                attempt->conn = record.attempts[i - 1].conn;
                record_conn(&record, attempt->conn);
                record.conns[i - 1].closed_ns = attempt->stamps.end_ns;
        }
        assert_true(is_found(&record, causes_conns, "stale-connections"));
        assert_false(is_found(&record, causes_conns, "server-closes"));
        record_deinit(&record);
}

/* 2 ms after its answer, without a word: each second request finds its connection gone. */
static void test_closed_at_once_without_a_word(void **state)
{
        struct record_maker maker = closing;
        struct record record;
        struct finding finding;

        (void)state;
        maker.slots = 1;
        make(&record, &maker);
        for (size_t i = 1; i < record.n_attempts; i += 2) {
                struct trace_attempt *attempt = &record.attempts[i];

                attempt->outcome = TRACE_REPEATED;
                attempt->is_last = false;
                attempt->is_reused = true;
                attempt->conn = record.attempts[i - 1].conn;
                record.conns[i - 1].closed_ns += 2 * MS;
        }
        assert_false(is_found(&record, causes_conns, "stale-connections"));
        assert_true(cause_is_found(&record, causes_conns, "server-closes", &finding));
        assert_non_null(strstr(finding.evidence[0], "50 of 50"));
        record_deinit(&record);
}

/* Some with an answer, most later: it is told once, as what it mostly is. */
static void test_both_ways_to_close(void **state)
{
        struct record record;

        (void)state;
        make_ending_later(&record, TRACE_CLOSED_BY_SERVER);
        for (size_t i = 0; i < 3; i++)
                record.conns[i].closed_ns -= 90 * MS;
        assert_true(is_found(&record, causes_conns, "stale-connections"));
        assert_false(is_found(&record, causes_conns, "server-closes"));
        for (size_t i = 3; i < 12; i++)
                record.conns[i].closed_ns -= 90 * MS;
        assert_false(is_found(&record, causes_conns, "stale-connections"));
        record_deinit(&record);
}

/* Nothing says how long they were unused: then no time is made up. */
static void test_stale_for_an_unknown_time(void **state)
{
        struct record record;
        struct finding finding;

        (void)state;
        make_ending_later(&record, TRACE_CLOSED_BY_END);
        for (size_t i = 1; i < record.n_attempts; i += 2) {
                record.attempts[i].outcome = TRACE_REPEATED;
                record.attempts[i].is_last = false;
                record.attempts[i].conn = record.attempts[i - 1].conn;
        }
        assert_true(cause_is_found(&record, causes_conns, "stale-connections", &finding));
        assert_string_equal(finding.title,
                "The server closed idle connections before they could be reused");
        assert_non_null(strstr(finding.remedy, "than the pauses between"));
        record_deinit(&record);
}

static void test_idle_expired(void **state)
{
        struct record record;

        (void)state;
        make_ending_later(&record, TRACE_CLOSED_BY_AGE);
        record.run.options.idle_timeout_ns = 90 * MS;
        assert_true(is_found(&record, causes_conns, "idle-expired"));
        assert_false(is_found(&record, causes_conns, "stale-connections"));
        /* They were closed younger: to make room. */
        record.run.options.idle_timeout_ns = 50 * NS_PER_S;
        assert_false(is_found(&record, causes_conns, "idle-expired"));
        record_deinit(&record);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_origins),
                cmocka_unit_test(test_server_closes),
                cmocka_unit_test(test_why_the_server_closes),
                cmocka_unit_test(test_no_keep_alive),
                cmocka_unit_test(test_our_work_at_best),
                cmocka_unit_test(test_one_handshake_comes_first),
                cmocka_unit_test(test_the_first_handshake_is_alone),
                cmocka_unit_test(test_stale_connections),
                cmocka_unit_test(test_stale_when_sent),
                cmocka_unit_test(test_closed_at_once_without_a_word),
                cmocka_unit_test(test_both_ways_to_close),
                cmocka_unit_test(test_stale_for_an_unknown_time),
                cmocka_unit_test(test_idle_expired),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
