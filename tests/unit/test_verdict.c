/* SPDX-License-Identifier: MIT */
/*
 * From findings to words: what is worth a line, the one sentence, and figures by name
 */
#include "record_maker.h"
#include "unit.h"

#include <explain/facts_measure.h>
#include <explain/causes/cause.h>
#include <explain/figure.h>
#include <explain/verdict.h>
#include <math.h>
#include <muster/explain.h>
#include <string.h>

#define MS NS_PER_MS

/* --- words ----------------------------------------------------------------------------------- */

static void test_two_words_in_one_sentence(void **state)
{
        struct finding finding = { 0 };

        (void)state;
        for (int i = 0; i < MUSTER_EVIDENCE_MAX + 2; i++)
                finding_evidence(&finding, "%s of %s, %s", words_ns(12300000).text,
                        words_ns(2500000000).text, words_share(1, 3).text);
        assert_int_equal(finding.shown.n_evidence, MUSTER_EVIDENCE_MAX);
        assert_string_equal(finding.shown.evidence[0], "12.3 ms of 2.5 s, 33 %");
        finding_title(&finding, "%1000d", 1);
        assert_int_equal(strlen(finding.shown.title), FINDING_TEXT - 1);
}

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
        /* A simulation of the same run is not that exact. */
        finding_smooth(&finding, 96);
        assert_int_equal(finding.shown.wall_low_ns, 50);
        assert_int_equal(finding.shown.wall_ns, 96);
        assert_int_equal(finding.shown.wall_high_ns, 200);
        finding_smooth(&finding, 90); /* so much slower is what is meant */
        assert_int_equal(finding.shown.wall_ns, 96);
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

/* --- the sentence ---------------------------------------------------------------------------- */

static void assert_verdict(struct finding *finding, const struct facts *facts, const char *text)
{
        struct ranking ranking = { .findings = &finding, .n = 1 };
        char verdict[VERDICT_TEXT];

        verdict_write(verdict, facts, &ranking, NULL, 0);
        assert_string_equal(verdict, text);
}

static void test_verdict_of_a_finding(void **state)
{
        const struct record record = { 0 }, newest = { .run.n_dropped = 3 };
        const struct facts facts = { .record = &record, .wall_ns = 2500 * MS, .n_requests = 200 };
        const struct facts single = { .record = &record, .wall_ns = 2500 * MS, .n_requests = 1 };
        const struct facts rest = { .record = &newest, .wall_ns = 2500 * MS, .n_requests = 5000 };
        struct finding finding = { 0 };

        (void)state;
        finding_title(&finding, "4 requests at a time were too few");
        finding_remedy(&finding, "Allow 64 at once.");
        assert_verdict(&finding, &facts, "4 requests at a time were too few: allow 64 at once.");
        finding_predict(&finding, 190 * MS, 0, UINT64_MAX);
        assert_verdict(&finding, &facts,
                "4 requests at a time were too few: allow 64 at once, and these 200 requests "
                "would take about 190 ms instead of 2.5 s.");
        finding_option(&finding, "--concurrency 64");
        assert_verdict(&finding, &facts,
                "4 requests at a time were too few: with --concurrency 64 these 200 "
                "requests would take about 190 ms instead of 2.5 s.");
        assert_verdict(&finding, &single,
                "4 requests at a time were too few: with --concurrency 64 this request "
                "would take about 190 ms instead of 2.5 s.");
        assert_verdict(&finding, &rest,
                "4 requests at a time were too few: with --concurrency 64 the 5,000 recorded "
                "requests would take about 190 ms instead of 2.5 s.");
        finding_option(&finding, "without --rate");
        finding_title(&finding, "The rate was too low");
        assert_verdict(&finding, &facts,
                "The rate was too low: without --rate these 200 requests would take about "
                "190 ms instead of 2.5 s.");
        /* What may take much longer all the same is not promised. */
        finding_predict(&finding, 190 * MS, 190 * MS, 500 * MS);
        assert_verdict(&finding, &facts,
                "The rate was too low: without --rate these 200 requests could take about "
                "190 ms instead of 2.5 s.");
        /* Where the option gains no time it is no reason to use it. */
        finding_predict(&finding, 2490 * MS, 0, UINT64_MAX);
        finding_title(&finding, "DNS is slow.");
        finding_remedy(&finding, "DNS is yours to change (resolv.conf); else ask: it may help.");
        assert_verdict(&finding, &facts, "DNS is slow: DNS is yours to change.");
}

static void test_verdict_without_a_finding(void **state)
{
        const struct ranking none = { 0 };
        const struct bound slots = { .name = "slots", .ns = 950 * MS };
        const struct bound loop = { .name = "loop", .ns = 950 * MS };
        const struct record record = { 0 };
        struct facts facts = {
                .record = &record, .wall_ns = 1000 * MS, .n_requests = 200, .all.n_requests = 200
        };
        char verdict[VERDICT_TEXT];

        (void)state;
        facts.chain_ns[PART_SERVER] = 800 * MS;
        facts.chain_ns[PART_NETWORK] = 150 * MS;
        facts.chain_ns[PART_TCP] = 50 * MS;
        verdict_write(verdict, &facts, &none, &slots, 1);
        assert_string_equal(verdict, "Of the 1 s 80 % went into waiting for the server's answer, "
                                     "15 % into the way to the server and back, and nothing stands "
                                     "out that would make it faster.");
        /* The end waited for the server, and yet it is this program that was busy for as long. */
        verdict_write(verdict, &facts, &none, &loop, 1);
        assert_non_null(strstr(verdict, ": mixed,"));
        facts.n_failed = facts.all.n_failed = 3;
        verdict_write(verdict, &facts, &none, &slots, 1);
        assert_non_null(strstr(verdict, "3 of 200 requests failed: of the 1 s "));
        facts.chain_ns[PART_SERVER] = 400 * MS;
        facts.chain_ns[PART_RECEIVE] = 400 * MS;
        verdict_write(verdict, &facts, &none, &slots, 1);
        assert_non_null(strstr(verdict, ": mixed,"));
        facts.n_failed = facts.all.n_failed = 200;
        verdict_write(verdict, &facts, &none, &slots, 1);
        assert_string_equal(verdict, "All 200 requests failed, which says nothing about speed: "
                                     "find out first why, as the result lines tell.");
}

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
        assert_string_equal(verdict, "190 of 200 requests failed, which says nothing about speed: "
                                     "find out first why, as the result lines tell.");
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
        assert_string_equal(verdict, "All 200,000 requests failed, which says nothing about speed: "
                                     "find out first why, as the result lines tell.");
        ranking_deinit(&ranking);
        maker.each.code = MUSTER_OK;
        maker.each.status = 404;
        explain_spoilt(&maker, keep_the_newest, &ranking, verdict);
        if (!strstr(verdict,
                    "All 200,000 requests were answered with an error (404). 4 requests") ||
                !strstr(verdict, " the newest 200 requests ") ||
                !strstr(verdict, " This is judged by the newest 200 of 200,000 requests."))
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
                        "All 200 requests were answered with an error (500). 4 requests at a time were "
                        "too few: with --concurrency 64 ",
                        "concurrency-too-low" },
                { { 404, 404, 404, 410 },
                        "All 200 requests were answered with an error (mostly 404). 4 requests at ",
                        "concurrency-too-low" },
                { { 200, 500, 500, 500 }, "4 requests at a time were too few", NULL },
                { { 503, 503, 503, 503 },
                        "200 of 200 requests were refused in the end (503): ", "throttled" },
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
        char verdict[VERDICT_TEXT];
        struct ranking ranking;

        (void)state;
        explain_spoilt(&maker, stop_after_80, &ranking, verdict);
        assert_string_equal(verdict,
                "4 requests at a time were too few: with --concurrency 64 the 80 "
                "requests that were done could take about 200 ms instead of 2 s.");
        ranking_deinit(&ranking);
        explain_spoilt(&hanging, stop_at_once, &ranking, verdict);
        assert_string_equal(verdict, "None of 4 requests was done when the run was stopped: of the "
                                     "3 s 100 % went into waiting for the server's answer.");
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
                "what the time went into: record again, to a faster disk, and let "
                "nobody read the file meanwhile.");
        /* Of few of them it does not depend. */
        record.run.n_holes = 6;
        assert_int_equal(ranking_make(&ranking, &facts), 0);
        assert_true(ranking.n > 0);
        ranking_deinit(&ranking);
        facts_deinit(&facts);
        record_deinit(&record);
}

/* --- figures --------------------------------------------------------------------------------- */

static void scatter(struct record_maker_request *request, size_t i,
        const struct record_maker *maker)
{
        (void)maker;
        request->server_ns = (i + 1) * MS;
        request->code = i < 10 ? MUSTER_E_TIMEOUT : MUSTER_OK;
        request->n_retries = i == 999;
}

static void test_figures(void **state)
{
        static const struct {
                const char *name;
                double value;
        } cases[] = {
                { "wall", 2e9 },
                { "rate", 500 },
                { "error.rate", 0.01 },
                { "requests", 1000 },
                { "failed", 10 },
                { "retries", 1 },
                { "redirects", 0 },
                { "connects", 991 }, /* the ten that failed did not get one */
                { "concurrency.max", 1000 },
                { "latency.p50", 505e6 }, /* of the 990 without an error */
                { "latency.p99", 991e6 },
                { "latency.p99.8", 999e6 },
                { "latency.p100", 2e9 },
                { "latency.p0", 11e6 },
                { "latency.max", 2e9 },
                { "wait.max", 1e9 },
                { "wait.min", 1e6 },
                { "server.p10", 110e6 }, /* of those that were answered */
                { "queue.p95", 0 },
                { "backoff.mean", 0 },
                { "deliver.max", 0 },
        };
        static const char *const none[] = { "", "latency", "latency.", "latency.p", "latency.p101",
                "latency.px", "latency.p5x", "nothing.p50", "queue.p-1", ".p50", "latency.p50.",
                "rate.mean" };
        struct record record;
        struct facts facts;
        double value;

        (void)state;
        assert_int_equal(record_make(&record,
                                 &(struct record_maker){
                                         .n = 1000, .slots = 2000, .vary = scatter }),
                0);
        for (size_t i = 0; i < record.n_attempts; i++)
                if (record.attempts[i].code == 0)
                        record.attempts[i].stamps.tcp_end_ns = record.attempts[i].stamps.slot_ns;
        assert_int_equal(facts_measure(&facts, &record), 0);
        for (size_t i = 0; i < LENGTH(cases); i++) {
                assert_int_equal(figure_of(&facts, cases[i].name, &value), 0);
                if (value != cases[i].value)
                        fail_msg("%s is %g, not %g", cases[i].name, value, cases[i].value);
        }
        assert_int_equal(figure_of(&facts, "latency.mean", &value), 0);
        assert_true(value > 506.4e6 && value < 506.6e6);
        for (size_t i = 0; i < LENGTH(none); i++)
                if (figure_of(&facts, none[i], &value) != MUSTER_E_INVALID)
                        fail_msg("\"%s\" is no figure", none[i]);
        facts_deinit(&facts);
        record_deinit(&record);
}

static void fail_it(struct record_maker_request *request, size_t i,
        const struct record_maker *maker)
{
        (void)i;
        (void)maker;
        request->code = MUSTER_E_TIMEOUT;
}

/* What nothing has is no 0, which would hold any assertion. */
static void test_figures_of_nothing(void **state)
{
        static const char *const names[] = { "latency.p99", "latency.mean", "latency.min",
                "latency.max", "server.p50" };
        struct record record;
        struct facts facts;
        double value;

        (void)state;
        assert_int_equal(record_make(&record,
                                 &(struct record_maker){
                                         .n = 10, .each.server_ns = 100 * MS, .vary = fail_it }),
                0);
        assert_int_equal(facts_measure(&facts, &record), 0);
        for (size_t i = 0; i < LENGTH(names); i++) {
                assert_int_equal(figure_of(&facts, names[i], &value), 0);
                assert_true(isnan(value));
        }
        assert_int_equal(figure_of(&facts, "wait.p50", &value), 0);
        assert_true(value == 100e6);
        facts_deinit(&facts);
        record_deinit(&record);
}

/* --- misuse ---------------------------------------------------------------------------------- */

static void test_misuse(void **state)
{
        struct muster_explanation *explanation = NULL;
        struct muster_error error = { 0 };

        (void)state;
        assert_int_equal(muster_explain_file(NULL, "x", &error), MUSTER_E_INVALID);
        assert_int_equal(error.code, MUSTER_E_INVALID);
        assert_int_equal(muster_explain_file(&explanation, NULL, NULL), MUSTER_E_INVALID);
        assert_int_equal(muster_explain_client(&explanation, NULL, NULL), MUSTER_E_INVALID);
        assert_int_equal(muster_explain_file(&explanation, "/nowhere/at/all", &error),
                MUSTER_E_INPUT);
        assert_int_equal(muster_explain_file(&explanation, "/nowhere/at/all", NULL),
                MUSTER_E_INPUT);
        assert_null(explanation);
        assert_null(muster_explanation_free(NULL));
        assert_int_equal(muster_explanation_figure(NULL, "wall", NULL), MUSTER_E_INVALID);
        assert_string_equal(muster_explanation_verdict(NULL), "");
        assert_int_equal(muster_explanation_n_parts(NULL, MUSTER_ACCOUNT_CHAIN), 0);
        assert_null(muster_explanation_part(NULL, MUSTER_ACCOUNT_SHARES, 0));
        assert_null(muster_explanation_bound(NULL, 0));
        assert_null(muster_explanation_finding(NULL, 0));
        muster_explanation_run(NULL, NULL, 8);
}

int main(void)
{
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_two_words_in_one_sentence),
                cmocka_unit_test(test_predictions),
                cmocka_unit_test(test_what_is_worth_a_line),
                cmocka_unit_test(test_causes_of_a_plain_run),
                cmocka_unit_test(test_every_allocation_fails),
                cmocka_unit_test(test_verdict_of_a_finding),
                cmocka_unit_test(test_verdict_without_a_finding),
                cmocka_unit_test(test_nearly_all_failed),
                cmocka_unit_test(test_counts_are_of_all),
                cmocka_unit_test(test_figures_are_of_all),
                cmocka_unit_test(test_all_answered_with_errors),
                cmocka_unit_test(test_failures_come_first),
                cmocka_unit_test(test_stopped_run),
                cmocka_unit_test(test_waiting_when_stopped),
                cmocka_unit_test(test_record_with_holes),
                cmocka_unit_test(test_figures),
                cmocka_unit_test(test_figures_of_nothing),
                cmocka_unit_test(test_misuse),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
