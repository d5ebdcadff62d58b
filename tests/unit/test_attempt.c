/* SPDX-License-Identifier: MIT */
/*
 * Phases of an attempt: they add up to its life whatever the stamps are
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <base/rand.h>
#include <core/attempt.h>

static uint64_t sum(const uint64_t phase_ns[MUSTER_N_PHASES])
{
        uint64_t sum = 0;

        for (int i = 0; i < MUSTER_N_PHASES; i++)
                sum += phase_ns[i];
        return sum;
}

/* The wait for 100 (Continue) is within the sending, and counts as waiting. */
static void test_body_that_waited(void **state)
{
        struct attempt attempt = {
                .start_ns = 1000,
                .slot_ns = 1000,
                .send_start_ns = 1000,
                .expect_start_ns = 1002,
                .expect_end_ns = 1012,
                .send_end_ns = 1015,
                .first_byte_kernel_ns = 1020,
                .first_byte_read_ns = 1020,
                .end_ns = 1020,
                .stage = MUSTER_PHASE_RECEIVE,
        };
        uint64_t phase_ns[MUSTER_N_PHASES] = { 0 };

        (void)state;
        attempt_add_phases(&attempt, phase_ns);
        assert_int_equal(phase_ns[MUSTER_PHASE_SEND], 5);
        assert_int_equal(phase_ns[MUSTER_PHASE_WAIT], 15);
        assert_int_equal(sum(phase_ns), 20);
}

static void test_every_phase(void **state)
{
        struct attempt attempt = {
                .start_ns = 1000,
                .slot_ns = 1001,
                .dns_end_ns = 1003,
                .tcp_end_ns = 1006,
                .tunnel_end_ns = 1007,
                .tls_end_ns = 1010,
                .send_start_ns = 1010,
                .send_end_ns = 1015,
                .first_byte_kernel_ns = 1021,
                .first_byte_read_ns = 1028,
                .last_byte_kernel_ns = 1030,
                .last_byte_read_ns = 1036,
                .end_ns = 1040,
                .decode_ns = 3,
                .stage = MUSTER_PHASE_RECEIVE,
        };
        uint64_t phase_ns[MUSTER_N_PHASES] = { 0 };

        (void)state;
        attempt_add_phases(&attempt, phase_ns);
        assert_int_equal(phase_ns[MUSTER_PHASE_QUEUE], 1);
        assert_int_equal(phase_ns[MUSTER_PHASE_DNS], 2);
        assert_int_equal(phase_ns[MUSTER_PHASE_TCP], 3);
        assert_int_equal(phase_ns[MUSTER_PHASE_TUNNEL], 1);
        assert_int_equal(phase_ns[MUSTER_PHASE_TLS], 3);
        assert_int_equal(phase_ns[MUSTER_PHASE_SEND], 5);
        assert_int_equal(phase_ns[MUSTER_PHASE_WAIT], 6);
        assert_int_equal(phase_ns[MUSTER_PHASE_LAG], 7);
        assert_int_equal(phase_ns[MUSTER_PHASE_RECEIVE], 9);
        assert_int_equal(phase_ns[MUSTER_PHASE_DECODE], 3);
        assert_int_equal(sum(phase_ns), 40);
        attempt_add_phases(&attempt, phase_ns);
        assert_int_equal(sum(phase_ns), 80);
}

static void test_rest_belongs_to_the_stage(void **state)
{
        static const enum muster_phase stages[] = { MUSTER_PHASE_QUEUE, MUSTER_PHASE_DNS,
                MUSTER_PHASE_TCP, MUSTER_PHASE_TUNNEL, MUSTER_PHASE_WAIT };

        (void)state;
        for (size_t i = 0; i < sizeof(stages) / sizeof(stages[0]); i++) {
                struct attempt attempt = { .start_ns = 10, .end_ns = 100, .stage = stages[i] };
                uint64_t phase_ns[MUSTER_N_PHASES] = { 0 };

                attempt_add_phases(&attempt, phase_ns);
                assert_int_equal(phase_ns[stages[i]], 90);
                assert_int_equal(sum(phase_ns), 90);
        }
}

/*
 * The kernel's stamp may seem to lie before the end of sending, or after our reading: no phase
 * becomes negative.
 */
static void test_stamps_out_of_order(void **state)
{
        struct attempt attempt = { .start_ns = 10,
                .slot_ns = 20,
                .send_end_ns = 50,
                .first_byte_kernel_ns = 40,
                .first_byte_read_ns = 60,
                .end_ns = 70,
                .stage = MUSTER_PHASE_RECEIVE };
        uint64_t phase_ns[MUSTER_N_PHASES] = { 0 };

        (void)state;
        attempt_add_phases(&attempt, phase_ns);
        assert_int_equal(phase_ns[MUSTER_PHASE_WAIT], 0);
        assert_int_equal(phase_ns[MUSTER_PHASE_LAG], 10);
        assert_int_equal(sum(phase_ns), 60);
}

static void test_any_stamps_add_up(void **state)
{
        struct rand rand;

        (void)state;
        rand_init(&rand, 7);
        for (int i = 0; i < 20000; i++) {
                struct attempt attempt;
                uint64_t *stamps = (uint64_t *)(void *)&attempt;
                uint64_t phase_ns[MUSTER_N_PHASES] = { 0 };

                for (size_t j = 0; j < sizeof(attempt) / sizeof(uint64_t); j++)
                        stamps[j] = rand_up_to(&rand, 3) ? rand_up_to(&rand, 1000) : 0;
                attempt.stage = (enum muster_phase)rand_up_to(&rand, MUSTER_N_PHASES - 1);
                attempt.end_ns = attempt.start_ns + rand_up_to(&rand, 1000);
                attempt_add_phases(&attempt, phase_ns);
                assert_int_equal(sum(phase_ns), attempt.end_ns - attempt.start_ns);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_body_that_waited),
                cmocka_unit_test(test_every_phase),
                cmocka_unit_test(test_rest_belongs_to_the_stage),
                cmocka_unit_test(test_stamps_out_of_order),
                cmocka_unit_test(test_any_stamps_add_up),
        };

        return cmocka_run_group_tests_name("attempt", tests, NULL, NULL);
}
