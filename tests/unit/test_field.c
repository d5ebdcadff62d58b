/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <http/field.h>

static const char head[] = "A: 1\r\nb: x , \"q,\\\"r\", ,y;p=1\r\na: 2\r\nB: z\r\nC:\r\n";
static const struct field list[] = {
        { 0, 1, 3, 1 },
        { 6, 1, 9, 19 },
        { 30, 1, 33, 1 },
        { 36, 1, 39, 1 },
        { 42, 1, 44, 0 },
};
static const struct fields fields = { .head = head, .list = list, .n = LENGTH(list) };

static void test_find(void **state)
{
        (void)state;
        assert_true(str_is(fields_find(&fields, "a"), "1"));
        assert_true(str_is(fields_find(&fields, "C"), ""));
        assert_null(fields_find(&fields, "d").at);
}

static void test_members(void **state)
{
        static const char *const expected[] = { "x", "\"q,\\\"r\"", "y;p=1", "z" };
        struct field_members iter = { 0 };
        struct muster_str member;
        size_t n = 0;

        (void)state;
        while (fields_next_member(&fields, "B", &iter, &member)) {
                assert_true(n < LENGTH(expected));
                assert_true(str_is(member, expected[n++]));
        }
        assert_int_equal(n, LENGTH(expected));
        assert_true(fields_has_token(&fields, "b", "Y"));
        assert_true(fields_has_token(&fields, "b", "z"));
        assert_false(fields_has_token(&fields, "b", "q"));
        assert_false(fields_has_token(&fields, "c", ""));
}

static void test_characters(void **state)
{
        (void)state;
        for (int c = 0; c < 256; c++) {
                char one = (char)c;
                struct muster_str text = { &one, 1 };
                bool is_tchar = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
                                (c >= 'A' && c <= 'Z') || (c && strchr("!#$%&'*+-.^_`|~", c));

                assert_int_equal(field_is_token(text), is_tchar);
                assert_int_equal(field_is_value(text), c == '\t' || (c >= 0x20 && c != 0x7f));
        }
        assert_false(field_is_token((struct muster_str){ "", 0 }));
        assert_true(field_is_value((struct muster_str){ "", 0 }));
}

/* Values are looked at by eight bytes: none hides another. */
static void test_value_anywhere(void **state)
{
        char text[20];

        (void)state;
        for (size_t at = 0; at < sizeof(text); at++)
                for (int c = 0; c < 256; c++)
                        for (int rest = 0; rest < 2; rest++) {
                                memset(text, rest ? 0xff : ' ', sizeof(text));
                                text[at] = (char)c;
                                assert_int_equal(field_is_value((struct muster_str){
                                                         text, sizeof(text) }),
                                        c == '\t' || (c >= 0x20 && c != 0x7f));
                        }
}

static void test_dates(void **state)
{
        static const char *const dates[] = { "Sun, 06 Nov 1994 08:49:37 GMT",
                " Sunday, 06-Nov-94 08:49:37 GMT ", "Sun Nov  6 08:49:37 1994" };
        static const char *const others[] = { "", "0", "now", "Sun, 06 Nov 1994 08:49:37",
                "Sun, 06 Nov 1994 08:49:37 GMT, Sun, 06 Nov 1994 08:49:37 GMT, and so on" };
        int64_t date = 0;

        (void)state;
        for (size_t i = 0; i < LENGTH(dates); i++) {
                assert_true(field_date(str_of(dates[i]), &date));
                assert_int_equal(date, 784111777);
        }
        for (size_t i = 0; i < LENGTH(others); i++)
                assert_false(field_date(str_of(others[i]), &date));
}

static void test_retry_after(void **state)
{
        /* 1994-11-06 08:49:37 UTC */
        const int64_t then = 784111777;
        static const struct {
                const char *text;
                int64_t before;
                bool is_valid;
                uint64_t seconds;
        } cases[] = {
                { "120", 0, true, 120 },
                { " 0 ", 0, true, 0 },
                { "99999999999", 0, true, UINT64_C(10) * 365 * 24 * 3600 },
                { "99999999999999999999", 0, true, UINT64_C(10) * 365 * 24 * 3600 },
                { "Sun, 06 Nov 1994 08:49:37 GMT", 30, true, 30 },
                { "Sunday, 06-Nov-94 08:49:37 GMT", 30, true, 30 },
                { "Sun Nov  6 08:49:37 1994", 30, true, 30 },
                { "Sun, 06 Nov 1994 08:49:37 GMT", -5, true, 0 },
                { "Sun, 06 Nov 1994 08:49:37 GMT and more", 30, false, 0 },
                { "-1", 0, false, 0 },
                { "1.5", 0, false, 0 },
                { "soon", 0, false, 0 },
                { "", 0, false, 0 },
        };

        (void)state;
        for (size_t i = 0; i < LENGTH(cases); i++) {
                uint64_t seconds = 77;

                assert_int_equal(field_retry_after(str_of(cases[i].text), then - cases[i].before,
                                         &seconds),
                        cases[i].is_valid);
                assert_int_equal(seconds, cases[i].is_valid ? cases[i].seconds : 77);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_find),
                cmocka_unit_test(test_members),
                cmocka_unit_test(test_characters),
                cmocka_unit_test(test_value_anywhere),
                cmocka_unit_test(test_dates),
                cmocka_unit_test(test_retry_after),
        };

        return cmocka_run_group_tests_name("field", tests, NULL, NULL);
}
