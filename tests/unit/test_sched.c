/* SPDX-License-Identifier: MIT */
/*
 * The scheduler: turns, limits, shares, and that nobody is forgotten
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <base/rand.h>
#include <core/sched.h>
#include <stdlib.h>

#define N_ORIGINS  8
#define N_REQUESTS 400

static struct origin origins[N_ORIGINS];
static struct muster_request requests[N_REQUESTS];

static void begin(struct sched *sched, unsigned concurrency, unsigned per_host)
{
        memset(origins, 0, sizeof(origins));
        memset(requests, 0, sizeof(requests));
        for (int i = 0; i < N_ORIGINS; i++) {
                list_init(&origins[i].queue);
                list_init(&origins[i].planned);
        }
        sched_init(sched, concurrency, per_host);
}

static struct muster_request *add(struct sched *sched, int request, int origin)
{
        requests[request].origin = &origins[origin];
        sched_add(sched, &requests[request]);
        return &requests[request];
}

static void test_origins_take_turns(void **state)
{
        struct sched sched;

        (void)state;
        begin(&sched, 4, 4);
        for (int i = 0; i < 10; i++)
                add(&sched, i, 0);
        add(&sched, 10, 1);
        add(&sched, 11, 2);
        assert_ptr_equal(sched_next(&sched, 0), &requests[0]);
        assert_ptr_equal(sched_next(&sched, 0), &requests[10]);
        assert_ptr_equal(sched_next(&sched, 0), &requests[11]);
        assert_null(sched_next(&sched,
                0)); /* its share of 4 among 3 is one, and it has earned nothing yet */
        sched_end(&sched, &origins[1], 1, true);
        assert_ptr_equal(sched_next(&sched, 0), &requests[1]); /* two active: a share of two */
        sched_end(&sched, &origins[0], 1, true);
        assert_ptr_equal(sched_next(&sched, 0), &requests[2]);
        assert_ptr_equal(sched_next(&sched, 0), &requests[3]); /* earned */
        assert_null(sched_next(&sched, 0));
}

static void test_first_comes_before_the_others(void **state)
{
        struct sched sched;

        (void)state;
        begin(&sched, 2, 2);
        add(&sched, 0, 0);
        add(&sched, 1, 0);
        requests[2].origin = &origins[0];
        sched_push_front(&sched, &requests[2]);
        assert_ptr_equal(sched_next(&sched, 0), &requests[2]);
        assert_ptr_equal(sched_next(&sched, 0), &requests[0]);
        assert_null(sched_next(&sched, 0));
        assert_int_equal(sched.n_queued, 1);
        sched_remove(&sched, &requests[1]);
        assert_int_equal(sched.n_queued, 0);
        sched_end(&sched, &origins[0], 1, true);
        assert_null(sched_next(&sched, 0));
        sched_end(&sched, &origins[0], 1, true);
        assert_int_equal(sched.n_active, 0);
}

static void test_one_origin_may_have_all(void **state)
{
        struct sched sched;

        (void)state;
        begin(&sched, 64, 64);
        for (int i = 0; i < 100; i++)
                add(&sched, i, 0);
        for (int i = 0; i < 64; i++)
                assert_non_null(sched_next(&sched, 0));
        assert_null(sched_next(&sched, 0));
}

static void test_one_that_is_not_answered_keeps_to_its_share(void **state)
{
        struct sched sched;

        (void)state;
        begin(&sched, 64, 64);
        for (int i = 0; i < 200; i++)
                add(&sched, i, i % 2);
        for (int i = 0; i < 64; i++)
                assert_non_null(sched_next(&sched, 0));
        assert_int_equal(origins[0].n_running, 32);
        /*
         * The first is answered all the time, the second never: slots move, but an eighth stays out
         * of reach.
         */
        for (int i = 0; i < 60; i++) {
                sched_end(&sched, &origins[0], 1, true);
                assert_non_null(sched_next(&sched, 0));
        }
        assert_int_equal(origins[1].n_running, 32);
}

/*
 * Held at its share, an origin gets more when another one is done: that one's end is what it had
 * waited for.
 */
static void test_who_let_the_share_grow(void **state)
{
        struct sched sched;

        (void)state;
        begin(&sched, 2, 2);
        add(&sched, 0, 0);
        add(&sched, 1, 0);
        add(&sched, 10, 1);
        assert_ptr_equal(sched_next(&sched, 0), &requests[0]);
        assert_ptr_equal(sched_next(&sched, 0), &requests[10]);
        assert_null(sched_next(&sched, 0));
        sched_end(&sched, &origins[1], 11, true);
        assert_ptr_equal(sched_next(&sched, 0), &requests[1]);
        assert_int_equal(requests[1].notes.wait, TRACE_WAIT_SHARE);
        assert_int_equal(requests[1].notes.slot_from, 11);
        sched_end(&sched, &origins[0], 1, true);
        sched_end(&sched, &origins[0], 2, true);
}

/* What comes when there is room again has waited for nobody, though others before it have. */
static void test_who_came_late_did_not_wait(void **state)
{
        struct sched sched;

        (void)state;
        begin(&sched, 4, 4);
        for (int i = 0; i < 3; i++)
                add(&sched, i, 0);
        add(&sched, 10, 1);
        for (int i = 0; i < 3; i++)
                assert_non_null(sched_next(&sched, 0));
        assert_null(sched_next(&sched, 0));
        sched_end(&sched, &origins[1], 11, true);
        add(&sched, 3, 0);
        assert_ptr_equal(sched_next(&sched, 0), &requests[2]);
        assert_int_equal(requests[2].notes.wait, TRACE_WAIT_SHARE);
        assert_int_equal(requests[2].notes.slot_from, 11);
        assert_ptr_equal(sched_next(&sched, 0), &requests[3]);
        assert_int_equal(requests[3].notes.wait, TRACE_WAIT_NONE);
        assert_int_equal(requests[3].notes.slot_from, 0);
        for (uint64_t i = 1; i <= 4; i++)
                sched_end(&sched, &origins[0], i, true);
}

/* Random traffic: limits hold at every step, and in the end everybody has had a slot. */
static void test_random(void **state)
{
        for (uint64_t seed = 0; seed < 50; seed++) {
                unsigned concurrency, per_host, n_running[N_ORIGINS] = { 0 }, total = 0,
                                                started = 0, added = 0;
                struct sched sched;
                struct rand rand;

                (void)state;
                rand_init(&rand, seed);
                concurrency = 1 + (unsigned)rand_up_to(&rand, 40);
                per_host = 1 + (unsigned)rand_up_to(&rand, concurrency - 1);
                begin(&sched, concurrency, per_host);
                while (started < N_REQUESTS || total) {
                        struct muster_request *next;
                        int o = (int)rand_up_to(&rand, N_ORIGINS - 1);

                        if (added < N_REQUESTS && rand_up_to(&rand, 1))
                                add(&sched, (int)added++, o);
                        if (n_running[o] && rand_up_to(&rand, 2) == 0) {
                                n_running[o]--;
                                total--;
                                sched_end(&sched, &origins[o], 1, rand_up_to(&rand, 3) != 0);
                        }
                        while ((next = sched_next(&sched, 0))) {
                                started++;
                                total++;
                                o = (int)(next->origin - origins);
                                assert_true(++n_running[o] <= per_host);
                        }
                        assert_true(total <= concurrency);
                        assert_int_equal(sched.n_running, total);
                        /*
                         * Slots are free and somebody waits, yet nobody gets one: only where all
                         * who wait hold some.
                         */
                        for (int i = 0; total < concurrency && i < N_ORIGINS; i++)
                                assert_true(!origins[i].n_queued || origins[i].n_running);
                }
                assert_int_equal(sched.n_active, 0);
                assert_int_equal(sched.n_queued, 0);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_origins_take_turns),
                cmocka_unit_test(test_first_comes_before_the_others),
                cmocka_unit_test(test_one_origin_may_have_all),
                cmocka_unit_test(test_one_that_is_not_answered_keeps_to_its_share),
                cmocka_unit_test(test_who_let_the_share_grow),
                cmocka_unit_test(test_who_came_late_did_not_wait),
                cmocka_unit_test(test_random),
        };

        return cmocka_run_group_tests_name("sched", tests, NULL, NULL);
}
