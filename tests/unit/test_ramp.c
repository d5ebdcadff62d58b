/* SPDX-License-Identifier: MIT */
/*
 * Ramps: every moment is held against whole numbers, to the nanosecond
 */
#include "unit.h"

#include <base/clock.h>
#include <base/rand.h>
#include <core/rate.h>
#include <math.h>

#define T0 (1000 * NS_PER_S)

__extension__ typedef __int128 wide;

/* A ramp of whole rates. */
struct given {
        uint64_t from, to, over_ns;
};

static void begin(struct rate *rate, const struct given *given)
{
        rate_init(rate, (double)given->to);
        rate_set_ramp(rate, (double)given->from, given->over_ns);
        rate_begin(rate, T0);
}

/*
 * 2 T x 1e9 times the moments that have come at `ns`, which is a whole number: on the ramp, and
 * behind it, where the rate is constant.
 */
static wide scaled_count(const struct given *given, uint64_t ns)
{
        wide over = given->over_ns, t = ns < given->over_ns ? ns : given->over_ns;
        wide rise = (wide)given->to - (wide)given->from;

        return 2 * (wide)given->from * over * t + rise * t * t +
               2 * over * (wide)given->to * ((wide)ns - t);
}

/* Moment `k` is at `ns`: not yet a nanosecond before, and over a nanosecond later. */
static void check_moment(const struct given *given, uint64_t k, uint64_t ns)
{
        wide want = 2 * (wide)given->over_ns * NS_PER_S * k;

        assert_true(scaled_count(given, ns + 1) >= want);
        if (ns > 0)
                assert_true(scaled_count(given, ns - 1) <= want);
}

static uint64_t check_all(const struct given *given, uint64_t n)
{
        struct rate rate;
        uint64_t last_ns = 0;

        begin(&rate, given);
        for (uint64_t k = 0; k < n; k++) {
                uint64_t ns = rate_take(&rate) - T0;

                assert_true(ns >= last_ns);
                check_moment(given, k, ns);
                last_ns = ns;
        }
        return last_ns;
}

static void test_moments_of_a_ramp(void **state)
{
        const struct given usual = { 10, 500, 60 * NS_PER_S };
        const struct given from_nothing = { 0, 100, 10 * NS_PER_S };
        const struct given falling = { 500, 10, 60 * NS_PER_S };
        const struct given level = { 100, 100, 10 * NS_PER_S };
        const struct given fast = { 1000, 1000000, NS_PER_S };

        (void)state;
        /* (10 + 500) / 2 x 60 s: the next one is the first behind the ramp, and at its end */
        assert_in_range(check_all(&usual, 15301), 60 * NS_PER_S - 1, 60 * NS_PER_S + 1);
        check_all(&usual, 20000);
        assert_in_range(check_all(&from_nothing, 501), 10 * NS_PER_S - 1, 10 * NS_PER_S + 1);
        check_all(&falling, 16000);
        check_all(&level, 1500);
        check_all(&fast, 600000);
}

static void test_random_ramps(void **state)
{
        struct rand rand;

        (void)state;
        rand_init(&rand, 7);
        for (int i = 0; i < 300; i++) {
                struct given given = { .from = rand_up_to(&rand, 5000),
                        .to = 1 + rand_up_to(&rand, 5000),
                        .over_ns = 1 + rand_up_to(&rand, 20 * NS_PER_S) };

                check_all(&given, 2000);
        }
}

/* Late moments of a long one: what came before leaves no error. */
static void test_long_ramps_do_not_drift(void **state)
{
        const struct given given = { 1000, 20000, 24 * 3600 * NS_PER_S };
        uint64_t n_all = (given.from + given.to) / 2 * 24 * 3600;
        struct ramp ramp;

        (void)state;
        ramp_init(&ramp, (double)given.from, (double)given.to, given.over_ns);
        assert_true(fabs(ramp_count(&ramp, given.over_ns) - (double)n_all) < 1e-5);
        for (uint64_t k = n_all - 100000; k < n_all; k++) {
                double ns = ramp_moment_ns(&ramp, (double)k);

                check_moment(&given, k, (uint64_t)(ns + 0.5));
        }
}

/* The ramp goes by time: who wanted nothing for a while has saved up nothing, and misses nothing. */
static void test_begun_anew(void **state)
{
        const struct given given = { 0, 100, 10 * NS_PER_S };
        struct rate rate;
        uint64_t before_ns, next_ns;

        (void)state;
        begin(&rate, &given);
        assert_int_equal(rate_take(&rate), T0);
        rate_begin(&rate, T0 + 8 * NS_PER_S);
        assert_int_equal(rate_take(&rate), T0 + 8 * NS_PER_S);
        next_ns = rate_next_ns(&rate);
        assert_in_range(next_ns - T0 - 8 * NS_PER_S, 12 * NS_PER_MS, 13 * NS_PER_MS); /* 80/s */
        rate_begin(&rate, T0 + 30 * NS_PER_S);
        for (uint64_t k = 0; k < 300; k++)
                assert_int_equal(rate_take(&rate), T0 + 30 * NS_PER_S + k * 10 * NS_PER_MS);

        begin(&rate, &given);
        before_ns = rate_next_ns(&rate);
        rate_begin(&rate, T0); /* it is not late: nothing begins anew */
        assert_int_equal(rate_next_ns(&rate), before_ns);
}

static void test_catching_up(void **state)
{
        const struct given given = { 0, 100, 10 * NS_PER_S };
        struct rate rate;
        uint64_t second_ns;

        (void)state;
        begin(&rate, &given);
        rate_take(&rate);
        second_ns = rate_next_ns(&rate); /* the third is at 632 ms */
        rate_catch_up(&rate, T0 + 600 * NS_PER_MS);
        assert_int_equal(rate_next_ns(&rate), second_ns); /* one may be late */
        rate_catch_up(&rate, T0 + 700 * NS_PER_MS);
        assert_int_equal(rate_next_ns(&rate), T0 + 700 * NS_PER_MS);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_moments_of_a_ramp),
                cmocka_unit_test(test_random_ramps),
                cmocka_unit_test(test_long_ramps_do_not_drift),
                cmocka_unit_test(test_begun_anew),
                cmocka_unit_test(test_catching_up),
        };

        return cmocka_run_group_tests_name("ramp", tests, NULL, NULL);
}
