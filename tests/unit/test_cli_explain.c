/* SPDX-License-Identifier: MIT */
/*
 * The command's parts that have to do with explanations: assertions, and invocations that are taken
 * apart and changed
 */
#include "unit.h"

#include "explain/assertion.h"
#include "explain/confirm.h"
#include "explain/invocation.h"
#include <math.h>
#include <stdio.h>

/* --- assertions ------------------------------------------------------------------------------ */

static void test_assertions(void **state)
{
        static const struct {
                const char *text, *figure;
                enum assertion_kind kind;
                bool is_at_most, is_strict;
                double limit;
        } cases[] = {
                { "queue.p95<5ms", "queue.p95", ASSERTION_DURATION, true, true, 5e6 },
                { "wall<=2s", "wall", ASSERTION_DURATION, true, false, 2e9 },
                { "latency.p99 < 200 ms", "latency.p99", ASSERTION_DURATION, true, true, 2e8 },
                { "  wait.mean>10us ", "wait.mean", ASSERTION_DURATION, false, true, 1e4 },
                { "dns.max>=100ns", "dns.max", ASSERTION_DURATION, false, false, 100 },
                { "wall<1.5min", "wall", ASSERTION_DURATION, true, true, 90e9 },
                { "wall<1h", "wall", ASSERTION_DURATION, true, true, 3600e9 },
                { "rate>100/s", "rate", ASSERTION_RATE, false, true, 100 },
                { "rate>=30/min", "rate", ASSERTION_RATE, false, false, 0.5 },
                { "error.rate<1%", "error.rate", ASSERTION_SHARE, true, true, 0.01 },
                { "error.rate<=0", "error.rate", ASSERTION_SHARE, true, false, 0 },
                { "lag.p50<=0", "lag.p50", ASSERTION_DURATION, true, false, 0 },
                { "failed<=0", "failed", ASSERTION_NUMBER, true, false, 0 },
                { "connects<65", "connects", ASSERTION_NUMBER, true, true, 65 },
                { "server.p99.9<1s", "server.p99.9", ASSERTION_DURATION, true, true, 1e9 },
                { "network.min>1us", "network.min", ASSERTION_DURATION, false, true, 1e3 },
                { "concurrency.mean>7.5", "concurrency.mean", ASSERTION_NUMBER, false, true, 7.5 },
        };

        (void)state;
        for (size_t i = 0; i < LENGTH(cases); i++) {
                struct muster_error error = { 0 };
                struct assertion one;

                assert_int_equal(assertion_parse(&one, cases[i].text, &error), 0);
                assert_string_equal(one.figure, cases[i].figure);
                assert_int_equal(one.kind, cases[i].kind);
                assert_int_equal(one.is_at_most, cases[i].is_at_most);
                assert_int_equal(one.is_strict, cases[i].is_strict);
                assert_true(one.limit > cases[i].limit * (1 - 1e-9) - 1e-12 &&
                            one.limit < cases[i].limit * (1 + 1e-9) + 1e-12);
        }
}

static void test_bad_assertions(void **state)
{
        static const struct {
                const char *text, *says;
        } cases[] = {
                { "", "is not an assertion" },
                { "wall", "is not an assertion" },
                { "wall=2s", "is not an assertion" },
                { "wall==2s", "is not an assertion" },
                { "wall!<2s", "is not an assertion" },
                { "<2s", "no figure \"\"" },
                { "walls<2s", "no figure \"walls\"" },
                { "Wall<2s", "no figure" },
                { "queue<5ms", "no figure \"queue\"; queue has mean, min, max, p50" },
                { "latency.median<1s",
                        "no figure \"latency.median\"; latency has mean, min, max, p50 (median), "
                        "p95, p99.9 and so on; for example latency.p95<5ms" },
                { "concurrency.p99.9<5", "no figure \"concurrency.p99.9\"; known: wall rate" },
                { "concurrency.median<5",
                        "no figure \"concurrency.media...\"; known: wall rate error.rate requests failed "
                        "retries redirects connects concurrency.mean concurrency.max; .p95 of latency" },
                { "queue.p<5ms", "no figure" },
                { "queue.p101<5ms", "no figure" },
                { "queue.p9x<5ms", "no figure" },
                { "queue.p9.9.9<5ms", "no figure" },
                { "queue.p+9<5ms", "no figure" },
                { "queue.95<5ms", "no figure" },
                { "queue.p95.<5ms", "no figure" },
                { "latency.p95.<1s", "no figure \"latency.p95.\"" },
                { "queue.p95.p95<5ms", "no figure" },
                { ".p95<5ms", "no figure" },
                { "queue.<5ms", "no figure" },
                { "wall<", "is a duration" },
                { "wall<5", "is a duration; write 500us" },
                { "wall<5 5ms", "is a duration" },
                { "wall<5mss", "is a duration" },
                { "wall<5ms<6ms", "is a duration" },
                { "wall<-5ms", "is a duration" },
                { "wall<1e3ms", "is a duration" },
                { "wall<0x10ms", "is a duration" },
                { "wall<infs", "is a duration" },
                { "wall<.ms", "is a duration" },
                { "wall<1.2.3ms", "is a duration" },
                { "wall<1%", "is a duration" },
                { "wall<<1s", "is a duration" },
                { "wall< =1s", "is a duration" },
                { "rate>100", "is a rate" },
                { "rate>100ms", "is a rate" },
                { "error.rate<0.01", "is a share" },
                { "error.rate<1s", "is a share" },
                { "concurrency.mean>1/s", "is a number" },
        };

        (void)state;
        for (size_t i = 0; i < LENGTH(cases); i++) {
                struct muster_error error = { 0 };
                struct assertion one;

                if (assertion_parse(&one, cases[i].text, &error) != MUSTER_E_INVALID ||
                        !strstr(error.text, cases[i].says))
                        fail_msg("%s: %s", cases[i].text, error.text);
        }
}

/* The longest error has all of the list in it, behind the name of the option. */
static void test_the_list_of_figures_fits(void **state)
{
        struct muster_error error = { 0 };
        struct assertion one;

        (void)state;
        assertion_parse(&one, "a name that is much too long for any figure<1", &error);
        assert_true(strlen(error.text) + strlen("--assert: ") < sizeof(error.text));
        assert_string_equal(error.text + strlen(error.text) - strlen("deliver"), "deliver");
}

static void test_values(void **state)
{
        static const struct {
                enum assertion_kind kind;
                double value;
                const char *text;
        } cases[] = {
                { ASSERTION_DURATION, 12345678, "12.3 ms" },
                { ASSERTION_DURATION, -1, "0 ns" },
                { ASSERTION_DURATION, 1e31, "5124095 h 35 min" }, /* more than fits */
                { ASSERTION_RATE, 79.72, "79.7/s" },
                { ASSERTION_RATE, 54321.4, "54321/s" },
                { ASSERTION_SHARE, 0.005, "0.5 %" },
                { ASSERTION_NUMBER, 3.987, "3.99" },
        };

        (void)state;
        for (size_t i = 0; i < LENGTH(cases); i++)
                assert_string_equal(assertion_value(cases[i].kind, cases[i].value).text,
                        cases[i].text);
}

static void test_nothing_to_measure(void **state)
{
        struct assertion one = {
                .text = "latency.p99<200ms", .kind = ASSERTION_DURATION, .actual = NAN
        };
        const struct assertions assertions = { .list = &one, .n = 1 };
        char text[200] = { 0 };
        FILE *to = fmemopen(text, sizeof(text), "w");

        (void)state;
        assert_non_null(to);
        assertions_tell(&assertions, to);
        fclose(to);
        assert_string_equal(text, "muster: assert latency.p99<200ms: FAILED, nothing to "
                                  "measure because every request failed\n");
}

/* --- invocations ----------------------------------------------------------------------------- */

#define WORDS_MAX 20

static char **words_of(const char *text, char *scratch, int *ret_n)
{
        static char *words[WORDS_MAX];
        char *rest = strcpy(scratch, text), *word;

        *ret_n = 0;
        while ((word = strsep(&rest, " ")))
                if (*word)
                        words[(*ret_n)++] = word;
        return words;
}

static void parse_words(struct invocation *invocation, const char *text)
{
        struct muster_error error = { 0 };
        char scratch[200];
        int n;
        char **words;

        assert_true(strlen(text) < sizeof(scratch));
        words = words_of(text, scratch, &n);
        if (invocation_parse(invocation, n, words, &error) < 0)
                fail_msg("%s: %s", text, error.text);
}

/* As one line, without "muster fetch". */
static void expect_words(const struct invocation *invocation, const char *expected)
{
        char **argv = invocation_argv(invocation), line[500] = "";

        assert_non_null(argv);
        assert_string_equal(argv[0], "muster");
        assert_string_equal(argv[1], "fetch");
        for (size_t i = 2; argv[i]; i++) {
                strcat(line, i > 2 ? " " : "");
                strcat(line, argv[i]);
        }
        assert_string_equal(line, expected);
        mem_free(argv);
}

static void test_invocations_change(void **state)
{
        static const struct {
                const char *words, *remedy, *expected;
        } cases[] = {
                { "", "--concurrency 64", "--concurrency 64" },
                { "-c4", "--concurrency 64", "--concurrency 64" },
                { "-c 4 URL", "--concurrency 64", "--concurrency 64 -- URL" },
                { "URL --concurrency=4 -o f", "-c 64", "--output f --concurrency 64 -- URL" },
                { "-skc4", "--concurrency 64", "--silent --insecure --concurrency 64" },
                { "-c 4 -c 8 -c16", "--concurrency 64", "--concurrency 64" },
                { "-c 4 --per-host 2", "--concurrency 64 --per-host 32",
                        "--concurrency 64 --per-host 32" },
                { "-c 4 --per-host 2", "without --per-host", "--concurrency 4" },
                { "-c 4 --per-host 2", "without --per-host --concurrency 8", "--concurrency 8" },
                { "-c 4 --per-host 2", "--concurrency 8 without --per-host", "--concurrency 8" },
                { "-0 -k URL", "without --http1.0", "--insecure -- URL" },
                { "-c 4", "without --rate", "--concurrency 4" },
                { "-H A:b -H C:d", "--rate 10/s", "--header A:b --header C:d --rate 10/s" },
                { "-X -c -- -c 4", "--concurrency 2", "--request -c --concurrency 2 -- -c 4" },
                { "- --", "--concurrency 2", "--concurrency 2 -- -" },
        };

        (void)state;
        for (size_t i = 0; i < LENGTH(cases); i++) {
                struct invocation invocation;
                struct muster_error error = { 0 };

                parse_words(&invocation, cases[i].words);
                assert_int_equal(invocation_change(&invocation, cases[i].remedy, &error), 0);
                expect_words(&invocation, cases[i].expected);
                invocation_deinit(&invocation);
        }
}

static void test_what_is_no_remedy(void **state)
{
        static const char *const remedies[] = {
                "without",
                "without concurrency",
                "URL",
                "--nonsense 4",
                "--concurrency",
                "--concurrency 64 URL",
                "--rate without",
                "--help",
        };

        (void)state;
        for (size_t i = 0; i < LENGTH(remedies); i++) {
                struct invocation invocation = { 0 };
                struct muster_error error = { 0 };

                if (invocation_change(&invocation, remedies[i], &error) != MUSTER_E_INVALID ||
                        !error.text[0])
                        fail_msg("%s", remedies[i]);
                invocation_deinit(&invocation);
        }
}

/* There and back; and what must not be in a record is not in it. */
static void test_invocations_as_json(void **state)
{
        static const struct {
                const char *words, *json;
                int back;
        } cases[] = {
                { "", "[\"muster\",\"fetch\"]", 0 },
                { "-c4 http://h/?a=1@b",
                        "[\"muster\",\"fetch\",\"--concurrency\",\"4\",\"--\",\"http://h/?a=1@b\"]",
                        0 },
                { "-H Accept:a", "[\"muster\",\"fetch\",\"--header\",\"Accept:a\"]", 0 },
                { "-H X-Auth-User:me",
                        "[\"muster\",\"fetch\",\"--header\",\"X-Auth-User:(left out)\"]",
                        MUSTER_E_INPUT },
                { "-H cookie:a=b", "[\"muster\",\"fetch\",\"--header\",\"cookie:(left out)\"]",
                        MUSTER_E_INPUT },
                { "-H Cookie:", "[\"muster\",\"fetch\",\"--header\",\"Cookie:\"]", 0 },
                { "-b a=marzipan", "[\"muster\",\"fetch\",\"--cookie\",\"(left out)\"]",
                        MUSTER_E_INPUT },
                { "-b jar", "[\"muster\",\"fetch\",\"--cookie\",\"jar\"]", 0 },
                { "-b @a=b", "[\"muster\",\"fetch\",\"--cookie\",\"@a=b\"]", 0 },
                { "-H @file", "[\"muster\",\"fetch\",\"--header\",\"@file\"]", 0 },
                { "-u me:word", "[\"muster\",\"fetch\",\"--user\",\"me:(left out)\"]",
                        MUSTER_E_INPUT },
                { "-d a=b", "[\"muster\",\"fetch\",\"--data\",\"(left out)\"]", MUSTER_E_INPUT },
                { "-d @f", "[\"muster\",\"fetch\",\"--data\",\"@f\"]", 0 },
                { "-T f", "[\"muster\",\"fetch\",\"--upload-file\",\"f\"]", 0 },
                { "--data-raw @f", "[\"muster\",\"fetch\",\"--data-raw\",\"(left out)\"]",
                        MUSTER_E_INPUT },
                { "--data-urlencode a=b",
                        "[\"muster\",\"fetch\",\"--data-urlencode\",\"(left out)\"]",
                        MUSTER_E_INPUT },
                { "--json {}", "[\"muster\",\"fetch\",\"--json\",\"(left out)\"]", MUSTER_E_INPUT },
                { "-F a=b", "[\"muster\",\"fetch\",\"--form\",\"(left out)\"]", MUSTER_E_INPUT },
                { "--form-string a=b", "[\"muster\",\"fetch\",\"--form-string\",\"(left out)\"]",
                        MUSTER_E_INPUT },
                { "http://me:word@h/", "[\"muster\",\"fetch\",\"--\",\"http://h/\"]", 0 },
                { "me:word@h", "[\"muster\",\"fetch\",\"--\",\"h\"]", 0 },
        };

        (void)state;
        for (size_t i = 0; i < LENGTH(cases); i++) {
                struct invocation invocation, back = { 0 };
                struct muster_error error = { 0 };
                struct buf json = { 0 };

                parse_words(&invocation, cases[i].words);
                assert_int_equal(invocation_to_json(&invocation, &json), 0);
                assert_string_equal(json.at, cases[i].json);
                assert_int_equal(invocation_from_json(&back, json.at, &error), cases[i].back);
                if (cases[i].back == 0 && !strstr(cases[i].words, "me:word"))
                        assert_int_equal(back.n, invocation.n);
                invocation_deinit(&back);
                invocation_deinit(&invocation);
                buf_deinit(&json);
        }
}

static void test_json_that_is_no_invocation(void **state)
{
        static const char *const texts[] = {
                "",
                "[",
                "{}",
                "[]",
                "[\"muster\"]",
                "[\"muster\",\"compare\"]",
                "[\"muster\",1]",
                "[\"muster\",\"fetch\",1]",
                "\"muster fetch\"",
        };

        (void)state;
        for (size_t i = 0; i < LENGTH(texts); i++) {
                struct invocation invocation = { 0 };
                struct muster_error error = { 0 };

                assert_int_equal(invocation_from_json(&invocation, texts[i], &error),
                        MUSTER_E_INPUT);
                assert_int_equal(invocation.n, 0);
        }
        assert_int_equal(invocation_from_json(&(struct invocation){ 0 }, NULL, NULL),
                MUSTER_E_INPUT);
}

static void change_and_copy(void)
{
        char scratch[50];
        int n;
        char **words = words_of("-c4 --rate=10 URL", scratch, &n);
        struct invocation invocation, copy = { 0 };
        struct muster_error error = { 0 };
        struct buf json = { 0 };

        if (invocation_parse(&invocation, n, words, &error) == 0) {
                int r = invocation_change(&invocation, "without --rate -c 64", &error);

                if (r == 0)
                        r = invocation_copy(&copy, &invocation, &error);
                if (r == 0)
                        r = invocation_to_json(&copy, &json);
                assert_int_equal(r, mem_has_failed() ? MUSTER_E_RESOURCE : 0);
        }
        invocation_deinit(&invocation);
        invocation_deinit(&copy);
        buf_deinit(&json);
}

static void test_invocations_without_memory(void **state)
{
        (void)state;
        for_each_failing_allocation(change_and_copy);
}

/* --- may it be run again? -------------------------------------------------------------------- */

static void test_what_is_run_again(void **state)
{
        static const struct {
                const char *words;
                bool is_safe, is_possible;
        } cases[] = {
                { "", true, true },
                { "-i -", true, true },
                { "-X HEAD", true, true },
                { "-X OPTIONS", true, true },
                { "-X PURGE", false, true },
                { "-d a=b", false, true },
                { "-d a=b -X GET", true, true },
                { "-d a=b -G", true, true },
                { "-I", true, true },
                { "--data-raw a", false, true },
                { "--data-ascii a", false, true },
                { "--data-urlencode a", false, true },
                { "--json {}", false, true },
                { "-F a=b", false, true },
                { "--form-string a=b", false, true },
                { "-F a=@- -X GET", false, false },
                { "-F a=@-;type=text/plain -X GET", false, false },
                { "-F a=<- -X GET", false, false },
                { "--data-urlencode a@- -G", false, false },
                { "--json @- -X GET", false, false },
                { "-K f", false, false },
                { "--data-binary @f", false, true },
                { "-T f", false, true },
                { "-T -", false, false },
                { "-d @- -X GET", false, false },
                { "-H @-", false, false },
                { "--requests 100", true, true },
                { "--duration 1s", false, false },
                { "--ramp 1/s..2/s:1s", false, false },
        };

        (void)state;
        for (size_t i = 0; i < LENGTH(cases); i++) {
                struct invocation invocation;
                struct muster_error error = { 0 };

                parse_words(&invocation, cases[i].words);
                assert_int_equal(confirm_check(&invocation, false, &error),
                        cases[i].is_safe ? 0 : MUSTER_E_INVALID);
                assert_int_equal(confirm_check(&invocation, true, &error),
                        cases[i].is_possible ? 0 : MUSTER_E_INVALID);
                invocation_deinit(&invocation);
        }
}

/* --- what a confirmation says ---------------------------------------------------------------- */

static void test_conclusions(void **state)
{
        static const struct {
                uint64_t before_ms, changed_ms, unchanged_ms, n_failed;
                bool has_prediction;
                const char *says;
        } cases[] = {
                { 2500, 200, 2500, 0, true, "The prediction was right" },
                { 2500, 150, 2500, 0, true, "The prediction was right" },
                { 2500, 300, 2500, 0, true, "The prediction was right" },
                { 2500, 149, 2500, 0, true, "The change helps more" },
                { 2500, 301, 2500, 0, true, "The change helps, but less" },
                { 2500, 200, 2500, 0, false, "The change helps" },
                { 2500, 2400, 2500, 0, true, "Not confirmed: the change gained nothing" },
                { 200, 200, 200, 0, true, "The prediction was right" },
                { 200, 400, 200, 0, true, "It took longer" },
                { 2500, 200, 2500, 1, true, "Not confirmed: more requests failed" },
                /* All of it takes twice as long now, or half: predicted were 200 ms for then. */
                { 2500, 400, 5000, 0, true, "The prediction was right" },
                { 2500, 200, 5000, 0, true, "The change helps more" },
                { 2500, 100, 1250, 0, true, "The prediction was right" },
                { 2500, 300, 1250, 0, true, "The change helps, but less" },
                { 200, 100, 100, 0, true, "The prediction was right" },
        };

        (void)state;
        for (size_t i = 0; i < LENGTH(cases); i++) {
                struct confirmation confirmation = {
                        .n_rounds = 1,
                        .finding = { .has_prediction = cases[i].has_prediction,
                                .wall_low_ns = 150000000,
                                .wall_ns = 200000000,
                                .wall_high_ns = 300000000 },
                        .before_ns = cases[i].before_ms * 1000000,
                        .changed = { .median_ns = cases[i].changed_ms * 1000000,
                                .n_requests = 100,
                                .n_failed = cases[i].n_failed },
                        .unchanged = { .median_ns = cases[i].unchanged_ms * 1000000,
                                .n_requests = 100 },
                };

                assert_ptr_equal(strstr(confirm_conclusion(&confirmation), cases[i].says),
                        confirm_conclusion(&confirmation));
        }
}

static void expect_in_words(uint64_t unchanged_ms, const char *text, bool is_there)
{
        struct confirmation confirmation = {
                .n_rounds = 1,
                .finding = { .option = "--concurrency 64",
                        .has_prediction = true,
                        .wall_low_ns = 150000000,
                        .wall_ns = 200000000,
                        .wall_high_ns = 300000000 },
                .before_ns = 2500000000,
                .changed = { .median_ns = 400000000, .n_requests = 100 },
                .unchanged = { .median_ns = unchanged_ms * 1000000, .n_requests = 100 },
        };
        struct buf words = { 0 };

        assert_int_equal(confirm_words(&confirmation, &words), 0);
        assert_int_equal(buf_terminate(&words), 0);
        if ((strstr(words.at, text) != NULL) != is_there)
                fail_msg("%s", words.at);
        buf_deinit(&words);
}

/* "predicted 200 ms, measured 400 ms, the prediction was right" needs a reason. */
static void test_another_pace_is_told(void **state)
{
        (void)state;
        expect_in_words(5000,
                "an unchanged repeat 5 s. The prediction was right: what was measured is within "
                "its range. The unchanged run now takes 2 times as long as before, so the "
                "scaled prediction is 400 ms (300 to 600 ms).",
                true);
        expect_in_words(2600, "predicted 200 ms (150 to 300 ms), measured 400 ms", true);
        expect_in_words(2600, "The change helps, but less than predicted.", true);
        expect_in_words(2600, "times as long", false);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_assertions),
                cmocka_unit_test(test_bad_assertions),
                cmocka_unit_test(test_the_list_of_figures_fits),
                cmocka_unit_test(test_values),
                cmocka_unit_test(test_nothing_to_measure),
                cmocka_unit_test(test_invocations_change),
                cmocka_unit_test(test_what_is_no_remedy),
                cmocka_unit_test(test_invocations_as_json),
                cmocka_unit_test(test_json_that_is_no_invocation),
                cmocka_unit_test(test_invocations_without_memory),
                cmocka_unit_test(test_what_is_run_again),
                cmocka_unit_test(test_conclusions),
                cmocka_unit_test(test_another_pace_is_told),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
