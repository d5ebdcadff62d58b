/* SPDX-License-Identifier: MIT */
/*
 * Random numbers: the same of the same seed, and even
 */
#include "unit.h"

#include <base/rand.h>

static void test_rand(void **state)
{
        struct rand a, b;
        unsigned counts[10] = { 0 };

        (void)state;
        rand_init(&a, 42);
        rand_init(&b, 42);
        for (int i = 0; i < 100; i++)
                assert_int_equal(rand_next(&a), rand_next(&b));
        for (int i = 0; i < 100000; i++)
                counts[rand_up_to(&a, 9)]++;
        for (int i = 0; i < 10; i++)
                assert_in_range(counts[i], 9500, 10500); /* five standard deviations */
        assert_int_equal(rand_up_to(&a, 0), 0);
        (void)rand_up_to(&a, UINT64_MAX);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_rand),
        };

        return cmocka_run_group_tests_name("rand", tests, NULL, NULL);
}
