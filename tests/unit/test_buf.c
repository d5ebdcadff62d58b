/* SPDX-License-Identifier: MIT */
/*
 * Buffers: what is added, dropped and kept for the next use
 */
#include "unit.h"

#include <base/buf.h>
#include <stdio.h>

/* Every number of digits, and what is on both sides of a power of ten. */
static void test_numbers_written(void **state)
{
        struct buf buf = { 0 };
        char expected[24];

        (void)state;
        for (uint64_t power = 1;; power *= 10) {
                const uint64_t values[] = { power - 1, power, power + 1, power * 9 / 5 };

                for (size_t i = 0; i < LENGTH(values); i++) {
                        snprintf(expected, sizeof(expected), "%llu", (unsigned long long)values[i]);
                        buf.len = 0;
                        assert_int_equal(buf_add_u64(&buf, values[i]), 0);
                        assert_int_equal(buf_terminate(&buf), 0);
                        assert_string_equal(buf.at, expected);
                }
                if (power > UINT64_MAX / 10)
                        break;
        }
        buf_deinit(&buf);
}

static void test_buf(void **state)
{
        struct buf buf = { 0 };

        (void)state;
        assert_int_equal(buf_add_text(&buf, "ab"), 0);
        assert_int_equal(buf_add_char(&buf, 'c'), 0);
        assert_int_equal(buf_add_u64(&buf, UINT64_MAX), 0);
        assert_int_equal(buf_add_u64(&buf, 0), 0);
        assert_int_equal(buf_add(&buf, NULL, 0), 0);
        assert_int_equal(buf_terminate(&buf), 0);
        assert_string_equal(buf.at, "abc184467440737095516150");
        buf_drop_front(&buf, 3);
        assert_int_equal(buf.len, 21);
        assert_int_equal(buf_reserve(&buf, SIZE_MAX), MUSTER_E_RESOURCE);
        assert_int_equal(buf.len, 21);
        buf_recycle(&buf, 1000);
        assert_int_equal(buf.len, 0);
        assert_non_null(buf.at);
        buf_recycle(&buf, 10);
        assert_null(buf.at);
        mem_fail_after(0);
        assert_int_equal(buf_add_char(&buf, 'x'), MUSTER_E_RESOURCE);
        mem_fail_after(-1);
        buf_deinit(&buf);
        buf_deinit(&buf);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_numbers_written),
                cmocka_unit_test(test_buf),
        };

        return cmocka_run_group_tests_name("buf", tests, NULL, NULL);
}
