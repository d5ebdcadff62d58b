/* SPDX-License-Identifier: MIT */
/*
 * How a server takes load, of runs that ask for much and for little
 */
#include "causes.h"
#include "servers.h"

#include <explain/measure/load.h>

#define MS NS_PER_MS

/* --- load ------------------------------------------------------------------------------------ */

static void test_load(void **state)
{
        struct record_maker alone = { .n = 1, .each.server_ns = MS };
        struct load load;

        (void)state;
        load = load_of(&flat);
        assert_int_equal(load.answer, LOAD_FLAT);
        assert_true(load.growth == 1);
        load = load_of(&full);
        assert_int_equal(load.answer, LOAD_GROWS);
        assert_in_range(load.alone_ns, 20 * MS, 21 * MS);
        assert_in_range(load.many_ns, 319 * MS, 321 * MS);
        assert_in_range((uint64_t)load.full_per_s, 190, 230);
        assert_true(load.best_n == 0);
        assert_int_equal(load_of(&alone).answer, LOAD_UNKNOWN);
}

static void test_load_when_raised(void **state)
{
        struct load flat_load = { .growth = 1 }, grown = { .growth = 1.25 };

        (void)state;
        assert_true(load_factor_when_raised(&flat_load, 1) == 1);
        assert_true(load_factor_when_raised(&flat_load, 11) == 2);
        assert_true(load_factor_when_raised(&grown, 5) == 2);
        grown.growth = 1e10; /* the server is full: in proportion */
        assert_true(load_factor_when_raised(&grown, 16) == 16);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_load),
                cmocka_unit_test(test_load_when_raised),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
