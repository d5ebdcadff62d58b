/* SPDX-License-Identifier: MIT */
/*
 * What an earlier run left: its lines, whatever became of them, and the numbers that are finished
 */
#include "unit.h"

#include <base/mem.h>
#include <resume/old_output.h>
#include <stdio.h>

/* --- a line ---------------------------------------------------------------------------------- */

#define LINE(rest)                                                                                 \
        "{\"n\":7,\"method\":\"GET\",\"url\":\"http://h/\",\"ok\":true,\"error\":null" rest

static bool read_line(struct old_line *line, const char *text)
{
        return old_line_read(line, str_of(text), false);
}

static void test_reads_lines(void **state)
{
        struct old_line line;

        (void)state;
        assert_true(read_line(&line, LINE(",\"body\":\"\\\\\\\"}\"}")));
        assert_int_equal(line.n, 7);
        assert_int_equal(line.kind, OLD_SUCCEEDED);
        assert_true(str_is(line.url, "\"http://h/\""));
        assert_true(read_line(&line,
                "{ \"url\" : null , \"ok\" : false, \"n\": 1, \"error\": { \"text\": \"}\", "
                "\"code\": \"timeout\" }, \"method\": null, \"a\": [ { } , \"]\" ] }"));
        assert_int_equal(line.kind, OLD_FAILED);
        assert_null(line.url.at);
        assert_true(read_line(&line,
                "{\"error\":{\"code\":\"cancelled\"},\"n\":1,\"method\":\"GET\",\"url\":\"u\",\"ok\":false}"));
        assert_int_equal(line.kind, OLD_CANCELLED);
        assert_true(read_line(&line,
                "{\"n\":1,\"digest\":\"00000000000000fF\",\"method\":\"GET\",\"url\":\"u\",\"ok\":false,\"error\":null}"));
        assert_int_equal(line.digest, 255);
        assert_true(old_line_read(&line, str_of(LINE(",\"body_file\":\"a\",\"body_bytes\":12}")),
                true));
        assert_true(str_is(line.body_file, "\"a\""));
        assert_int_equal(line.body_bytes, 12);
        assert_true(read_line(&line,
                "{\"n\":1,\"method\":\"GET\",\"url\":\"u\",\"status\":404,\"ok\":true,\"error\":null}"));
        assert_int_equal(line.status, 404);
        assert_int_equal(line.kind, OLD_SUCCEEDED);
}

static void test_refuses_what_is_no_line(void **state)
{
        static const char *const texts[] = { "", "{", "}", "{}", "[]", "null", LINE(""),
                &LINE("}}")[1], /* without its first brace */
                "{\"n\":0,\"method\":\"GET\",\"url\":\"u\",\"ok\":true,\"error\":null}",
                "{\"n\":-1,\"method\":\"GET\",\"url\":\"u\",\"ok\":true,\"error\":null}",
                "{\"n\":1,\"method\":\"GET\",\"url\":\"u\",\"ok\":1,\"error\":null}",
                "{\"n\":1,\"method\":\"GET\",\"url\":\"u\",\"error\":null}",
                "{\"n\":1,\"method\":7,\"url\":\"u\",\"ok\":true,\"error\":null}",
                "{\"n\":1,\"digest\":\"1\",\"method\":\"GET\",\"url\":\"u\",\"ok\":true,\"error\":null}",
                "{\"n\":1 \"method\":\"GET\",\"url\":\"u\",\"ok\":true,\"error\":null}" };
        struct old_line line;

        (void)state;
        for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
                if (read_line(&line, texts[i]))
                        fail_msg("taken for a line: %s", texts[i]);
}

/* A line that is cut anywhere is none. */
static void test_refuses_every_beginning(void **state)
{
        const char *text = LINE(",\"body_file\":\"a\\\"b\",\"body_bytes\":1,\"c\":{\"d\":[1,2]}}");
        struct old_line line;

        (void)state;
        assert_true(old_line_read(&line, str_of(text), true));
        for (size_t len = 0; len < strlen(text); len++) {
                assert_false(old_line_read(&line, (struct muster_str){ text, len }, true));
                assert_true(old_line_is_torn((struct muster_str){ text, len }));
        }
        assert_false(old_line_is_torn(str_of("{\"name\":")));
}

/* --- a file ---------------------------------------------------------------------------------- */

static int feed(struct old_output *old, const char *text)
{
        struct muster_error error = { 0 };
        int r = old_output_feed(old, str_of(text), &error);

        return r == 0 ? old_output_end(old, &error) : r;
}

static enum old_line_kind kind_of(const struct old_output *old, uint64_t n)
{
        uint32_t print;

        return old_output_find(old, n, &print);
}

#define GOOD(n) "{\"n\":" n ",\"method\":\"GET\",\"url\":\"u\",\"ok\":true,\"error\":null}\n"
#define BAD(n, code)                                                                               \
        "{\"n\":" n ",\"method\":\"GET\",\"url\":\"u\",\"ok\":false,\"error\":{\"code\":\"" code   \
        "\"}}\n"

static void test_the_last_result_counts(void **state)
{
        struct old_output old;

        (void)state;
        old_output_init(&old, "out", NULL, NULL);
        assert_int_equal(feed(&old, BAD("1", "timeout") GOOD("2") BAD("3", "cancelled")), 0);
        assert_int_equal(old.n_finished, 2);
        assert_int_equal(old.n_failed, 1);
        assert_false(old.has_replaced);
        assert_int_equal(kind_of(&old, 3), OLD_CANCELLED);
        assert_int_equal(kind_of(&old, 4), OLD_NONE);
        assert_int_equal(feed(&old, GOOD("1") BAD("2", "cancelled") BAD("3", "cancelled")), 0);
        assert_int_equal(old.n_finished, 2);
        assert_int_equal(old.n_failed, 0);
        assert_true(old.has_replaced && !old.is_sorted);
        assert_int_equal(kind_of(&old, 1), OLD_SUCCEEDED);
        assert_int_equal(kind_of(&old, 2), OLD_SUCCEEDED);
        old_output_deinit(&old);
}

static void test_knows_requests(void **state)
{
        struct old_output old;
        uint32_t print, same, other;

        (void)state;
        old_output_init(&old, "out", NULL, NULL);
        assert_int_equal(feed(&old, GOOD("5")), 0);
        old_output_find(&old, 5, &print);
        assert_int_equal(old_output_print(&old, "GET", str_of("u"), 0, &same), 0);
        assert_int_equal(print, same);
        assert_int_equal(old_output_print(&old, "GET", str_of("v"), 0, &other), 0);
        assert_int_not_equal(print, other);
        assert_int_equal(old_output_print(&old, "PUT", str_of("u"), 0, &other), 0);
        assert_int_not_equal(print, other);
        assert_int_equal(old_output_print(&old, "GET", str_of("u"), 1, &other), 0);
        assert_int_not_equal(print, other);
        old_output_deinit(&old);
}

/* A million lines of a list take four bytes each; one wild number does not take more than a piece. */
static void test_memory_is_small(void **state)
{
        struct old_output old;
        char text[200];

        (void)state;
        old_output_init(&old, "out", NULL, NULL);
        for (unsigned i = 1; i <= 100000; i++) {
                snprintf(text, sizeof(text),
                        "{\"n\":%u,\"method\":\"GET\",\"url\":\"u\",\"ok\":true,\"error\":null}\n",
                        i);
                assert_int_equal(feed(&old, text), 0);
        }
        assert_int_equal(old.n_finished, 100000);
        assert_int_equal(old.entries.size, 4);
        assert_int_equal(feed(&old, GOOD("4294967295")), 0);
        assert_int_equal(feed(&old, GOOD("4294967296")), MUSTER_E_INPUT);
        old_output_deinit(&old);
}

static void test_memory_that_is_out(void **state)
{
        static const char text[] = GOOD("1") BAD("9000", "timeout") "{\"n\":3,";
        int r = MUSTER_E_RESOURCE;

        (void)state;
        for (long n = 0; r < 0; n++) {
                struct muster_error error = { 0 };
                struct old_output old;

                old_output_init(&old, "out", NULL, NULL);
                mem_fail_after(n);
                r = old_output_feed(&old, str_of(text), &error);
                mem_fail_after(-1);
                old_output_deinit(&old);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_reads_lines),
                cmocka_unit_test(test_refuses_what_is_no_line),
                cmocka_unit_test(test_refuses_every_beginning),
                cmocka_unit_test(test_the_last_result_counts),
                cmocka_unit_test(test_knows_requests),
                cmocka_unit_test(test_memory_is_small),
                cmocka_unit_test(test_memory_that_is_out),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
