/* SPDX-License-Identifier: MIT */
/*
 * Quantities as people write them to the lab, spreads of durations, and the counts kept under a name
 */
#include "unit.h"

#include <base/clock.h>
#include <lab/quantity.h>
#include <lab/spread.h>
#include <lab/tally.h>
#include <math.h>
#include <stdio.h>
#include <unistd.h>

/* --- quantities ------------------------------------------------------------------------------ */

#define UNTOUCHED 4711

static const char *const nonsense[] = {
        "",
        " ",
        "x",
        "-1",
        "+1",
        " 1",
        "1 ",
        "1x",
        "0x1",
        "0X1",
        "nan",
        "inf",
        ".",
        "1..2",
        "1e999",
        "1,5",
        "1\xb5",
        "\xff",
        "1ms1s",
        "ms",
        "--1",
        "1.5.5ms",
        "1e",
        "e1",
        "1q/s",
        "%",
        "1%%",
};

struct quantity_case {
        const char *text;
        double value; /* negative: refused */
};

static void test_duration(void **state)
{
        static const struct quantity_case cases[] = {
                { "0", 0 },
                { "1", 1e9 },
                { "1.5", 1.5e9 },
                { "1ns", 1 },
                { "250us", 250e3 },
                { "80ms", 80e6 },
                { "0.1ms", 100e3 },
                { "2s", 2e9 },
                { "2m", 120e9 },
                { "1h", 3600e9 },
                { "1H", 3600e9 },
                { "1MS", 1e6 },
                { ".5s", 5e8 },
                { "1e3ms", 1e9 },
                { "0.4ns", 0 },
                { "0.6ns", 1 },
                { "720h", 2592e12 },
                { "720.001h", -1 },
                { "2592001", -1 },
                { "1d", -1 },
                { "1min", -1 },
                { "1msx", -1 },
                { "1k", -1 },
        };

        (void)state;
        for (size_t i = 0; i < LENGTH(cases); i++) {
                uint64_t ns = UNTOUCHED;
                bool is_good = quantity_duration(str_of(cases[i].text), &ns);

                if (is_good != (cases[i].value >= 0))
                        fail_msg("duration \"%s\"", cases[i].text);
                assert_int_equal(ns, is_good ? (uint64_t)cases[i].value : UNTOUCHED);
        }
}

static void test_size(void **state)
{
        static const struct quantity_case cases[] = {
                { "0", 0 },
                { "10", 10 },
                { "10k", 10240 },
                { "10K", 10240 },
                { "1M", 1048576 },
                { "1g", 1073741824 },
                { "1T", 0x1p40 },
                { "1.5k", 1536 },
                { "0.5", -1 },
                { "0.3k", -1 },
                { "1e15", 1e15 },
                { "1000T", -1 },
                { "10kb", -1 },
                { "10 k", -1 },
                { "1s", -1 },
        };

        (void)state;
        for (size_t i = 0; i < LENGTH(cases); i++) {
                uint64_t bytes = UNTOUCHED;
                bool is_good = quantity_size(str_of(cases[i].text), &bytes);

                if (is_good != (cases[i].value >= 0))
                        fail_msg("size \"%s\"", cases[i].text);
                assert_int_equal(bytes, is_good ? (uint64_t)cases[i].value : UNTOUCHED);
        }
}

static void test_rates(void **state)
{
        static const struct quantity_case bits[] = {
                { "1bit", 1 },
                { "64kbit", 64e3 },
                { "20mbit", 20e6 },
                { "1gbit", 1e9 },
                { "1.5MBIT", 15e5 },
                { "1000gbit", 1e12 },
                { "1001gbit", -1 },
                { "0bit", -1 },
                { "0.5bit", -1 },
                { "64", -1 },
                { "64k", -1 },
        };
        static const struct quantity_case rates[] = {
                { "100", 100 },
                { "100/s", 100 },
                { "30/m", 0.5 },
                { "36/h", 0.01 },
                { "0.5", 0.5 },
                { "0", -1 },
                { "0/s", -1 },
                { "1e10", -1 },
                { "1/d", -1 },
                { "/s", -1 },
                { "1/", -1 },
        };

        (void)state;
        for (size_t i = 0; i < LENGTH(bits); i++) {
                uint64_t value = UNTOUCHED;
                bool is_good = quantity_bit_rate(str_of(bits[i].text), &value);

                if (is_good != (bits[i].value >= 0))
                        fail_msg("bit rate \"%s\"", bits[i].text);
                assert_int_equal(value, is_good ? (uint64_t)bits[i].value : UNTOUCHED);
        }
        for (size_t i = 0; i < LENGTH(rates); i++) {
                double value = UNTOUCHED;
                bool is_good = quantity_rate(str_of(rates[i].text), &value);

                if (is_good != (rates[i].value >= 0))
                        fail_msg("rate \"%s\"", rates[i].text);
                assert_true(fabs(value - (is_good ? rates[i].value : UNTOUCHED)) < 1e-9);
        }
}

static void test_shares_and_numbers(void **state)
{
        static const struct quantity_case shares[] = {
                { "0", 0 },
                { "5%", 0.05 },
                { "0.5%", 0.005 },
                { "0.05", 0.05 },
                { "1", 1 },
                { "100%", 1 },
                { "101%", -1 },
                { "1.01", -1 },
                { "5 %", -1 },
                { "5k", -1 },
        };
        double number = UNTOUCHED, share;
        uint64_t count = UNTOUCHED;

        (void)state;
        for (size_t i = 0; i < LENGTH(shares); i++) {
                bool is_good;

                share = UNTOUCHED;
                is_good = quantity_share(str_of(shares[i].text), &share);
                if (is_good != (shares[i].value >= 0))
                        fail_msg("share \"%s\"", shares[i].text);
                assert_true(fabs(share - (is_good ? shares[i].value : UNTOUCHED)) < 1e-9);
        }
        assert_false(quantity_number(str_of("1k"), &number));
        assert_true(quantity_number(str_of("2.5"), &number) && number == 2.5);
        assert_false(quantity_count(str_of("2"), 3, 5, &count));
        assert_false(quantity_count(str_of("6"), 3, 5, &count));
        assert_false(quantity_count(str_of("3.0"), 3, 5, &count));
        assert_int_equal(count, UNTOUCHED);
        assert_true(quantity_count(str_of("3"), 3, 5, &count) && count == 3);
        assert_true(quantity_count(str_of("5"), 3, 5, &count) && count == 5);
}

static void test_no_quantity(void **state)
{
        double number = UNTOUCHED;
        uint64_t count = UNTOUCHED;
        struct spread spread = { .a_ns = UNTOUCHED };

        (void)state;
        for (size_t i = 0; i < LENGTH(nonsense); i++) {
                struct muster_str text = str_of(nonsense[i]);

                if (quantity_duration(text, &count) || quantity_size(text, &count) ||
                        quantity_bit_rate(text, &count) || quantity_rate(text, &number) ||
                        quantity_share(text, &number) || quantity_number(text, &number) ||
                        quantity_count(text, 0, UINT64_MAX, &count) || spread_parse(text, &spread))
                        fail_msg("\"%s\" is taken for a quantity", nonsense[i]);
        }
        assert_true(count == UNTOUCHED && number == UNTOUCHED && spread.a_ns == UNTOUCHED);
        /* What is not terminated, and what has a zero inside. */
        assert_true(quantity_size((struct muster_str){ "123", 2 }, &count) && count == 12);
        assert_false(quantity_size((struct muster_str)BYTES("1\0k"), &count));
        assert_false(quantity_size((struct muster_str){ NULL, 0 }, &count));
}

/* --- spreads --------------------------------------------------------------------------------- */

#define N_DRAWS 200000

struct moments {
        double mean, deviation, least, most, below_a;
};

static struct moments draw_many(const char *text, uint64_t seed)
{
        struct moments m = { .least = INFINITY };
        double sum = 0, squares = 0;
        struct spread spread = { 0 };
        struct rand rand;

        assert_true(spread_parse(str_of(text), &spread));
        rand_init(&rand, seed);
        for (int i = 0; i < N_DRAWS; i++) {
                double x = (double)spread_draw(&spread, &rand) / 1e6;

                sum += x;
                squares += x * x;
                m.least = fmin(m.least, x);
                m.most = fmax(m.most, x);
                m.below_a += (x < (double)spread.a_ns / 1e6) / (double)N_DRAWS;
        }
        m.mean = sum / N_DRAWS;
        m.deviation = sqrt(squares / N_DRAWS - m.mean * m.mean);
        assert_true(fabs(m.mean - (double)spread_mean_ns(&spread) / 1e6) < 0.01 * m.mean);
        return m;
}

static bool is_near(double value, double expected)
{
        return fabs(value - expected) < 0.01 * expected;
}

static void test_spread_moments(void **state)
{
        (void)state;
        for (uint64_t seed = 1; seed <= 3; seed++) {
                struct moments m = draw_many("20ms", seed);

                assert_true(m.mean == 20 && m.least == 20 && m.most == 20);
                m = draw_many("uniform:10ms:50ms", seed);
                assert_true(is_near(m.mean, 30) && is_near(m.deviation, 40 / sqrt(12)));
                assert_true(m.least >= 10 && m.least < 10.01 && m.most <= 50 && m.most > 49.99);
                m = draw_many("exp:20ms", seed);
                assert_true(is_near(m.mean, 20) && is_near(m.deviation, 20));
                assert_true(is_near(m.below_a, 1 - exp(-1)) && m.most > 150);
                m = draw_many("lognormal:20ms:0.5", seed);
                assert_true(is_near(m.mean, 20 * exp(0.125)));
                assert_true(is_near(m.deviation, 20 * exp(0.125) * sqrt(exp(0.25) - 1)));
                assert_true(is_near(m.below_a, 0.5)); /* it is the median */
        }
}

static void test_spread_is_repeatable_and_bounded(void **state)
{
        struct spread spread = { 0 };
        struct rand a, b, c;
        int n_other = 0;

        (void)state;
        rand_init(&a, 7);
        rand_init(&b, 7);
        rand_init(&c, 8);
        assert_true(spread_is_zero(&spread));
        assert_int_equal(spread_draw(&spread, &a), 0);
        assert_true(spread_parse(str_of("lognormal:720h:5"), &spread));
        assert_false(spread_is_zero(&spread));
        for (int i = 0; i < 1000; i++) {
                uint64_t ns = spread_draw(&spread, &a);

                assert_true(ns <= 3600 * NS_PER_S);
                assert_int_equal(ns, spread_draw(&spread, &b));
                n_other += ns != spread_draw(&spread, &c);
        }
        assert_true(n_other > 0);
        assert_int_equal(spread_mean_ns(&spread), 3600 * NS_PER_S);
        assert_true(spread_parse(str_of("uniform:5ms:5ms"), &spread));
        assert_int_equal(spread_draw(&spread, &a), 5 * NS_PER_MS);
}

static void test_spread_refuses(void **state)
{
        static const char *const texts[] = { "uniform", "uniform:1ms", "uniform:2ms:1ms",
                "uniform:1ms:2ms:3ms", "uniform::1ms", "exp", "exp:", "exp:x", "exp:1ms:2ms",
                "lognormal:1ms", "lognormal:1ms:", "lognormal:1ms:-1", "lognormal:1ms:5.1",
                "lognormal:1ms:0.5:", "normal:1ms:1ms", "EXP:1ms", "20ms:", ":20ms" };
        struct spread spread = { .a_ns = UNTOUCHED };

        (void)state;
        for (size_t i = 0; i < LENGTH(texts); i++)
                if (spread_parse(str_of(texts[i]), &spread))
                        fail_msg("\"%s\" is taken for a spread", texts[i]);
        assert_int_equal(spread.a_ns, UNTOUCHED);
}

/* --- tallies --------------------------------------------------------------------------------- */

static void test_tally_rate(void **state)
{
        struct tally tally = { 0 };
        uint64_t now = 5 * NS_PER_S, n_taken = 0;

        (void)state;
        /* A burst of 3 at 10 a second, then one each 100 ms. */
        for (int i = 0; i < 3; i++)
                assert_int_equal(tally_take(&tally, 10, 3, now), 0);
        assert_int_equal(tally_take(&tally, 10, 3, now), 100 * NS_PER_MS);
        assert_int_equal(tally_take(&tally, 10, 3, now + 99 * NS_PER_MS), NS_PER_MS);
        assert_int_equal(tally.n, 3);
        assert_int_equal(tally_take(&tally, 10, 3, now + 100 * NS_PER_MS), 0);
        assert_int_equal(tally_take(&tally, 10, 3, now + 100 * NS_PER_MS), 100 * NS_PER_MS);
        /* Whoever asks always gets just the rate. */
        now = 100 * NS_PER_S;
        for (int i = 0; i < 10000; i++)
                n_taken += tally_take(&tally, 10, 1, now + (uint64_t)i * NS_PER_MS) == 0;
        assert_int_equal(n_taken, 100);
        /* After a long pause there is a burst again, and no more than that. */
        now = 1000 * NS_PER_S;
        n_taken = 0;
        for (int i = 0; i < 10; i++)
                n_taken += tally_take(&tally, 10, 4, now) == 0;
        assert_int_equal(n_taken, 4);
}

/* /limited/1e-300?burst=1e300 */
static void test_tally_of_hardly_anything(void **state)
{
        struct tally slow = { 0 }, eager = { 0 };

        (void)state;
        assert_int_equal(tally_take(&slow, 1e-300, 1, 5), 0);
        assert_true(tally_take(&slow, 1e-300, 1, 5) >= 365 * 24 * 3600 * NS_PER_S);
        for (int i = 0; i < 10; i++)
                assert_int_equal(tally_take(&eager, 100, 1e300, 5), 0);
}

static void test_tallies(void **state)
{
        struct tallies tallies;
        struct tally *a;
        char key[32];

        (void)state;
        tallies_init(&tallies);
        a = tallies_get(&tallies, str_of("a"));
        assert_ptr_equal(tallies_get(&tallies, str_of("a")), a);
        assert_ptr_not_equal(tallies_get(&tallies, str_of("b")), a);
        assert_non_null(tallies_get(&tallies, str_of("")));
        for (int i = 3; i < TALLIES_MAX; i++) {
                snprintf(key, sizeof(key), "key %d", i);
                assert_non_null(tallies_get(&tallies, str_of(key)));
        }
        assert_null(tallies_get(&tallies, str_of("one too many")));
        assert_ptr_equal(tallies_get(&tallies, str_of("a")), a);
        tallies_deinit(&tallies);
}

static void count_without_memory(void)
{
        struct tallies tallies;

        tallies_init(&tallies);
        if (tallies_get(&tallies, str_of("a")))
                assert_non_null(tallies_get(&tallies, str_of("a")));
        tallies_deinit(&tallies);
}

static void test_tallies_without_memory(void **state)
{
        (void)state;
        for_each_failing_allocation(count_without_memory);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_duration),
                cmocka_unit_test(test_size),
                cmocka_unit_test(test_rates),
                cmocka_unit_test(test_shares_and_numbers),
                cmocka_unit_test(test_no_quantity),
                cmocka_unit_test(test_spread_moments),
                cmocka_unit_test(test_spread_is_repeatable_and_bounded),
                cmocka_unit_test(test_spread_refuses),
                cmocka_unit_test(test_tally_rate),
                cmocka_unit_test(test_tally_of_hardly_anything),
                cmocka_unit_test(test_tallies),
                cmocka_unit_test(test_tallies_without_memory),
        };

        return cmocka_run_group_tests_name("lab_quantity", tests, NULL, NULL);
}
