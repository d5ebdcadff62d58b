/* SPDX-License-Identifier: MIT */
/*
 * Clients with threads: limits by what the lab saw, rates by planned moments
 */
#include "fixture.h"
#include "threads_world.h"

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

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_limits_are_exact),
                cmocka_unit_test(test_nobody_starves),
                cmocka_unit_test(test_freed_share_is_used),
                cmocka_unit_test(test_rate_is_one_plan),
                cmocka_unit_test(test_rate_of_each_host),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
