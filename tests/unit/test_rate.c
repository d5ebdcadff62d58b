/* SPDX-License-Identifier: MIT */
/*
 * Rates: moments to the nanosecond; and the plan: whose moment is which, without a loop and without
 * servers
 */
#include "unit.h"

#include <base/clock.h>
#include <base/rand.h>
#include <core/sched.h>

#define T0         (1000 * NS_PER_S)
#define N_ORIGINS  8
#define N_REQUESTS 4000

/* --- moments --------------------------------------------------------------------------------- */

static void test_moments_do_not_drift(void **state)
{
        static const unsigned rates[] = { 1, 3, 7, 500, 1024, 30000, 999983 };

        (void)state;
        for (size_t i = 0; i < LENGTH(rates); i++) {
                struct rate rate;

                rate_init(&rate, rates[i]);
                rate_begin(&rate, T0);
                for (uint64_t k = 0; k < 3 * (uint64_t)rates[i]; k++) {
                        uint64_t exact = T0 + (k * NS_PER_S * 2 + rates[i]) / (2 * rates[i]);

                        uint64_t moment = rate_take(&rate);

                        assert_true(moment == exact || (k > 100000 && moment + 1 == exact));
                }
        }
        for (int i = 0; i < 3; i++) {
                struct rate rate;

                rate_init(&rate, i == 0 ? RATE_PER_S_MIN : i == 1 ? RATE_PER_S_MAX : 0.5);
                rate_begin(&rate, T0);
                assert_int_equal(rate_take(&rate), T0);
                assert_int_equal(rate_next_ns(&rate) - T0, i == 0   ? NS_PER_S * NS_PER_S
                                                           : i == 1 ? 1
                                                                    : 2 * NS_PER_S);
        }
}

static void test_what_nobody_wanted_is_gone(void **state)
{
        struct rate rate;

        (void)state;
        rate_init(&rate, 10);
        rate_begin(&rate, T0);
        assert_int_equal(rate_take(&rate), T0);
        rate_begin(&rate, T0 + 50 * NS_PER_MS); /* not yet: the next one is still to come */
        assert_int_equal(rate_take(&rate), T0 + 100 * NS_PER_MS);
        rate_begin(&rate, T0 + NS_PER_S);
        assert_int_equal(rate_take(&rate), T0 + NS_PER_S);
        assert_int_equal(rate_take(&rate), T0 + 1100 * NS_PER_MS);
        rate_catch_up(&rate, T0 + 1299 * NS_PER_MS); /* one may be late */
        assert_int_equal(rate_next_ns(&rate), T0 + 1200 * NS_PER_MS);
        rate_catch_up(&rate, T0 + 1300 * NS_PER_MS);
        assert_int_equal(rate_next_ns(&rate), T0 + 1300 * NS_PER_MS);
}

static void test_no_rate(void **state)
{
        struct rate rate;

        (void)state;
        rate_init(&rate, 0);
        assert_false(rate_is_limited(&rate));
        rate_begin(&rate, T0);
        rate_catch_up(&rate, T0);
        assert_int_equal(rate_take(&rate), 0);
        assert_int_equal(rate_take(&rate), 0);
}

/* --- the plan -------------------------------------------------------------------------------- */

static struct origin origins[N_ORIGINS];
static struct muster_request requests[N_REQUESTS];
static unsigned n_added;

static void begin(struct sched *sched, unsigned concurrency, double per_s, double per_host_per_s)
{
        memset(origins, 0, sizeof(origins));
        memset(requests, 0, sizeof(requests));
        n_added = 0;
        for (int i = 0; i < N_ORIGINS; i++) {
                list_init(&origins[i].queue);
                list_init(&origins[i].planned);
        }
        sched_init(sched, concurrency, concurrency);
        sched_set_rates(sched, per_s, per_host_per_s);
}

static struct muster_request *add(struct sched *sched, int origin)
{
        struct muster_request *request = &requests[n_added++];

        request->origin = &origins[origin];
        assert_int_equal(sched_add(sched, request), 0);
        return request;
}

static void add_many(struct sched *sched, int origin, int n)
{
        while (n--)
                add(sched, origin);
}

/* The next one that starts, and when: time goes on until then. It ends at once. */
static int start(struct sched *sched, uint64_t *now_ns)
{
        struct muster_request *request;

        sched_advance(sched, *now_ns);
        while (!(request = sched_next(sched, *now_ns))) {
                assert_true(sched_next_ns(sched) > *now_ns && sched_next_ns(sched) != UINT64_MAX);
                *now_ns = sched_next_ns(sched);
                sched_advance(sched, *now_ns);
        }
        assert_true(request->result.planned_ns <= *now_ns);
        sched_end(sched, request->origin, 1, true);
        return (int)(request->origin - origins);
}

static void test_origins_take_turns_at_the_rate_of_all(void **state)
{
        struct sched sched;
        uint64_t now = T0;

        (void)state;
        begin(&sched, 4, 100, 0);
        add_many(&sched, 0, 10);
        add_many(&sched, 1, 2);
        for (uint64_t i = 0; i < 12; i++) {
                assert_int_equal(start(&sched, &now), i == 1 || i == 3);
                assert_int_equal(now, T0 + i * 10 * NS_PER_MS);
        }
        assert_int_equal(sched_next_ns(&sched), UINT64_MAX);
        sched_deinit(&sched);
}

/*
 * The moments of an origin that waits for its own are had by the others, and not once more by
 * anybody.
 */
static void test_both_rates(void **state)
{
        struct sched sched;
        uint64_t now = T0, own = 0;

        (void)state;
        begin(&sched, 64, 100, 30);
        add_many(&sched, 0, 100);
        for (uint64_t i = 0; i < 30; i++) {
                assert_int_equal(start(&sched, &now), 0);
                assert_true(now >= T0 + i * NS_PER_S / 30 && now < T0 + i * NS_PER_S / 30 + 2);
        }
        for (int o = 1; o < N_ORIGINS; o++)
                add_many(&sched, o, 100);
        now += NS_PER_MS;
        for (uint64_t i = 0, t0 = now; i < 400; i++) {
                own += start(&sched, &now) == 0;
                assert_true(now <= t0 + (i + 4) * 10 * NS_PER_MS &&
                            now + 20 * NS_PER_MS >= t0 + i * 10 * NS_PER_MS);
        }
        assert_in_range(own, 45, 55); /* one of eight */
        for (uint64_t i = 0, t0 = now; own < 70; i++) {
                if (start(&sched, &now) == 0)
                        own++;
                assert_true(now + 20 * NS_PER_MS >= t0 + i * 10 * NS_PER_MS);
        }
        sched_deinit(&sched);
}

/*
 * One that may start again after a long time has saved up nothing, neither while the others were
 * busy nor while all were idle.
 */
static void test_nothing_is_saved_up(void **state)
{
        struct sched sched;
        uint64_t now = T0;

        (void)state;
        begin(&sched, 64, 100, 20);
        add_many(&sched, 0, 40);
        for (uint64_t i = 0; i < 20; i++)
                start(&sched, &now);
        now += 500 * NS_PER_S; /* late, all 20 of them: a program that was away */
        for (uint64_t i = 0; i < 20; i++) {
                uint64_t before = now;

                start(&sched, &now);
                assert_int_equal(before, now);
        }
        assert_int_equal(requests[39].result.planned_ns, T0 + 39 * 50 * NS_PER_MS);
        now += 500 * NS_PER_S; /* idle */
        add_many(&sched, 0, 10);
        add_many(&sched, 1, 10);
        for (uint64_t i = 0, t0 = now; i < 20; i++) {
                assert_int_equal(start(&sched, &now), i % 2);
                assert_int_equal(now, t0 + i / 2 * 50 * NS_PER_MS + i % 2 * 10 * NS_PER_MS);
        }
        sched_deinit(&sched);
}

/*
 * The plan does not care for slots: what is late for want of one has its moment, and does not take
 * another one's.
 */
static void test_late_ones_keep_their_moments(void **state)
{
        struct sched sched;
        struct muster_request *request;

        (void)state;
        begin(&sched, 1, 10, 0);
        add_many(&sched, 0, 5);
        sched_advance(&sched, T0);
        assert_ptr_equal(sched_next(&sched, 0), &requests[0]);
        assert_int_equal(sched_next_ns(&sched), UINT64_MAX); /* no slot: nothing to wake for */
        add_many(&sched, 1, 1);
        sched_advance(&sched, T0);
        sched_advance(&sched, T0 + 10 * NS_PER_S);
        sched_end(&sched, &origins[0], 1, true);
        for (int i = 0; i < 5; i++) {
                request = sched_next(&sched, 0);
                assert_non_null(request);
                assert_null(sched_next(&sched, 0));
                sched_end(&sched, request->origin, 1, true);
        }
        assert_int_equal(requests[5].result.planned_ns, T0 + 200 * NS_PER_MS); /* its turn */
        assert_int_equal(requests[4].result.planned_ns, T0 + 500 * NS_PER_MS);
        sched_deinit(&sched);
}

/*
 * What is submitted as room comes free, as the queue was full, was to start when the plan says;
 * else nothing starts before it is there.
 */
static void test_plan_goes_on_while_the_queue_is_full(void **state)
{
        for (int is_full = 0; is_full < 2; is_full++) {
                for (int by_host = 0; by_host < 2; by_host++) {
                        struct sched sched;
                        struct muster_request *late;

                        (void)state;
                        begin(&sched, 1, by_host ? 0 : 10, by_host ? 10 : 0);
                        add_many(&sched, 0, 2);
                        sched_advance(&sched, T0);
                        assert_non_null(sched_next(&sched, 0));
                        sched_advance(&sched, T0 + 100 * NS_PER_MS);
                        sched.is_full = is_full;
                        late = add(&sched, 0);
                        sched_advance(&sched, T0 + 7 * NS_PER_S);
                        assert_int_equal(late->result.planned_ns,
                                T0 + (is_full ? 200 : 7000) * NS_PER_MS);
                        sched_deinit(&sched);
                }
        }
}

static void test_remove(void **state)
{
        struct sched sched;
        uint64_t now = T0;

        (void)state;
        begin(&sched, 4, 0, 1);
        add_many(&sched, 0, 3);
        add_many(&sched, 1, 2);
        for (int i = 0; i < 2; i++)
                assert_int_equal(start(&sched, &now), i);
        sched_remove(&sched, &requests[1]); /* the one behind it has its moment */
        sched_remove(&sched, &requests[4]);
        assert_int_equal(start(&sched, &now), 0);
        assert_int_equal(now, T0 + NS_PER_S);
        assert_int_equal(sched.n_queued, 0);
        assert_int_equal(sched.n_active, 0);
        assert_int_equal(sched_next_ns(&sched), UINT64_MAX);
        add_many(&sched, 1, 1);
        sched_advance(&sched, now);
        sched_remove(&sched, &requests[5]); /* due already */
        assert_int_equal(sched.n_active, 0);
        sched_deinit(&sched);
}

/* Random traffic: no rate is exceeded at any time, and nobody is forgotten. */
static void test_random(void **state)
{
        (void)state;
        for (uint64_t seed = 0; seed < 100; seed++) {
                uint64_t now = T0, last[N_ORIGINS] = { 0 }, last_of_all = 0;
                double per_s = seed % 3 ? 100 : 0, per_host = seed % 3 == 1 ? 0 : 20;
                unsigned n_started = 0;
                struct sched sched;
                struct rand rand;

                rand_init(&rand, seed);
                begin(&sched, 64, per_s, per_host);
                while (n_started < 400) {
                        int o;

                        if (n_added < 400 && (n_added == n_started || rand_up_to(&rand, 1)))
                                add_many(&sched, (int)rand_up_to(&rand, N_ORIGINS - 1),
                                        1 + (int)rand_up_to(&rand, 20));
                        if (rand_up_to(&rand, 9) == 0)
                                now += rand_up_to(&rand, 5) * NS_PER_S / 10 * (sched.n_queued == 0);
                        o = start(&sched, &now);
                        n_started++;
                        if (per_s > 0)
                                assert_true(now >= last_of_all + 10 * NS_PER_MS);
                        /*
                         * Its own moments stay where they were planned when another's turn made it
                         * a little late.
                         */
                        if (per_host > 0)
                                assert_true(now + (per_s > 0 ? 50 * NS_PER_MS : 0) >=
                                            last[o] + 50 * NS_PER_MS);
                        last[o] = last_of_all = now;
                }
                while (sched.n_queued)
                        start(&sched, &now);
                assert_int_equal(sched.n_active, 0);
                sched_deinit(&sched);
        }
}

static void add_without_memory(void)
{
        struct sched sched;
        int n = 0;

        begin(&sched, 64, 100, 20);
        for (int i = 0; i < 8; i++) {
                requests[i].origin = &origins[i];
                if (sched_add(&sched, &requests[i]) == 0)
                        n++;
        }
        assert_int_equal(sched.n_queued, n);
        assert_int_equal(sched.n_active, n);
        for (uint64_t now = T0; n; n--)
                start(&sched, &now);
        sched_deinit(&sched);
}

static void test_without_memory(void **state)
{
        (void)state;
        for_each_failing_allocation(add_without_memory);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_moments_do_not_drift),
                cmocka_unit_test(test_what_nobody_wanted_is_gone),
                cmocka_unit_test(test_no_rate),
                cmocka_unit_test(test_origins_take_turns_at_the_rate_of_all),
                cmocka_unit_test(test_both_rates),
                cmocka_unit_test(test_nothing_is_saved_up),
                cmocka_unit_test(test_late_ones_keep_their_moments),
                cmocka_unit_test(test_plan_goes_on_while_the_queue_is_full),
                cmocka_unit_test(test_remove),
                cmocka_unit_test(test_random),
                cmocka_unit_test(test_without_memory),
        };

        return cmocka_run_group_tests_name("rate", tests, NULL, NULL);
}
