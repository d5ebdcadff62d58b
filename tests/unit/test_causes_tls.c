/* SPDX-License-Identifier: MIT */
/*
 * Findings about TLS handshakes: each against a run that has it, and those that look like it
 */
#include "causes.h"

#include <explain/facts_measure.h>
#include <explain/measure/handshakes.h>

#define MS NS_PER_MS

/* 6 rounds of 10; two round trips for each handshake. */
static const struct record_maker full = {
        .n = 60,
        .slots = 10,
        .no_reuse = true,
        .rtt_ns = 40 * MS,
        .each = { .tcp_ns = 40 * MS, .tls_ns = 82 * MS, .network_ns = 40 * MS },
};

static void test_no_resumption(void **state)
{
        struct record record;
        struct finding finding;

        (void)state;
        make(&record, &full);
        assert_true(cause_is_found(&record, causes_tls, "no-resumption", &finding));
        /* One round of full ones, then 5 of resumed ones; kept, 5 of 40 ms. */
        assert_predicted(&finding, 162 * MS + 5 * 121 * MS);
        assert_in_range(finding.shown.wall_low_ns, 340 * MS, 420 * MS);
        assert_false(is_found(&record, causes_tls, "handshake-cpu"));
        assert_false(is_found(&record, causes_conns, "server-closes"));
        record_deinit(&record);
}

static void resume(struct record *record, size_t from)
{
        for (size_t i = from; i < record->n_conns; i++) {
                record->conns[i].is_resumed = record->conns[i].had_ticket = true;
                record->conns[i].tls_end_ns -= 41 * MS;
        }
}

static void test_resumed(void **state)
{
        struct record record;

        (void)state;
        make(&record, &full);
        resume(&record, 10);
        assert_false(is_found(&record, causes_tls, "no-resumption"));
        assert_true(is_found(&record, causes_conns, "server-closes"));
        record_deinit(&record);
}

/* TLS 1.3: one round trip in any case. */
static void test_one_round_trip(void **state)
{
        struct record_maker maker = full;
        struct record record;

        (void)state;
        maker.each.tls_ns = 42 * MS;
        make(&record, &maker);
        assert_false(is_found(&record, causes_tls, "no-resumption"));
        assert_true(is_found(&record, causes_conns, "server-closes"));
        record_deinit(&record);
}

static void test_asked_for(void **state)
{
        struct record record;

        (void)state;
        make(&record, &full);
        record.run.options.http_1_0 = true;
        assert_false(is_found(&record, causes_tls, "no-resumption"));
        assert_true(is_found(&record, causes_conns, "no-keep-alive"));
        record_deinit(&record);
}

static void test_handshake_cpu(void **state)
{
        struct record_maker maker = full;
        struct record record;
        struct finding finding;

        (void)state;
        maker.rtt_ns = 50 * NS_PER_US;
        maker.each = (struct record_maker_request){
                .tcp_ns = 50 * NS_PER_US, .tls_ns = 10 * MS, .network_ns = 50 * NS_PER_US
        };
        make(&record, &maker);
        for (size_t i = 0; i < record.n_conns; i++)
                record.conns[i].tls_work_ns = 100 * NS_PER_US;
        assert_true(cause_is_found(&record, causes_tls, "handshake-cpu", &finding));
        assert_predicted(&finding, 10 * MS + 6 * 50 * NS_PER_US);
        assert_false(is_found(&record, causes_tls, "no-resumption"));
        assert_false(is_found(&record, causes_conns, "server-closes"));
        record_deinit(&record);
        /* No more connections than are needed: nothing can be spared. */
        maker.no_reuse = false;
        assert_false(cause_is_made(&maker, causes_tls, "handshake-cpu", &finding));
}

/* The others wait until the first handshake is made. */
static void after_the_first(struct record_maker_request *request, size_t i,
        const struct record_maker *maker)
{
        (void)maker;
        request->submit_after_ns = i ? 12 * MS : 0;
        request->tls_ns = 10 * MS;
}

/* The handshakes that are left are resumed at best, and cost no computing. */
static void test_handshake_cpu_resumed(void **state)
{
        struct record_maker maker = full;
        struct finding finding;

        (void)state;
        maker.rtt_ns = 50 * NS_PER_US;
        maker.each = (struct record_maker_request){ .tcp_ns = 50 * NS_PER_US,
                .network_ns = 50 * NS_PER_US };
        maker.vary = after_the_first;
        assert_true(cause_is_made(&maker, causes_tls, "handshake-cpu", &finding));
        assert_predicted(&finding, 22 * MS + 6 * 50 * NS_PER_US);
        assert_in_range(finding.shown.wall_low_ns, 12 * MS, 14 * MS);
}

static void every_fifth_opens(struct record_maker_request *request, size_t i,
        const struct record_maker *maker)
{
        (void)maker;
        if (i % 5)
                request->tcp_ns = request->tls_ns = 0;
}

static bool has_evidence(const struct finding *finding, const char *text)
{
        for (size_t i = 0; i < finding->shown.n_evidence; i++)
                if (strstr(finding->evidence[i], text))
                        return true;
        return false;
}

/*
 * Connections are kept for some requests, and sessions resumed now and then: what is said is no
 * more than that.
 */
static void test_full_now_and_then(void **state)
{
        struct record_maker maker = full;
        struct record record;
        struct finding finding;

        (void)state;
        maker.n = 200;
        maker.slots = 1;
        maker.vary = every_fifth_opens;
        make(&record, &maker);
        for (size_t i = 0; i < record.n_attempts; i++) {
                record.attempts[i].is_reused = i % 5;
                record.attempts[i].conn = record.attempts[i - i % 5].conn;
        }
        assert_true(cause_is_found(&record, causes_tls, "no-resumption", &finding));
        assert_string_equal(finding.title, "40 of 40 TLS handshakes were full ones, because the "
                                           "server does not resume sessions");
        assert_true(has_evidence(&finding, "never issued"));
        record.conns[5].is_resumed = true;
        assert_true(cause_is_found(&record, causes_tls, "no-resumption", &finding));
        assert_non_null(strstr(finding.title, "39 of 40"));
        assert_non_null(strstr(finding.title, "hardly resumes"));
        assert_false(has_evidence(&finding, "never issued"));
        record_deinit(&record);
}

/* Nearly as many at once as there are requests: that the server closes connections is not known. */
static void test_full_and_needed(void **state)
{
        struct record_maker maker = full;
        struct finding finding;

        (void)state;
        assert_true(cause_is_made(&maker, causes_tls, "no-resumption", &finding));
        assert_non_null(strstr(finding.title, "neither keeps"));
        maker.slots = 50;
        assert_true(cause_is_made(&maker, causes_tls, "no-resumption", &finding));
        assert_null(strstr(finding.title, "neither keeps"));
}

static void test_counts(void **state)
{
        struct record record;
        struct facts facts;
        struct handshakes handshakes;

        (void)state;
        make(&record, &full);
        record.conns[59].had_ticket = true;
        assert_int_equal(facts_measure(&facts, &record), 0);
        handshakes_of(&handshakes, &facts);
        assert_int_equal(handshakes.n, 60);
        assert_int_equal(handshakes.n_later, 50);
        assert_int_equal(handshakes.n_later_full, 50);
        assert_int_equal(handshakes.n_refused, 1);
        assert_int_equal(handshakes.round_trip_ns, 40 * MS);
        assert_true(handshakes.are_full && !handshakes.are_work);
        facts_deinit(&facts);
        record_deinit(&record);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_no_resumption),
                cmocka_unit_test(test_resumed),
                cmocka_unit_test(test_one_round_trip),
                cmocka_unit_test(test_asked_for),
                cmocka_unit_test(test_handshake_cpu),
                cmocka_unit_test(test_handshake_cpu_resumed),
                cmocka_unit_test(test_full_now_and_then),
                cmocka_unit_test(test_full_and_needed),
                cmocka_unit_test(test_counts),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
