/* SPDX-License-Identifier: MIT */
/*
 * Findings about requests that failed: each against a run that has it, and those that look like it
 */
#include "causes.h"

#include <errno.h>

#define MS NS_PER_MS

static void half_fail(struct record_maker_request *request, size_t i,
        const struct record_maker *maker)
{
        (void)maker;
        request->status = i % 2 ? 500 : 200;
        request->n_retries = i % 4 == 0;
}

static const struct record_maker half = {
        .n = 100, .each = { .server_ns = MS, .backoff_ns = MS }, .vary = half_fail
};

static void withhold(struct record *record, enum trace_withheld why, size_t every)
{
        for (size_t i = 0; i < record->n_attempts; i++)
                record->attempts[i].withheld =
                        record->attempts[i].status == 500 && i % every == 0 ? (uint8_t)why : 0;
}

/* What kept them from another try is told with what they failed by, and once. */
static void test_retries_withheld(void **state)
{
        struct finding finding;
        struct record record;

        (void)state;
        make(&record, &half);
        assert_false(cause_is_found(&record, causes_failed, "retries-withheld", &finding));
        withhold(&record, TRACE_WITHHELD_BUDGET, 1);
        assert_true(cause_is_found(&record, causes_failed, "retries-withheld", &finding));
        assert_string_equal(finding.shown.title,
                "50 of 100 requests were answered with status 500, all at http://host1.example:80; "
                "50 were not retried, because the retry budget was used up");
        assert_string_equal(finding.shown.evidence[1],
                "25 retries were made; 25 requests succeeded by them");
        assert_string_equal(finding.shown.option, "--retry-budget none");
        assert_int_equal(finding.n_failed_by_it, 50);
        assert_false(is_found(&record, cause_failures, "failures"));
        record_deinit(&record);
}

static void test_why_retries_were_withheld(void **state)
{
        static const struct {
                enum trace_withheld why;
                const char *title, *remedy;
        } cases[] = {
                { TRACE_WITHHELD_UNSAFE, "; 50 were not retried, because their method is not safe",
                        "--retry-unsafe allows it" },
                { TRACE_WITHHELD_TIME, "because their timeouts left no time for it", "--max-time" },
                { TRACE_WITHHELD_MAX_TIME, "because --retry-max-time was over",
                        "--retry-max-time" },
                { TRACE_WITHHELD_LONG, "because the server asked for a wait of more than 10 min",
                        "error log" },
                { TRACE_WITHHELD_BODY, "because their body could not be read again", "error log" },
                { TRACE_NOT_WITHHELD, "were answered with status 500", "--retry 3 tries again" },
        };
        struct finding finding;
        struct record record;

        (void)state;
        make(&record, &half);
        for (size_t i = 0; i < LENGTH(cases); i++) {
                withhold(&record, cases[i].why, 1);
                assert_true(cause_is_found(&record, cause_failures, "failures", &finding));
                assert_non_null(strstr(finding.shown.title, cases[i].title));
                assert_non_null(strstr(finding.shown.remedy, cases[i].remedy));
                assert_null(finding.shown.option);
                assert_false(is_found(&record, causes_failed, "retries-withheld"));
        }
        record_deinit(&record);
}

/* All that were allowed were made: the limit is the one of each request. */
static void test_no_retry_left(void **state)
{
        struct record_maker maker = half;
        struct finding finding;
        struct record record;

        (void)state;
        maker.vary = NULL;
        maker.each.status = 500;
        maker.each.n_retries = 2;
        make(&record, &maker);
        record.run.options.max_retries = 2;
        assert_true(cause_is_found(&record, cause_failures, "failures", &finding));
        assert_non_null(strstr(finding.shown.title,
                "; 100 were tried 3 times, which is all that --retry allows"));
        assert_null(strstr(finding.shown.remedy, "--retry"));
        record_deinit(&record);
}

/* --- why, and at which host ------------------------------------------------------------------ */

static void two_hosts(struct record_maker_request *request, size_t i,
        const struct record_maker *maker)
{
        (void)maker;
        request->host = i % 3 == 0;
        if (request->host)
                request->code = MUSTER_E_CONNECT;
        else if (i % 3 == 1)
                request->code = MUSTER_E_TIMEOUT;
}

static void test_groups(void **state)
{
        const struct record_maker maker = {
                .n = 300, .n_hosts = 2, .each.server_ns = MS, .vary = two_hosts
        };
        struct finding finding;
        struct record record;
        size_t n_timeouts = 0;

        (void)state;
        make(&record, &maker);
        for (size_t i = 0; i < record.n_attempts; i++) {
                struct trace_attempt *attempt = &record.attempts[i];

                if (attempt->code == MUSTER_E_CONNECT)
                        attempt->sys = ECONNREFUSED;
                if (attempt->code == MUSTER_E_TIMEOUT)
                        attempt->stage = n_timeouts++ ? MUSTER_PHASE_WAIT : MUSTER_PHASE_TLS;
        }
        assert_true(cause_is_found(&record, cause_failures, "failures", &finding));
        assert_string_equal(finding.shown.title,
                "200 of 300 requests failed: 100 with connection refused, 99 with timeout while "
                "waiting for the response, 1 with timeout in the TLS handshake");
        assert_string_equal(finding.shown.evidence[0],
                "100: connection refused (code connect, errno 111), all at "
                "http://host2.example:80");
        assert_string_equal(finding.shown.evidence[1],
                "99: timeout while waiting for the response (code timeout), all at "
                "http://host1.example:80");
        assert_int_equal(finding.n_failed_by_it, 200);
        record_deinit(&record);
}

/* --- what is none, or another rule's --------------------------------------------------------- */

static void set_of_each_tenth(struct record *record, size_t n_tenths, int8_t code, int16_t status,
        uint16_t sys)
{
        for (size_t i = 0; i < record->n_attempts; i++) {
                struct trace_attempt *attempt = &record->attempts[i];
                bool is_one = i % 10 < n_tenths;

                attempt->code = is_one ? code : MUSTER_OK;
                attempt->status = is_one ? status : 200;
                attempt->sys = is_one ? sys : 0;
        }
}

static void test_what_is_no_failure(void **state)
{
        const struct record_maker maker = { .n = 200, .each.server_ns = MS };
        struct record record;

        (void)state;
        make(&record, &maker);
        assert_false(is_found(&record, cause_failures, "failures"));
        set_of_each_tenth(&record, 5, MUSTER_E_CANCELLED, 0, 0);
        assert_false(is_found(&record, cause_failures, "failures"));
        set_of_each_tenth(&record, 5, MUSTER_OK, 404, 0);
        assert_false(is_found(&record, cause_failures, "failures"));
        set_of_each_tenth(&record, 5, MUSTER_OK, 503, 0); /* throttled */
        assert_false(is_found(&record, cause_failures, "failures"));
        set_of_each_tenth(&record, 5, MUSTER_E_CONNECT, 0, EMFILE); /* fd-limit */
        assert_false(is_found(&record, cause_failures, "failures"));
        set_of_each_tenth(&record, 5, MUSTER_E_CONNECT, 0, EADDRNOTAVAIL); /* ports-exhausted */
        assert_false(is_found(&record, cause_failures, "failures"));
        set_of_each_tenth(&record, 1, MUSTER_E_STATUS, 404, 0); /* --fail: the user calls it one */
        assert_true(is_found(&record, cause_failures, "failures"));
        set_of_each_tenth(&record, 0, MUSTER_OK, 0, 0);
        record.attempts[7].code = MUSTER_E_CLOSED; /* one of 200 */
        assert_false(is_found(&record, cause_failures, "failures"));
        record_deinit(&record);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_retries_withheld),
                cmocka_unit_test(test_why_retries_were_withheld),
                cmocka_unit_test(test_no_retry_left),
                cmocka_unit_test(test_groups),
                cmocka_unit_test(test_what_is_no_failure),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
