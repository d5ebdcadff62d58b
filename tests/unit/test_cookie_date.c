/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <http/cookie_date.h>
#include <time.h>

/* A date and what it is; NULL: none. */
static const struct {
        const char *text, *expected;
} cases[] = {
        /* the forms of RFC 9110 */
        { "Sun, 06 Nov 1994 08:49:37 GMT", "1994-11-06 08:49:37" },
        { "Sunday, 06-Nov-94 08:49:37 GMT", "1994-11-06 08:49:37" },
        { "Sun Nov  6 08:49:37 1994", "1994-11-06 08:49:37" },
        /* what servers write */
        { "Wed, 09-Dec-2009 16:27:23 GMT", "2009-12-09 16:27:23" },
        { "Wednesday, 09-Dec-2009 16:27:23 GMT", "2009-12-09 16:27:23" },
        { "Wed, 9 Dec 2009 16:27:23 GMT", "2009-12-09 16:27:23" },
        { "Wed,  9 Dec 2009 16:27:23 GMT", "2009-12-09 16:27:23" },
        { "Wed, 09-Dec-09 16:27:23 GMT", "2009-12-09 16:27:23" },
        { "Wed Dec 09 16:27:23 2009 GMT", "2009-12-09 16:27:23" },
        { "Wed Dec 09 2009 16:27:23 GMT-0500 (EST)", "2009-12-09 16:27:23" },
        { "Wed, 09 Dec 16:27:23 2009 GMT", "2009-12-09 16:27:23" },
        { "Wed, 09 Dec 2009 16:27:23 +0000", "2009-12-09 16:27:23" },
        { "Wed, 09 Dec 2009 16:27:23 UTC", "2009-12-09 16:27:23" },
        { "Wed, 09 Dec 2009 16:27:23", "2009-12-09 16:27:23" },
        { "2009 Dec 09 16:27:23", "2009-12-09 16:27:23" }, /* 2009 has too many digits for a day */
        { "09 Dec 10 16:27:23", "2010-12-09 16:27:23" },
        { "09 2009 Dec 16:27:23", "2009-12-09 16:27:23" },
        { "9-Dec-2009 16:27:23", "2009-12-09 16:27:23" },
        { "16:27:23 9 Dec 2009", "2009-12-09 16:27:23" },
        { "Dec 9 16:27:23 09", "2009-12-09 16:27:23" },
        { "Thu, 31 Dec 2037 23:55:55 GMT", "2037-12-31 23:55:55" },
        { "Tue, 19 Jan 2038 03:14:08 GMT", "2038-01-19 03:14:08" },
        { "Fri, 31 Dec 9999 23:59:59 GMT", "9999-12-31 23:59:59" },
        { "Thu, 01-Jan-1970 00:00:01 GMT", "1970-01-01 00:00:01" },
        { "Thu, 01-Jan-1970 00:00:00 GMT", "1970-01-01 00:00:00" },
        { "Mon, 01 Jan 1601 00:00:00 GMT", "1601-01-01 00:00:00" },
        /* ISO 8601 is none of them: its month is a number */
        { "2009-12-09T16:27:23Z", NULL },
        { "2009-12-09 16:27:23", NULL },
        /* in any case, shortened, spelled out, or in other words */
        { "wED, 09-dEC-2009 16:27:23 gmt", "2009-12-09 16:27:23" },
        { "9 December 2009 16:27:23", "2009-12-09 16:27:23" },
        { "9 Decembrrr 2009 16:27:23", "2009-12-09 16:27:23" },
        { "Anyday, 9 De 2009 16:27:23", NULL },
        { "9 Dez 2009 16:27:23", NULL },
        /* separators */
        { "Wed,09-Dec-2009,16:27:23", "2009-12-09 16:27:23" },
        { "Wed;09/Dec\\2009 16:27:23", "2009-12-09 16:27:23" },
        { "\"Wed, 09-Dec-2009 16:27:23 GMT\"", "2009-12-09 16:27:23" },
        { "  09~Dec~2009\t16:27:23  ", "2009-12-09 16:27:23" },
        { "09 - Dec - 2009 16:27:23", "2009-12-09 16:27:23" },
        { "09:Dec:2009 16:27:23", NULL }, /* a colon separates nothing */
        /* one digit, and too many */
        { "9 Dec 2009 6:7:3", "2009-12-09 06:07:03" },
        { "9 Dec 2009 006:27:23", NULL },
        { "9 Dec 2009 6:027:23", NULL },
        { "9 Dec 2009 6:27:023", NULL },
        { "009 Dec 2009 16:27:23", NULL },
        { "9 Dec 02009 16:27:23", NULL },
        { "9 Dec 2 16:27:23", NULL },
        { "9 Dec 123 16:27:23", NULL }, /* the year 123 */
        /* what stands behind digits is ignored */
        { "9th Dec 2009th 16:27:23h", "2009-12-09 16:27:23" },
        { "9 Dec 2009 16:27:23.123", "2009-12-09 16:27:23" },
        { "9 Dec 2009 16:27:23-08:00", "2009-12-09 16:27:23" },
        { "9 Dec 2009 16:27", NULL },
        { "9 Dec 2009 16:27:", NULL },
        { "9 Dec 2009 16: 27:23", NULL },
        { "9 Dec 2009 16:27:23pm", "2009-12-09 16:27:23" },
        /* the first of each counts, and the rest is ignored */
        { "9 Dec 2009 16:27:23 10 Jan 2010 11:11:11", "2009-12-09 16:27:23" },
        { "9 Dec 2009 Jan 16:27:23 2011", "2009-12-09 16:27:23" },
        { "::00 9 Dec 2009 16:27:23", "2009-12-09 16:27:23" },
        { "x:y 9 Dec 2009 16:27:23 99:99:99", "2009-12-09 16:27:23" },
        { "99:99:99 9 Dec 2009 16:27:23", NULL },
        /* years of two digits */
        { "9 Dec 69 16:27:23", "2069-12-09 16:27:23" },
        { "9 Dec 70 16:27:23", "1970-12-09 16:27:23" },
        { "9 Dec 99 16:27:23", "1999-12-09 16:27:23" },
        { "9 Dec 00 16:27:23", "2000-12-09 16:27:23" },
        /* out of bounds */
        { "31 Dec 1600 23:59:59", NULL },
        { "9 Dec 2009 24:00:00", NULL },
        { "9 Dec 2009 23:60:00", NULL },
        { "9 Dec 2009 23:59:60", NULL },
        { "0 Dec 2009 16:27:23", NULL },
        { "32 Dec 2009 16:27:23", NULL },
        /* days that do not exist */
        { "31 Apr 2009 16:27:23", NULL },
        { "29 Feb 2009 16:27:23", NULL },
        { "29 Feb 2008 16:27:23", "2008-02-29 16:27:23" },
        { "29 Feb 1900 16:27:23", NULL },
        { "29 Feb 2000 16:27:23", "2000-02-29 16:27:23" },
        /* no date */
        { "", NULL },
        { "0", NULL },
        { "-1", NULL },
        { "never", NULL },
        { "Thu, 00-Jan-1970", NULL },
        { "16:27:23", NULL },
        { "Dec 2009 16:27:23", NULL },
        { "9 2009 16:27:23", NULL },
        { "9 Dec 16:27:23", NULL },
        { "1234567890", NULL },
};

static void test_table(void **state)
{
        /* [6265bis 5.1.1 dates] [9110 5.6.7 dates] [9110 5.6.7 two-digit-years] */
        (void)state;
        for (size_t i = 0; i < LENGTH(cases); i++) {
                int64_t seconds = -77;
                bool is_date = cookie_date_parse(str_of(cases[i].text), &seconds);
                time_t time = (time_t)seconds;
                char text[64] = "";
                struct tm tm;

                if (is_date)
                        strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", gmtime_r(&time, &tm));
                if (is_date != !!cases[i].expected)
                        print_error("%s: %s\n", cases[i].text, text);
                assert_int_equal(is_date, cases[i].expected != NULL);
                if (is_date)
                        assert_string_equal(text, cases[i].expected);
                else
                        assert_int_equal(seconds, -77);
        }
}

/* Bytes beyond ASCII, control characters and a colon are part of words. */
static void test_bytes(void **state)
{
        static const struct muster_str apart[] = { BYTES("9\x80"
                                                         "Dec 2009 16:27:23"),
                BYTES("9\0Dec 2009 16:27:23"),
                BYTES("9\x7f"
                      "Dec 2009 16:27:23") };
        int64_t seconds;

        (void)state;
        for (size_t i = 0; i < LENGTH(apart); i++)
                assert_false(cookie_date_parse(apart[i], &seconds));
        for (int c = 0; c < 256; c++) {
                char text[] = "9?Dec 2009 16:27:23";
                bool separates = c == '\t' || (c >= 0x20 && c <= 0x2f) ||
                                 (c >= 0x3b && c <= 0x40) || (c >= 0x5b && c <= 0x60) ||
                                 (c >= 0x7b && c <= 0x7e);

                text[1] = (char)c;
                assert_int_equal(cookie_date_parse((struct muster_str){ text, sizeof(text) - 1 },
                                         &seconds),
                        separates);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = { cmocka_unit_test(test_table),
                cmocka_unit_test(test_bytes) };

        return cmocka_run_group_tests_name("cookie_date", tests, NULL, NULL);
}
