/* SPDX-License-Identifier: MIT */
/*
 * JSON text as the command writes it: strings, UTF-8, base64
 */
#include "unit.h"

#include "output/json.h"
#include "output/utf8.h"
#include <stdio.h>

static void expect_json(struct muster_str in, const char *expected)
{
        struct buf out = { 0 };

        assert_int_equal(json_add_string(&out, in), 0);
        buf_terminate(&out);
        assert_string_equal(out.at, expected);
        buf_deinit(&out);
}

static void test_strings(void **state)
{
        (void)state;
        expect_json((struct muster_str)BYTES(""), "\"\"");
        expect_json((struct muster_str)BYTES("plain and long enough for words of eight"),
                "\"plain and long enough for words of eight\"");
        expect_json((struct muster_str)BYTES("a\"b\\c/d\b\f\n\r\t\x01\x1f\x7f\0z"),
                "\"a\\\"b\\\\c/d\\b\\f\\n\\r\\t\\u0001\\u001f\\u007f\\u0000z\"");
        expect_json((struct muster_str)BYTES("\xc3\xbc\xe2\x82\xac\xf0\x9f\x98\x80"),
                "\"\xc3\xbc\xe2\x82\xac\xf0\x9f\x98\x80\"");
        expect_json((struct muster_str)BYTES("a\xff"
                                             "b\xc3"),
                "\"a\xef\xbf\xbd"
                "b\xef\xbf\xbd\"");
        /* Each character that is escaped, at each place of a word. */
        for (size_t i = 0; i < 20; i++) {
                char text[21] = "abcdefghijklmnopqrst", expected[30];

                text[i] = '"';
                snprintf(expected, sizeof(expected), "\"%.*s\\\"%s\"", (int)i, text, text + i + 1);
                expect_json((struct muster_str){ text, 20 }, expected);
        }
}

static void test_utf8(void **state)
{
        static const char *const good[] = { "", "abc", "\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80",
                "\xed\x9f\xbf", "\xee\x80\x80", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf",
                "aaaaaaaaaaaaaaa\xc3\xbc" };
        static const char *const bad[] = { "\x80", "\xc0\x80", "\xc1\xbf", "\xc3", "\xc3(",
                "\xe0\x9f\xbf", "\xe2\x82", "\xed\xa0\x80", "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80",
                "\xf5\x80\x80\x80", "\xff", "aaaaaaaaaaaaaaa\xfe", "\xf0\x9f\x98" };

        (void)state;
        for (size_t i = 0; i < LENGTH(good); i++)
                assert_true(utf8_is_valid(str_of(good[i])));
        for (size_t i = 0; i < LENGTH(bad); i++)
                assert_false(utf8_is_valid(str_of(bad[i])));
}

static void test_base64(void **state)
{
        static const char *const pairs[][2] = { { "", "" }, { "f", "Zg==" }, { "fo", "Zm8=" },
                { "foo", "Zm9v" }, { "foobar", "Zm9vYmFy" } };
        static const char *const bad[] = { "Z", "Zg",
                "Zg=", "Zg===", "Z===", "====", "Zh==", "Zm9=", "Zm 9v", "Zm9v\n", "=Zg=" };
        struct buf out = { 0 };

        (void)state;
        for (size_t i = 0; i < LENGTH(pairs); i++) {
                char expected[20];

                out.len = 0;
                json_add_base64(&out, str_of(pairs[i][0]));
                snprintf(expected, sizeof(expected), "\"%s\"", pairs[i][1]);
                assert_true(str_is(buf_str(&out), expected));
                out.len = 0;
                assert_int_equal(json_decode_base64(&out, str_of(pairs[i][1])), 0);
                assert_true(str_is(buf_str(&out), pairs[i][0]));
        }
        for (size_t i = 0; i < LENGTH(bad); i++)
                assert_int_equal(json_decode_base64(&out, str_of(bad[i])), MUSTER_E_INPUT);
        buf_deinit(&out);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_strings),
                cmocka_unit_test(test_utf8),
                cmocka_unit_test(test_base64),
        };

        return cmocka_run_group_tests_name("json", tests, NULL, NULL);
}
