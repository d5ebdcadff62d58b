/* SPDX-License-Identifier: MIT */
/*
 * What the lines of a stranger may ask for, in each format
 */
#include "reading.h"

#include <stdio.h>

static const struct input_options untrusted = { .is_untrusted = true };

/* Each is one line's alone: a good one follows. */
static void expect_line(const char *line, const char *why)
{
        struct reading r;
        char text[400];
        int n = snprintf(text, sizeof(text),
                "{\"url\":\"http://a/\"}\n%s\n{\"url\":\"http://b/\"}\n", line);

        open_with(&r, text, (size_t)n, &untrusted);
        assert_int_equal(next(&r), 0);
        assert_non_null(r.item.request);
        assert_int_equal(next(&r), 0);
        if (why && !r.item.error.code)
                fail_msg("allowed: %s", line);
        if (why) {
                assert_int_equal(r.item.error.code, MUSTER_E_INPUT);
                assert_null(r.item.request);
                assert_non_null(strstr(r.item.error.text, "input: line 2: "));
                if (!strstr(r.item.error.text, why))
                        fail_msg("%s", r.item.error.text);
        } else {
                if (r.item.error.code)
                        fail_msg("%s: %s", line, r.item.error.text);
                assert_non_null(r.item.request);
        }
        assert_int_equal(next(&r), 0);
        assert_non_null(r.item.request);
        assert_int_equal(next(&r), INPUT_END);
        r.item.request = muster_request_free(r.item.request);
        close_text(&r);
}

#define LINE(members) "{\"url\":\"http://h/\"," members "}"

static void test_members(void **state)
{
        static const char *const bad[] = { "body", "json", "body_base64", "body_file", "data",
                "form", "cookies", "auth", "body\\u005ffile", "\\u0061uth" };
        static const char *const values[] = { "\"x\"", "{}", "{\"a\":\"b\"}", "1", "false" };

        (void)state;
        for (size_t i = 0; i < LENGTH(bad); i++)
                for (size_t k = 0; k < LENGTH(values); k++) {
                        char line[100];

                        snprintf(line, sizeof(line), "{\"url\":\"http://h/\",\"%s\":%s}", bad[i],
                                values[k]);
                        expect_line(line, "--untrusted-input forbids the member ");
                        snprintf(line, sizeof(line), "{\"%s\":%s,\"url\":\"http://h/\"}", bad[i],
                                values[k]);
                        expect_line(line, "--untrusted-input forbids the member ");
                }
        expect_line(LINE("\"body_file\":null,\"id\":7,\"mine\":[1]"), NULL);
}

static void test_methods(void **state)
{
        (void)state;
        expect_line(LINE("\"method\":\"GET\""), NULL);
        expect_line(LINE("\"method\":\"HEAD\""), NULL);
        expect_line(LINE("\"method\":null"), NULL);
        expect_line(LINE("\"method\":\"POST\""), "forbids the method POST; a line can have GET");
        expect_line(LINE("\"method\":\"OPTIONS\""), "forbids the method OPTIONS");
        expect_line(LINE("\"method\":\"get\""), "forbids the method get");
        expect_line(LINE("\"method\":\"GET\\u0000\""), "method must be a string");
        expect_line(LINE("\"method\":\"\""), "forbids the method ;");
        expect_line(LINE("\"method\":1"), "forbids the method that is no string");
}

static void test_headers(void **state)
{
        (void)state;
        expect_line(LINE("\"headers\":{\"accept\":\"x\",\"RANGE\":\"bytes=0-1\"}"), NULL);
        expect_line(LINE("\"headers\":[[\"If-None-Match\",\"x\"],[\"Accept-Language\",\"x\"]]"),
                NULL);
        expect_line(LINE("\"headers\":{\"Accept\":\"x\",\"Host\":\"x\"}"),
                "forbids the header Host");
        expect_line(LINE("\"headers\":{\"Authorization\":\"x\"}"), "the header Authorization");
        expect_line(LINE("\"headers\":{\"Cookie\":null}"), "forbids the header Cookie");
        expect_line(LINE("\"headers\":[[\"Accept\",\"x\"],[\"X-Forwarded-For\",\"x\"]]"),
                "forbids the header X-Forwarded-For");
        expect_line(LINE("\"headers\":{\"\\u0058-A\":\"x\"}"), "forbids the header X-A");
        expect_line(LINE("\"headers\":[[1,2]]"), "forbids the header without a name");
        expect_line(LINE("\"headers\":[1]"), "forbids the header without a name");
        expect_line(LINE("\"headers\":1"), "headers must be an object or a list of pairs");
}

static void test_users_in_urls(void **state)
{
        static const char *const bad[] = { "http://u@h/", "http://u:p@h/", "http:u@h/",
                "http:///u@h/", "http:/\\\\u@h/", "HTTPS://u:@h", "http://:p@h?q",
                "http://a@b@h#" };
        static const char *const good[] = { "http://h/@", "http://h/a@b", "http://h?@",
                "http://h#@", "http://h/u:p@x" };
        char line[100];

        (void)state;
        for (size_t i = 0; i < LENGTH(bad); i++) {
                snprintf(line, sizeof(line), "{\"url\":\"%s\"}", bad[i]);
                expect_line(line, "forbids a user name in the URL");
        }
        for (size_t i = 0; i < LENGTH(good); i++) {
                snprintf(line, sizeof(line), "{\"url\":\"%s\"}", good[i]);
                expect_line(line, NULL);
        }
}

/* What looks like the line of a result is held to the same. */
static void test_results(void **state)
{
#define RESULT ",\"ok\":true,\"phases_us\":{},\"headers\":[[\"set-cookie\",\"a\"]],\"body\":\"x\"}"
        (void)state;
        expect_line("{\"url\":\"http://h/\",\"method\":\"GET\"" RESULT, NULL);
        expect_line("{\"url\":\"http://h/\",\"method\":\"DELETE\"" RESULT, "the method DELETE");
        expect_line("{\"url\":\"http://u@h/\",\"method\":\"GET\"" RESULT, "forbids a user name");
}

static void test_lists_of_urls(void **state)
{
        static const char text[] = "http://a/\nhttp://u:p@h/\nhttp://b/\n";
        struct reading r;

        (void)state;
        open_with(&r, text, sizeof(text) - 1, &untrusted);
        assert_int_equal(next(&r), 0);
        assert_string_equal(r.item.url, "http://a/");
        expect_bad(&r,
                "input: line 2: --untrusted-input forbids a user name in the URL; leave out what stands before the @");
        assert_null(r.item.url);
        assert_int_equal(next(&r), 0);
        assert_string_equal(r.item.url, "http://b/");
        close_text(&r);
}

static void test_rows(void **state)
{
        static const char text[] = "url,method,body,note\nhttp://a/,GET,,x\nhttp://a/,PUT,,x\n"
                                   "http://a/,GET,text,x\n";
        struct input_options options = { .format = &input_csv, .is_untrusted = true };
        struct reading r;

        (void)state;
        open_with(&r, text, sizeof(text) - 1, &options);
        assert_int_equal(next(&r), 0);
        assert_non_null(r.item.request);
        expect_bad(&r,
                "input: line 3: --untrusted-input forbids the method PUT; a line can have GET and HEAD");
        expect_bad(&r,
                "input: line 4: --untrusted-input forbids the member body; a line can have url, id, method and headers");
        close_text(&r);
}

static void test_arguments(void **state)
{
        static const char *const urls[] = { "http://a/", "http://u@h/", "http://b/", NULL };
        struct reading r = { 0 };

        (void)state;
        input_init(&r.input, urls, no_texts, &untrusted);
        assert_int_equal(next(&r), 0);
        assert_string_equal(r.item.url, "http://a/");
        expect_bad(&r,
                "input: --untrusted-input forbids a user name in the URL; leave out what stands before the @");
        assert_int_equal(next(&r), 0);
        assert_string_equal(r.item.url, "http://b/");
        assert_int_equal(next(&r), INPUT_END);
        input_deinit(&r.input);
        input_item_deinit(&r.item);
}

/* Without the option all of this is allowed, so that the tests above test something. */
static void test_only_if_asked_for(void **state)
{
        static const char text[] = "{\"url\":\"http://u@h/\",\"method\":\"PUT\",\"body\":\"x\","
                                   "\"headers\":{\"Host\":\"x\"}}\n";
        struct reading r;

        (void)state;
        open_text(&r, text, sizeof(text) - 1);
        assert_int_equal(next(&r), 0);
        assert_non_null(r.item.request);
        r.item.request = muster_request_free(r.item.request);
        close_text(&r);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_members),
                cmocka_unit_test(test_methods),
                cmocka_unit_test(test_headers),
                cmocka_unit_test(test_users_in_urls),
                cmocka_unit_test(test_results),
                cmocka_unit_test(test_lists_of_urls),
                cmocka_unit_test(test_rows),
                cmocka_unit_test(test_arguments),
                cmocka_unit_test(test_only_if_asked_for),
        };

        return cmocka_run_group_tests_name("input_untrusted", tests, NULL, NULL);
}
