/* SPDX-License-Identifier: MIT */
/*
 * Where requests come from: lists and JSON Lines; and what is told of lines that are none of these
 */
#include "reading.h"

#include "input/members.h"
#include <base/rand.h>
#include <stdio.h>
#include <unistd.h>

static void test_lines(void **state)
{
        static const char text[] =
                "\xef\xbb\xbfhttp://a/\r\n\n  # comment\n \t\n  http://b/  \nwith\0nul\nhttp://c/";
        struct reading r;

        (void)state;
        open_text(&r, text, sizeof(text) - 1);
        assert_int_equal(next(&r), 0);
        assert_string_equal(r.item.url, "http://a/");
        assert_int_equal(r.item.line, 1);
        assert_int_equal(next(&r), 0);
        assert_string_equal(r.item.url, "http://b/");
        assert_int_equal(r.item.line, 5);
        assert_int_equal(next(&r), 0);
        assert_int_equal(r.item.error.code, MUSTER_E_INPUT);
        assert_string_equal(r.item.error.text,
                "input: line 6 contains a NUL; is this a text file?");
        assert_int_equal(next(&r), 0);
        assert_string_equal(r.item.url, "http://c/");
        assert_int_equal(r.item.error.code, MUSTER_OK);
        assert_int_equal(next(&r), INPUT_END);
        assert_int_equal(next(&r), INPUT_END);
        close_text(&r);
}

/* Jansson passes over a NUL that stands behind a number; in a result line it would be the end. */
static void test_nul_in_json(void **state)
{
        static const char text[] =
                "{\"url\":\"http://a/\",\"n\":0e9\0,\"id\":1}\n{\"url\":\"http://b/\0\"}\n{\"url\":\"http://c/\"}";
        struct reading r;

        (void)state;
        open_text(&r, text, sizeof(text) - 1);
        for (int i = 0; i < 2; i++) {
                assert_int_equal(next(&r), 0);
                assert_int_equal(r.item.error.code, MUSTER_E_INPUT);
                assert_non_null(strstr(r.item.error.text,
                        " contains a NUL, which JSON has as \\u0000"));
                assert_int_equal(r.item.own.len, 0);
        }
        assert_int_equal(next(&r), 0);
        assert_int_equal(r.item.error.code, MUSTER_OK);
        assert_string_equal(muster_request_url(r.item.request), "http://c/");
        close_text(&r);
}

static void test_line_that_is_too_long(void **state)
{
        size_t len = LINE_BYTES_MAX + 200000;
        char *text = mem_alloc(len + 20);
        struct reading r;

        (void)state;
        memset(text, 'x', len);
        memcpy(text + len, "\nhttp://after/\n", 15);
        open_text(&r, text, len + 15);
        assert_int_equal(next(&r), 0);
        assert_int_equal(r.item.error.code, MUSTER_E_INPUT);
        assert_int_equal(r.item.line, 1);
        assert_int_equal(next(&r), 0);
        assert_string_equal(r.item.url, "http://after/");
        assert_int_equal(r.item.line, 2);
        assert_int_equal(next(&r), INPUT_END);
        close_text(&r);
        mem_free(text);
}

static void test_jsonl(void **state)
{
        static const char text[] = "{\"url\":\"http://a/"
                                   "\",\"id\":\"x\\ny\",\"method\":\"POST\",\"headers\":{\"A\":"
                                   "\"1\",\"B\":null},\"body\":\"t\"}\n"
                                   "{\"url\":\"http://b/"
                                   "\",\"id\":17,\"headers\":[[\"A\",\"1\"],[\"A\",\"2\"]],\"body_"
                                   "base64\":\"AP8=\"}\n";
        struct reading r;

        (void)state;
        open_text(&r, text, sizeof(text) - 1);
        assert_int_equal(next(&r), 0);
        assert_null(r.item.url);
        assert_non_null(r.item.request);
        assert_true(str_is(buf_str(&r.item.id), "\"x\\ny\""));
        assert_int_equal(next(&r), 0);
        assert_non_null(r.item.request);
        assert_true(str_is(buf_str(&r.item.id), "17"));
        assert_int_equal(next(&r), INPUT_END);
        close_text(&r);
}

static void test_bad_json(void **state)
{
        static const char *const cases[][2] = {
                { "{\"url\":\"http://a/\"", "is not JSON: " },
                { "{\"url\":\"http://a/\",\"url\":\"x\"}", "is not JSON: duplicate object key" },
                { "{}", "url is missing" },
                { "{\"url\":5}", "url must be a string" },
                { "{\"url\":null}", "url is null" },
                { "{\"uri\":\"http://a/\"}", "url is missing; call it url, not uri" },
                { "{\"URL\":\"http://a/\"}", "url is missing; call it url, not URL" },
                { "\"http://a/\"", "not a JSON object" },
                { "{\"url\":\"a\\u0000b\"}", "url contains a NUL" },
                { "{\"url\":\"http://a/\",\"method\":1}", "method must be a string" },
                { "{\"url\":\"http://a/\",\"headers\":\"A: b\"}",
                        "headers must be an object or a list of pairs" },
                { "{\"url\":\"http://a/\",\"headers\":[[\"A\"]]}",
                        "each header must be a pair of name and value" },
                { "{\"url\":\"http://a/\",\"headers\":{\"A\":1}}",
                        "the value must be a string, of header A" },
                { "{\"url\":\"http://a/\",\"headers\":{\"A b\":\"1\"}}",
                        "invalid: not a valid header field name: A b" },
                { "{\"url\":\"http://a/\",\"headers\":{\"A\":\"x\\r\\nB: y\"}}",
                        "invalid: a control character" },
                { "{\"url\":\"http://a/\",\"body\":5}",
                        "body must be a string, an object or a list; use json for other values" },
                { "{\"url\":\"http://a/\",\"body\":{},\"json\":1}",
                        "give only one of body, json, data, form, body_base64 and body_file" },
                { "{\"url\":\"http://a/\",\"n\":01}", "is not JSON: " },
                { "{\"url\":\"http://a/\",\"n\":1e999,\"m\":01}", "is not JSON: " },
                { "http://a/", "a URL among JSON objects; write {\"url\":\"...\"}" },
                { "{\"url\":\"http://a/\",\"body_base64\":\"?\"}",
                        "body_base64 is not valid base64" },
                { "{\"url\":\"http://a/\",\"body_file\":\"/no/such\"}",
                        "cannot read /no/such: No such file or directory" },
                { "{\"url\":\"http://a/\",\"body\":\"\",\"body_file\":\"x\"}",
                        "give only one of body, json, data, form, body_base64 and body_file" },
                { "{\"url\":\"http://a/\",\"id\":[]}",
                        "id must be a string, a number, true or false" },
                { "[\"http://a/\"]", "not a JSON object" },
        };
        struct reading r;
        char text[4000] = "{\"url\":\"http://first/\"}\n";

        (void)state;
        for (size_t i = 0; i < LENGTH(cases); i++)
                snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s\n", cases[i][0]);
        open_text(&r, text, strlen(text));
        assert_int_equal(next(&r), 0);
        for (size_t i = 0; i < LENGTH(cases); i++) {
                char expected[200];

                assert_int_equal(next(&r), 0);
                assert_int_equal(r.item.error.code, MUSTER_E_INPUT);
                assert_null(r.item.request);
                snprintf(expected, sizeof(expected), "input: line %zu%s%s", i + 2,
                        strncmp(cases[i][1], "is not", 6) ? ": " : " ", cases[i][1]);
                if (strncmp(r.item.error.text, expected, strlen(expected)) != 0)
                        fail_msg("\"%s\" instead of \"%s\"", r.item.error.text, expected);
        }
        assert_int_equal(next(&r), INPUT_END);
        close_text(&r);
}

/* What is not ours goes through to the letter. */
static void test_members_of_ones_own(void **state)
{
        static const char text[] =
                "{\"url\":\"http://a/\",\"id\":123456789012345678901234567890,\"x\":1.10}\n"
                "{ \"x\" : [1, {\"}\\\"\": \"]\\\\\"}] , \"url\":\"http://a/\", \"id\": "
                "1e5,\"y\":-0.0 }\n"
                "{\"id\":true,\"url\":\"http://a/\",\"a\":1e999,\"b\":\"1e999\",\"c\":null}\n"
                "{\"id\":null,\"url\":\"http://a/\",\"method\":null,\"headers\":null,\"body\":null,"
                "\"json\":null,\"body_file\":null}\n"
                "{\"id\":\"\\u6771\",\"u\\u0072l\":\"http://a/"
                "\",\"\\u006b\":\"\\u6771\",\"input\":1}\n";
        char huge[600] = "{\"url\":\"http://a/\",\"id\":";
        struct reading r;

        (void)state;
        open_text(&r, text, sizeof(text) - 1);
        expect_own(&r, "123456789012345678901234567890", "{\"x\":1.10}");
        expect_own(&r, "1e5", "{\"x\":[1, {\"}\\\"\": \"]\\\\\"}],\"y\":-0.0}");
        expect_own(&r, "true", "{\"a\":1e999,\"b\":\"1e999\",\"c\":null}");
        expect_own(&r, "", "");
        assert_false(r.item.has_body || r.item.has_headers || r.item.is_unsafe);
        expect_own(&r, "\"\xe6\x9d\xb1\"", "{\"\\u006b\":\"\\u6771\",\"input\":1}");
        assert_int_equal(next(&r), INPUT_END);
        close_text(&r);

        /* However large. */
        memset(huge + strlen(huge), '7', 500);
        strcat(huge, "}");
        open_text(&r, huge, strlen(huge));
        assert_int_equal(next(&r), 0);
        assert_int_equal(r.item.error.code, 0);
        assert_int_equal(r.item.id.len, 500);
        close_text(&r);
}

/*
 * They come back with lines that cannot be asked, too: whoever looks for those finds them by these.
 */
static void test_members_of_bad_lines(void **state)
{
        static const char text[] = "{\"url\":5,\"id\":7,\"x\":1}\n";
        struct reading r;

        (void)state;
        open_text(&r, text, sizeof(text) - 1);
        expect_bad(&r, "input: line 1: url must be a string");
        assert_true(str_is(buf_str(&r.item.id), "7"));
        assert_true(str_is(buf_str(&r.item.own), "{\"x\":1}"));
        close_text(&r);
}

static void test_strict(void **state)
{
        static const char text[] = "{\"url\":\"http://a/\",\"x\":1}\n"
                                   "{\"url\":\"http://a/\",\"x\":1,\"header\":1}\n"
                                   "{\"url\":\"http://a/\",\"METHOD\":\"PUT\"}\n"
                                   "{\"url\":\"http://a/\",\"id\":1}\n";
        struct reading r;

        (void)state;
        open_with(&r, text, sizeof(text) - 1, &(struct input_options){ .is_strict = true });
        expect_bad(&r, "input: line 1: unknown member x (an error with --strict)");
        expect_bad(&r, "input: line 2: unknown member header; did you mean headers?");
        expect_bad(&r, "input: line 3: unknown member METHOD; did you mean method?");
        expect_own(&r, "1", "");
        close_text(&r);
}

/* Once, and not of names that are merely short. */
static void test_warning(void **state)
{
        static const char text[] = "{\"url\":\"http://a/\",\"uid\":1,\"name\":2}\n"
                                   "{\"url\":\"http://a/\",\"header\":1}\n"
                                   "{\"url\":\"http://a/\",\"header\":1}\n";
        char warning[300];
        struct reading r;

        (void)state;
        open_text(&r, text, sizeof(text) - 1);
        assert_int_equal(next(&r), 0);
        assert_null(input_warning(&r.input, &r.item, warning, sizeof(warning)));
        assert_int_equal(next(&r), 0);
        assert_non_null(input_warning(&r.input, &r.item, warning, sizeof(warning)));
        assert_non_null(strstr(warning, "line 2 of "));
        assert_non_null(strstr(warning,
                "the unknown member \"header\"; did you mean \"headers\"?"));
        assert_int_equal(next(&r), 0);
        assert_null(input_warning(&r.input, &r.item, warning, sizeof(warning)));
        close_text(&r);
}

static void test_numbers_are_blanked(void **state)
{
        static const char *const cases[][2] = {
                { "{\"1\":12,\"a\":-1.5e+10}", "{\"1\":0 ,\"a\":0       }" },
                { "[1,[20],\"30\\\"40\", 5 ]", "[0,[0 ],\"30\\\"40\", 0 ]" },
                { "[01,1.,1e,-,.5]", "[01,1.,1e,-,.5]" },
        };

        (void)state;
        for (size_t i = 0; i < LENGTH(cases); i++) {
                char text[60];

                snprintf(text, sizeof(text), "%s", cases[i][0]);
                members_blank_numbers(text, strlen(text));
                assert_string_equal(text, cases[i][1]);
        }
}

#define RESULT "\"ok\":true,\"phases_us\":{\"queue\":1},\"status\":200,\"headers\":[[\"a\",\"b\"]],"

/* Only what was asked is taken: the headers and the body are the response's. */
static void test_results_as_input(void **state)
{
        static const char text[] = "{\"n\":1,\"id\":1.50,\"input\":{\"x\":1.10}," RESULT
                                   "\"method\":\"HEAD\",\"url\":\"http://a/"
                                   "\",\"final_url\":\"http://b/\",\"body\":\"x\","
                                   "\"json\":1,\"body_file\":\"/no/such\"}\n"
                                   "{\"n\":1," RESULT "\"method\":\"POST\",\"url\":\"http://a/\"}\n"
                                   "{\"n\":1,\"omitted\":[\"headers\",\"body\"]," RESULT
                                   "\"method\":\"GET\",\"url\":\"http://a/\"}\n"
                                   "{\"n\":1,\"omitted\":[\"headers\"]," RESULT
                                   "\"method\":\"GET\",\"url\":\"http://a/\"}\n"
                                   "{\"n\":1,\"id\":3," RESULT "\"method\":null,\"url\":null}\n"
                                   "{\"url\":\"http://a/\",\"ok\":true,\"status\":7}\n";
        struct reading r;

        (void)state;
        open_with(&r, text, sizeof(text) - 1, &(struct input_options){ .is_strict = false });
        expect_own(&r, "1.50", "{\"x\":1.10}");
        assert_false(r.item.has_body || r.item.has_headers || r.item.is_unsafe);
        assert_false(r.item.unknown.len);
        expect_bad(&r, "input: line 2: this is a result, which does not include the body of "
                       "its request; use the input line of that request instead");
        expect_bad(&r, "input: line 3: this is a result, which does not include the body of "
                       "its request; use the input line of that request instead");
        expect_bad(&r, "input: line 4: this is a result, which does not include the headers of "
                       "its request; use the input line of that request instead");
        expect_bad(&r, "input: line 5: this is the result of an input line that was not a "
                       "request, so it has no url");
        expect_own(&r, "", "{\"ok\":true,\"status\":7}");
        close_text(&r);
}

static void test_files_that_are_no_lists(void **state)
{
        static const struct {
                struct muster_str text;
                const char *why;
        } cases[] = {
                { BYTES("\xff\xfeh\0t\0t\0p\0"),
                        "it is UTF-16; convert it with iconv -f UTF-16 -t UTF-8" },
                { BYTES("\xfe\xff\0h\0t\0t\0p"), "it is UTF-16" },
                { BYTES("h\0t\0t\0p\0:\0"), "it is UTF-16" },
                { BYTES("\x1f\x8b\x08\0"), "it is compressed with gzip" },
                { BYTES("PK\x03\x04"), "it is a zip archive or a spreadsheet" },
                { BYTES("[{\"url\":\"http://a/\"}]"), "it is a JSON array" },
                { BYTES("[\n \"http://a/\"\n]"), "it is a JSON array" },
                { BYTES("{\n \"url\":\"http://a/\"\n}"), "its JSON objects span several lines" },
        };

        (void)state;
        for (size_t i = 0; i < LENGTH(cases); i++)
                expect_refused(cases[i].text.at, cases[i].text.len, &(struct input_options){ 0 },
                        cases[i].why);
}

static void test_lines_that_are_no_urls(void **state)
{
        static const char *const cases[][2] = {
                { "{\"url\":\"http://a/\"}", " is a JSON object in a list of URLs; for JSON Lines "
                                             "use --input-format jsonl" },
                { "url", " looks like the header of a table; use --input-format csv" },
                { "id,url", " looks like the header of a table; use --input-format csv" },
                { "url\tid", " looks like the header of a table; use --input-format tsv" },
                { "1,\"a,b\",http://a/,x", " looks like a row of a table; use --input-format csv "
                                           "--url-column 3" },
                { "\"http://a/\",x",
                        " looks like a row of a table; use --input-format csv --url-column 1" },
                { "\"http://a/\",", " is in quotes and ends in a comma; remove both" },
                { "x\thttp://a/",
                        " looks like a row of a table; use --input-format tsv --url-column 2" },
                { "  http://a/\t1", ", column 12: a tab in the URL; use --input-format tsv for "
                                    "columns, or write %09 for a tab" },
                { "http://\xc3\xbc/\rhttp://a/",
                        ", column 10: a carriage return in the URL; "
                        "if lines end in one, convert them with tr '\\r' '\\n'" },
                { "http://a/\x01",
                        ", column 10: a control character (0x01) in the URL; remove it" },
                { "http://a/ http://b/", ", column 10: a second URL; write one URL per line" },
                { "http://a/  # old",
                        ", column 10: a space before #; put comments on lines of their own" },
        };
        char text[2000] = "http://first/\n";
        struct reading r;

        (void)state;
        for (size_t i = 0; i < LENGTH(cases); i++)
                snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s\n", cases[i][0]);
        open_text(&r, text, strlen(text));
        assert_int_equal(next(&r), 0);
        for (size_t i = 0; i < LENGTH(cases); i++) {
                char expected[200];

                snprintf(expected, sizeof(expected), "input: line %zu%s", i + 2, cases[i][1]);
                expect_bad(&r, expected);
        }
        assert_int_equal(next(&r), INPUT_END);
        close_text(&r);
}

/* What is as it stands, and what the library tells. */
static void test_lines_as_they_stand(void **state)
{
        static const char *const lines[] = { "http://a/b c", "http://a/,b", "http://a/?{\"x\":1}",
                "http://a/\\b", "HTTP://a/", "http://a/#b", "ftp://a/", "a.test,b", "- http://a/",
                "curl http://a/" };
        char text[400] = "";
        struct reading r;

        (void)state;
        for (size_t i = 0; i < LENGTH(lines); i++)
                snprintf(text + strlen(text), sizeof(text) - strlen(text), " %s\t\n", lines[i]);
        open_text(&r, text, strlen(text));
        for (size_t i = 0; i < LENGTH(lines); i++) {
                assert_int_equal(next(&r), 0);
                assert_string_equal(r.item.url, lines[i]);
        }
        close_text(&r);
}

/* Whatever is read: every item is a request or an error, and what was made of it has an end. */
static void test_random_bytes(void **state)
{
        static const char alphabet[] = "\",;\n\r\t a{}[]:\\/u0-.eE\xff\xc3\xbc#";
        static const struct input_options formats[] = { { .format = &input_csv, .url_column = "1" },
                { .format = &input_tsv, .url_column = "1" }, { .format = &input_jsonl }, { 0 } };
        struct rand rand;

        (void)state;
        rand_init(&rand, 7);
        for (int i = 0; i < 4000; i++) {
                char text[200] = "\"http://a/\",\"";
                size_t len = 14 + rand_up_to(&rand, sizeof(text) - 15);
                struct reading r;
                int outcome;

                for (size_t j = i % 4 < 2 ? 14 : 0; j < len; j++)
                        text[j] = alphabet[rand_up_to(&rand, sizeof(alphabet) - 2)];
                open_with(&r, text, len, &formats[i % 4]);
                for (size_t n = 0; (outcome = next(&r)) == 0; n++) {
                        assert_true(n < sizeof(text));
                        assert_true(!r.item.error.code == (r.item.request || r.item.url));
                        assert_true(!r.item.own.len || r.item.own.at[r.item.own.len - 1] == '}');
                }
                assert_true(outcome == INPUT_END || r.error.code == MUSTER_E_INPUT);
                close_text(&r);
        }
}

static void read_with_little_memory(void)
{
        static const char text[] = "url,id,\"a\"\"b\"\nhttp://a/,1,\"x\"\"y\"\n";
        static const char json[] = "{\"url\":\"http://a/\",\"n\":1e999,\"x\":[1],\"body\":{}}\n";
        struct input input;
        struct input_item item = { 0 };

        for (int i = 0; i < 2; i++) {
                char path[32];
                const char *const files[] = { path, NULL };
                struct muster_error error = { 0 };
                int r;

                file_with(i ? json : text, i ? sizeof(json) - 1 : sizeof(text) - 1, path);
                input_init(&input, no_texts, files, i ? &(struct input_options){ 0 } : &as_csv);
                r = input_next(&input, &item, &error);
                if (r == 0 && !mem_has_failed())
                        assert_int_equal(item.error.code, 0);
                input_item_deinit(&item);
                input_deinit(&input);
                unlink(path);
        }
}

static void test_memory(void **state)
{
        (void)state;
        for_each_failing_allocation(read_with_little_memory);
}

static void test_missing_file(void **state)
{
        const char *const files[] = { "/no/such/file", NULL };
        struct muster_error error = { 0 };
        struct input_item item = { 0 };
        struct input input;

        (void)state;
        input_init(&input, no_texts, files, &(struct input_options){ 0 });
        assert_int_equal(input_next(&input, &item, &error), MUSTER_E_INPUT);
        assert_string_equal(error.text,
                "input: cannot read /no/such/file: No such file or directory");
        input_deinit(&input);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_lines),
                cmocka_unit_test(test_nul_in_json),
                cmocka_unit_test(test_line_that_is_too_long),
                cmocka_unit_test(test_jsonl),
                cmocka_unit_test(test_bad_json),
                cmocka_unit_test(test_members_of_ones_own),
                cmocka_unit_test(test_members_of_bad_lines),
                cmocka_unit_test(test_strict),
                cmocka_unit_test(test_warning),
                cmocka_unit_test(test_numbers_are_blanked),
                cmocka_unit_test(test_results_as_input),
                cmocka_unit_test(test_files_that_are_no_lists),
                cmocka_unit_test(test_lines_that_are_no_urls),
                cmocka_unit_test(test_lines_as_they_stand),
                cmocka_unit_test(test_random_bytes),
                cmocka_unit_test(test_memory),
                cmocka_unit_test(test_missing_file),
        };

        return cmocka_run_group_tests_name("input", tests, NULL, NULL);
}
