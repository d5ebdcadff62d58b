/* SPDX-License-Identifier: MIT */
/*
 * Findings about connections: each against a run that has it, and those that look like it
 */
#include "causes.h"

#include <errno.h>
#include <explain/facts_measure.h>
#include <explain/measure/conns.h>
#include <stdio.h>

#define MS NS_PER_MS

/* 5 rounds of 20; connecting is half of each. */
static const struct record_maker closing = {
        .n = 100,
        .slots = 20,
        .no_reuse = true,
        .each = { .tcp_ns = 40 * MS, .network_ns = 40 * MS },
};

static void make(struct record *record, const struct record_maker *maker)
{
        assert_int_equal(record_make(record, maker), 0);
}

static bool is_found(const struct record *record, const struct cause *causes, const char *name)
{
        struct finding finding;

        return cause_is_found(record, causes, name, &finding);
}

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
        assert_string_equal(finding.title, "The server closed the connection after each answer");
        assert_null(finding.shown.option);
        kept.no_reuse = false;
        assert_false(cause_is_made(&kept, causes_conns, "server-closes", &finding));
        /* Connecting is a hundredth of it. */
        slow.each.server_ns = 4000 * MS;
        assert_false(cause_is_made(&slow, causes_conns, "server-closes", &finding));
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
                "The server closed kept connections before they were used again");
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

/* --- opening --------------------------------------------------------------------------------- */

static void last_third_later(struct record_maker_request *request, size_t i,
        const struct record_maker *maker)
{
        request->submit_after_ns = i;
        if (i >= maker->slots * 2 / 3)
                request->tcp_ns = (i % 2 ? 1016 : 3061) * MS;
}

static const struct record_maker dropped = {
        .n = 30,
        .slots = 30,
        .vary = last_third_later,
        .rtt_ns = MS,
        .each = { .tcp_ns = MS, .network_ns = MS, .server_ns = 5 * MS },
};

static void test_syn_dropped(void **state)
{
        struct record_maker far = dropped, slow = dropped;
        struct record record;
        struct finding finding;

        (void)state;
        make(&record, &dropped);
        assert_int_equal(record_make_counter(&record, "tcp.syn_retransmits", 100, 125), 0);
        assert_true(cause_is_found(&record, causes_connect, "syn-dropped", &finding));
        /* Twenty had come when the first one's packet was dropped: half of that. */
        assert_string_equal(finding.option, "--concurrency 10");
        assert_non_null(strstr(finding.evidence[0], "10 of them"));
        assert_non_null(strstr(finding.evidence[1], "25 "));
        assert_true(finding.shown.has_prediction && finding.shown.wall_ns < 100 * MS);
        record_deinit(&record);
        far.vary = NULL;
        far.each.tcp_ns = far.rtt_ns = 1010 * MS;
        assert_false(cause_is_made(&far, causes_connect, "syn-dropped", &finding));
        assert_false(cause_is_made(&far, causes_connect, "slow-connect", &finding));
        /* Long, but not a whole number of seconds, and all alike. */
        slow.vary = NULL;
        slow.each.tcp_ns = 400 * MS;
        assert_false(cause_is_made(&slow, causes_connect, "syn-dropped", &finding));
        assert_true(cause_is_made(&slow, causes_connect, "slow-connect", &finding));
}

static void drop_one(struct record_maker_request *request, size_t i,
        const struct record_maker *maker)
{
        (void)maker;
        request->submit_after_ns = i;
        request->tcp_ns = i == 3 ? 1010 * MS : 10 * MS;
}

/*
 * A single packet may have been lost anywhere, and was, as others came when there were more of
 * them.
 */
static void test_one_syn_lost(void **state)
{
        struct record_maker maker = dropped;
        struct finding finding;

        (void)state;
        maker.vary = drop_one;
        assert_true(cause_is_made(&maker, causes_connect, "syn-dropped", &finding));
        assert_int_equal(finding.shown.grade, MUSTER_GRADE_C);
        assert_null(finding.shown.option);
        assert_non_null(strstr(finding.remedy, "once more"));
        assert_true(finding.shown.wall_ns < 200 * MS);
}

static void drop_last_two(struct record_maker_request *request, size_t i,
        const struct record_maker *maker)
{
        request->submit_after_ns = i;
        if (i + 2 == maker->slots || i + 1 == maker->slots)
                request->tcp_ns = 1010 * MS;
}

/* Eight at once are two too many, each time: it is no use to try that again. */
static void test_two_too_many(void **state)
{
        struct record_maker maker = dropped;
        struct finding finding;

        (void)state;
        maker.n = 100;
        maker.slots = 8;
        maker.no_reuse = true;
        maker.vary = drop_last_two;
        assert_true(cause_is_made(&maker, causes_connect, "syn-dropped", &finding));
        assert_int_equal(finding.shown.grade, MUSTER_GRADE_C);
        assert_string_equal(finding.option, "--concurrency 3");
        assert_non_null(strstr(finding.remedy, "Open fewer connections at once"));
        assert_non_null(strstr(finding.remedy, "lost on the way"));
        /* 34 rounds of 7 ms, and not the second. */
        assert_predicted(&finding, 34 * 7 * MS);
}

static void drop_a_tenth(struct record_maker_request *request, size_t i,
        const struct record_maker *maker)
{
        (void)maker;
        if (i % 10 == 9)
                request->tcp_ns = 1016 * MS;
}

/*
 * Many came through, one after the other: how many there were in all says nothing of how many may
 * be at once.
 */
static void test_fewer_than_there_were(void **state)
{
        struct record_maker maker = dropped;
        struct record record;
        struct finding finding;
        unsigned n;

        (void)state;
        maker.n = 300;
        maker.slots = 16;
        maker.no_reuse = true;
        maker.vary = drop_a_tenth;
        make(&record, &maker);
        assert_true(cause_is_found(&record, causes_connect, "syn-dropped", &finding));
        assert_int_equal(sscanf(finding.option, "--concurrency %u", &n), 1);
        assert_in_range(n, 1, 8);
        /* One at a time cannot be fewer. */
        record.run.options.concurrency = 1;
        assert_true(cause_is_found(&record, causes_connect, "syn-dropped", &finding));
        assert_null(finding.shown.option);
        record_deinit(&record);
}

static void in_a_row(struct record_maker_request *request, size_t i,
        const struct record_maker *maker)
{
        request->submit_after_ns = i; /* the first ones first */
        if (i >= maker->slots)
                return;
        request->tls_ns = (i + 1) * 5 * MS;
        request->server_ns = (maker->slots - i) * 5 * MS;
}

static const struct record_maker herd = {
        .n = 200,
        .slots = 100,
        .vary = in_a_row,
        .each = { .tcp_ns = MS, .tls_ns = 5 * MS, .network_ns = MS, .server_ns = 2 * MS },
};

static void test_handshake_herd(void **state)
{
        struct record_maker alike = herd;
        struct record record;
        struct finding finding;

        (void)state;
        assert_true(cause_is_made(&herd, causes_herd, "handshake-herd", &finding));
        assert_string_equal(finding.option, "--concurrency 16");
        assert_true(finding.shown.has_prediction);
        assert_in_range(finding.shown.wall_ns, 60 * MS, 160 * MS);
        /* All take as long: a far server. */
        alike.vary = NULL;
        alike.each.tls_ns = 300 * MS;
        assert_false(cause_is_made(&alike, causes_herd, "handshake-herd", &finding));
        /* One after the other, as there was only one slot. */
        alike = herd;
        alike.slots = 1;
        alike.no_reuse = true;
        assert_false(cause_is_made(&alike, causes_herd, "handshake-herd", &finding));
        /* Nobody came after that. */
        alike = herd;
        alike.n = alike.slots;
        assert_true(cause_is_made(&alike, causes_herd, "handshake-herd", &finding));
        assert_int_equal(finding.shown.n_evidence, 1);
        make(&record, &dropped);
        assert_false(is_found(&record, causes_herd, "handshake-herd"));
        record_deinit(&record);
}

static void take_in(struct record_maker_request *request, size_t i,
        const struct record_maker *maker)
{
        request->submit_after_ns = i;
        if (i < maker->slots)
                request->server_ns += (i + 1) * 50 * MS;
}

/* As a server that takes 50 ms to accept each connection, and 5 ms for each answer. */
static const struct record_maker accepting = {
        .n = 60,
        .slots = 16,
        .vary = take_in,
        .rtt_ns = MS,
        .each = { .tcp_ns = MS, .network_ns = MS, .server_ns = 4 * MS },
};

static void test_slow_accept(void **state)
{
        struct finding finding;

        (void)state;
        assert_true(cause_is_made(&accepting, causes_herd, "slow-accept", &finding));
        assert_string_equal(finding.option, "--concurrency 4");
        /* The fourth one comes after 200 ms; the others have answered most of all by then. */
        assert_true(finding.shown.has_prediction);
        assert_in_range(finding.shown.wall_ns, 170 * MS, 260 * MS);
        assert_non_null(strstr(finding.evidence[0], "each about 50 ms longer"));
}

/* It is told once: the answers that took long are those that waited for their connection. */
static void test_slow_accept_is_no_slow_server(void **state)
{
        struct record_maker maker = accepting;
        struct finding finding;

        (void)state;
        maker.n = 200;
        assert_true(cause_is_made(&maker, causes_herd, "slow-accept", &finding));
        assert_false(cause_is_made(&maker, causes_server, "server-slow", &finding));
        assert_false(cause_is_made(&maker, causes_slots, "stragglers", &finding));
}

static void take_as_long(struct record_maker_request *request, size_t i,
        const struct record_maker *maker)
{
        (void)maker;
        request->submit_after_ns = i;
        request->server_ns += (1 + i % 16) * 50 * MS;
}

static void begin_alike(struct record_maker_request *request, size_t i,
        const struct record_maker *maker)
{
        request->submit_after_ns = i;
        if (i < maker->slots)
                request->server_ns += 400 * MS;
}

/* What looks like it. */
static void test_slow_accept_not(void **state)
{
        struct record_maker maker = accepting;
        struct record record;

        (void)state;
        /* Answers on kept connections take as long. */
        maker.vary = take_as_long;
        assert_false(cause_is_made(&maker, causes_herd, "slow-accept", &(struct finding){ 0 }));
        /* All first ones take long, but alike: a server that has to warm up. */
        maker.vary = begin_alike;
        assert_false(cause_is_made(&maker, causes_herd, "slow-accept", &(struct finding){ 0 }));
        /* Handshakes wait for each other, and the first answers for those. */
        assert_false(cause_is_made(&herd, causes_herd, "slow-accept", &(struct finding){ 0 }));
        /* Nobody came later, so that nothing is known of kept connections. */
        maker = accepting;
        maker.n = maker.slots;
        assert_false(cause_is_made(&maker, causes_herd, "slow-accept", &(struct finding){ 0 }));
        /* The server dropped some first packets: that is said already. */
        make(&record, &accepting);
        for (size_t i = 3; i < 6; i++)
                record.conns[i].tcp_end_ns += 1010 * MS;
        assert_false(is_found(&record, causes_herd, "slow-accept"));
        record_deinit(&record);
}

static void test_machine_has_no_more(void **state)
{
        static const struct {
                const char *name, *other;
                uint16_t sys;
        } cases[] = {
                { "ports-exhausted", "fd-limit", EADDRNOTAVAIL },
                { "fd-limit", "ports-exhausted", EMFILE },
                { "fd-limit", "ports-exhausted", ENFILE },
        };
        struct record record;
        struct finding finding;

        (void)state;
        make(&record, &(struct record_maker){
                              .n = 40, .slots = 16, .each.server_ns = 10 * MS, .each.tcp_ns = MS });
        assert_false(is_found(&record, causes_connect, "ports-exhausted"));
        for (size_t c = 0; c < LENGTH(cases); c++) {
                for (size_t i = 20; i < 40; i++) {
                        record.attempts[i].code = MUSTER_E_RESOURCE;
                        record.attempts[i].sys = cases[c].sys;
                        record.attempts[i].status = 0;
                        record.attempts[i].outcome = TRACE_FAILED;
                }
                assert_true(cause_is_found(&record, causes_connect, cases[c].name, &finding));
                assert_false(is_found(&record, causes_connect, cases[c].other));
                assert_int_equal(finding.n_failed_by_it, 20);
                assert_true(finding.shown.is_client);
                assert_string_equal(finding.option, "--concurrency 16");
        }
        record_deinit(&record);
}

/* --- hostile records ------------------------------------------------------------------------- */

/* Rows that do not fit together: whatever is said of them, nothing breaks. */
static void test_nonsense(void **state)
{
        const struct cause *tables[] = { causes_conns, causes_connect, causes_herd, causes_names,
                causes_tls, causes_wire, causes_window };
        struct record record;
        struct finding finding;

        (void)state;
        make(&record, &closing);
        for (size_t i = 0; i < record.n_attempts; i++) {
                record.attempts[i].origin = i % 2 ? 999 : 0;
                record.attempts[i].conn = i % 3 ? i * 1000 : 0;
                record.attempts[i].wire_bytes = UINT64_MAX / 4;
                record.attempts[i].n_receives = 9;
        }
        for (size_t i = 0; i < record.n_conns; i++) {
                record.conns[i].origin = (uint32_t)(i * 77);
                record.conns[i].tls_end_ns = i % 2 ? 1 : UINT64_MAX;
                record.conns[i].is_tls = true;
                record.conns[i].min_rtt_us = UINT32_MAX;
                record.conns[i].n_addresses = UINT32_MAX;
                record.conns[i].n_out_of_order = 1;
        }
        for (size_t t = 0; t < LENGTH(tables); t++)
                for (const struct cause *cause = tables[t]; cause->name; cause++)
                        (void)cause_is_found(&record, tables[t], cause->name, &finding);
        record_deinit(&record);
}

static void run_without_memory(void)
{
        const struct cause *tables[] = { causes_conns, causes_connect, causes_herd, causes_names,
                causes_tls, causes_wire, causes_window };
        static struct record record;
        static struct facts facts;
        struct finding finding = { 0 };

        if (record_make(&record, &closing) < 0)
                return;
        if (facts_measure(&facts, &record) == 0) {
                for (size_t t = 0; t < LENGTH(tables); t++)
                        for (const struct cause *cause = tables[t]; cause->name; cause++)
                                (void)cause->rule(&facts, &finding);
                facts_deinit(&facts);
        }
        record_deinit(&record);
}

static void test_no_memory(void **state)
{
        (void)state;
        for_each_failing_allocation(run_without_memory);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_origins),
                cmocka_unit_test(test_server_closes),
                cmocka_unit_test(test_no_keep_alive),
                cmocka_unit_test(test_stale_connections),
                cmocka_unit_test(test_stale_when_sent),
                cmocka_unit_test(test_closed_at_once_without_a_word),
                cmocka_unit_test(test_both_ways_to_close),
                cmocka_unit_test(test_stale_for_an_unknown_time),
                cmocka_unit_test(test_idle_expired),
                cmocka_unit_test(test_syn_dropped),
                cmocka_unit_test(test_one_syn_lost),
                cmocka_unit_test(test_two_too_many),
                cmocka_unit_test(test_fewer_than_there_were),
                cmocka_unit_test(test_handshake_herd),
                cmocka_unit_test(test_slow_accept),
                cmocka_unit_test(test_slow_accept_is_no_slow_server),
                cmocka_unit_test(test_slow_accept_not),
                cmocka_unit_test(test_machine_has_no_more),
                cmocka_unit_test(test_nonsense),
                cmocka_unit_test(test_no_memory),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
