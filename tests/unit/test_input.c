/* SPDX-License-Identifier: MIT */
/*
 * Where requests come from: lists, JSON Lines
 */
#include "unit.h"

#include "input/input.h"
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const char *const no_texts[] = { NULL };

/* A file with this text, open for reading and without a name. */
static int file_with(const char *text, size_t len, char path[32])
{
        int fd;

        snprintf(path, 32, "/tmp/muster-cli-XXXXXX");
        fd = mkstemp(path);
        assert_true(fd >= 0);
        assert_int_equal(write(fd, text, len), (ssize_t)len);
        close(fd);
        return fd;
}

struct reading {
        struct input input;
        struct input_item item;
        char path[32];
        const char *files[2];
};

static void open_text(struct reading *reading, const char *text, size_t len)
{
        memset(reading, 0, sizeof(*reading));
        file_with(text, len, reading->path);
        reading->files[0] = reading->path;
        input_init(&reading->input, no_texts, reading->files, NULL);
}

static void close_text(struct reading *reading)
{
        input_deinit(&reading->input);
        buf_deinit(&reading->item.id);
        unlink(reading->path);
}

static int next(struct reading *reading)
{
        struct muster_error error = { 0 };

        return input_next(&reading->input, &reading->item, &error);
}

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
        assert_string_equal(r.item.error.text, "input: line 6 has a NUL; is this a text file?");
        assert_int_equal(next(&r), 0);
        assert_string_equal(r.item.url, "http://c/");
        assert_int_equal(r.item.error.code, MUSTER_OK);
        assert_int_equal(next(&r), INPUT_END);
        assert_int_equal(next(&r), INPUT_END);
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
        muster_request_free(r.item.request);
        assert_int_equal(next(&r), 0);
        assert_non_null(r.item.request);
        assert_true(str_is(buf_str(&r.item.id), "17"));
        muster_request_free(r.item.request);
        assert_int_equal(next(&r), INPUT_END);
        close_text(&r);
}

static void test_bad_json(void **state)
{
        static const char *const cases[][2] = {
                { "{\"url\":\"http://a/\"", "is not JSON: " },
                { "{\"url\":\"http://a/\",\"url\":\"x\"}", "is not JSON: duplicate object key" },
                { "{}", "url is missing or not a string" },
                { "{\"url\":5}", "url is missing or not a string" },
                { "{\"url\":\"a\\u0000b\"}", "url is missing or not a string" },
                { "{\"url\":\"http://a/\",\"methd\":\"GET\"}", "unknown member: methd" },
                { "{\"url\":\"http://a/\",\"method\":1}", "method must be a string" },
                { "{\"url\":\"http://a/\",\"headers\":\"A: b\"}",
                  "headers must be an object or a list of pairs" },
                { "{\"url\":\"http://a/\",\"headers\":[[\"A\"]]}",
                  "a header is not a pair of name and value" },
                { "{\"url\":\"http://a/\",\"headers\":{\"A\":1}}",
                  "the value of this header is not a string: A" },
                { "{\"url\":\"http://a/\",\"headers\":{\"A b\":\"1\"}}",
                  "invalid: not a header field's name: A b" },
                { "{\"url\":\"http://a/\",\"headers\":{\"A\":\"x\\r\\nB: y\"}}",
                  "invalid: a control character" },
                { "{\"url\":\"http://a/\",\"body\":{}}", "body must be a string" },
                { "{\"url\":\"http://a/\",\"body_base64\":\"?\"}",
                  "body_base64 is not valid base64" },
                { "{\"url\":\"http://a/\",\"body_file\":\"/no/such\"}",
                  "cannot read /no/such: No such file or directory" },
                { "{\"url\":\"http://a/\",\"body\":\"\",\"body_file\":\"x\"}",
                  "only one of body, body_base64 and body_file" },
                { "{\"url\":\"http://a/\",\"id\":[]}", "id must be a string or a number" },
                { "[\"http://a/\"]", "not a JSON object" },
        };
        struct reading r;
        char text[4000] = "{\"url\":\"http://first/\"}\n";

        (void)state;
        for (size_t i = 0; i < LENGTH(cases); i++)
                snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s\n", cases[i][0]);
        open_text(&r, text, strlen(text));
        assert_int_equal(next(&r), 0);
        muster_request_free(r.item.request);
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

static void test_missing_file(void **state)
{
        const char *const files[] = { "/no/such/file", NULL };
        struct muster_error error = { 0 };
        struct input_item item = { 0 };
        struct input input;

        (void)state;
        input_init(&input, no_texts, files, NULL);
        assert_int_equal(input_next(&input, &item, &error), MUSTER_E_INPUT);
        assert_string_equal(error.text,
                            "input: cannot read /no/such/file: No such file or directory");
        input_deinit(&input);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_lines),        cmocka_unit_test(test_line_that_is_too_long),
                cmocka_unit_test(test_jsonl),        cmocka_unit_test(test_bad_json),
                cmocka_unit_test(test_missing_file),
        };

        return cmocka_run_group_tests_name("input", tests, NULL, NULL);
}
