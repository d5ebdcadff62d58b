/* SPDX-License-Identifier: MIT */
/*
 * When a request's time is over, and when its peer may have been in time
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <core/deadline.h>
#include <core/exchange.h>

#define READ_UNTIL 1000

static enum deadline_step step(uint64_t now_ns, struct exchange_signs signs)
{
        struct muster_request request = {
                .state = REQUEST_RUNNING,
                .queue_until_ns = UINT64_MAX,
                .connect_until_ns = UINT64_MAX,
                .read_until_ns = READ_UNTIL,
                .speed_until_ns = UINT64_MAX,
                .drain_until_ns = UINT64_MAX,
                .total_until_ns = UINT64_MAX,
                .deadline_ns = UINT64_MAX,
        };

        return deadline_check(&request, now_ns, &signs);
}

static void test_silence(void **state)
{
        (void)state;
        assert_int_equal(step(READ_UNTIL - 1, (struct exchange_signs){ 0 }), DEADLINE_NOT_YET);
        assert_int_equal(step(READ_UNTIL, (struct exchange_signs){ 0 }), DEADLINE_OVER);
}

static void test_input_that_may_be_in_time(void **state)
{
        struct exchange_signs signs = { .has_input = true, .input_ns = READ_UNTIL };

        (void)state;
        assert_int_equal(step(READ_UNTIL + 1, signs), DEADLINE_READ_FIRST);
        assert_int_equal(step(READ_UNTIL - 1, signs), DEADLINE_NOT_YET);
}

/* A connection that is shared may have input without end, of which none is this request's. */
static void test_input_that_is_too_late(void **state)
{
        struct exchange_signs signs = { .has_input = true, .input_ns = READ_UNTIL + 1 };

        (void)state;
        assert_int_equal(step(READ_UNTIL + 2, signs), DEADLINE_OVER);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_silence),
                cmocka_unit_test(test_input_that_may_be_in_time),
                cmocka_unit_test(test_input_that_is_too_late),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
