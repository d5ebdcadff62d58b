/* SPDX-License-Identifier: MIT */
/*
 * Thresholds that can be moved, one at a time
 */
#include "unit.h"

#include <explain/judgement.h>
#include <explain/judgement_sway.h>
#include <stdlib.h>

static int sway(const char *wish)
{
        assert_int_equal(setenv("MUSTER_SWAY", wish, 1), 0);
        return judgement_sway();
}

static void test_refuses_what_names_none(void **state)
{
        (void)state;
        assert_int_equal(sway("NO_SUCH_NAME:1.2"), MUSTER_E_INVALID);
        assert_int_equal(sway("RTO_MIN_NS:1.2"), MUSTER_E_INVALID); /* known, not judged */
        assert_int_equal(sway("MOST_OF_TIME"), MUSTER_E_INVALID);
        assert_int_equal(sway("MOST_OF_TIME:"), MUSTER_E_INVALID);
        assert_int_equal(sway("MOST_OF_TIME:1.2x"), MUSTER_E_INVALID);
        assert_int_equal(sway("MOST_OF_TIME:-1"), MUSTER_E_INVALID);
        assert_true(MOST_OF_TIME == 0.5);
}

/* A count moves by one at least, a share not beyond the whole. */
static void test_moves_one(void **state)
{
        double part = GAIN_NOTICED;

        (void)state;
        assert_int_equal(sway("HABIT_LEAST:1.2"), 0);
        assert_int_equal(HABIT_LEAST, 4);
        assert_int_equal(SAMPLE_LEAST, 3);
        assert_true(GAIN_NOTICED == part);
}

/* Of several explanations in one process each has the same thresholds. */
static void test_moves_once(void **state)
{
        (void)state;
        assert_int_equal(sway("HABIT_LEAST:1.2"), 0);
        assert_int_equal(HABIT_LEAST, 4);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_refuses_what_names_none),
                cmocka_unit_test(test_moves_one),
                cmocka_unit_test(test_moves_once),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
