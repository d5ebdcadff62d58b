/* SPDX-License-Identifier: MIT */
/*
 * Findings about names: each against a run that has it, and those that look like it
 */
#include "causes.h"

#define MS NS_PER_MS

static bool finds(const struct record *record, const char *name)
{
        struct finding finding;

        return cause_is_found(record, causes_names, name, &finding);
}

static void assert_only(const struct record *record, const char *name)
{
        for (const struct cause *cause = causes_names; cause->name; cause++)
                if (finds(record, cause->name) != (name && strcmp(cause->name, name) == 0))
                        fail_msg("%s: not as expected (%s)", cause->name, name ? name : "none");
}

static void look_up(struct record *record, const char *name, uint64_t start_ns, uint64_t took_ns)
{
        assert_int_equal(record_make_lookup(record, &(struct trace_lookup){ .start_ns = start_ns,
                                                            .end_ns = start_ns + took_ns,
                                                            .n_addresses = 1,
                                                            .name = str_of(name) }),
                0);
}

/* --- lookups --------------------------------------------------------------------------------- */

/* 8 names at once; each request waits for its own. */
static void make_names(struct record *record, uint64_t dns_ns)
{
        static const char *const names[] = { "host1.example", "host2.example", "host3.example",
                "host4.example", "host5.example", "host6.example", "host7.example",
                "host8.example" };

        make(record, &(struct record_maker){ .n = 8,
                             .n_hosts = 8,
                             .each = { .dns_ns = dns_ns, .tcp_ns = MS, .network_ns = MS } });
        for (size_t i = 0; i < LENGTH(names); i++)
                look_up(record, names[i], RECORD_MAKER_START_NS, dns_ns);
}

static void test_dns_slow(void **state)
{
        struct record record;
        struct finding finding;

        (void)state;
        make_names(&record, 500 * MS);
        assert_only(&record, "dns-slow");
        assert_true(cause_is_found(&record, causes_names, "dns-slow", &finding));
        assert_predicted(&finding, 2 * MS);
        assert_null(finding.shown.option); /* too many names */
        record_deinit(&record);
        make_names(&record, 50 * NS_PER_US);
        assert_only(&record, NULL);
        record_deinit(&record);
}

/* The evidence has this line. */
static void expect_asked(const struct record *record, const char *expected)
{
        struct finding finding;
        unsigned n = 0;

        assert_true(cause_is_found(record, causes_names, "dns-slow", &finding));
        for (unsigned i = 0; i < finding.shown.n_evidence; i++)
                n += strcmp(finding.evidence[i], expected) == 0;
        assert_int_equal(n, 1);
}

static void test_who_was_asked(void **state)
{
        char given[] = "[\"muster\",\"fetch\",\"--dns-server\",\"127.0.0.1:5353\",\"-i\",\"l\"]";
        char none[] = "[\"muster\",\"fetch\"]";
        struct record record;

        (void)state;
        make_names(&record, 500 * MS);
        record.run.command = given;
        expect_asked(&record,
                "the name server 127.0.0.1:5353 was asked, which --dns-server gave instead of those in /etc/resolv.conf");
        record.run.command = none;
        expect_asked(&record, "the name servers in /etc/resolv.conf were asked");
        record.run.command = NULL;
        record_deinit(&record);
}

static void test_dns_loss(void **state)
{
        static const uint64_t lost_ms[] = { 2002, 4010, 6003 };
        struct record record;

        (void)state;
        for (size_t i = 0; i < LENGTH(lost_ms); i++) {
                make_names(&record, lost_ms[i] * MS);
                assert_only(&record, "dns-loss");
                record_deinit(&record);
        }
        make_names(&record, 2600 * MS);
        assert_only(&record, "dns-slow");
        record_deinit(&record);
}

static void first_five_wait(struct record_maker_request *request, size_t i,
        const struct record_maker *maker)
{
        (void)maker;
        request->dns_ns = i < 5 ? 50 * MS + 300 * NS_PER_US : 0;
}

/* The lookup is not over when the run is, as its other half is asked for again. */
static void test_family_silent(void **state)
{
        struct record_maker maker = { .n = 20,
                .slots = 5,
                .no_reuse = true,
                .vary = first_five_wait,
                .each = { .tcp_ns = 100 * NS_PER_US, .network_ns = 100 * NS_PER_US } };
        struct record record;
        struct finding finding;

        (void)state;
        make(&record, &maker);
        record.samples[record.n_samples - 1].n_lookups = 1;
        assert_only(&record, "dns-loss");
        assert_true(cause_is_found(&record, causes_names, "dns-loss", &finding));
        assert_string_equal(finding.option, "--resolve host1.example:80:127.0.0.1");
        assert_non_null(strstr(finding.title, "family"));
        record_deinit(&record);
        /* A name server that takes 50 ms. */
        make(&record, &maker);
        look_up(&record, "host1.example", RECORD_MAKER_START_NS, 50 * MS);
        assert_only(&record, "dns-slow");
        record_deinit(&record);
}

static void wait_each_second(struct record_maker_request *request, size_t i,
        const struct record_maker *maker)
{
        (void)maker;
        request->dns_ns = i % 50 ? 0 : 300 * MS;
}

static void test_dns_uncached(void **state)
{
        struct record record;
        struct finding finding;

        (void)state;
        make(&record, &(struct record_maker){ .n = 200,
                              .slots = 1,
                              .no_reuse = true,
                              .vary = wait_each_second,
                              .each = { .tcp_ns = MS, .network_ns = 19 * MS } });
        for (uint64_t i = 0; i < 4; i++)
                look_up(&record, "host1.example", i * 1300 * MS + RECORD_MAKER_START_NS, 300 * MS);
        assert_only(&record, "dns-uncached");
        assert_true(cause_is_found(&record, causes_names, "dns-uncached", &finding));
        assert_string_equal(finding.option, "--resolve host1.example:80:127.0.0.1");
        assert_predicted(&finding, 4 * NS_PER_S);
        record_deinit(&record);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_dns_slow),
                cmocka_unit_test(test_who_was_asked),
                cmocka_unit_test(test_dns_loss),
                cmocka_unit_test(test_family_silent),
                cmocka_unit_test(test_dns_uncached),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
