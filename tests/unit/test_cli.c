/* SPDX-License-Identifier: MIT */
/*
 * The command's parts: options, what is on its way
 */
#include "unit.h"

#include "fetch/options.h"
#include "output/item.h"
#include "option/curl_options.h"
#include "report/report.h"
#include <stdio.h>

/* --- options --------------------------------------------------------------------------------- */

static int parse(struct fetch_options *options, const char *line, struct muster_error *error)
{
        static char copy[500];
        char *argv[60];
        int argc = 0;

        snprintf(copy, sizeof(copy), "%s", line);
        for (char *word = strtok(copy, " "); word; word = strtok(NULL, " "))
                argv[argc++] = word;
        return fetch_options_parse(options, argc, argv, error);
}

static void test_options(void **state)
{
        struct fetch_options o;
        struct muster_error error = { 0 };

        (void)state;
        assert_int_equal(
                parse(&o,
                        "-c5 --per-host=2 -m 1.5 --connect-timeout 250ms --read-timeout 2m "
                        "--deadline 0 -kfs http://a/ -i - "
                        "--max-filesize 10k -H A:b --max-redirs 0 -u me:pass -d a=1 "
                        "--data-binary b=2 --rate 500/s --rate-per-host 30/m -- -x",
                        &error),
                0);
        assert_int_equal(o.request.client.concurrency, 5);
        assert_int_equal(o.request.client.per_host, 2);
        assert_int_equal(o.request.client.total_timeout_ms, 1500);
        assert_int_equal(o.request.client.connect_timeout_ms, 250);
        assert_int_equal(o.request.client.read_timeout_ms, 120000);
        assert_int_equal(o.request.client.deadline_ms, MUSTER_NO_TIMEOUT);
        assert_true(o.request.client.insecure_no_verify && o.request.client.fail_on_status &&
                    o.is_silent);
        assert_int_equal(o.request.client.max_body_bytes, 10240);
        assert_true(o.request.client.fail_on_redirect && !o.request.client.no_redirects);
        assert_true(o.request.client.rate_per_s == 500 &&
                    o.request.client.rate_per_host_per_s == 0.5);
        assert_int_equal(o.request.urls.n, 2);
        assert_string_equal(o.request.urls.list[1], "-x");
        assert_string_equal(o.request.files.list[0], "-");
        assert_string_equal(o.request.login.user, "me");
        assert_string_equal(o.request.login.password, "pass");
        assert_true(str_is(buf_str(&o.request.body.data), "a=1&b=2"));
        fetch_options_deinit(&o);
}

static void test_bad_options(void **state)
{
        static const char *const cases[][2] = {
                { "--concurency 5", "unknown option --concurency; did you mean --concurrency?" },
                { "--frobnicate", "unknown option --frobnicate; --help lists all options" },
                { "-~", "unknown option -~; --help lists all options" },
                { "-c", "--concurrency needs a value: N" },
                { "-c 0", "--concurrency: \"0\" is not a number of 1 or more" },
                { "-c many",
                        "--concurrency: \"many\" is not a number of 1 or more; to keep cookies in a file use --cookie-jar FILE" },
                { "--insecure=yes", "--insecure takes no value, but got \"yes\"" },
                { "-m 2x",
                        "--max-time: \"2x\" is not a duration; write 500ms, 2s, 1.5m or plain seconds" },
                { "-m -1", "--max-time: \"-1\" is not a duration" },
                { "--rate 5/x", "--rate: \"5/x\" is not a rate; write 500/s, 30/m or a plain" },
                { "--rate 2e6", "--rate: \"2e6\" is not a rate" },
                { "--max-filesize 5q",
                        "--max-filesize: \"5q\" is not a size; write 4096, 10k, 1.5M, 1G or 1T" },
                { "--max-filesize 0.5", "--max-filesize: \"0.5\" is too large or too small" },
                { "-m 0x10", "--max-time: \"0x10\" is not a duration" },
                { "--input-format xml",
                        "--input-format: \"xml\" is not auto, lines, jsonl, csv or tsv" },
                { "-H nonsense", "--header: \"nonsense\" is not \"Name: value\"" },
                { "-d @/no/such/file",
                        "--data: cannot read /no/such/file: No such file or directory" },
        };

        (void)state;
        for (size_t i = 0; i < LENGTH(cases); i++) {
                struct fetch_options o;
                struct muster_error error = { 0 };

                assert_int_equal(parse(&o, cases[i][0], &error) < 0, 1);
                if (strncmp(error.text, cases[i][1], strlen(cases[i][1])) != 0)
                        fail_msg("\"%s\" instead of \"%s\"", error.text, cases[i][1]);
                fetch_options_deinit(&o);
        }
}

static void parse_much(void)
{
        struct fetch_options o;
        struct muster_error error = { 0 };
        int r = parse(&o, "-i a -H A:b -u me:pass -d x --data-binary y --assert wall<1s http://a/",
                &error);

        /* Not INVALID: there is nothing wrong with the command line. */
        assert_int_equal(r, mem_has_failed() ? MUSTER_E_RESOURCE : 0);
        assert_int_equal(error.code, r);
        fetch_options_deinit(&o);
}

static void test_options_without_memory(void **state)
{
        (void)state;
        for_each_failing_allocation(parse_much);
}

static void expect_no_other(const struct option *const *tables, const struct option *a)
{
        for (; *tables; tables++)
                for (const struct option *b = *tables; b->name; b++)
                        if (b != a) {
                                assert_string_not_equal(a->name, b->name);
                                assert_true(!a->letter || a->letter != b->letter);
                        }
}

/* Every option has its words, and no name or letter is taken twice. */
static void test_option_tables(void **state)
{
        (void)state;
        for (const struct option *const *table = fetch_option_tables; *table; table++)
                for (const struct option *a = *table; a->name; a++) {
                        assert_non_null(a->help);
                        assert_non_null(a->set);
                        assert_true(a->letter != 'h' && strcmp(a->name, "help") != 0);
                        expect_no_other(fetch_option_tables, a);
                }
}

static bool has_option(const char *name, size_t len)
{
        for (const struct option *const *table = fetch_option_tables; *table; table++)
                for (const struct option *option = *table; option->name; option++)
                        if (strlen(option->name) == len && memcmp(option->name, name, len) == 0)
                                return true;
        return len == 7 && memcmp(name, "version", 7) == 0; /* of muster itself */
}

static bool has_letter(char letter)
{
        for (const struct option *const *table = fetch_option_tables; *table; table++)
                for (const struct option *option = *table; option->name; option++)
                        if (option->letter == letter)
                                return true;
        return false;
}

/* What is proposed is there: "--rate N", "-c N". */
static void expect_options_of(const char *advice)
{
        for (const char *at = strchr(advice, '-'); at; at = strchr(at + 1, '-')) {
                if (at != advice && at[-1] != ' ')
                        continue;
                if (at[1] != '-' && !has_letter(at[1]))
                        fail_msg("there is no -%c: %s", at[1], advice);
                if (at[1] != '-')
                        continue;
                if (!has_option(at + 2, strcspn(at + 2, " :;,")))
                        fail_msg("there is no such option: %s", advice);
                at++;
        }
}

/* Fails when muster gains an option that it is said to lack, or loses one that is proposed. */
static void test_advice_on_other_options(void **state)
{
        (void)state;
        for (const struct curl_option *option = curl_options; option->name; option++) {
                if (strcmp(option->name, "version") != 0 &&
                        has_option(option->name, strlen(option->name)))
                        fail_msg("there is --%s now", option->name);
                if (option->letter && has_letter(option->letter))
                        fail_msg("there is -%c now", option->letter);
                if (!has_option(option->needs, strlen(option->needs)))
                        fail_msg("--%s needs --%s", option->name, option->needs);
                expect_options_of(option->advice);
                for (const struct curl_option *other = option + 1; other->name; other++) {
                        assert_string_not_equal(option->name, other->name);
                        assert_true(!option->letter || option->letter != other->letter);
                }
        }
}

static void test_suggestions(void **state)
{
        static const struct {
                const char *given, *words;
        } cases[] = {
                { "--proxy-ntlm",
                        "--proxy-ntlm: of curl's options for proxies this one is not supported" },
                { "--preproxy", "--preproxy: not supported: requests go through one proxy" },
                { "--no-proxy", "use --noproxy LIST" },
                { "-Z", "-c N says how many" },
                { "-sN", "unknown option -N (--no-buffer): not needed" },
                { "--spider", "use -I" },
                { "--concurency", "did you mean --concurrency?" },
                { "--conc", "did you mean --concurrency?" },
                { "--outptu", "did you mean --output?" },
                { "--bdy", "did you mean --body?" },
                { "--booty", "unknown option --booty; --help lists all options" },
                { "--frobnicate", "unknown option --frobnicate; --help lists all options" },
                { "-~", "unknown option -~; --help lists all options" },
        };

        (void)state;
        for (size_t i = 0; i < LENGTH(cases); i++) {
                char *argv[] = { (char *)(uintptr_t)cases[i].given };
                struct muster_error error = { 0 };
                struct fetch_options options;

                assert_int_equal(fetch_options_parse(&options, 1, argv, &error), MUSTER_E_INVALID);
                if (!strstr(error.text, cases[i].words))
                        fail_msg("\"%s\" is not in \"%s\"", cases[i].words, error.text);
                fetch_options_deinit(&options);
        }
}

/* --- items ----------------------------------------------------------------------------------- */

static void test_items_release_their_places_in_order(void **state)
{
        struct items items;
        struct item *places[64];

        (void)state;
        assert_int_equal(items_init(&items, 10), 0);
        for (size_t i = 0; i < items.size; i++)
                places[i] = items_begin(&items, &(struct item){ .n = i + 1 });
        assert_true(items_are_full(&items));
        assert_int_equal(places[63]->n, 64);
        items_written(&items, places[1]);
        assert_true(items_are_full(&items));
        assert_ptr_equal(items_oldest(&items), places[0]);
        items_written(&items, places[0]);
        assert_int_equal(items.n_released, 2);
        assert_int_equal(items_begin(&items, &(struct item){ .n = 65 })->n, 65);
        items_deinit(&items);
}

/* --- the progress line ----------------------------------------------------------------------- */

static void test_progress_of_any_width(void **state)
{
        static const char all[] = "12345 done, 412/s, 64 in flight, 3 failed, 40 %, 45 s left";
        const struct progress progress = {
                .n_done = 12345, .n_in_flight = 64, .n_failed = 3, .elapsed_s = 30, .share = 0.4
        };
        char text[PROGRESS_BYTES_MAX];

        (void)state;
        for (unsigned columns = 0; columns < 300; columns++) {
                const char *behind;
                size_t len;

                progress_words(&progress, columns, text);
                len = strlen(text);
                assert_true(len <= columns);
                assert_int_equal(strncmp(text, all, len), 0);
                behind = all + len; /* nothing, or a piece that has no room */
                assert_true(!*behind || len == 0 || *behind == ',');
                if (*behind)
                        assert_true(columns < len + strcspn(behind + 1, ",") + 1);
        }
        assert_string_equal(text, all);
}

/* As long as nobody can know when it will be over. */
static void test_progress_without_an_end(void **state)
{
        static const struct progress unknown[] = { { .n_done = 9, .elapsed_s = 3, .share = -1 },
                { .n_done = 9, .elapsed_s = 3, .share = 0 } };
        static const struct progress held = { .n_done = 9, .elapsed_s = 3, .hold_s = 58.3 };
        char text[PROGRESS_BYTES_MAX];

        (void)state;
        progress_words(&held, 200, text);
        assert_string_equal(text,
                "9 done, 3/s, 0 in flight, 0 failed, waiting 58 s as a server asked");
        for (size_t i = 0; i < LENGTH(unknown); i++) {
                progress_words(&unknown[i], 80, text);
                assert_string_equal(text, "9 done, 3/s, 0 in flight, 0 failed");
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_options),
                cmocka_unit_test(test_bad_options),
                cmocka_unit_test(test_options_without_memory),
                cmocka_unit_test(test_option_tables),
                cmocka_unit_test(test_advice_on_other_options),
                cmocka_unit_test(test_suggestions),
                cmocka_unit_test(test_items_release_their_places_in_order),
                cmocka_unit_test(test_progress_of_any_width),
                cmocka_unit_test(test_progress_without_an_end),
        };

        return cmocka_run_group_tests_name("cli", tests, NULL, NULL);
}
