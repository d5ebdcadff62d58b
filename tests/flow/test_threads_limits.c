/* SPDX-License-Identifier: MIT */
/*
 * Clients with threads: limits by what the lab saw, rates by planned moments
 */
#include "fixture.h"
#include "threads_world.h"

#include <math.h>
#include <stdlib.h>
#include <unistd.h>

static void check_limit(unsigned n_threads, unsigned concurrency, unsigned per_host,
        unsigned n_hosts, unsigned n_most)
{
        struct muster_client_options options = with_threads(n_threads);
        struct muster_result *result;
        struct world *w;
        uint64_t n;

        options.concurrency = concurrency;
        options.per_host = per_host;
        w = open_world(options, "delay", "uniform:0ms:4ms");
        for (unsigned i = 0; i < 600; i++)
                get(w, i % n_hosts, "/plain", i);
        while ((result = muster_next(w->client))) {
                assert_int_equal(muster_result_status(result), 200);
                muster_result_free(result);
        }
        n = most_at_once(w);
        if (n > n_most)
                print_error("%u at once rather than %u\n", (unsigned)n, n_most);
        assert_true(n <= n_most);
        close_world(w);
}

static void test_limits_are_exact(void **state)
{
        (void)state;
        check_limit(2, 2, 0, N_HOSTS, 2);
        check_limit(4, 7, 0, N_HOSTS, 7);
        check_limit(3, 64, 5, 1, 5);
        check_limit(3, 64, 3, 4, 12);
}

/* Few slots, and each thread has its own to do: none is left waiting for ever. */
static void test_nobody_starves(void **state)
{
        struct muster_client_options options = with_threads(4);
        struct muster_result *result;
        unsigned n = 0;
        struct world *w;

        (void)state;
        options.concurrency = 4;
        options.queue_timeout_ms = 20000;
        w = open_world(options, "delay", "1ms");
        for (unsigned i = 0; i < 1500; i++)
                get(w, i < 1400 ? 0 : i % N_HOSTS, "/plain", i);
        while ((result = muster_next(w->client))) {
                n += muster_result_status(result) == 200;
                muster_result_free(result);
        }
        assert_int_equal(n, 1500);
        close_world(w);
}

/* Slots that the last other host leaves are for the one that goes on, whose thread may sleep. */
static void test_freed_share_is_used(void **state)
{
        (void)state;
        for (unsigned i = 0; i < 5; i++) {
                struct muster_client_options options = with_threads(4);
                struct muster_client_stats stats;
                unsigned n_waits = 0;
                struct world *w;

                options.concurrency = 8;
                w = open_world(options, NULL, NULL);
                for (unsigned host = 1; host < 5; host++)
                        get(w, host, "/delay/100ms", 0);
                do
                        muster_client_stats(w->client, &stats, sizeof(stats));
                while (stats.n_in_flight + stats.n_finished < 4);
                for (unsigned n = 0; n < 8; n++)
                        get(w, 0, "/hang/start", 0);
                do {
                        usleep(1000);
                        muster_client_stats(w->client, &stats, sizeof(stats));
                } while ((stats.n_finished < 4 || stats.n_in_flight < 8) && n_waits++ < 5000);
                assert_int_equal(stats.n_finished, 4);
                assert_int_equal(stats.n_in_flight, 8);
                close_world(w);
        }
}

static int compare_moments(const void *a, const void *b)
{
        uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

        return x < y ? -1 : x > y;
}

/* One plan for all threads: each moment of it is one request's, and none starts before its own. */
static void test_rate_is_one_plan(void **state)
{
        struct muster_client_options options = with_threads(3);
        struct muster_result *result;
        uint64_t planned[400];
        unsigned n = 0;
        struct world *w;

        (void)state;
        options.rate_per_s = 2000;
        w = open_world(options, NULL, NULL);
        for (unsigned i = 0; i < 400; i++)
                get(w, i % N_HOSTS, "/plain", i);
        while ((result = muster_next(w->client))) {
                struct muster_attempt attempt;

                assert_int_equal(muster_result_attempt(result, 0, &attempt, sizeof(attempt)), 0);
                planned[n++] = muster_result_planned_ns(result);
                assert_true(attempt.start_ns + attempt.phase_ns[MUSTER_PHASE_QUEUE] >=
                            muster_result_planned_ns(result));
                check_sums(result);
                muster_result_free(result);
        }
        assert_int_equal(n, 400);
        qsort(planned, n, sizeof(*planned), compare_moments);
        for (unsigned i = 1; i < n; i++)
                assert_true(planned[i] - planned[i - 1] >= NS_PER_S / 2000 - 1);
        close_world(w);
}

/* A ramp is one plan for all threads, too. */
static void test_ramp_is_one_plan(void **state)
{
        struct muster_client_options options = with_threads(3);
        struct muster_result *result;
        struct muster_client_stats stats;
        uint64_t planned[200];
        unsigned n = 0;
        struct world *w;

        (void)state;
        options.rate_per_s = 2000;
        options.rate_ramp_ms = 400; /* 400 starts: the k-th is at the root of k / 2500 */
        w = open_world(options, NULL, NULL);
        for (unsigned i = 0; i < 200; i++)
                get(w, i % N_HOSTS, "/plain", i);
        while ((result = muster_next(w->client))) {
                planned[n++] = muster_result_planned_ns(result);
                muster_result_free(result);
        }
        assert_int_equal(n, 200);
        qsort(planned, n, sizeof(*planned), compare_moments);
        muster_client_stats(w->client, &stats, sizeof(stats));
        assert_int_equal(stats.first_start_ns, planned[0]);
        for (unsigned k = 1; k < n; k++) {
                double exact_ns = sqrt(k / 2500.0) * (double)NS_PER_S;

                assert_true((double)(planned[k] - planned[0]) > exact_ns - 2);
        }
        close_world(w);
}

static void test_rate_of_each_host(void **state)
{
        struct muster_client_options options = with_threads(3);
        struct muster_result *result;
        uint64_t planned[4][50];
        unsigned n[4] = { 0 };
        struct world *w;

        (void)state;
        options.rate_per_host_per_s = 500;
        w = open_world(options, NULL, NULL);
        for (unsigned i = 0; i < 200; i++)
                get(w, i % 4, "/plain", i % 4);
        while ((result = muster_next(w->client))) {
                uintptr_t host = (uintptr_t)muster_result_userdata(result);

                planned[host][n[host]++] = muster_result_planned_ns(result);
                muster_result_free(result);
        }
        for (unsigned host = 0; host < 4; host++) {
                assert_int_equal(n[host], 50);
                qsort(planned[host], 50, sizeof(**planned), compare_moments);
                for (unsigned i = 1; i < 50; i++)
                        assert_true(planned[host][i] - planned[host][i - 1] >= 2 * NS_PER_MS - 1);
        }
        close_world(w);
}

/* --- one hot host, dealt to all threads ------------------------------------------------------ */

/* How many of the results each thread has made; all are successes. */
static void take_all(struct world *w, unsigned n_served[4], uint64_t *planned)
{
        struct muster_result *result;
        unsigned n = 0;

        while ((result = muster_next(w->client))) {
                assert_null(muster_result_error(result));
                assert_int_equal(muster_result_status(result), 200);
                n_served[request_of_result(result)->engine->number - 1]++;
                if (planned)
                        planned[n] = muster_result_planned_ns(result);
                n++;
                check_sums(result);
                muster_result_free(result);
        }
}

/*
 * A host becomes hot while its thread has requests of it in flight and in its queue: never more
 * than the limit at once, and the others have their part of the work.
 */
static void test_limit_of_a_hot_host(void **state)
{
        static const unsigned limits[] = { 3, 4, 17, 40 };

        (void)state;
        for (unsigned i = 0; i < 4; i++) {
                struct muster_client_options options = with_threads(3);
                unsigned n_served[4] = { 0 };
                struct world *w;

                options.per_host = limits[i];
                options.concurrency = 48;
                w = open_world(options, "delay", "uniform:0ms:4ms");
                for (unsigned n = 0; n < 60; n++)
                        get(w, 0, "/plain", n);
                muster_result_free(muster_next(w->client));
                for (unsigned n = 0; n < 1200; n++)
                        get(w, 0, "/plain", n);
                take_all(w, n_served, NULL);
                assert_int_equal(n_served[0] + n_served[1] + n_served[2], 1259);
                for (unsigned lane = 0; lane < 3; lane++)
                        assert_true(n_served[lane] >= 120);
                assert_true(w->client->lanes->common.hot.n == 1);
                assert_true(most_at_once(w) <= limits[i]);
                close_world(w);
        }
}

/* The limit alone, without other hosts beside it. */
static void test_limit_is_exact_when_dealt(void **state)
{
        (void)state;
        for (unsigned per_host = 3; per_host <= 12; per_host += 3) {
                struct muster_client_options options = with_threads(3);
                unsigned n_served[4] = { 0 };
                struct world *w;
                uint64_t n;

                options.per_host = per_host;
                w = open_world(options, "delay", "uniform:0ms:3ms");
                for (unsigned i = 0; i < 900; i++)
                        get(w, 0, "/plain", i);
                take_all(w, n_served, NULL);
                for (unsigned lane = 0; lane < 3; lane++)
                        assert_true(n_served[lane] >= 90);
                n = most_at_once(w);
                assert_int_equal(n, per_host);
                close_world(w);
        }
}

/* One plan of the host for all threads, before and after it is dealt, without a burst between. */
static void test_rate_of_a_hot_host(void **state)
{
        for (int has_overall = 0; has_overall < 2; has_overall++) {
                struct muster_client_options options = with_threads(3);
                unsigned n_served[4] = { 0 };
                uint64_t planned[600];
                struct world *w;

                options.rate_per_host_per_s = 1000;
                options.rate_per_s = has_overall ? 4000 : 0;
                w = open_world(options, NULL, NULL);
                for (unsigned n = 0; n < 60; n++)
                        get(w, 0, "/plain", n);
                for (unsigned n = 0; n < 540; n++) {
                        get(w, 0, "/plain", n);
                        usleep(n < 60 ? 1000 : 0);
                }
                take_all(w, n_served, planned);
                for (unsigned lane = 0; lane < 3; lane++)
                        assert_true(n_served[lane] >= 60);
                qsort(planned, 600, sizeof(*planned), compare_moments);
                /* A moment of its own waits for the next one of the overall rate: 250 us at most. */
                for (unsigned i = 1; i < 600; i++)
                        assert_true(planned[i] - planned[0] + 250000 >= i * (NS_PER_MS - 1));
                /* No moment of the plan was lost when it changed hands. */
                assert_true(planned[599] - planned[0] <= 640 * NS_PER_MS);
                close_world(w);
        }
        (void)state;
}

/* After a pause the plan of a hot host begins anew: nothing was saved up. */
static void test_rate_of_a_hot_host_pauses(void **state)
{
        struct muster_client_options options = with_threads(2);
        unsigned n_served[4] = { 0 };
        uint64_t planned[400];
        struct world *w;

        (void)state;
        options.rate_per_host_per_s = 2000;
        w = open_world(options, NULL, NULL);
        for (unsigned i = 0; i < 200; i++)
                get(w, 0, "/plain", i);
        take_all(w, n_served, planned);
        usleep(50000);
        for (unsigned i = 0; i < 200; i++)
                get(w, 0, "/plain", i);
        take_all(w, n_served, planned + 200);
        qsort(planned, 400, sizeof(*planned), compare_moments);
        for (unsigned i = 1; i < 400; i++)
                assert_true(planned[i] - planned[i - 1] >= NS_PER_S / 2000 - 1);
        assert_true(planned[200] - planned[199] >= 50 * NS_PER_MS);
        close_world(w);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_limits_are_exact),
                cmocka_unit_test(test_nobody_starves),
                cmocka_unit_test(test_freed_share_is_used),
                cmocka_unit_test(test_rate_is_one_plan),
                cmocka_unit_test(test_ramp_is_one_plan),
                cmocka_unit_test(test_rate_of_each_host),
                cmocka_unit_test(test_limit_of_a_hot_host),
                cmocka_unit_test(test_limit_is_exact_when_dealt),
                cmocka_unit_test(test_rate_of_a_hot_host),
                cmocka_unit_test(test_rate_of_a_hot_host_pauses),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
