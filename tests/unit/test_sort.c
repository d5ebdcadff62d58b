/* SPDX-License-Identifier: MIT */
/*
 * Sorting, and what is told of a sorted set
 */
#include "record_maker.h"
#include "unit.h"

#include <base/mem.h>
#include <base/rand.h>
#include <explain/facts/sort.h>
#include <explain/facts/turns.h>

/* --- sorting --------------------------------------------------------------------------------- */

static void test_sorting(void **state)
{
        static uint64_t values[5000];
        struct rand rand;

        (void)state;
        rand_init(&rand, 3);
        for (unsigned shift = 0; shift < 64; shift += 7) {
                for (size_t n = 0; n < LENGTH(values); n = n * 3 + 1) {
                        uint64_t before = 0, after = 0;

                        for (size_t i = 0; i < n; i++)
                                before += values[i] = rand_next(&rand) >> shift;
                        sort_numbers(values, n);
                        for (size_t i = 0; i < n; i++) {
                                after += values[i];
                                assert_true(i == 0 || values[i - 1] <= values[i]);
                        }
                        assert_true(before == after);
                }
        }
}

static bool is_after(struct sort_pair one, struct sort_pair other)
{
        return one.key > other.key || (one.key == other.key && one.value > other.value);
}

/* Many of the same key among them, in any order of their values; with memory and without. */
static void test_sorting_pairs(void **state)
{
        static struct sort_pair pairs[5000];
        struct rand rand;

        (void)state;
        rand_init(&rand, 4);
        for (unsigned shift = 0; shift < 64; shift += 7) {
                for (size_t n = 0; n < LENGTH(pairs); n = n * 3 + 1) {
                        uint64_t before = 0, after = 0;

                        for (size_t i = 0; i < n; i++) {
                                pairs[i].key = rand_next(&rand) >> shift;
                                pairs[i].value = rand_next(&rand) >> 50;
                                before += pairs[i].key ^ pairs[i].value << 20;
                        }
                        mem_fail_after(n % 2 ? 0 : -1);
                        sort_pairs(pairs, n);
                        mem_fail_after(-1);
                        for (size_t i = 0; i < n; i++) {
                                after += pairs[i].key ^ pairs[i].value << 20;
                                assert_false(i > 0 && is_after(pairs[i - 1], pairs[i]));
                        }
                        assert_true(before == after);
                }
        }
}

static void test_spreads(void **state)
{
        uint64_t hundred[100], three[] = { 30, 10, 20 };
        struct spread spread;

        (void)state;
        for (size_t i = 0; i < 100; i++)
                hundred[i] = 100 - i;
        spread_of(&spread, hundred, 100);
        assert_int_equal(spread.n, 100);
        assert_int_equal(spread.sum, 5050);
        assert_int_equal(spread.min, 1);
        assert_int_equal(spread.p10, 10);
        assert_int_equal(spread.p50, 50);
        assert_int_equal(spread.p90, 90);
        assert_int_equal(quantile_of(hundred, 100, 0.95), 95);
        assert_int_equal(quantile_of(hundred, 100, 0.07), 7);
        assert_int_equal(quantile_of(hundred, 100, 0), 1);
        assert_int_equal(quantile_of(hundred, 100, 1.5), 100);
        assert_int_equal(quantile_of(hundred, 0, 0.5), 0);
        assert_int_equal(spread.p99, 99);
        assert_int_equal(spread.max, 100);
        spread_of(&spread, three, 3);
        assert_int_equal(spread.p10, 10);
        assert_int_equal(spread.p50, 20);
        assert_int_equal(spread.p90, 30);
        spread_of(&spread, three, 0);
        assert_int_equal(spread.n, 0);
        assert_int_equal(spread.max, 0);
}

/* From `low` to `high` in even steps. */
static bool is_ramp(uint64_t low, uint64_t high)
{
        uint64_t values[100];
        struct spread spread;

        for (size_t i = 0; i < LENGTH(values); i++)
                values[i] = low + (high - low) * i / (LENGTH(values) - 1);
        spread_of(&spread, values, LENGTH(values));
        return spread_is_ramp(&spread);
}

/* The first `n_low` of a hundred are 10, the others 1,000. */
static bool are_two_groups(size_t n_low)
{
        uint64_t values[100];
        struct spread spread;

        for (size_t i = 0; i < LENGTH(values); i++)
                values[i] = i < n_low ? 10 : 1000;
        spread_of(&spread, values, LENGTH(values));
        return spread_is_ramp(&spread);
}

static void test_ramps(void **state)
{
        (void)state;
        assert_true(is_ramp(0, 1000));
        assert_true(is_ramp(200, 1000)); /* what each takes by itself comes on top */
        assert_false(is_ramp(800, 1000));
        assert_false(is_ramp(1000, 1000));
        assert_false(are_two_groups(60));
        assert_false(are_two_groups(40));
        assert_false(are_two_groups(95));
}

int main(void)
{
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_sorting),
                cmocka_unit_test(test_sorting_pairs),
                cmocka_unit_test(test_spreads),
                cmocka_unit_test(test_ramps),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
