/* SPDX-License-Identifier: MIT */
/*
 * Figures in words: durations, ranges, sizes, shares, counts
 */
#include "unit.h"

#include <base/words.h>

static void test_words_for_durations(void **state)
{
        static const struct {
                uint64_t ns;
                const char *text;
        } cases[] = {
                { 0, "0 ns" },
                { 1, "1 ns" },
                { 999, "999 ns" },
                { 1000, "1 us" },
                { 1234, "1.23 us" },
                { 12345, "12.3 us" },
                { 999499, "999 us" },
                { 999500, "1 ms" },
                { 12300000, "12.3 ms" },
                { 100000000, "100 ms" },
                { 190400000, "190 ms" },
                { 2500000000, "2.5 s" },
                { 2504000000, "2.5 s" },
                { 59400000000, "59.4 s" },
                { 59500000000, "1 min" },
                { 74000000000, "1 min 14 s" },
                { 3599600000000, "1 h" },
                { 7500000000000, "2 h 5 min" },
                { 360000000000000, "100 h" },
        };

        (void)state;
        for (size_t i = 0; i < LENGTH(cases); i++)
                assert_string_equal(words_ns(cases[i].ns).text, cases[i].text);
        assert_true(strlen(words_ns(UINT64_MAX).text) < sizeof(struct words));
}

/* One unit is enough where both have it. */
static void test_words_range(void **state)
{
        (void)state;
        assert_string_equal(words_range_ns(150000000, 300000000).text, "150 to 300 ms");
        assert_string_equal(words_range_ns(850000000, 1200000000).text, "850 ms to 1.2 s");
        assert_string_equal(words_range_ns(1200000000, 1201000000).text, "1.2 s");
        assert_string_equal(words_range_ns(59000000000, 74000000000).text, "59 s to 1 min 14 s");
        assert_string_equal(words_range_ns(62000000000, 74000000000).text,
                "1 min 2 s to 1 min 14 s");
        assert_string_equal(words_range_ns(60000000000, 120000000000).text, "1 to 2 min");
}

static void test_words_for_other_figures(void **state)
{
        (void)state;
        assert_string_equal(words_bytes(0).text, "0 bytes");
        assert_string_equal(words_bytes(1).text, "1 byte");
        assert_string_equal(words_bytes(999).text, "999 bytes");
        assert_string_equal(words_bytes(1024).text, "1 KiB");
        assert_string_equal(words_bytes(1258291).text, "1.2 MiB");
        assert_string_equal(words_bytes(UINT64_C(5) << 40).text, "5 TiB");
        assert_string_equal(words_share(0, 0).text, "0 %");
        assert_string_equal(words_share(0, 10).text, "0 %");
        assert_string_equal(words_share(1, 100000).text, "under 0.1 %");
        assert_string_equal(words_share(1, 80).text, "1.2 %");
        assert_string_equal(words_share(37.2, 100).text, "37 %");
        assert_string_equal(words_share(999, 1000).text, "over 99 %");
        assert_string_equal(words_share(7, 7).text, "100 %");
        assert_string_equal(words_count(0).text, "0");
        assert_string_equal(words_count(999).text, "999");
        assert_string_equal(words_count(12345).text, "12,345");
        assert_string_equal(words_rate(12345.6).text, "12,345");
        assert_string_equal(words_rate(49).text, "49");
        assert_string_equal(words_rate(0.25).text, "0.25");
        assert_string_equal(words_count(UINT64_MAX).text, "18,446,744,073,709,551,615");
        assert_string_equal(words_counted(0, "retry", "retries").text, "0 retries");
        assert_string_equal(words_counted(1, "retry", "retries").text, "1 retry");
        assert_string_equal(words_counted(1200, "retry", "retries").text, "1,200 retries");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_words_for_durations),
                cmocka_unit_test(test_words_range),
                cmocka_unit_test(test_words_for_other_figures),
        };

        return cmocka_run_group_tests_name("words", tests, NULL, NULL);
}
