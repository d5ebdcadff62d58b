/* SPDX-License-Identifier: MIT */
/*
 * Clients with threads, in real time: results, redirects and retries, settings
 *
 * Nothing depends on how fast anything is.
 */
#include "fixture.h"
#include "threads_world.h"

#include <unistd.h>

/* --- results --------------------------------------------------------------------------------- */

static void test_many_hosts(void **state)
{
        struct world *w;
        struct muster_client_options options = with_threads(3);
        struct muster_client_stats stats;
        struct muster_result *result;
        bool seen[2000] = { false };
        unsigned n = 0;

        (void)state;
        options.concurrency = 20;
        w = open_world(options, NULL, NULL);
        for (unsigned i = 0; i < 2000; i++)
                get(w, i % N_HOSTS, "/bytes/300", i);
        while ((result = muster_next(w->client))) {
                uintptr_t i = (uintptr_t)muster_result_userdata(result);

                assert_int_equal(muster_result_status(result), 200);
                assert_int_equal(muster_result_body_size(result), 300);
                assert_int_equal(muster_result_id(result), i + 1);
                assert_false(seen[i]);
                seen[i] = true;
                check_sums(result);
                n++;
                muster_result_free(result);
        }
        assert_int_equal(n, 2000);
        muster_client_stats(w->client, &stats, sizeof(stats));
        assert_int_equal(stats.n_submitted, 2000);
        assert_int_equal(stats.n_finished, 2000);
        assert_int_equal(stats.n_attempts, 2000);
        assert_int_equal(stats.n_in_flight, 0);
        assert_int_equal(stats.n_queued, 0);
        assert_int_equal(muster_wait(w->client, 0), MUSTER_IDLE);
        close_world(w);
}

/* The threads take the memory for large bodies where the caller's gives it back. */
static void test_large_bodies(void **state)
{
        struct world *w;
        struct muster_client_options options = with_threads(2);
        struct muster_result *result;
        struct muster_str letters;
        unsigned n = 0;

        (void)state;
        options.concurrency = 4;
        w = open_world(options, NULL, NULL);
        letters = lab_filling(&w->lab, 0);
        for (unsigned i = 0; i < 60; i++)
                get(w, i % N_HOSTS, i % 2 ? "/bytes/300000" : "/bytes/1M", i);
        while ((result = muster_next(w->client))) {
                size_t size = (uintptr_t)muster_result_userdata(result) % 2 ? 300000 : 1024 * 1024;
                size_t looked_at = size < letters.len ? size : letters.len;

                assert_null(muster_result_error(result));
                assert_int_equal(muster_result_body_size(result), size);
                assert_memory_equal(muster_result_body(result), letters.at, looked_at);
                check_sums(result);
                muster_result_free(result);
                n++;
        }
        assert_int_equal(n, 60);
        assert_int_equal(w->client->bodies.n_bytes, 0);
        close_world(w);
}

/* In the order of completion, within what is there when one is taken. */
static void test_results_come_in_order(void **state)
{
        struct world *w = open_world(with_threads(2), NULL, NULL);
        struct muster_client_stats stats;
        struct muster_result *result;
        uint64_t last_ns = 0;

        (void)state;
        for (unsigned i = 0; i < 500; i++)
                get(w, i % N_HOSTS, "/plain", i);
        do {
                muster_client_stats(w->client, &stats, sizeof(stats));
                usleep(1000);
        } while (stats.n_finished < 500);
        while ((result = muster_take(w->client))) {
                assert_true(result->finished_ns >= last_ns);
                last_ns = result->finished_ns;
                muster_result_free(result);
        }
        close_world(w);
}

static void test_bad_urls_are_results(void **state)
{
        struct world *w = open_world(with_threads(2), NULL, NULL);
        struct muster_result *result;

        (void)state;
        assert_int_equal(muster_get(w->client, "nonsense", NULL), 0);
        assert_int_equal(muster_get(w->client, "http://", NULL), 0);
        for (int i = 0; i < 2; i++) {
                result = muster_next(w->client);
                assert_int_equal(code_of(result), MUSTER_E_URL);
                check_sums(result);
                muster_result_free(result);
        }
        assert_null(muster_next(w->client));
        close_world(w);
}

/* The same origin, however it is written, belongs to one thread: there is one limit for it. */
static void test_spellings_of_an_origin(void **state)
{
        static const char *const spellings[] = { "http://HOST1.test:", "http://a:b@host1.test:",
                "HTTP://host1.TEST:", "http://host1.test:0" };
        struct muster_client_options options = with_threads(3);
        struct muster_result *result;
        struct world *w;

        (void)state;
        options.per_host = 2;
        w = open_world(options, NULL, NULL);
        for (unsigned i = 0; i < 200; i++) {
                char url[100];

                snprintf(url, sizeof(url), "%s%u/delay/5ms", spellings[i % 4], w->port);
                assert_int_equal(muster_get(w->client, url, NULL), 0);
        }
        while ((result = muster_next(w->client))) {
                assert_int_equal(muster_result_status(result), 200);
                check_sums(result);
                muster_result_free(result);
        }
        assert_true(most_at_once(w) <= 2);
        close_world(w);
}

/* One host alone is dealt to all threads; as soon as it refuses, it is gathered. */
static void test_hot_host(void **state)
{
        for (int refuses = 0; refuses < 2; refuses++) {
                struct muster_client_options options = with_threads(2);
                unsigned n = 0, n_served[2] = { 0 };
                struct muster_client_stats stats;
                struct muster_result *result;
                struct world *w;

                options.concurrency = 16;
                options.max_retries = 30;
                w = open_world(options, refuses ? "rate-limit" : NULL,
                        refuses ? "500/s,300" : NULL);
                for (unsigned i = 0; i < 800; i++)
                        get(w, 0, "/plain", i);
                while ((result = muster_next(w->client))) {
                        const struct muster_request *request = request_of_result(result);

                        assert_int_equal(muster_result_status(result), 200);
                        assert_null(muster_result_error(result));
                        check_sums(result);
                        n_served[request->engine->number - 1]++;
                        n++;
                        muster_result_free(result);
                }
                assert_int_equal(n, 800);
                muster_client_stats(w->client, &stats, sizeof(stats));
                assert_int_equal(stats.n_refused > 0, refuses);
                assert_true(stats.n_refused < 400); /* it was paced, not asked again and again */
                if (!refuses)
                        assert_true(n_served[0] >= 250 && n_served[1] >= 250);
                close_world(w);
        }
        (void)state;
}

/* A hot host is dealt however its URLs are written. */
static void test_hot_host_as_written(void **state)
{
        unsigned n = 0, n_served[2] = { 0 };
        struct muster_client_options options = with_threads(2);
        struct muster_result *result;
        struct world *w;
        char url[100];

        (void)state;
        options.concurrency = 16;
        w = open_world(options, NULL, NULL);
        snprintf(url, sizeof(url), "HTTP://user:password@Host0.TEST:%u/plain", w->port);
        for (unsigned i = 0; i < 800; i++)
                assert_int_equal(muster_get(w->client, url, NULL), 0);
        while ((result = muster_next(w->client))) {
                assert_int_equal(muster_result_status(result), 200);
                n_served[request_of_result(result)->engine->number - 1]++;
                n++;
                muster_result_free(result);
        }
        assert_int_equal(n, 800);
        assert_true(n_served[0] >= 250 && n_served[1] >= 250);
        close_world(w);
}

/* --- redirects, retries ---------------------------------------------------------------------- */

/* From host to host, and so from thread to thread. */
static void test_redirects_across_threads(void **state)
{
        struct world *w = open_world(with_threads(3), NULL, NULL);
        struct muster_client_stats stats;
        struct muster_result *result;
        unsigned n = 0;

        (void)state;
        for (unsigned i = 0; i < 300; i++) {
                char path[100];

                snprintf(path, sizeof(path), "/redirect/1/302?to=http://host%u.test:%u/bytes/77",
                        (i + 7) % N_HOSTS, w->port);
                get(w, i % N_HOSTS, path, i);
        }
        while ((result = muster_next(w->client))) {
                char host[20];

                assert_int_equal(muster_result_status(result), 200);
                assert_int_equal(muster_result_body_size(result), 77);
                assert_int_equal(muster_result_n_redirects(result), 1);
                assert_int_equal(muster_result_n_attempts(result), 2);
                snprintf(host, sizeof(host), "//host%u.",
                        ((unsigned)(uintptr_t)muster_result_userdata(result) + 7) % N_HOSTS);
                assert_non_null(strstr(muster_result_final_url(result), host));
                check_sums(result);
                muster_result_free(result);
                n++;
        }
        assert_int_equal(n, 300);
        muster_client_stats(w->client, &stats, sizeof(stats));
        assert_int_equal(stats.n_redirects, 300);
        assert_int_equal(stats.n_finished, 300);
        assert_int_equal(stats.n_attempts, 600);
        close_world(w);
}

static void test_refusals_are_paced(void **state)
{
        struct muster_client_options options = with_threads(2);
        struct muster_result *result;
        unsigned n = 0;
        struct world *w;

        (void)state;
        options.max_retries = 20;
        w = open_world(options, "rate-limit", "200/s,5");
        for (unsigned i = 0; i < 60; i++)
                get(w, 0, "/plain", i);
        while ((result = muster_next(w->client))) {
                n += muster_result_status(result) == 200;
                check_sums(result);
                muster_result_free(result);
        }
        assert_int_equal(n, 60);
        close_world(w);
}

/* --- settings -------------------------------------------------------------------------------- */

static void test_settings(void **state)
{
        struct muster_client_options options = with_threads(200);
        struct muster_error error = { 0 };
        struct muster_client *client;

        (void)state;
        options.size = sizeof(options);
        options.error = &error;
        assert_int_equal(muster_client_new(&client, &options), MUSTER_E_INVALID);
        assert_non_null(strstr(error.text, "threads"));
        options.threads = 2;
        assert_int_equal(client_new_manual(&client, &options, START_NS), MUSTER_E_INVALID);
        assert_non_null(strstr(error.text, "manual clock"));
        options.threads = 100;
        options.concurrency = 3;
        assert_int_equal(muster_client_new(&client, &options), 0);
        assert_int_equal(client->settings.threads, 3); /* more would have no slot */
        muster_client_free(client);
        options.concurrency = 1;
        assert_int_equal(muster_client_new(&client, &options), 0);
        assert_null(client->lanes);
        muster_client_free(client);
        options.threads = MUSTER_THREADS_AUTO;
        assert_int_equal(muster_client_new(&client, &options), 0);
        muster_client_free(client);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_many_hosts),
                cmocka_unit_test(test_large_bodies),
                cmocka_unit_test(test_results_come_in_order),
                cmocka_unit_test(test_bad_urls_are_results),
                cmocka_unit_test(test_spellings_of_an_origin),
                cmocka_unit_test(test_hot_host),
                cmocka_unit_test(test_hot_host_as_written),
                cmocka_unit_test(test_redirects_across_threads),
                cmocka_unit_test(test_refusals_are_paced),
                cmocka_unit_test(test_settings),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
