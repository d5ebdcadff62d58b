/* SPDX-License-Identifier: MIT */
/*
 * Refusals: batches against servers that let in so many a second; hours of them in a moment
 */
#include "fixture.h"

#include <semaphore.h>

#define YES "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nyes"
#define NO  "HTTP/1.1 429 X\r\nContent-Length: 2\r\n\r\nno"

/*
 * What a server does with requests; it counts those that it lets in by the generic cell rate
 * algorithm.
 */
struct limit {
        uint64_t interval_ns;
        bool says_when; /* with Retry-After: 1 */
        const char *refusal;
        uint64_t next_ns;
        unsigned n_refused, n_refused_late; /* late: after the first second */
};

static struct script_answer limited(struct script_server *server, const char *head, unsigned n)
{
        struct limit *limit = server->userdata;
        uint64_t now_ns = clock_now(server->loop->clock);

        (void)head;
        (void)n;
        if (limit->next_ns <= now_ns) {
                limit->next_ns = now_ns + limit->interval_ns;
                return (struct script_answer){ .bytes = YES, .delay_ns = 5 * NS_PER_MS };
        }
        limit->n_refused++;
        limit->n_refused_late += now_ns > START_NS + NS_PER_S;
        return (struct script_answer){ .bytes = limit->refusal, .delay_ns = NS_PER_MS };
}

static void submit(struct fixture *f, const char *method, unsigned n)
{
        for (unsigned i = 0; i < n; i++)
                assert_int_equal(muster_submit(f->client,
                                         muster_request_new(method, script_url(&f->server, "/")),
                                         NULL),
                        0);
}

/* The wall time may be that of the limit by itself, and `percent` of it more. */
static void check_batch(struct limit limit, const struct muster_client_options *options,
        const char *method, unsigned n, unsigned percent)
{
        struct fixture f;
        struct muster_client_options own = *options;
        struct muster_client_stats stats;

        own.queue_size = n;
        fixture_start(&f, &own, limited);
        f.server.userdata = &limit;
        submit(&f, method, n);
        for (unsigned i = 0; i < n; i++)
                expect_result(&f, MUSTER_OK, 200);
        assert_in_range(fixture_now_ns(&f) - START_NS, (n - 1) * limit.interval_ns,
                n * limit.interval_ns * (100 + percent) / 100);
        assert_in_range(limit.n_refused_late, 0, 4);
        muster_client_stats(f.client, &stats, sizeof(stats));
        assert_int_equal(stats.n_retries_withheld, 0);
        assert_in_range(stats.n_refused, 1, limit.n_refused);
        assert_int_equal(stats.n_retries, limit.n_refused);
        fixture_stop(&f);
}

#define WHEN        "HTTP/1.1 429 X\r\nRetry-After: 1\r\nContent-Length: 2\r\n\r\nno"
#define UNAVAILABLE "HTTP/1.1 503 X\r\nRetry-After: 1\r\nContent-Length: 2\r\n\r\nno"

/*
 * 50 a second: all are answered, in about the time that this takes, though the budget would allow
 * fewer retries. The first two seconds are holds; longer batches stand in
 * tests/unit/test_throttle.c, where a jump of the clock costs nothing.
 */
static void test_none_is_lost(void **state)
{
        static const char *const refusals[] = { WHEN, NO, UNAVAILABLE };

        (void)state;
        for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
                struct limit limit = { .interval_ns = 20 * NS_PER_MS, .refusal = refusals[i] };

                check_batch(limit, &(struct muster_client_options){ .max_retries = 10 }, "GET", 500,
                        40);
                check_batch(limit,
                        &(struct muster_client_options){ .max_retries = 3, .concurrency = 16 },
                        "GET", 150, 150);
                check_batch(limit,
                        &(struct muster_client_options){ .max_retries = 5, .retry_unsafe = true },
                        "POST", 150, 150);
        }
}

/* An hour for sixty: with a retry or two each of them gets through. */
static void test_slow_limit(void **state)
{
        struct muster_client_stats stats;
        struct limit limit = { .interval_ns = 60 * NS_PER_S,
                .refusal = "HTTP/1.1 429 X\r\nRetry-After: 60\r\nContent-Length: 0\r\n\r\n" };
        struct fixture f;

        (void)state;
        fixture_start(&f, &(struct muster_client_options){ .max_retries = 10, .concurrency = 4 },
                limited);
        f.server.userdata = &limit;
        submit(&f, "GET", 60);
        expect_result(&f, MUSTER_OK, 200);
        assert_int_equal(muster_wait(f.client, 10000), MUSTER_LATER);
        muster_client_stats(f.client, &stats, sizeof(stats));
        assert_in_range(stats.hold_ns, 49 * NS_PER_S, 50 * NS_PER_S);
        for (int i = 1; i < 60; i++)
                expect_result(&f, MUSTER_OK, 200);
        assert_in_range(fixture_now_ns(&f) - START_NS, 59 * limit.interval_ns,
                75 * limit.interval_ns);
        fixture_stop(&f);
}

static struct script_answer yes(struct script_server *server, const char *head, unsigned n)
{
        (void)server;
        (void)head;
        (void)n;
        return (struct script_answer){ .bytes = YES, .delay_ns = 10 * NS_PER_MS };
}

static struct script_answer refuses_first(struct script_server *server, const char *head,
        unsigned n)
{
        (void)server;
        (void)head;
        if (n == 1)
                return (struct script_answer){
                        .bytes = "HTTP/1.1 503 X\r\nRetry-After: 30\r\nContent-Length: 0\r\n\r\n"
                };
        return (struct script_answer){ .bytes = YES };
}

/* While one host is left alone another has all of the slots, and no time is lost. */
static void test_others_go_on(void **state)
{
        struct fixture f;
        struct script_server other;

        (void)state;
        fixture_start(&f, &(struct muster_client_options){ .max_retries = 1, .concurrency = 4 },
                refuses_first);
        script_server_start(&other, &f.client->engine.loop, yes);
        submit(&f, "GET", 1);
        while (!f.server.n_requests)
                muster_turn(f.client);
        submit(&f, "GET", 20);
        for (int i = 0; i < 100; i++)
                muster_get(f.client, script_url(&other, "/"), NULL);
        for (int i = 0; i < 100; i++)
                expect_result(&f, MUSTER_OK, 200);
        assert_int_equal(other.n_requests, 100);
        assert_int_equal(other.n_busy_max, 4);
        assert_in_range(fixture_now_ns(&f) - START_NS, 250 * NS_PER_MS, 300 * NS_PER_MS);
        assert_in_range(f.server.n_requests, 1, 4);
        for (int i = 0; i < 21; i++)
                expect_result(&f, MUSTER_OK, 200);
        assert_in_range(fixture_now_ns(&f) - START_NS, 30 * NS_PER_S, 32 * NS_PER_S);
        script_server_stop(&other);
        fixture_stop(&f);
}

/*
 * One of several requests to a host may be tried again, and is refused: the others, which may not,
 * are no less at once.
 */
static void test_mixed_with_such_as_are_not_retried(void **state)
{
        struct fixture f;

        (void)state;
        fixture_start(&f, &(struct muster_client_options){ .concurrency = 8 }, refuses_first);
        for (int i = 0; i < 20; i++) {
                struct muster_request *request =
                        muster_request_new("GET", script_url(&f.server, "/"));

                muster_request_set_options(request,
                        &(struct muster_request_options){ .max_retries = i == 0 });
                muster_submit(f.client, request, NULL);
                if (i == 0)
                        while (!f.client->engine.stats.n_refused)
                                muster_turn(f.client);
        }
        f.server.answer = yes;
        for (int i = 0; i < 20; i++)
                expect_result(&f, MUSTER_OK, 200);
        assert_true(f.server.n_busy_max > 1);
        fixture_stop(&f);
}

static sem_t is_free;

static int wait_until_free(struct muster_result *result, void *argument)
{
        (void)result;
        (void)argument;
        sem_wait(&is_free);
        sem_post(&is_free);
        return 0;
}

/*
 * The workers have too much to do when the hold is over: nothing can start, and the loop does not
 * go round and round.
 */
static void test_hold_that_ends_while_workers_are_busy(void **state)
{
        struct fixture f;
        struct script_server other;
        struct muster_client_stats stats;

        (void)state;
        sem_init(&is_free, 0, 0);
        fixture_start(&f, &(struct muster_client_options){ .max_retries = 1, .workers = 1 },
                refuses_first);
        script_server_start(&other, &f.client->engine.loop, yes);
        submit(&f, "GET", 1);
        while (!f.client->engine.stats.n_refused)
                muster_turn(f.client);
        submit(&f, "GET", 2);
        for (int i = 0; i < 8; i++) {
                struct muster_request *request = muster_request_new("GET", script_url(&other, "/"));

                muster_request_set_process(request, wait_until_free, NULL);
                muster_submit(f.client, request, NULL);
        }
        assert_int_equal(muster_wait(f.client, 60000), MUSTER_LATER);
        muster_client_stats(f.client, &stats, sizeof(stats));
        assert_in_range(stats.n_turns, 1, 1000);
        sem_post(&is_free);
        for (int i = 0; i < 11; i++)
                expect_result(&f, MUSTER_OK, 200);
        script_server_stop(&other);
        fixture_stop(&f);
        sem_destroy(&is_free);
}

/* Each third answer is 503, whatever the pace; userdata: the number of answers. */
static struct script_answer in_trouble(struct script_server *server, const char *head, unsigned n)
{
        unsigned *n_answers = server->userdata;

        (void)head;
        (void)n;
        if ((*n_answers)++ % 3 == 0)
                return (struct script_answer){
                        .bytes = "HTTP/1.1 503 X\r\nContent-Length: 0\r\n\r\n"
                };
        return (struct script_answer){ .bytes = YES, .delay_ns = 10 * NS_PER_MS };
}

/* A server in trouble is not asked ever more slowly: that would change nothing. */
static void test_trouble_is_no_limit(void **state)
{
        struct muster_client_options options = { .max_retries = 10,
                .retry_budget_percent = MUSTER_NO_RETRY_BUDGET,
                .retry_fixed_delay_ms = 10,
                .queue_size = 1000,
                .size = sizeof(options) };
        unsigned n_answers = 0;
        struct fixture f;

        (void)state;
        fixture_start(&f, &options, in_trouble);
        f.server.userdata = &n_answers;
        submit(&f, "GET", 1000);
        for (int i = 0; i < 1000; i++)
                expect_result(&f, MUSTER_OK, 200);
        assert_in_range(fixture_now_ns(&f) - START_NS, NS_PER_S, 10 * NS_PER_S);
        fixture_stop(&f);
}

/* Who wants no retries gets the refusals, and at once. */
static void test_without_retries(void **state)
{
        struct limit limit = { .interval_ns = NS_PER_S, .refusal = WHEN };
        struct fixture f;
        struct muster_client_stats stats;

        (void)state;
        fixture_start(&f, NULL, limited);
        f.server.userdata = &limit;
        submit(&f, "GET", 100);
        expect_result(&f, MUSTER_OK, 429);
        for (int i = 1; i < 100; i++)
                muster_result_free(next_result(&f));
        assert_in_range(fixture_now_ns(&f) - START_NS, 0, 100 * NS_PER_MS);
        muster_client_stats(f.client, &stats, sizeof(stats));
        assert_int_equal(stats.n_refused, 0);
        fixture_stop(&f);
}

/*
 * A broken resource among good ones is no limit: it may cost a moment where its retries come
 * together, and no more.
 */
static struct script_answer broken_one(struct script_server *server, const char *head, unsigned n)
{
        (void)server;
        (void)n;
        if (path_is(head, "/broken"))
                return (struct script_answer){
                        .bytes = "HTTP/1.1 503 X\r\nContent-Length: 0\r\n\r\n"
                };
        return (struct script_answer){ .bytes = YES, .delay_ns = 10 * NS_PER_MS };
}

static void test_one_broken_resource(void **state)
{
        struct fixture f;
        unsigned n_broken = 0;

        (void)state;
        fixture_start(&f, &(struct muster_client_options){ .max_retries = 2, .concurrency = 10 },
                broken_one);
        for (int i = 0; i < 1000; i++)
                muster_get(f.client, script_url(&f.server, i % 50 ? "/" : "/broken"), NULL);
        for (int i = 0; i < 1000; i++) {
                struct muster_result *result = next_result(&f);

                n_broken += muster_result_status(result) == 503;
                muster_result_free(result);
        }
        assert_int_equal(n_broken, 20);
        /* 980 x 10 ms / 10, up to 1.5 s of back-off at its end, and a hold. */
        assert_in_range(fixture_now_ns(&f) - START_NS, 980 * NS_PER_MS, 4 * NS_PER_S);
        fixture_stop(&f);
}

static struct script_answer always_503(struct script_server *server, const char *head, unsigned n)
{
        (void)server;
        (void)head;
        (void)n;
        return (struct script_answer){ .bytes = "HTTP/1.1 503 X\r\nContent-Length: 0\r\n\r\n" };
}

/*
 * Without Retry-After it may be a server in trouble: it is slowed down for, but the budget holds.
 * What it withholds is said.
 */
static void check_budget(unsigned percent, bool fails, unsigned n_retries)
{
        struct fixture f;
        struct muster_client_stats stats;
        unsigned n_said = 0;

        fixture_start(&f,
                &(struct muster_client_options){ .max_retries = 2,
                        .retry_budget_percent = percent,
                        .fail_on_status = fails },
                always_503);
        submit(&f, "GET", 100);
        for (int i = 0; i < 100; i++) {
                struct muster_result *result = next_result(&f);
                const char *said =
                        fails ? muster_result_error_text(result) : muster_result_warning(result);

                assert_int_equal(muster_result_status(result), 503);
                n_said += strstr(said, "--retry-budget") != NULL;
                muster_result_free(result);
        }
        muster_client_stats(f.client, &stats, sizeof(stats));
        assert_int_equal(stats.n_retries, n_retries);
        assert_int_equal(stats.n_retries_withheld, n_said);
        assert_int_equal(n_said > 0, n_retries < 200);
        fixture_stop(&f);
}

static void test_budget(void **state)
{
        (void)state;
        check_budget(0, true, 30);
        check_budget(0, false, 30);
        check_budget(100, true, 110);
        check_budget(MUSTER_NO_RETRY_BUDGET, true, 200);
}

static struct script_answer wants_a_day(struct script_server *server, const char *head, unsigned n)
{
        (void)server;
        (void)head;
        (void)n;
        return (struct script_answer){
                .bytes = "HTTP/1.1 429 X\r\nRetry-After: 86400\r\nContent-Length: 0\r\n\r\n"
        };
}

static void expect_warning(struct fixture *f, const char *words)
{
        struct muster_result *result = next_result(f);

        assert_non_null(strstr(muster_result_warning(result), words));
        muster_result_free(result);
}

static void test_why_not_is_said(void **state)
{
        struct limit limit = { .interval_ns = NS_PER_S, .refusal = WHEN };
        struct fixture f;

        (void)state;
        fixture_start(&f, &(struct muster_client_options){ .max_retries = 2 }, wants_a_day);
        submit(&f, "GET", 1);
        expect_warning(&f, "asks to wait 24 h");
        assert_in_range(fixture_now_ns(&f) - START_NS, 0, NS_PER_S);
        fixture_stop(&f);

        fixture_start(&f, &(struct muster_client_options){ .max_retries = 2 }, limited);
        f.server.userdata = &limit;
        submit(&f, "GET", 1);
        submit(&f, "POST", 1);
        expect_warning(&f, "POST is not retried without --retry-unsafe");
        expect_result(&f, MUSTER_OK, 200);
        fixture_stop(&f);

        limit.next_ns = UINT64_MAX;
        fixture_start(&f,
                &(struct muster_client_options){ .max_retries = 2, .total_timeout_ms = 500 },
                limited);
        f.server.userdata = &limit;
        submit(&f, "GET", 1);
        expect_warning(&f, "is longer than the time left");
        fixture_stop(&f);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_none_is_lost),
                cmocka_unit_test(test_slow_limit),
                cmocka_unit_test(test_others_go_on),
                cmocka_unit_test(test_trouble_is_no_limit),
                cmocka_unit_test(test_without_retries),
                cmocka_unit_test(test_one_broken_resource),
                cmocka_unit_test(test_budget),
                cmocka_unit_test(test_mixed_with_such_as_are_not_retried),
                cmocka_unit_test(test_hold_that_ends_while_workers_are_busy),
                cmocka_unit_test(test_why_not_is_said),
        };

        return cmocka_run_group_tests_name("refusals", tests, NULL, NULL);
}
