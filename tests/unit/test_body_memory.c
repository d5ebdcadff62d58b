/* SPDX-License-Identifier: MIT */
/*
 * Body memory: the sum never exceeds the cap by more than one body, who waits goes on when there is
 * room, and nobody waits for ever
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <base/rand.h>
#include <core/body_memory.h>
#include <core/machine_memory.h>
#include <string.h>

#define KIB     1024
#define MIB     (1024 * KIB)
#define N_HOLDS 40

static struct body_memory memory;
static struct body_share engine, other, caller;
static struct body_hold holds[N_HOLDS];
static unsigned n_woken;

static void wake(struct body_share *share)
{
        (void)share;
        n_woken++;
}

static void begin(uint64_t cap_bytes)
{
        n_woken = 0;
        memset(holds, 0, sizeof(holds));
        body_memory_init(&memory, cap_bytes);
        body_share_init(&engine, &memory, wake);
        body_share_init(&other, &memory, wake);
        body_share_init(&caller, &memory, NULL);
}

static void end(void)
{
        body_share_settle(&engine);
        body_share_settle(&caller);
        assert_int_equal(memory.bytes, 0);
        assert_int_equal(memory.taken_bytes, 0);
        assert_int_equal(memory.n_waiting, 0);
        assert_int_equal(memory.n_moving, 0);
        assert_true(list_is_empty(&memory.waiting));
        body_memory_deinit(&memory);
}

static int ask(struct body_hold *hold, uint64_t more)
{
        return body_hold_ask(&engine, hold, hold->bytes, more);
}

static void test_what_fits_goes_on(void **state)
{
        (void)state;
        begin(10 * MIB);
        assert_int_equal(ask(&holds[0], 6 * MIB), 0);
        assert_int_equal(ask(&holds[1], 4 * MIB), 0);
        assert_true(body_share_is_full(&engine));
        assert_int_equal(ask(&holds[2], MIB), BODY_WAITS);
        assert_null(body_share_next(&engine));

        body_hold_take(&memory, &holds[1]);
        assert_int_equal(memory.taken_bytes, 4 * MIB);
        assert_null(body_share_next(&engine)); /* the other one still moves */
        body_hold_free(&memory, &holds[1]);
        assert_int_equal(n_woken, 1);
        assert_ptr_equal(body_share_next(&engine), &holds[2]);
        assert_null(body_share_next(&engine));
        assert_false(holds[2].goes_on);
        assert_int_equal(memory.bytes, 7 * MIB);
        body_hold_drop(&memory, &holds[0]);
        body_hold_drop(&memory, &holds[2]);
        end();
}

/* First come, first served: no small body overtakes a large one for ever. */
static void test_those_that_began_come_first(void **state)
{
        (void)state;
        begin(10 * MIB);
        assert_int_equal(ask(&holds[0], 9 * MIB), 0);
        assert_int_equal(ask(&holds[1], MIB / 2), 0);
        assert_int_equal(ask(&holds[2], 8 * MIB), BODY_WAITS);
        assert_int_equal(ask(&holds[3], KIB), BODY_WAITS); /* behind that one */
        assert_int_equal(ask(&holds[1], MIB), BODY_WAITS); /* holds something: before both */
        body_hold_drop(&memory, &holds[0]);
        assert_ptr_equal(body_share_next(&engine), &holds[1]);
        assert_ptr_equal(body_share_next(&engine), &holds[2]);
        assert_ptr_equal(body_share_next(&engine), &holds[3]);
        for (int i = 1; i < 4; i++)
                body_hold_drop(&memory, &holds[i]);
        end();
}

static void test_one_body_larger_than_the_cap(void **state)
{
        (void)state;
        begin(MIB);
        assert_int_equal(ask(&holds[0], 5 * MIB), 0);
        assert_true(holds[0].goes_on);
        assert_int_equal(ask(&holds[1], 5 * MIB), BODY_WAITS); /* only one at a time */
        assert_int_equal(ask(&holds[0], MIB), 0);
        body_hold_drop(&memory, &holds[0]);
        assert_ptr_equal(body_share_next(&engine), &holds[1]);
        body_hold_drop(&memory, &holds[1]);
        end();
}

static void test_all_wait_for_each_other(void **state)
{
        (void)state;
        begin(10 * MIB);
        for (int i = 0; i < 10; i++)
                assert_int_equal(ask(&holds[i], MIB), 0);
        for (int i = 0; i < 9; i++)
                assert_int_equal(ask(&holds[i], MIB), BODY_WAITS);
        assert_null(body_share_next(&engine));
        assert_int_equal(ask(&holds[9], MIB), BODY_WAITS); /* now nothing moves any more */
        assert_ptr_equal(body_share_next(&engine), &holds[0]);
        assert_true(holds[0].goes_on);
        assert_null(body_share_next(&engine));
        /* It need not ask again: else each would go on a step beyond the cap, in turn. */
        for (int i = 0; i < 20; i++)
                assert_int_equal(ask(&holds[0], MIB), 0);
        for (int i = 0; i < 10; i++)
                body_hold_drop(&memory, &holds[i]);
        end();
}

static void test_caller_holds_all(void **state)
{
        (void)state;
        begin(MIB);
        assert_int_equal(ask(&holds[0], MIB), 0);
        body_hold_take(&memory, &holds[0]);
        assert_int_equal(ask(&holds[1], MIB), BODY_WAITS);
        assert_null(body_share_next(&engine)); /* it may free it yet */
        body_memory_caller_waits(&memory, true);
        assert_ptr_equal(body_share_next(&engine), &holds[1]);
        assert_int_equal(holds[1].state, BODY_REFUSED);
        assert_false(body_memory_must_refuse(&memory)); /* once for each time */
        body_hold_leave(&memory, &holds[1]);
        body_hold_drop(&memory, &holds[1]);

        body_memory_caller_waits(&memory, true);
        assert_false(body_memory_may_start_one(&memory));
        assert_true(body_memory_must_refuse(&memory));
        body_hold_free(&memory, &holds[0]);
        assert_true(body_memory_may_start_one(&memory));
        end();
}

static void test_leaves_while_it_waits(void **state)
{
        (void)state;
        begin(MIB);
        assert_int_equal(ask(&holds[0], MIB), 0);
        assert_int_equal(ask(&holds[1], MIB), BODY_WAITS);
        assert_int_equal(ask(&holds[2], MIB), BODY_WAITS);
        body_hold_leave(&memory, &holds[1]);
        assert_int_equal(memory.n_waiting, 1);
        body_hold_drop(&memory, &holds[1]);
        body_hold_drop(&memory, &holds[0]);
        /* It has an answer, and leaves before that is read. */
        body_hold_leave(&memory, &holds[2]);
        body_hold_drop(&memory, &holds[2]);
        assert_null(body_share_next(&engine));
        end();
}

/* What had been sent already is not counted twice. */
static void test_comes_while_it_waits(void **state)
{
        (void)state;
        begin(10 * MIB);
        assert_int_equal(ask(&holds[0], 8 * MIB), 0);
        assert_int_equal(ask(&holds[1], 4 * MIB), BODY_WAITS);
        body_hold_fit(&memory, &holds[1], MIB);
        assert_int_equal(memory.bytes, 9 * MIB);
        body_hold_drop(&memory, &holds[0]);
        assert_int_equal(memory.bytes, 4 * MIB);
        assert_ptr_equal(body_share_next(&engine), &holds[1]);
        body_hold_drop(&memory, &holds[1]);
        end();
}

/* Small bodies keep requests from starting, and who waits for that is woken. */
static void test_small_bodies(void **state)
{
        (void)state;
        begin(MIB);
        for (int i = 0; i < 32; i++)
                body_share_count(&engine, 32 * KIB);
        body_share_settle(&engine);
        assert_int_equal(memory.bytes, MIB);
        assert_true(body_share_is_full(&other));
        assert_true(body_share_await(&other));
        assert_true(body_memory_may_start_one(&memory));
        body_memory_caller_has(&memory, MIB);
        assert_false(body_memory_may_start_one(&memory));
        body_share_count(&caller, -32 * KIB);
        assert_int_equal(n_woken, 0); /* not told yet */
        body_share_settle(&caller);
        assert_int_equal(n_woken, 1);
        assert_false(body_share_is_full(&other));
        assert_false(body_share_await(&other));
        body_share_count(&caller, -31 * 32 * KIB);
        end();
}

static void test_no_cap(void **state)
{
        (void)state;
        begin(UINT64_MAX);
        assert_int_equal(ask(&holds[0], UINT64_C(1) << 50), 0);
        assert_int_equal(ask(&holds[1], UINT64_C(1) << 50), 0);
        assert_false(body_share_is_full(&engine));
        body_hold_drop(&memory, &holds[0]);
        body_hold_drop(&memory, &holds[1]);
        end();
}

/* Bodies of random sizes, in any order of events: all end, and the sum keeps its bound. */
static void test_at_random(void **state)
{
        static uint64_t left[N_HOLDS];
        struct body_hold *answered;
        struct rand rand;
        uint64_t most = 0;
        int n_over = 0;

        (void)state;
        rand_init(&rand, 7);
        begin(20 * MIB);
        for (int i = 0; i < N_HOLDS; i++)
                left[i] = 1 + rand_up_to(&rand, 99); /* steps of 256 KiB: up to 25 MiB */
        for (int round = 0; n_over < N_HOLDS; round++) {
                int i = (int)rand_up_to(&rand, N_HOLDS - 1);
                struct body_hold *hold = &holds[i];

                assert_true(round < 1000000);
                while ((answered = body_share_next(&engine)))
                        left[answered - holds]--;
                if (hold->state == BODY_TAKEN) {
                        body_hold_free(&memory, hold);
                        n_over++;
                } else if (hold->state == BODY_MOVING && !left[i]) {
                        body_hold_take(&memory, hold);
                } else if (left[i] && hold->state != BODY_WAITING &&
                           ask(hold, BODY_STEP_BYTES) == 0) {
                        left[i]--;
                }
                most = memory.bytes > (int64_t)most ? (uint64_t)memory.bytes : most;
        }
        assert_true(most <= 20 * MIB + 25 * MIB);
        end();
}

static void test_limits_of_groups(void **state)
{
        (void)state;
        assert_int_equal(machine_memory_of_limit("max\n"), 0);
        assert_int_equal(machine_memory_of_limit("1073741824\n"), 1073741824);
        assert_int_equal(machine_memory_of_limit(""), 0);
        assert_true(machine_memory_bytes() >= 64 * MIB);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_what_fits_goes_on),
                cmocka_unit_test(test_those_that_began_come_first),
                cmocka_unit_test(test_one_body_larger_than_the_cap),
                cmocka_unit_test(test_all_wait_for_each_other),
                cmocka_unit_test(test_caller_holds_all),
                cmocka_unit_test(test_leaves_while_it_waits),
                cmocka_unit_test(test_comes_while_it_waits),
                cmocka_unit_test(test_small_bodies),
                cmocka_unit_test(test_no_cap),
                cmocka_unit_test(test_at_random),
                cmocka_unit_test(test_limits_of_groups),
        };

        return cmocka_run_group_tests_name("body_memory", tests, NULL, NULL);
}
