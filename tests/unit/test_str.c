/* SPDX-License-Identifier: MIT */
/*
 * Text: read as numbers, searched, split and compared
 */
#include "unit.h"

#include <base/str.h>

static void test_numbers(void **state)
{
        static const struct {
                const char *text;
                bool is_valid;
                uint64_t value;
        } cases[] = {
                { "0", true, 0 },
                { "18446744073709551615", true, UINT64_MAX },
                { "007", true, 7 },
                { "18446744073709551616", false, 0 },
                { "", false, 0 },
                { "99999999999999999999999", false, 0 },
                { "-1", false, 0 },
                { "+1", false, 0 },
                { " 1", false, 0 },
                { "1x", false, 0 },
        };

        (void)state;
        for (size_t i = 0; i < LENGTH(cases); i++) {
                uint64_t value = 5;

                assert_int_equal(str_to_u64(str_of(cases[i].text), &value), cases[i].is_valid);
                assert_int_equal(value, cases[i].is_valid ? cases[i].value : 5);
        }
}

/* The first control character is found in texts of every length, at every place. */
static void test_control_characters(void **state)
{
        char text[24];

        (void)state;
        for (size_t len = 0; len <= sizeof(text); len++)
                for (size_t at = 0; at <= len; at++)
                        for (int c = 0; c < 256; c++) {
                                bool is_control = c < 0x20 || c == 0x7f;

                                memset(text, c % 2 ? 0xa0 : 'a', sizeof(text));
                                if (at < len)
                                        text[at] = (char)c;
                                if (at + 3 < len)
                                        text[at + 3] = '\n';
                                assert_int_equal(str_find_control((struct muster_str){ text, len }),
                                        at < len && is_control ? at
                                        : at + 3 < len         ? at + 3
                                                               : len);
                        }
}

static void test_split_and_trim(void **state)
{
        struct muster_str rest = str_of("a,,b,"), part;
        const char *const expected[] = { "a", "", "b", "" };

        (void)state;
        for (size_t i = 0; i < LENGTH(expected); i++) {
                assert_true(str_split(&rest, ',', &part));
                assert_true(str_is(part, expected[i]));
        }
        assert_false(str_split(&rest, ',', &part));
        assert_true(str_is(str_trim(str_of(" \ta b\t ")), "a b"));
        assert_true(str_is(str_trim(str_of(" \t ")), ""));
        assert_true(str_is_nocase(str_of("aBc"), "AbC"));
        assert_false(str_is_nocase(str_of("abc"), "abcd"));
        assert_true(str_starts(str_of("abc"), "ab"));
        assert_false(str_starts(str_of("a"), "ab"));
        assert_int_equal(char_hex('F'), 15);
        assert_int_equal(char_hex('g'), -1);
}

/* Also of a text that is not there, which fuzzers found in many places. */
static void test_after(void **state)
{
        struct muster_str text = str_of("a=b");

        (void)state;
        assert_true(str_is(str_after(text, 0), "a=b"));
        assert_true(str_is(str_after(text, 2), "b"));
        assert_true(str_is(str_after(text, 3), ""));
        assert_null(str_after((struct muster_str){ NULL, 0 }, 0).at);
}

static void test_has(void **state)
{
        (void)state;
        assert_true(str_has(str_of("a://b"), "://"));
        assert_true(str_has(str_of("a"), ""));
        assert_false(str_has(str_of("a:/"), "://"));
        assert_false(str_has((struct muster_str){ NULL, 0 }, "a"));
}

static void test_distance(void **state)
{
        char longer[65] = { 0 };

        (void)state;
        memset(longer, 'a', 64);
        assert_int_equal(str_distance(str_of(""), str_of("")), 0);
        assert_int_equal(str_distance(str_of("header"), str_of("headers")), 1);
        assert_int_equal(str_distance(str_of("htpt"), str_of("http")), 2);
        assert_int_equal(str_distance(str_of("kitten"), str_of("sitting")), 3);
        assert_int_equal(str_distance(str_of(longer), str_of(longer)), 64);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_numbers),
                cmocka_unit_test(test_control_characters),
                cmocka_unit_test(test_split_and_trim),
                cmocka_unit_test(test_after),
                cmocka_unit_test(test_has),
                cmocka_unit_test(test_distance),
        };

        return cmocka_run_group_tests_name("str", tests, NULL, NULL);
}
