/* SPDX-License-Identifier: MIT */
/*
 * Findings about connections: each against a run that has it, and those that look like it
 */
#include "causes.h"

#include <errno.h>
#include <explain/conns.h>

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

/* --- origins ------------------------------------------------------------------------------------------------------ */

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

/* --- not kept ----------------------------------------------------------------------------------------------------- */

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
        make(record,
             &(struct record_maker){ .n = 15,
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

/* A request that finds its connection gone is no use of that connection, which ended because nobody had used it. */
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

/* --- opening ------------------------------------------------------------------------------------------------------ */

static void every_third_later(struct record_maker_request *request, size_t i,
                              const struct record_maker *maker)
{
        (void)maker;
        if (i % 3 == 2)
                request->tcp_ns = (i % 2 ? 1016 : 3061) * MS;
}

static const struct record_maker dropped = {
        .n = 30,
        .slots = 30,
        .vary = every_third_later,
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
        assert_string_equal(finding.option, "--concurrency 15");
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

/* A single packet may have been lost anywhere. */
static void test_one_syn_lost(void **state)
{
        struct record_maker maker = dropped;
        struct finding finding;

        (void)state;
        maker.vary = drop_one;
        assert_true(cause_is_made(&maker, causes_connect, "syn-dropped", &finding));
        assert_int_equal(finding.shown.grade, MUSTER_GRADE_C);
        assert_null(finding.shown.option);
        assert_true(finding.shown.wall_ns < 200 * MS);
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
        assert_true(cause_is_made(&herd, causes_connect, "handshake-herd", &finding));
        assert_string_equal(finding.option, "--concurrency 16");
        assert_true(finding.shown.has_prediction);
        assert_in_range(finding.shown.wall_ns, 60 * MS, 160 * MS);
        /* All take as long: a far server. */
        alike.vary = NULL;
        alike.each.tls_ns = 300 * MS;
        assert_false(cause_is_made(&alike, causes_connect, "handshake-herd", &finding));
        /* One after the other, as there was only one slot. */
        alike = herd;
        alike.slots = 1;
        alike.no_reuse = true;
        assert_false(cause_is_made(&alike, causes_connect, "handshake-herd", &finding));
        make(&record, &dropped);
        assert_false(is_found(&record, causes_connect, "handshake-herd"));
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

/* --- hostile records ---------------------------------------------------------------------------------------------- */

/* Rows that do not fit together: whatever is said of them, nothing breaks. */
static void test_nonsense(void **state)
{
        const struct cause *tables[] = { causes_conns, causes_connect, causes_names,
                                         causes_tls,   causes_wire,    causes_window };
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
        const struct cause *tables[] = { causes_conns, causes_connect, causes_names,
                                         causes_tls,   causes_wire,    causes_window };
        static struct record record;
        static struct facts facts;
        struct finding finding = { 0 };

        if (record_make(&record, &closing) < 0)
                return;
        if (facts_init(&facts, &record) == 0) {
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
                cmocka_unit_test(test_origins),         cmocka_unit_test(test_server_closes),
                cmocka_unit_test(test_no_keep_alive),   cmocka_unit_test(test_stale_connections),
                cmocka_unit_test(test_stale_when_sent), cmocka_unit_test(test_idle_expired),
                cmocka_unit_test(test_syn_dropped),     cmocka_unit_test(test_one_syn_lost),
                cmocka_unit_test(test_handshake_herd),  cmocka_unit_test(test_machine_has_no_more),
                cmocka_unit_test(test_nonsense),        cmocka_unit_test(test_no_memory),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
