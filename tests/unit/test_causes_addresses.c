/* SPDX-License-Identifier: MIT */
/*
 * Findings about addresses that were tried in vain: each against a run that has it, and those that
 * look like it
 */
#include "causes.h"

#define MS NS_PER_MS
#define V6 "[2001:db8::1]:80"
#define V4 "192.0.2.1:80"

static void assert_only(const struct record *record, const char *name)
{
        for (const struct cause *cause = causes_addresses; cause->name; cause++)
                if (is_found(record, causes_addresses, cause->name) !=
                        (name && strcmp(cause->name, name) == 0))
                        fail_msg("%s: not as expected (%s)", cause->name, name ? name : "none");
}

/* The way of a connection: an address that fails so, and then one that connects. */
struct way {
        const char *first, *second;
        enum trace_fate fate;
        uint64_t lost_ns, connects_ns;
};

static void add_tries(struct record *record, const struct trace_conn *conn, const struct way *way)
{
        uint64_t begin_ns = conn->dns_end_ns ? conn->dns_end_ns : conn->opened_ns;
        uint64_t second_ns = begin_ns + way->lost_ns;
        bool is_overtaken = way->fate == TRACE_TRY_OVERTAKEN;

        assert_int_equal(record_make_try(record,
                                 &(struct trace_try){ .conn = conn->id,
                                         .start_ns = begin_ns,
                                         .end_ns = is_overtaken ? conn->tcp_end_ns : second_ns,
                                         .n = 1,
                                         .fate = (uint8_t)way->fate,
                                         .address = str_of(way->first) }),
                0);
        assert_int_equal(record_make_try(record, &(struct trace_try){ .conn = conn->id,
                                                         .start_ns = second_ns,
                                                         .end_ns = second_ns + way->connects_ns,
                                                         .n = 2,
                                                         .fate = TRACE_TRY_CONNECTED,
                                                         .address = str_of(way->second) }),
                0);
}

static void make_run(struct record *record, const struct way *way, uint32_t n_hosts,
        uint64_t dns_ns)
{
        make(record, &(struct record_maker){ .n = 20,
                             .slots = 5,
                             .n_hosts = n_hosts,
                             .no_reuse = true,
                             .rtt_ns = way->connects_ns,
                             .each = { .dns_ns = dns_ns,
                                     .tcp_ns = way->lost_ns + way->connects_ns,
                                     .network_ns = 20 * MS } });
        for (size_t i = 0; i < record->n_conns; i++) {
                record->conns[i].n_addresses = 2;
                add_tries(record, &record->conns[i], way);
        }
}

static const struct way silent_ipv6 = { V6, V4, TRACE_TRY_OVERTAKEN, 250 * MS, 20 * MS };
static const struct way silent_ipv4 = { "203.0.113.7:80", "203.0.113.8:80", TRACE_TRY_OVERTAKEN,
        250 * MS, 2 * MS };

static void test_ipv6_broken(void **state)
{
        struct record record;
        struct finding finding;

        (void)state;
        make_run(&record, &silent_ipv6, 1, 0);
        assert_only(&record, "ipv6-broken");
        assert_true(cause_is_found(&record, causes_addresses, "ipv6-broken", &finding));
        assert_predicted(&finding, 4 * 40 * MS);
        assert_string_equal(finding.option, "--resolve host1.example:80:192.0.2.1");
        /* Without the tries nothing is known of addresses. */
        record.n_tries = 0;
        record.has_tries = false;
        assert_only(&record, NULL);
        record_deinit(&record);
}

/* No IPv6 address is there: none is blamed. */
static void test_address_silent(void **state)
{
        struct record record;
        struct finding finding;

        (void)state;
        make_run(&record, &silent_ipv4, 1, 0);
        assert_only(&record, "address-silent");
        assert_true(cause_is_found(&record, causes_addresses, "address-silent", &finding));
        assert_null(strstr(finding.title, "IPv6"));
        assert_non_null(strstr(finding.title, "203.0.113.7"));
        assert_string_equal(finding.evidence[0],
                "203.0.113.7 did not answer within 250 ms, 20 times; 203.0.113.8, tried after it, connected in 2 ms");
        assert_string_equal(finding.option, "--resolve host1.example:80:203.0.113.8");
        assert_predicted(&finding, 4 * 22 * MS);
        record_deinit(&record);
        make_run(&record, &(struct way){ V4, V6, TRACE_TRY_UNREACHABLE, 3000 * MS, MS }, 1, 0);
        assert_only(&record, "address-silent");
        record_deinit(&record);
}

/* An address for each of many names helps nobody: one family, or the owners' help. */
static void test_many_names(void **state)
{
        struct record record;
        struct finding finding;

        (void)state;
        make_run(&record, &silent_ipv6, 8, 0);
        assert_true(cause_is_found(&record, causes_addresses, "ipv6-broken", &finding));
        assert_string_equal(finding.option, "-4");
        assert_non_null(strstr(finding.evidence[1], "8 of 8 names"));
        record_deinit(&record);
        make_run(&record, &silent_ipv4, 8, 0);
        assert_true(cause_is_found(&record, causes_addresses, "address-silent", &finding));
        assert_null(finding.shown.option);
        assert_non_null(strstr(finding.title, "8 names"));
        assert_int_equal(strncmp(finding.remedy, "Ask the owners of these names", 29), 0);
        record_deinit(&record);
        make_run(&record, &(struct way){ V4, V6, TRACE_TRY_OVERTAKEN, 250 * MS, MS }, 8, 0);
        assert_true(cause_is_found(&record, causes_addresses, "address-silent", &finding));
        assert_string_equal(finding.option, "-6");
        record_deinit(&record);
}

/* One name of several: its option mends what its requests lost, and no more. */
static void test_one_name_of_many(void **state)
{
        struct record record;
        struct finding finding;

        (void)state;
        make(&record, &(struct record_maker){ .n = 16,
                              .slots = 1,
                              .n_hosts = 8,
                              .no_reuse = true,
                              .each = { .tcp_ns = 252 * MS, .network_ns = 20 * MS } });
        for (size_t i = 0; i < record.n_conns; i++)
                if (record.conns[i].origin == 3)
                        add_tries(&record, &record.conns[i], &silent_ipv4);
        assert_only(&record, "address-silent");
        assert_true(cause_is_found(&record, causes_addresses, "address-silent", &finding));
        assert_string_equal(finding.option, "--resolve host3.example:80:203.0.113.8");
        assert_non_null(strstr(finding.evidence[1], "1 of 8 names, host3.example, and 2 of 16"));
        assert_predicted(&finding, (16 * 272 - 2 * 250) * MS);
        record_deinit(&record);
}

/* What is slow is not silent: the first address connected, though later than the second's turn. */
static void test_slow_first_address(void **state)
{
        struct record record;

        (void)state;
        make(&record, &(struct record_maker){ .n = 20,
                              .slots = 5,
                              .no_reuse = true,
                              .each = { .tcp_ns = 300 * MS, .network_ns = 20 * MS } });
        for (size_t i = 0; i < record.n_conns; i++) {
                const struct trace_conn *conn = &record.conns[i];
                struct trace_try first = { .conn = conn->id,
                        .start_ns = conn->opened_ns,
                        .end_ns = conn->tcp_end_ns,
                        .n = 1,
                        .fate = TRACE_TRY_CONNECTED,
                        .address = str_of(V4) };
                struct trace_try second = { .conn = conn->id,
                        .start_ns = conn->opened_ns + 250 * MS,
                        .end_ns = conn->tcp_end_ns,
                        .n = 2,
                        .fate = TRACE_TRY_OVERTAKEN,
                        .address = str_of("192.0.2.2:80") };

                record.conns[i].n_addresses = 2;
                assert_int_equal(record_make_try(&record, &first), 0);
                assert_int_equal(record_make_try(&record, &second), 0);
        }
        assert_only(&record, NULL);
        record_deinit(&record);
}

/* With the option that is proposed the name is not looked up either. */
static void test_resolve_spares_lookup(void **state)
{
        struct record record;
        struct finding finding;

        (void)state;
        make_run(&record, &silent_ipv6, 1, 30 * MS);
        assert_true(cause_is_found(&record, causes_addresses, "ipv6-broken", &finding));
        assert_predicted(&finding, 4 * 40 * MS);
        assert_true(finding.shown.wall_high_ns >= 4 * 69 * MS);
        record_deinit(&record);
}

static void test_refused(void **state)
{
        struct record record;
        struct finding finding;

        (void)state;
        make_run(&record, &(struct way){ V6, V4, TRACE_TRY_REFUSED, 20 * MS, 20 * MS }, 1, 0);
        assert_only(&record, "address-refused");
        record.origins[0].key = str_of("http://localhost:80");
        assert_only(&record, "localhost");
        assert_true(cause_is_found(&record, causes_addresses, "localhost", &finding));
        assert_predicted(&finding, 4 * 40 * MS);
        record_deinit(&record);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_ipv6_broken),
                cmocka_unit_test(test_address_silent),
                cmocka_unit_test(test_many_names),
                cmocka_unit_test(test_one_name_of_many),
                cmocka_unit_test(test_slow_first_address),
                cmocka_unit_test(test_resolve_spares_lookup),
                cmocka_unit_test(test_refused),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
