/* SPDX-License-Identifier: MIT */
/*
 * Clients with threads, in real time, against a lab in a thread of its own
 *
 * What is exact is checked as such: limits by what the lab saw, rates by planned moments, sums of
 * phases. Nothing depends on how fast anything is.
 */
#include "fixture.h"

#include <lab/lab.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#define N_HOSTS 24

struct world {
        struct muster_client *client;
        struct lab_config config;
        struct lab lab;
        struct clock clock;
        struct loop loop;
        pthread_t thread;
        atomic_bool is_over;
        uint16_t port;
        uint64_t n_most; /* requests at once, as the lab saw it; when it has stopped */
};

static void *serve(void *data)
{
        struct world *w = data;

        while (!atomic_load(&w->is_over)) {
                loop_turn(&w->loop, UINT64_MAX);
                lab_reap(&w->lab);
        }
        w->n_most = w->lab.listeners[0].stats.n_busy_max;
        lab_stop(&w->lab);
        return NULL;
}

static void set(struct world *w, const char *name, const char *value)
{
        struct muster_error error = { 0 };

        assert_int_equal(config_set(&w->config, config_find(str_of(name)), str_of(value), &error),
                0);
}

/* `name` and `value` are a setting of the lab; NULL: none. */
static struct world *open_world(struct muster_client_options options, const char *name,
        const char *value)
{
        char place[40];
        struct world *w = calloc(1, sizeof(*w));
        struct muster_error error = { 0 };
        int sys;

        assert_int_equal(config_init(&w->config), 0);
        if (name)
                set(w, name, value);
        assert_int_equal(loop_init(&w->loop, &w->clock, &sys), 0);
        assert_int_equal(lab_start(&w->lab, &w->loop, &w->config, &error), 0);
        w->port = w->lab.listeners[0].port;
        snprintf(place, sizeof(place), "*:%u:127.0.0.1", w->port);
        assert_int_equal(pthread_create(&w->thread, NULL, serve, w), 0);
        options.size = sizeof(options);
        options.resolve = (const char *const[]){ place, NULL };
        options.error = &error;
        if (muster_client_new(&w->client, &options) < 0)
                print_error("%s\n", error.text);
        assert_non_null(w->client);
        return w;
}

/* The lab has stopped then, and what it counted can be read. */
static void stop_lab(struct world *w)
{
        if (atomic_exchange(&w->is_over, true))
                return;
        loop_wake(&w->loop);
        pthread_join(w->thread, NULL);
}

static void close_world(struct world *w)
{
        muster_client_free(w->client);
        stop_lab(w);
        loop_deinit(&w->loop);
        config_deinit(&w->config);
        free(w);
}

/* Borrowed until the next one. */
static const char *url_of(const struct world *w, unsigned host, const char *path)
{
        static char url[600];

        snprintf(url, sizeof(url), "http://host%u.test:%u%s", host, w->port, path);
        return url;
}

static void get(struct world *w, unsigned host, const char *path, uintptr_t userdata)
{
        assert_int_equal(muster_get(w->client, url_of(w, host, path), (void *)userdata), 0);
}

static struct muster_client_options with_threads(unsigned n)
{
        return (struct muster_client_options){ .threads = n, .queue_size = 10000 };
}

static uint64_t most_at_once(struct world *w)
{
        stop_lab(w);
        return w->n_most;
}

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

/* --- limits ---------------------------------------------------------------------------------- */

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

/* --- cancelling, and the end ----------------------------------------------------------------- */

static void test_cancel_one(void **state)
{
        struct muster_client_options options = with_threads(2);
        struct muster_request *request;
        struct muster_result *result;
        uint64_t ids[20];
        struct world *w;

        (void)state;
        options.concurrency = 10;
        w = open_world(options, NULL, NULL);
        for (unsigned i = 0; i < 20; i++) {
                request = muster_request_new("GET", url_of(w, i % N_HOSTS, "/hang/start"));
                assert_int_equal(muster_submit(w->client, request, &ids[i]), 0);
        }
        for (unsigned i = 0; i < 20; i++) {
                unsigned at = (i * 7) % 20;

                assert_int_equal(muster_cancel(w->client, ids[at]), 0);
                result = muster_take(w->client); /* at once */
                assert_non_null(result);
                assert_int_equal(muster_result_id(result), ids[at]);
                assert_int_equal(code_of(result), MUSTER_E_CANCELLED);
                check_sums(result);
                muster_result_free(result);
                assert_int_equal(muster_cancel(w->client, ids[at]), MUSTER_E_INVALID);
        }
        assert_int_equal(muster_cancel(w->client, 0), MUSTER_E_INVALID);
        assert_int_equal(muster_cancel(w->client, 999), MUSTER_E_INVALID);
        assert_null(muster_next(w->client));
        close_world(w);
}

static void test_cancel_queued(void **state)
{
        struct muster_client_options options = with_threads(2);
        struct muster_client_stats stats;
        struct muster_result *result;
        unsigned n_cancelled = 0, n_good = 0;
        struct world *w;

        (void)state;
        options.concurrency = 4;
        w = open_world(options, "delay", "100ms");
        for (unsigned i = 0; i < 100; i++)
                get(w, i % N_HOSTS, "/plain", i);
        do
                muster_client_stats(w->client, &stats, sizeof(stats));
        while (stats.n_in_flight < 4);
        muster_cancel_queued(w->client);
        while ((result = muster_next(w->client))) {
                n_good += !muster_result_error(result);
                n_cancelled += code_of(result) == MUSTER_E_CANCELLED;
                check_sums(result);
                muster_result_free(result);
        }
        assert_int_equal(n_good, 4);
        assert_int_equal(n_cancelled, 96);
        close_world(w);
}

static void test_cancel_all(void **state)
{
        struct world *w = open_world(with_threads(3), NULL, NULL);
        struct muster_result *result;
        unsigned n = 0;

        (void)state;
        for (unsigned i = 0; i < 200; i++)
                get(w, i % N_HOSTS, i % 2 ? "/hang/body" : "/redirect-loop", i);
        muster_cancel_all(w->client);
        while ((result = muster_take(w->client))) {
                assert_non_null(muster_result_error(result));
                check_sums(result);
                muster_result_free(result);
                n++;
        }
        assert_int_equal(n, 200);
        get(w, 1, "/plain", 0);
        result = muster_next(w->client);
        assert_int_equal(muster_result_status(result), 200); /* it goes on */
        muster_result_free(result);
        close_world(w);
}

/* With requests in every state, and results that nobody took, or that are kept for longer. */
static void test_free_at_any_time(void **state)
{
        (void)state;
        for (unsigned n_turns = 0; n_turns < 30; n_turns++) {
                struct muster_client_options options = with_threads(3);
                struct muster_result *kept[3] = { NULL };
                struct world *w;

                options.concurrency = 30;
                options.max_retries = 3;
                w = open_world(options, NULL, NULL);
                for (unsigned i = 0; i < 120; i++)
                        get(w, i % N_HOSTS,
                                (const char *[]){ "/plain", "/hang/head", "/redirect/3/302",
                                        "/retry/503/1s", "/bytes/1M" }[i % 5],
                                i);
                for (unsigned i = 0; i < n_turns; i++)
                        muster_wait(w->client, 1);
                for (unsigned i = 0; i < 3; i++)
                        kept[i] = muster_take(w->client);
                w->client = muster_client_free(w->client);
                for (unsigned i = 0; i < 3; i++) {
                        if (kept[i])
                                check_sums(kept[i]);
                        muster_result_free(kept[i]);
                }
                close_world(w);
        }
}

/* --- streams, work, foreign loops ------------------------------------------------------------ */

static struct muster_result *next_stream(struct world *w, unsigned host, const char *path)
{
        struct muster_request *request = muster_request_new("GET", url_of(w, host, path));
        struct muster_result *result;

        muster_request_set_options(request, &(struct muster_request_options){ .stream = true });
        assert_int_equal(muster_submit(w->client, request, NULL), 0);
        result = muster_next(w->client);
        assert_non_null(result);
        return result;
}

static void test_streams(void **state)
{
        static const char *const paths[] = { "/bytes/3M", "/encoded/br/1000k", "/chunked/3M/1000",
                "/bytes/0", "/trickle/1k/100/1ms" };
        static const size_t sizes[] = { 3 << 20, 1000 << 10, 3 << 20, 0, 1024 };
        struct world *w = open_world(with_threads(2), NULL, NULL);

        (void)state;
        for (unsigned i = 0; i < 20; i++) {
                struct muster_result *result = next_stream(w, i, paths[i % 5]);
                char buffer[10000];
                size_t n, n_read = 0;
                int r;

                assert_int_equal(muster_result_status(result), 200);
                while ((r = muster_result_read(result, buffer, sizeof(buffer), &n)) == 0)
                        n_read += n;
                assert_int_equal(r, MUSTER_END);
                assert_int_equal(n_read, sizes[i % 5]);
                assert_int_equal(muster_result_body_bytes(result), sizes[i % 5]);
                check_sums(result);
                muster_result_free(result);
        }
        close_world(w);
}

/*
 * Results are ordered, and asked for their error, while their engines still receive the bodies; for
 * a race detector.
 */
static void test_streams_beside_results(void **state)
{
        struct muster_client_options options = with_threads(3);
        struct muster_result *streams[100], *result;
        unsigned n_streams = 0, n = 0;
        struct world *w;

        (void)state;
        options.concurrency = 30;
        w = open_world(options, NULL, NULL);
        for (unsigned i = 0; i < 200; i++) {
                struct muster_request *request = muster_request_new("GET",
                        url_of(w, i % N_HOSTS, i % 4 ? "/bytes/20k" : "/cut/9000?size=1M"));

                muster_request_set_options(request,
                        &(struct muster_request_options){ .stream = i % 2 == 0 });
                assert_int_equal(muster_submit(w->client, request, NULL), 0);
        }
        for (; (result = muster_next(w->client)); n++) {
                if (request_of_result(result)->relay)
                        streams[n_streams++] = result;
                else
                        muster_result_free(result);
                for (unsigned i = 0; i < n_streams; i++)
                        (void)muster_result_error(streams[i]);
        }
        assert_int_equal(n, 200);
        for (unsigned i = 0; i < n_streams; i++) {
                char buffer[10000];
                size_t size, n_read = 0;
                int r;

                while ((r = muster_result_read(streams[i], buffer, sizeof(buffer), &size)) == 0)
                        n_read += size;
                assert_int_equal(r, n_read < 20 * 1024 ? MUSTER_E_CLOSED : MUSTER_END);
                assert_true((r < 0) == (muster_result_error(streams[i]) != NULL));
                muster_result_free(streams[i]);
        }
        close_world(w);
}

static void test_streams_that_are_not_read(void **state)
{
        struct world *w = open_world(with_threads(2), NULL, NULL);
        struct muster_result *result, *other;
        char buffer[1000];
        size_t n;
        int r;

        (void)state;
        result = next_stream(w, 1, "/bytes/20M");
        get(w, 1, "/plain", 0); /* others go on meanwhile, of the same host, too */
        other = muster_next(w->client);
        assert_int_equal(muster_result_status(other), 200);
        muster_result_free(other);
        assert_int_equal(muster_result_read(result, buffer, sizeof(buffer), &n), 0);
        assert_int_equal(muster_wait(w->client, 0), MUSTER_IDLE); /* no result will come */
        assert_int_equal(muster_turn(w->client), MUSTER_IDLE);
        muster_result_free(result); /* which ends it */

        result = next_stream(w, 2, "/cut/2000?size=1M");
        while ((r = muster_result_read(result, buffer, sizeof(buffer), &n)) == 0)
                ;
        assert_int_equal(r, MUSTER_E_CLOSED);
        assert_int_equal(code_of(result), MUSTER_E_CLOSED);
        muster_result_free(result);

        result = next_stream(w, 3, "/bytes/20M");
        w->client = muster_client_free(w->client);
        while ((r = muster_result_read(result, buffer, sizeof(buffer), &n)) == 0)
                ;
        assert_int_equal(r, MUSTER_E_CANCELLED);
        muster_result_free(result);
        close_world(w);
}

static atomic_uint n_processed;

static int process(struct muster_result *result, void *argument)
{
        (void)argument;
        atomic_fetch_add(&n_processed, 1);
        muster_result_set_processed(result, (void *)muster_result_body_size(result), NULL);
        return 0;
}

static void test_process_functions(void **state)
{
        struct muster_client_options options = with_threads(2);
        struct muster_result *result;
        struct world *w;

        (void)state;
        options.workers = 3;
        options.decode_threshold_bytes = 1000;
        w = open_world(options, NULL, NULL);
        for (unsigned i = 0; i < 200; i++) {
                struct muster_request *request =
                        muster_request_new("GET", url_of(w, i % N_HOSTS, "/encoded/gzip/20k"));

                muster_request_set_process(request, process, NULL);
                assert_int_equal(muster_submit(w->client, request, NULL), 0);
        }
        while ((result = muster_next(w->client))) {
                assert_int_equal((uintptr_t)muster_result_processed(result), 20 * 1024);
                check_sums(result);
                muster_result_free(result);
        }
        assert_int_equal(atomic_load(&n_processed), 200);
        close_world(w);
}

static void test_foreign_loop(void **state)
{
        struct world *w = open_world(with_threads(2), NULL, NULL);
        struct pollfd poll_fd = { .fd = muster_client_fd(w->client), .events = POLLIN };
        unsigned n_submitted = 0, n = 0;
        int r = MUSTER_LATER;

        (void)state;
        assert_true(poll_fd.fd >= 0);
        while (n < 300) {
                struct muster_result *result;

                while (n_submitted < 300 && n_submitted < n + 20)
                        get(w, n_submitted++ % N_HOSTS, "/plain", 0);
                if (r == MUSTER_LATER)
                        assert_int_equal(poll(&poll_fd, 1, 20000), 1);
                r = muster_turn(w->client);
                assert_true(r == 0 || r == MUSTER_LATER);
                while ((result = muster_take(w->client))) {
                        assert_int_equal(muster_result_status(result), 200);
                        muster_result_free(result);
                        n++;
                }
        }
        assert_int_equal(muster_turn(w->client), MUSTER_IDLE);
        close_world(w);
}

/* Asked for again, the descriptor says nothing new: a loop that polls it would not rest. */
static void test_foreign_loop_rests(void **state)
{
        struct world *w = open_world(with_threads(2), NULL, NULL);
        struct pollfd poll_fd = { .fd = muster_client_fd(w->client), .events = POLLIN };

        (void)state;
        get(w, 1, "/hang/start", 0);
        assert_int_equal(poll(&poll_fd, 1, 20000), 1); /* for what was there before */
        assert_int_equal(muster_turn(w->client), MUSTER_LATER);
        assert_int_equal(muster_client_fd(w->client), poll_fd.fd);
        assert_int_equal(poll(&poll_fd, 1, 0), 0);
        close_world(w);
}

static void *wake_client(void *client)
{
        muster_wake(client);
        return NULL;
}

static void test_waits_end(void **state)
{
        struct world *w = open_world(with_threads(2), NULL, NULL);
        pthread_t thread;

        (void)state;
        get(w, 1, "/hang/start", 0);
        assert_int_equal(muster_wait(w->client, 0), MUSTER_LATER);
        assert_int_equal(muster_wait(w->client, 5), MUSTER_LATER);
        assert_int_equal(pthread_create(&thread, NULL, wake_client, w->client), 0);
        assert_int_equal(muster_wait(w->client, MUSTER_NO_TIMEOUT), MUSTER_WOKEN);
        pthread_join(thread, NULL);
        assert_int_equal(muster_wait(w->client, 1), MUSTER_LATER);
        close_world(w);
}

static void test_full_queue(void **state)
{
        struct muster_client_options options = with_threads(2);
        unsigned n = 0, n_submitted = 0;
        struct world *w;

        (void)state;
        options.queue_size = 10;
        w = open_world(options, NULL, NULL);
        while (n < 200) {
                while (n_submitted < 200 &&
                        muster_get(w->client, url_of(w, n_submitted % N_HOSTS, "/plain"), NULL) ==
                                0)
                        n_submitted++;
                assert_true(n_submitted - n <= 10);
                muster_result_free(muster_next(w->client));
                n++;
        }
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
                cmocka_unit_test(test_limits_are_exact),
                cmocka_unit_test(test_nobody_starves),
                cmocka_unit_test(test_freed_share_is_used),
                cmocka_unit_test(test_rate_is_one_plan),
                cmocka_unit_test(test_rate_of_each_host),
                cmocka_unit_test(test_redirects_across_threads),
                cmocka_unit_test(test_refusals_are_paced),
                cmocka_unit_test(test_cancel_one),
                cmocka_unit_test(test_cancel_queued),
                cmocka_unit_test(test_cancel_all),
                cmocka_unit_test(test_free_at_any_time),
                cmocka_unit_test(test_streams),
                cmocka_unit_test(test_streams_beside_results),
                cmocka_unit_test(test_streams_that_are_not_read),
                cmocka_unit_test(test_process_functions),
                cmocka_unit_test(test_foreign_loop),
                cmocka_unit_test(test_foreign_loop_rests),
                cmocka_unit_test(test_waits_end),
                cmocka_unit_test(test_full_queue),
                cmocka_unit_test(test_settings),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
