/* SPDX-License-Identifier: MIT */
/*
 * Both histograms: quantiles, buckets, extremes
 */
#include "unit.h"

#include <base/fine_hist.h>
#include <base/hist.h>
#include <base/rand.h>
#include <stdlib.h>

static int compare(const void *a, const void *b)
{
        uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

        return x < y ? -1 : x > y;
}

#define N_VALUES 5000

/* They follow each other, none is too wide, and they have all that was added. */
static void check_buckets(const struct fine_hist *hist)
{
        struct fine_hist_bucket bucket;
        uint64_t n = 0, last = 0;
        size_t at = 0;

        while (fine_hist_next(hist, &at, &bucket)) {
                assert_true(n == 0 ? bucket.from <= hist->min : bucket.from > last);
                assert_true(bucket.to - bucket.from <= bucket.from / 1024);
                last = bucket.to;
                n += bucket.n;
        }
        assert_int_equal(n, hist->n);
        assert_true(last >= hist->max);
}

/* Three shapes: even, bunched at the low end, and over all magnitudes. */
static void test_hist_quantiles(void **state)
{
        static const double shares[] = { 0.001, 0.1, 0.5, 0.9, 0.99, 0.999, 1.0 };
        static uint64_t values[N_VALUES];
        static struct hist hist;
        struct rand rand;

        (void)state;
        rand_init(&rand, 9);
        for (int shape = 0; shape < 3; shape++) {
                struct fine_hist fine;

                hist_init(&hist);
                assert_int_equal(fine_hist_init(&fine), 0);
                for (int i = 0; i < N_VALUES; i++) {
                        values[i] = rand_up_to(&rand, 1000000);
                        if (shape == 1)
                                values[i] = values[i] * values[i] / 1000000000;
                        if (shape == 2)
                                values[i] = rand_next(&rand) >> rand_up_to(&rand, 63);
                        hist_add(&hist, values[i]);
                        fine_hist_add(&fine, values[i]);
                }
                qsort(values, N_VALUES, sizeof(values[0]), compare);
                assert_int_equal(hist.min, values[0]);
                assert_int_equal(hist.max, values[N_VALUES - 1]);
                for (size_t i = 0; i < LENGTH(shares); i++) {
                        size_t rank = (size_t)(shares[i] * N_VALUES + 0.999999);
                        uint64_t exact = values[rank ? rank - 1 : 0],
                                 got = hist_quantile(&hist, shares[i]);

                        assert_true(got >= exact);
                        assert_true(got - exact <= exact / 64);
                        got = fine_hist_quantile(&fine, shares[i]);
                        assert_true(got >= exact && got - exact <= exact / 1024);
                }
                check_buckets(&fine);
                fine_hist_deinit(&fine);
        }
}

static void test_hist_extremes(void **state)
{
        static struct hist a, b;

        (void)state;
        hist_init(&a);
        hist_init(&b);
        assert_int_equal(hist_quantile(&a, 0.5), 0);
        hist_add(&a, 0);
        hist_add(&b, UINT64_MAX);
        hist_merge(&a, &b);
        assert_int_equal(a.n, 2);
        assert_int_equal(hist_quantile(&a, 0.5), 0);
        assert_int_equal(hist_quantile(&a, 1), UINT64_MAX);
        for (unsigned bit = 0; bit < 64; bit++) {
                hist_init(&a);
                hist_add(&a, UINT64_C(1) << bit);
                assert_int_equal(hist_quantile(&a, 0.5), UINT64_C(1) << bit);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_hist_quantiles),
                cmocka_unit_test(test_hist_extremes),
        };

        return cmocka_run_group_tests_name("hist", tests, NULL, NULL);
}
