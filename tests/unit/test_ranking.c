/* SPDX-License-Identifier: MIT */
/*
 * What is worth a line, and which line comes first
 */
#include "record_maker.h"
#include "unit.h"

#include <explain/facts/program.h>
#include <explain/facts_measure.h>
#include <explain/verdict.h>

#define MS NS_PER_MS

/* --- words ----------------------------------------------------------------------------------- */

static void test_predictions(void **state)
{
        struct finding finding = { 0 };

        (void)state;
        finding_predict(&finding, UINT64_MAX, 1, 2);
        assert_false(finding.shown.has_prediction);
        finding_predict(&finding, 100, 200, UINT64_MAX);
        assert_true(finding.shown.has_prediction);
        assert_int_equal(finding.shown.wall_ns, 100);
        assert_int_equal(finding.shown.wall_low_ns, 100);
        assert_int_equal(finding.shown.wall_high_ns, 100);
        finding_predict(&finding, 100, 50, 200);
        assert_int_equal(finding.shown.wall_low_ns, 50);
        assert_int_equal(finding.shown.wall_high_ns, 200);
}

/*
 * A range is never without a width. The one that the rule gave it is of the remedy, and each end is a run
 * as any other: two of the same differ by a twentieth. No end goes beyond the run as it was for that.
 */
static void test_ranges(void **state)
{
        const struct scatter scatter = { .share = 0.1 };
        const struct scatter busy = { .share = 0.1, .others_ns = 20 * MS };
        struct finding finding = { 0 };

        (void)state;
        finding_settle(&finding, &scatter, 100 * MS); /* nothing is predicted */
        assert_int_equal(finding.shown.wall_high_ns, 0);
        finding_predict(&finding, 100 * MS, 50 * MS, 200 * MS);
        /* A simulation of the same run is not that exact. */
        finding_settle(&finding, &scatter, 96 * MS);
        assert_int_equal(finding.shown.wall_low_ns, 47500 * NS_PER_US);
        assert_int_equal(finding.shown.wall_ns, 96 * MS);
        assert_int_equal(finding.shown.wall_high_ns, 200 * MS);
        finding_predict(&finding, 100 * MS, 50 * MS, 200 * MS);
        finding_settle(&finding, &scatter, 1000 * MS);
        assert_int_equal(finding.shown.wall_high_ns, 210 * MS);
        finding_predict(&finding, 100 * MS, 50 * MS, 200 * MS);
        finding_settle(&finding, &scatter, 205 * MS);
        assert_int_equal(finding.shown.wall_high_ns, 205 * MS);
        finding_predict(&finding, 96 * MS, 50 * MS, 200 * MS);
        finding_settle(&finding, &scatter, 90 * MS); /* so much slower is what is meant */
        assert_int_equal(finding.shown.wall_ns, 96 * MS);
        finding_predict(&finding, 100 * MS, 100 * MS, 100 * MS);
        finding_settle(&finding, &scatter, 1000 * MS);
        assert_int_equal(finding.shown.wall_low_ns, 90 * MS);
        assert_int_equal(finding.shown.wall_high_ns, 110 * MS);
        /* Others had the processors for 20 ms: the next time they may not, or twice as long. */
        finding_predict(&finding, 100 * MS, 100 * MS, 100 * MS);
        finding_settle(&finding, &busy, 1000 * MS);
        assert_int_equal(finding.shown.wall_low_ns, 70 * MS);
        assert_int_equal(finding.shown.wall_high_ns, 130 * MS);
        finding_predict(&finding, 10, 10, 10); /* the clock's own scatter is a millisecond */
        finding_settle(&finding, &scatter, 1000 * MS);
        assert_int_equal(finding.shown.wall_low_ns, 5);
        assert_int_equal(finding.shown.wall_high_ns, MS + 10);
}

/* --- worth ----------------------------------------------------------------------------------- */

static void test_what_is_worth_a_line(void **state)
{
        static const struct {
                uint64_t predicted_ms, explained_ms, n_failed, worth_ms; /* predicted 0: not */
        } cases[] = {
                { 0, 0, 0, 0 }, { 400, 0, 0, 600 },
                { 400, 900, 0, 600 },  /* what can be gained, not what it took */
                { 975, 0, 0, 0 },      /* less than 3 % */
                { 1000, 700, 0, 700 }, /* nothing to gain, yet that is what the time was */
                { 1200, 0, 0, 0 }, { 0, 20, 0, 0 }, { 0, 0, 50, 500 }, { 300, 0, 50, 700 },
                { 0, 0, 1000, 1000 }, /* of a hundred: never more than all */
        };
        const struct facts facts = { .wall_ns = 1000 * MS, .n_requests = 100 };
        const struct facts brief = { .wall_ns = 5 * MS, .n_requests = 100 };
        struct finding finding;

        (void)state;
        for (size_t i = 0; i < LENGTH(cases); i++) {
                finding = (struct finding){ .explained_ns = cases[i].explained_ms * MS,
                        .n_failed_by_it = cases[i].n_failed };
                if (cases[i].predicted_ms)
                        finding_predict(&finding, cases[i].predicted_ms * MS, 0, UINT64_MAX);
                assert_int_equal(ranking_worth_ns(&finding, &facts), cases[i].worth_ms * MS);
        }
        /* Of a run of 5 ms a part that is less than the scatter between two runs. */
        finding = (struct finding){ 0 };
        finding_predict(&finding, 4 * MS + 1, 0, UINT64_MAX);
        assert_int_equal(ranking_worth_ns(&finding, &brief), 0);
}

/* The larger gain; but of two that explain the same time the one that was counted. */
static void test_which_comes_first(void **state)
{
        const struct facts facts = { .wall_ns = 1000 * MS, .n_requests = 100 };
        struct finding likely = { .explained_ns = 990 * MS, .shown.grade = MUSTER_GRADE_C };
        struct finding counted = { .shown.grade = MUSTER_GRADE_A };
        struct finding own = { .shown.grade = MUSTER_GRADE_A };
        struct program_facts program = { 0 };
        struct facts watched = facts;

        (void)state;
        watched.program = &program;
        /* Our own client was the limit: that comes first, but not of a watched program. */
        finding_predict(&counted, 200 * MS, 100 * MS, 400 * MS);
        own.shown.is_client = true;
        finding_predict(&own, 700 * MS, 600 * MS, 800 * MS);
        assert_true(ranking_is_before(&own, &counted, &facts));
        assert_true(ranking_is_before(&counted, &own, &watched));
        finding_predict(&counted, 20 * MS, 10 * MS, 40 * MS);
        assert_true(ranking_is_before(&counted, &likely, &facts));
        assert_false(ranking_is_before(&likely, &counted, &facts));
        finding_predict(&counted, 200 * MS, 100 * MS, 400 * MS);
        assert_true(ranking_is_before(&likely, &counted, &facts));
        assert_false(ranking_is_before(&counted, &likely, &facts));
        /* That a server is at its limit matters less where most was asked for in vain. */
        counted.is_needless = true;
        assert_true(ranking_is_before(&counted, &likely, &facts));
        assert_false(ranking_is_before(&likely, &counted, &facts));
        finding_predict(&likely, 10 * MS, 10 * MS, 40 * MS);
        assert_true(ranking_is_before(&likely, &counted, &facts));
}

static void test_causes_of_a_plain_run(void **state)
{
        struct record record;
        struct facts facts;
        struct ranking ranking;

        (void)state;
        assert_int_equal(record_make(&record,
                                 &(struct record_maker){
                                         .n = 400, .slots = 4, .each.server_ns = 50 * MS }),
                0);
        assert_int_equal(facts_measure(&facts, &record), 0);
        assert_int_equal(ranking_make(&ranking, &facts), 0);
        assert_true(ranking.n >= 1 && ranking.n <= RANKING_MOST);
        for (size_t i = 0; i < ranking.n; i++) {
                const struct muster_finding *shown = &ranking.findings[i]->shown;

                assert_non_null(shown->cause);
                assert_non_null(shown->title);
                assert_non_null(shown->remedy);
                assert_true(shown->n_evidence > 0);
                assert_true(i == 0 || ranking_worth_ns(ranking.findings[i - 1], &facts) >=
                                              ranking_worth_ns(ranking.findings[i], &facts));
        }
        assert_string_equal(ranking.findings[0]->shown.cause, "concurrency-too-low");
        ranking_deinit(&ranking);
        ranking_deinit(&ranking);
        facts_deinit(&facts);
        record_deinit(&record);
}

static void rank_or_not(void)
{
        struct record record;
        struct facts facts;
        struct ranking ranking = { 0 };

        if (record_make(&record,
                    &(struct record_maker){ .n = 40, .slots = 2, .each.server_ns = 50 * MS }) < 0)
                return;
        if (facts_measure(&facts, &record) == 0) {
                int r = ranking_make(&ranking, &facts);

                assert_true(r == 0 || (r == MUSTER_E_RESOURCE && mem_has_failed()));
                ranking_deinit(&ranking);
        }
        facts_deinit(&facts);
        record_deinit(&record);
}

static void test_every_allocation_fails(void **state)
{
        (void)state;
        for_each_failing_allocation(rank_or_not);
}

int main(void)
{
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_predictions),
                cmocka_unit_test(test_ranges),
                cmocka_unit_test(test_what_is_worth_a_line),
                cmocka_unit_test(test_which_comes_first),
                cmocka_unit_test(test_causes_of_a_plain_run),
                cmocka_unit_test(test_every_allocation_fails),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
