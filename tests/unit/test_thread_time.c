/* SPDX-License-Identifier: MIT */
/*
 * The time of the present thread
 */
#include "unit.h"

#include <base/clock.h>
#include <base/thread_time.h>
#include <pthread.h>

static void *read_elsewhere(void *meter)
{
        struct thread_time time;

        assert_int_equal(thread_meter_read(meter, &time), THREAD_METER_NEW);
        assert_true(time.cpu_ns < NS_PER_S);
        return NULL;
}

static void test_time_of_this_thread(void **state)
{
        struct thread_meter meter = { 0 };
        struct thread_time before, after;
        pthread_t other;

        (void)state;
        assert_int_equal(thread_meter_read(&meter, &before), THREAD_METER_NEW);
        do
                assert_int_equal(thread_meter_read(&meter, &after), 0);
        while (after.cpu_ns - before.cpu_ns < NS_PER_MS);
        if (before.run_delay_ns >= 0)
                assert_true(after.run_delay_ns >= before.run_delay_ns);
        assert_true(after.n_forced >= before.n_forced);
        assert_int_equal(pthread_create(&other, NULL, read_elsewhere, &meter), 0);
        pthread_join(other, NULL);
        assert_int_equal(thread_meter_read(&meter, &after), THREAD_METER_NEW);
        thread_meter_deinit(&meter);
        thread_meter_deinit(&meter);
}

/* Where the kernel tells nothing, or the descriptor tells of nobody any more, that is said. */
static void test_run_delay_may_be_unknown(void **state)
{
        (void)state;
        assert_int_equal(thread_time_parse("1591582 16212211 2\n"), 16212211);
        assert_int_equal(thread_time_parse("0 0 0\n"), 0);
        assert_int_equal(thread_time_parse(""), -1);
        assert_int_equal(thread_time_parse("12\n"), -1);
        assert_int_equal(thread_time_parse("12 x 3\n"), -1);
        assert_int_equal(thread_time_parse("1 18446744073709551615 1\n"), -1);
        assert_int_equal(thread_time_growth(3, 5), 2);
        assert_int_equal(thread_time_growth(-1, 5), -1);
        assert_int_equal(thread_time_growth(3, -1), -1);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_time_of_this_thread),
                cmocka_unit_test(test_run_delay_may_be_unknown),
        };

        return cmocka_run_group_tests_name("thread_time", tests, NULL, NULL);
}
