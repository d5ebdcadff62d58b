/* SPDX-License-Identifier: MIT */
/*
 * Findings about a proxy, and findings about the server that were seen through one
 */
#include "causes.h"

#include <explain/causes/proxied.h>

#define MS NS_PER_MS

static void make_tunnels(struct record *record, uint64_t tunnel_ns, uint64_t tls_ns)
{
        make(record, &(struct record_maker){ .n = 20,
                             .slots = 5,
                             .no_reuse = true,
                             .rtt_ns = MS,
                             .each = { .tcp_ns = MS,
                                     .tunnel_ns = tunnel_ns,
                                     .tls_ns = tls_ns,
                                     .network_ns = MS,
                                     .server_ns = 5 * MS } });
        for (size_t i = 0; i < record->n_conns; i++)
                record->conns[i].proxy = 1;
}

static void test_slow_proxy(void **state)
{
        struct record record;
        struct finding finding;

        (void)state;
        make_tunnels(&record, 300 * MS, 4 * MS);
        assert_true(cause_is_found(&record, causes_proxy, "slow-proxy", &finding));
        assert_int_equal(finding.shown.grade, MUSTER_GRADE_B);
        assert_predicted(&finding, 4 * (1 + 5 + 4 + 1 + 5) * MS);
        record_deinit(&record);
        /* Nothing tells how far the host is. */
        make_tunnels(&record, 300 * MS, 0);
        assert_true(cause_is_found(&record, causes_proxy, "slow-proxy", &finding));
        assert_int_equal(finding.shown.grade, MUSTER_GRADE_C);
        record_deinit(&record);
        /* A host that is far: the handshake through the tunnel takes as long. */
        make_tunnels(&record, 300 * MS, 310 * MS);
        assert_false(is_found(&record, causes_proxy, "slow-proxy"));
        record_deinit(&record);
        make_tunnels(&record, 3 * MS, 4 * MS);
        assert_false(is_found(&record, causes_proxy, "slow-proxy"));
        record_deinit(&record);
        make(&record,
                &(struct record_maker){
                        .n = 20, .no_reuse = true, .each = { .tcp_ns = 300 * MS, .tls_ns = MS } });
        assert_false(is_found(&record, causes_proxy, "slow-proxy"));
        record_deinit(&record);
}

static void expect_title(const struct facts *facts, const char *cause, const char *title,
        const char *expected)
{
        struct finding finding = { .shown.cause = cause };

        finding_title(&finding, "%s", title);
        proxied_tell(&finding, facts);
        assert_string_equal(finding.shown.title, expected);
        assert_int_equal(finding.shown.n_evidence, strcmp(title, expected) != 0);
}

static void test_seen_through_a_proxy(void **state)
{
        struct record record;
        struct facts facts;

        (void)state;
        make_tunnels(&record, MS, MS);
        assert_int_equal(facts_measure(&facts, &record), 0);
        expect_title(&facts, "server-slow", "The run waited for the server: a typical response",
                "The run waited for the server (or the proxy in front of it): a typical response");
        expect_title(&facts, "workers-held", "Idle connections held the server's 4 workers",
                "Idle connections held the server's (or the proxy's) 4 workers");
        expect_title(&facts, "syn-dropped", "The server's backlog was full",
                "The proxy's backlog was full");
        expect_title(&facts, "bandwidth", "The link to the server was full",
                "The link to the server was full");
        facts_deinit(&facts);
        for (size_t i = 0; i < record.n_conns; i++)
                record.conns[i].proxy = 0;
        assert_int_equal(facts_measure(&facts, &record), 0);
        expect_title(&facts, "server-slow", "The run waited for the server",
                "The run waited for the server");
        facts_deinit(&facts);
        record_deinit(&record);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_slow_proxy),
                cmocka_unit_test(test_seen_through_a_proxy),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
