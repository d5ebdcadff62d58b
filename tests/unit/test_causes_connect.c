/* SPDX-License-Identifier: MIT */
/*
 * Findings about opening connections: each against a run that has it, and those that look
 * like it
 */
#include "causes.h"
#include "connecting.h"

#include <errno.h>
#include <stdio.h>

#define MS NS_PER_MS

/* --- opening --------------------------------------------------------------------------------- */

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
        assert_non_null(strstr(finding.remedy, "Run it again"));
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
        assert_non_null(strstr(finding.remedy, "lost on the path"));
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

/* Closed connections have the ports: fewer at once would change nothing. */
static void test_ports_of_closed_connections(void **state)
{
        struct record record;
        struct finding finding;

        (void)state;
        make(&record, &(struct record_maker){ .n = 1200,
                              .slots = 8,
                              .no_reuse = true,
                              .each.server_ns = MS,
                              .each.tcp_ns = MS });
        for (size_t i = 1000; i < 1200; i++) {
                record.attempts[i].code = MUSTER_E_RESOURCE;
                record.attempts[i].sys = EADDRNOTAVAIL;
                record.attempts[i].status = 0;
                record.attempts[i].outcome = TRACE_FAILED;
        }
        assert_int_equal(record_make_counter(&record, "tcp.time_wait", 3, 28000), 0);
        assert_true(cause_is_found(&record, causes_connect, "ports-exhausted", &finding));
        assert_string_equal(finding.option, "--rate 20");
        assert_non_null(strstr(finding.evidence[2], "28,000 closed connections"));
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

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_syn_dropped),
                cmocka_unit_test(test_one_syn_lost),
                cmocka_unit_test(test_two_too_many),
                cmocka_unit_test(test_fewer_than_there_were),
                cmocka_unit_test(test_ports_of_closed_connections),
                cmocka_unit_test(test_machine_has_no_more),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
