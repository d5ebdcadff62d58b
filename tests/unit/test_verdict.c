/* SPDX-License-Identifier: MIT */
/*
 * The verdict, and misuse of what gives it
 */
#include "record_maker.h"
#include "unit.h"

#include <explain/facts/program.h>
#include <explain/verdict.h>
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

/* --- the sentence ---------------------------------------------------------------------------- */

static void assert_verdict(struct finding *finding, const struct facts *facts, const char *text)
{
        struct ranking ranking = { .findings = &finding, .n = 1 };
        char verdict[VERDICT_TEXT];

        verdict_write(verdict, facts, &ranking, NULL, 0);
        assert_string_equal(verdict, text);
}

/* Between its requests a program does what is not seen, and that is not praised. */
static void test_verdict_of_a_program_that_pauses(void **state)
{
        const struct record record = { 0 };
        struct program_facts program = { 0 };
        struct facts facts = { .record = &record,
                .wall_ns = 1000 * MS,
                .n_requests = 20,
                .program = &program,
                .chain_ns = { [PART_INPUT] = 800 * MS, [PART_SERVER] = 200 * MS } };
        struct ranking ranking = { 0 };
        char verdict[VERDICT_TEXT];

        (void)state;
        verdict_write(verdict, &facts, &ranking, NULL, 0);
        assert_non_null(strstr(verdict, "the program between its requests 80 %"));
        assert_non_null(strstr(verdict, "does or waits for between its requests decides"));
        assert_null(strstr(verdict, "Nothing stands out"));
}

static void test_verdict_of_a_finding(void **state)
{
        const struct record record = { 0 }, newest = { .run.n_dropped = 3 };
        const struct facts facts = { .record = &record, .wall_ns = 2500 * MS, .n_requests = 200 };
        const struct facts single = { .record = &record, .wall_ns = 2500 * MS, .n_requests = 1 };
        const struct facts rest = { .record = &newest, .wall_ns = 2500 * MS, .n_requests = 5000 };
        struct finding finding = { 0 };

        (void)state;
        finding_title(&finding, "The limit of 4 at a time held the run back");
        finding_remedy(&finding, "Allow 64 at once.");
        assert_verdict(&finding, &facts,
                "The limit of 4 at a time held the run back. Allow 64 at once.");
        finding_predict(&finding, 190 * MS, 0, UINT64_MAX);
        assert_verdict(&finding, &facts,
                "The limit of 4 at a time held the run back. Allow 64 at once. "
                "Then the run should take about 190 ms instead of 2.5 s.");
        finding_option(&finding, "--concurrency 64");
        assert_verdict(&finding, &facts,
                "The limit of 4 at a time held the run back. With --concurrency 64 "
                "the run should take about 190 ms instead of 2.5 s.");
        assert_verdict(&finding, &single,
                "The limit of 4 at a time held the run back. With --concurrency 64 "
                "the run should take about 190 ms instead of 2.5 s.");
        assert_verdict(&finding, &rest,
                "The limit of 4 at a time held the run back. With --concurrency 64 "
                "the 5,000 recorded requests should take about 190 ms instead of 2.5 s.");
        finding_option(&finding, "without --rate");
        finding_title(&finding, "The rate was too low");
        assert_verdict(&finding, &facts,
                "The rate was too low. Without --rate the run should take about "
                "190 ms instead of 2.5 s.");
        /* What may take much longer all the same is not promised. */
        finding_predict(&finding, 190 * MS, 190 * MS, 500 * MS);
        assert_verdict(&finding, &facts,
                "The rate was too low. Without --rate the run could take about "
                "190 ms instead of 2.5 s.");
        /* Where the option gains no time it is no reason to use it. */
        finding_predict(&finding, 2490 * MS, 0, UINT64_MAX);
        finding_title(&finding, "DNS is slow.");
        finding_remedy(&finding, "DNS is yours to change (resolv.conf); else ask: it may help.");
        assert_verdict(&finding, &facts, "DNS is slow. DNS is yours to change.");
}

static void test_verdict_without_a_finding(void **state)
{
        const struct ranking none = { 0 };
        const struct bound slots = { .name = "slots", .ns = 950 * MS };
        const struct bound loop = {
                .name = "loop", .formula = "200 x 4.75 ms of work", .ns = 950 * MS
        };
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
        assert_string_equal(verdict, "Where the 1 s went: waiting for the server's response 80 %, "
                                     "network round trips 15 %. Nothing stands out that would make "
                                     "it faster.");
        /* The end waited for the server, and yet it is this program that was busy for as long. */
        verdict_write(verdict, &facts, &none, &loop, 1);
        assert_non_null(strstr(verdict,
                ". Nothing stands out; but by what it had to do it could not "
                "have been faster than 950 ms (200 x 4.75 ms of work)."));
        /* Most of it in one part is not mixed, whatever is known of resources. */
        verdict_write(verdict, &facts, &none, NULL, 0);
        assert_non_null(strstr(verdict, ". Nothing stands out that would make it faster."));
        facts.n_failed = facts.all.n_failed = 3;
        verdict_write(verdict, &facts, &none, &slots, 1);
        assert_non_null(strstr(verdict, "3 of 200 requests failed. Where the 1 s went: "));
        facts.chain_ns[PART_SERVER] = 400 * MS;
        facts.chain_ns[PART_RECEIVE] = 400 * MS;
        verdict_write(verdict, &facts, &none, &slots, 1);
        assert_non_null(strstr(verdict, ". No single change "));
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
        assert_null(muster_explanation_failures(NULL));
        assert_null(muster_explanation_process(NULL, 0));
        assert_int_equal(muster_explanation_watched(NULL, NULL, 0), MUSTER_E_INVALID);
        muster_explanation_run(NULL, NULL, 8);
}

int main(void)
{
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_two_words_in_one_sentence),
                cmocka_unit_test(test_verdict_of_a_program_that_pauses),
                cmocka_unit_test(test_verdict_of_a_finding),
                cmocka_unit_test(test_verdict_without_a_finding),
                cmocka_unit_test(test_misuse),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
