/* SPDX-License-Identifier: MIT */
/*
 * The verdict on runs of which little is to be learnt: failed, stopped, with holes
 */
#include "record_maker.h"
#include "unit.h"

#include <explain/facts_measure.h>
#include <explain/figure.h>
#include <explain/verdict.h>
#include <string.h>

#define MS NS_PER_MS

/* --- runs of which nothing is to be learnt --------------------------------------------------- */

/* The record is changed by `spoil`, as a maker cannot do all of it. */
static void explain_spoilt(const struct record_maker *maker, void (*spoil)(struct record *record),
        struct ranking *ranking, char verdict[VERDICT_TEXT])
{
        struct record record;
        struct facts facts;
        struct bound bounds[BOUNDS_MAX];

        assert_int_equal(record_make(&record, maker), 0);
        if (spoil)
                spoil(&record);
        assert_int_equal(facts_measure(&facts, &record), 0);
        assert_int_equal(ranking_make(ranking, &facts), 0);
        verdict_write(verdict, &facts, ranking, bounds, bounds_of(&facts, bounds));
        facts_deinit(&facts);
        record_deinit(&record);
}

static void answer_few(struct record_maker_request *request, size_t i,
        const struct record_maker *maker)
{
        request->code = i < *(const size_t *)maker->argument ? MUSTER_E_CLOSED : MUSTER_OK;
}

static void test_nearly_all_failed(void **state)
{
        size_t n_failed = 190;
        struct record_maker maker = { .n = 200,
                .slots = 4,
                .each.server_ns = 50 * MS,
                .vary = answer_few,
                .argument = &n_failed };
        char verdict[VERDICT_TEXT];
        struct ranking ranking;

        (void)state;
        explain_spoilt(&maker, NULL, &ranking, verdict);
        assert_int_equal(ranking.n, 0);
        assert_string_equal(ranking.failures->shown.cause, "failures");
        assert_string_equal(verdict,
                "190 of 200 requests failed, all at http://host1.example:80: connection closed "
                "before the response was complete. Look into the server's error log. "
                "The run says nothing about speed.");
        ranking_deinit(&ranking);
        n_failed = 20;
        explain_spoilt(&maker, NULL, &ranking, verdict);
        assert_true(ranking.n > 0);
        ranking_deinit(&ranking);
}

/* Of a run of 200,000 the record has the last few: what is counted is counted of all. */
static void keep_the_newest(struct record *record)
{
        const struct trace_attempt *last = &record->attempts[record->n_attempts - 1];
        struct trace_attempt others = *last;

        for (size_t i = 0; i < record->n_attempts; i++)
                totals_add(&record->totals, &record->attempts[i]);
        others.submitted_ns = 1;
        for (size_t i = record->n_attempts; i < 200000; i++)
                totals_add(&record->totals, &others);
        record->run.n_dropped = 200000 - record->n_attempts;
}

static void test_counts_are_of_all(void **state)
{
        struct record_maker maker = {
                .n = 200, .slots = 4, .each.server_ns = 50 * MS, .each.code = MUSTER_E_CLOSED
        };
        char verdict[VERDICT_TEXT];
        struct ranking ranking;

        (void)state;
        explain_spoilt(&maker, keep_the_newest, &ranking, verdict);
        assert_string_equal(verdict,
                "All 200,000 requests failed, all at http://host1.example:80: connection closed "
                "before the response was complete. Look into the server's error log. "
                "The run says nothing about speed. This covers the newest 200 of 200,000 requests.");
        ranking_deinit(&ranking);
        maker.each.code = MUSTER_OK;
        maker.each.status = 404;
        explain_spoilt(&maker, keep_the_newest, &ranking, verdict);
        if (!strstr(verdict,
                    "All 200,000 requests were answered with an error (404). The limit of 4 at a time") ||
                !strstr(verdict, " the newest 200 requests ") ||
                !strstr(verdict, " This covers the newest 200 of 200,000 requests."))
                fail_msg("%s", verdict);
        ranking_deinit(&ranking);
}

static void test_figures_are_of_all(void **state)
{
        const struct record_maker maker = { .n = 200, .slots = 4, .each.server_ns = 50 * MS };
        struct record record;
        struct facts facts;
        double value;

        (void)state;
        assert_int_equal(record_make(&record, &maker), 0);
        keep_the_newest(&record);
        assert_int_equal(facts_measure(&facts, &record), 0);
        assert_true(facts_is_part(&facts));
        assert_int_equal(figure_of(&facts, "requests", &value), 0);
        assert_true(value == 200000);
        assert_int_equal(figure_of(&facts, "failed", &value), 0);
        assert_true(value == 0);
        assert_int_equal(figure_of(&facts, "wall", &value), 0);
        assert_true(value == (double)(facts.all.last_ns - 1));
        facts_deinit(&facts);
        record_deinit(&record);
}

static void answer_with_errors(struct record_maker_request *request, size_t i,
        const struct record_maker *maker)
{
        const int16_t *statuses = maker->argument;

        request->status = statuses[i % 4];
}

static void test_all_answered_with_errors(void **state)
{
        static const struct {
                int16_t statuses[4];
                const char *begin, *cause; /* of the first finding; NULL: any */
        } cases[] = {
                { { 500, 500, 500, 500 },
                        "All 200 requests were answered with status 500, all at "
                        "http://host1.example:80. Look into the server's error log. "
                        "The run waited for the server: a typical response took 50 ms.",
                        "server-slow" }, /* which is not asked for more at once */
                { { 404, 404, 404, 410 },
                        "All 200 requests were answered with an error (mostly 404). The limit of 4 at ",
                        "concurrency-too-low" },
                { { 200, 500, 500, 500 },
                        "150 of 200 requests were answered with status 500, all at "
                        "http://host1.example:80. Look into the server's error log. "
                        "The run waited for the server: a typical response took 50 ms.",
                        "server-slow" },
                { { 200, 200, 404, 404 },
                        "100 of 200 requests were answered with an error (404). The limit of 4 ",
                        "concurrency-too-low" },
                { { 404, 500, 404, 200 },
                        "50 of 200 requests were answered with status 500, all at "
                        "http://host1.example:80. Look into the server's error log. "
                        "100 of 200 requests were answered with an error (404). The run waited ",
                        "server-slow" },
                { { 503, 503, 503, 503 }, "200 of 200 requests were finally refused (503). ",
                        "throttled" },
        };
        char verdict[VERDICT_TEXT];
        struct ranking ranking;

        (void)state;
        for (size_t i = 0; i < LENGTH(cases); i++) {
                int16_t statuses[4];
                const struct record_maker maker = { .n = 200,
                        .slots = 4,
                        .each.server_ns = 50 * MS,
                        .vary = answer_with_errors,
                        .argument = statuses };

                memcpy(statuses, cases[i].statuses, sizeof(statuses));
                explain_spoilt(&maker, NULL, &ranking, verdict);
                if (strncmp(verdict, cases[i].begin, strlen(cases[i].begin)) != 0)
                        fail_msg("\"%s\" does not begin with \"%s\"", verdict, cases[i].begin);
                if (cases[i].cause)
                        assert_string_equal(ranking.findings[0]->shown.cause, cases[i].cause);
                ranking_deinit(&ranking);
        }
}

/* What many requests failed by comes before what would be faster, by however much. */
static void test_failures_come_first(void **state)
{
        int16_t statuses[4] = { 200, 200, 503, 200 };
        const struct record_maker maker = { .n = 400,
                .slots = 4,
                .each.server_ns = 50 * MS,
                .vary = answer_with_errors,
                .argument = statuses };
        char verdict[VERDICT_TEXT];
        struct ranking ranking;

        (void)state;
        explain_spoilt(&maker, NULL, &ranking, verdict);
        assert_true(ranking.n > 1);
        assert_string_equal(ranking.findings[0]->shown.cause, "throttled");
        ranking_deinit(&ranking);
}

/* Those behind waited for their turn. */
static void stop_from(struct record *record, size_t from, uint64_t end_ns)
{
        for (size_t i = from; i < record->n_attempts; i++) {
                struct trace_attempt *attempt = &record->attempts[i];

                attempt->stamps =
                        (struct attempt){ .start_ns = attempt->stamps.start_ns, .end_ns = end_ns };
                attempt->conn = attempt->slot_from = 0;
                attempt->status = 0;
                attempt->finished_ns = attempt->taken_ns = end_ns;
                attempt->code = MUSTER_E_CANCELLED;
                attempt->outcome = TRACE_FAILED;
                attempt->wait = TRACE_WAIT_NONE;
        }
        record->run.end_ns = end_ns;
}

/* Ctrl-C after the first 80. */
static void stop_after_80(struct record *record)
{
        stop_from(record, 80, record->attempts[79].taken_ns);
}

static void stop_at_once(struct record *record)
{
        for (size_t i = 0; i < record->n_attempts; i++) {
                struct trace_attempt *attempt = &record->attempts[i];

                attempt->status = 0;
                attempt->code = MUSTER_E_CANCELLED;
                attempt->outcome = TRACE_FAILED;
        }
}

/* What was stopped is no failure; what waited shows that more was wanted. */
static void test_stopped_run(void **state)
{
        const struct record_maker maker = { .n = 500, .slots = 4, .each.server_ns = 100 * MS };
        const struct record_maker hanging = { .n = 4, .slots = 4, .each.server_ns = 3 * NS_PER_S };
        const struct record_maker one = { .n = 1, .slots = 1, .each.server_ns = 3 * NS_PER_S };
        char verdict[VERDICT_TEXT];
        struct ranking ranking;

        (void)state;
        explain_spoilt(&maker, stop_after_80, &ranking, verdict);
        assert_string_equal(verdict,
                "The limit of 4 at a time held the run back. With --concurrency 64 the 80 "
                "requests that were done could take about 200 ms instead of 2 s.");
        ranking_deinit(&ranking);
        explain_spoilt(&hanging, stop_at_once, &ranking, verdict);
        assert_string_equal(verdict, "None of 4 requests was done when the run was stopped. Where "
                                     "the 3 s went: waiting for the server's response 100 %.");
        ranking_deinit(&ranking);
        explain_spoilt(&one, stop_at_once, &ranking, verdict);
        assert_non_null(strstr(verdict,
                "The one request was not done when the run was stopped. Where "));
        ranking_deinit(&ranking);
}

static void stop_after_4(struct record *record)
{
        stop_from(record, 4, record->attempts[3].stamps.end_ns);
        stop_at_once(record);
}

/* Whom they waited for nobody has told them, but all slots were in use. */
static void test_waiting_when_stopped(void **state)
{
        struct record record;
        struct facts facts;

        (void)state;
        assert_int_equal(record_make(&record,
                                 &(struct record_maker){
                                         .n = 50, .slots = 4, .each.server_ns = 3 * NS_PER_S }),
                0);
        stop_after_4(&record);
        assert_int_equal(facts_measure(&facts, &record), 0);
        assert_true(facts.full_ns > 2900 * MS && facts.wall_ns < 3100 * MS);
        facts_deinit(&facts);
        record_deinit(&record);
}

static void come_steadily(struct record_maker_request *request, size_t i,
        const struct record_maker *maker)
{
        (void)maker;
        request->submit_after_ns = i * 10 * MS;
}

/* As a writer leaves it that could not keep up: of each 100 attempts the first 60. */
static void make_holes(struct record *record)
{
        size_t n = 0;

        for (size_t i = 0; i < record->n_attempts; i++)
                if (i % 100 < 60)
                        record->attempts[n++] = record->attempts[i];
        record->run.n_holes = record->run.n_dropped = record->n_attempts - n;
        record->n_attempts = n;
}

/* Between what is left nothing was under way, and nobody knows whether that is so. */
static void test_record_with_holes(void **state)
{
        struct record record;
        struct facts facts;
        struct ranking ranking;
        char verdict[VERDICT_TEXT];
        uint64_t chain_ns = 0, share_ns = 0;

        (void)state;
        assert_int_equal(record_make(&record, &(struct record_maker){ .n = 960,
                                                      .each.server_ns = 50 * MS,
                                                      .vary = come_steadily }),
                0);
        make_holes(&record);
        assert_int_equal(record.attempts[record.n_attempts - 1].number, 960);
        assert_int_equal(facts_measure(&facts, &record), 0);
        for (size_t i = 0; i < PART_N; i++) {
                chain_ns += facts.chain_ns[i];
                share_ns += facts.share_ns[i];
        }
        assert_int_equal(chain_ns, facts.wall_ns);
        assert_int_equal(share_ns, facts.wall_ns);
        assert_int_equal(facts.chain_ns[PART_INPUT] + facts.share_ns[PART_INPUT], 0);
        assert_in_range(facts.share_ns[PART_MISSING], 3000 * MS, 3600 * MS); /* of 9.6 s */
        assert_int_equal(ranking_make(&ranking, &facts), 0);
        assert_int_equal(ranking.n, 0);
        verdict_write(verdict, &facts, &ranking, NULL, 0);
        assert_string_equal(verdict,
                "360 of 960 attempts are missing from this record, so it cannot say "
                "where the time went. Record again, to a faster disk, and do not read the "
                "file meanwhile.");
        /* Of few of them it does not depend. */
        record.run.n_holes = 6;
        assert_int_equal(ranking_make(&ranking, &facts), 0);
        assert_true(ranking.n > 0);
        ranking_deinit(&ranking);
        facts_deinit(&facts);
        record_deinit(&record);
}

int main(void)
{
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_nearly_all_failed),
                cmocka_unit_test(test_counts_are_of_all),
                cmocka_unit_test(test_figures_are_of_all),
                cmocka_unit_test(test_all_answered_with_errors),
                cmocka_unit_test(test_failures_come_first),
                cmocka_unit_test(test_stopped_run),
                cmocka_unit_test(test_waiting_when_stopped),
                cmocka_unit_test(test_record_with_holes),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
