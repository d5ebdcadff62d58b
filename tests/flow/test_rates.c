/* SPDX-License-Identifier: MIT */
/*
 * Rates: starts to the nanosecond, each host for itself, and latencies that the plan tells
 */
#include "fixture.h"

#include <math.h>
#include <poll.h>

#define YES "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nyes"

static struct script_answer answer_after_10_ms(struct script_server *server, const char *head,
        unsigned n)
{
        (void)server;
        (void)head;
        (void)n;
        return (struct script_answer){ .bytes = YES, .delay_ns = 10 * NS_PER_MS };
}

static void submit(struct fixture *f, const struct script_server *server, int n)
{
        for (int i = 0; i < n; i++)
                assert_int_equal(muster_get(f->client, script_url(server, "/"), NULL), 0);
}

static uint64_t slot_ns(const struct muster_result *result)
{
        struct muster_attempt first;

        assert_int_equal(muster_result_attempt(result, 0, &first, sizeof(first)), 0);
        return first.start_ns + first.phase_ns[MUSTER_PHASE_QUEUE];
}

/* The next one succeeds, was planned at `planned_ns`, and started `late_ns` after that. */
static void expect_start(struct fixture *f, uint64_t planned_ns, uint64_t late_ns)
{
        struct muster_result *result = next_result(f);

        assert_int_equal(code_of(result), MUSTER_OK);
        assert_int_equal(muster_result_planned_ns(result), planned_ns);
        assert_int_equal(slot_ns(result), planned_ns + late_ns);
        muster_result_free(result);
}

static void test_starts_are_evenly_spaced(void **state)
{
        struct fixture f;

        (void)state;
        fixture_start(&f, &(struct muster_client_options){ .rate_per_s = 300 }, answer_after_10_ms);
        submit(&f, &f.server, 301);
        for (uint64_t k = 0; k <= 300; k++)
                expect_start(&f, START_NS + (k * NS_PER_S + 150) / 300, 0);
        assert_int_equal(fixture_now_ns(&f), START_NS + 1010 * NS_PER_MS);
        assert_in_range(f.server.n_busy_max, 3, 4); /* one each 3.3 ms, for 10 ms */
        fixture_stop(&f);
}

/* From 0 to 200 a second within a second: start k is at the root of k / 100. */
static uint64_t on_ramp_ns(uint64_t k)
{
        return (uint64_t)(sqrt((double)k / 100) * (double)NS_PER_S + 0.5);
}

static void test_ramp(void **state)
{
        struct fixture f;

        (void)state;
        fixture_start(&f,
                &(struct muster_client_options){ .size = sizeof(struct muster_client_options),
                        .rate_per_s = 200,
                        .rate_ramp_ms = 1000 },
                answer_after_10_ms);
        submit(&f, &f.server, 130);
        for (uint64_t k = 0; k < 100; k++)
                expect_start(&f, START_NS + on_ramp_ns(k), 0);
        for (uint64_t k = 0; k < 30; k++)
                expect_start(&f, START_NS + NS_PER_S + k * 5 * NS_PER_MS, 0);
        fixture_stop(&f);
}

/* One slot is enough for 100 a second: what is late from there on has its moment all the same. */
static void test_ramp_does_not_wait_for_servers(void **state)
{
        struct muster_client_stats stats;
        struct fixture f;
        unsigned n_late = 0;

        (void)state;
        fixture_start(&f,
                &(struct muster_client_options){ .size = sizeof(struct muster_client_options),
                        .concurrency = 1,
                        .rate_per_s = 200,
                        .rate_ramp_ms = 1000 },
                answer_after_10_ms);
        submit(&f, &f.server, 100);
        for (uint64_t k = 0, free_ns = 0; k < 100; k++) {
                uint64_t at_ns = on_ramp_ns(k);

                if (free_ns < at_ns)
                        free_ns = at_ns;
                expect_start(&f, START_NS + at_ns, free_ns - at_ns);
                n_late += free_ns > at_ns;
                free_ns += 10 * NS_PER_MS;
        }
        muster_client_stats(f.client, &stats, sizeof(stats));
        assert_int_equal(stats.n_slot_waits, n_late);
        assert_int_equal(stats.first_start_ns, START_NS);
        fixture_stop(&f);
}

static void test_bad_ramps(void **state)
{
        static const struct {
                double per_s, from_per_s;
                uint64_t ramp_ms;
                const char *words;
        } bad[] = {
                { 0, 10, 1000, "rate_per_s" },
                { 0, 0, 1000, "rate_per_s" },
                { 100, 10, 0, "rate_ramp_ms" },
                { 100, -1, 1000, "rate_from_per_s" },
                { 100, (double)NAN, 1000, "rate_from_per_s" },
                { 100, 10, 604800001, "week" },
        };
        struct muster_client *client;

        (void)state;
        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
                struct muster_error error = { 0 };
                struct muster_client_options options = { .size = sizeof(options),
                        .error = &error,
                        .rate_per_s = bad[i].per_s,
                        .rate_from_per_s = bad[i].from_per_s,
                        .rate_ramp_ms = bad[i].ramp_ms };

                assert_int_equal(muster_client_new(&client, &options), MUSTER_E_INVALID);
                assert_non_null(strstr(error.text, bad[i].words));
        }
}

static void test_without_a_rate_the_slot_is_the_plan(void **state)
{
        struct fixture f;

        (void)state;
        fixture_start(&f, &(struct muster_client_options){ .concurrency = 2 }, answer_after_10_ms);
        submit(&f, &f.server, 6);
        for (uint64_t i = 0; i < 6; i++)
                expect_start(&f, START_NS + i / 2 * 10 * NS_PER_MS, 0);
        fixture_stop(&f);
}

static void test_nothing_is_saved_up(void **state)
{
        struct fixture f;

        (void)state;
        fixture_start(&f, &(struct muster_client_options){ .rate_per_s = 10 }, answer_after_10_ms);
        submit(&f, &f.server, 2);
        expect_start(&f, START_NS, 0);
        expect_start(&f, START_NS + 100 * NS_PER_MS, 0);
        f.client->engine.clock.manual_ns = START_NS + 3600 * NS_PER_S;
        submit(&f, &f.server, 5);
        for (uint64_t k = 0; k < 5; k++)
                expect_start(&f, START_NS + 3600 * NS_PER_S + k * 100 * NS_PER_MS, 0);
        /* Nor does one come too early that came after a short while. */
        submit(&f, &f.server, 1);
        expect_start(&f, START_NS + 3600 * NS_PER_S + 500 * NS_PER_MS, 0);
        fixture_stop(&f);
}

/*
 * One slot, 10 ms each, and a plan of one each 5 ms: all are later than the one before, and the
 * plan says by how much.
 */
static void test_late_starts_keep_their_moments(void **state)
{
        struct fixture f;

        (void)state;
        fixture_start(&f, &(struct muster_client_options){ .concurrency = 1, .rate_per_s = 200 },
                answer_after_10_ms);
        submit(&f, &f.server, 50);
        for (uint64_t k = 0; k < 50; k++)
                expect_start(&f, START_NS + k * 5 * NS_PER_MS, k * 5 * NS_PER_MS);
        fixture_stop(&f);
}

/*
 * The same by a caller who has to wait until there is room: it is not the server that says when a
 * request was wanted.
 */
static void test_full_queue_does_not_stop_the_plan(void **state)
{
        struct fixture f;

        (void)state;
        fixture_start(&f,
                &(struct muster_client_options){
                        .concurrency = 1, .rate_per_s = 200, .queue_size = 4 },
                answer_after_10_ms);
        submit(&f, &f.server, 4);
        for (uint64_t k = 0; k < 50; k++) {
                expect_start(&f, START_NS + k * 5 * NS_PER_MS, k * 5 * NS_PER_MS);
                submit(&f, &f.server, k < 46);
        }
        /* Once it is over, the next one is on time. */
        submit(&f, &f.server, 2);
        expect_start(&f, START_NS + 500 * NS_PER_MS, 0);
        expect_start(&f, START_NS + 505 * NS_PER_MS, 5 * NS_PER_MS);
        fixture_stop(&f);
}

/*
 * The program itself was away for a while: what it missed follows at once, and is known to be late.
 */
static void test_program_that_was_away(void **state)
{
        struct fixture f;

        (void)state;
        fixture_start(&f, &(struct muster_client_options){ .rate_per_s = 100 }, answer_after_10_ms);
        submit(&f, &f.server, 10);
        assert_int_equal(muster_wait(f.client, 5), MUSTER_LATER);
        f.client->engine.clock.manual_ns = START_NS + 45 * NS_PER_MS;
        expect_start(&f, START_NS, 0);
        for (uint64_t k = 1; k < 10; k++)
                expect_start(&f, START_NS + k * 10 * NS_PER_MS,
                        k < 5 ? (45 - k * 10) * NS_PER_MS : 0);
        fixture_stop(&f);
}

/*
 * Two hosts at one a second, one at that without answering: each has its own moments, and the one
 * that waits is not in the way.
 */
static void test_each_host_for_itself(void **state)
{
        struct fixture f;
        struct script_server dead, third;

        (void)state;
        fixture_start(&f,
                &(struct muster_client_options){ .concurrency = 8, .rate_per_host_per_s = 1 },
                answer_after_10_ms);
        script_server_start(&dead, &f.client->engine.loop, script_hangs);
        script_server_start(&third, &f.client->engine.loop, answer_after_10_ms);
        submit(&f, &dead, 500);
        submit(&f, &f.server, 20);
        submit(&f, &third, 10);
        for (uint64_t k = 0; k < 20; k++)
                for (int i = 0; i < (k < 10 ? 2 : 1); i++)
                        expect_start(&f, START_NS + k * NS_PER_S, 0);
        assert_int_equal(dead.n_requests, 4); /* its share, while it hangs */
        assert_int_equal(fixture_now_ns(&f), START_NS + 19 * NS_PER_S + 10 * NS_PER_MS);
        muster_cancel_all(f.client);
        for (int i = 0; i < 500; i++)
                expect_result(&f, MUSTER_E_CANCELLED, 0);
        script_server_stop(&dead);
        script_server_stop(&third);
        fixture_stop(&f);
}

/* A host's own rate is slow, and the rate of all goes to the others whole. */
static void test_waiting_host_takes_no_moments(void **state)
{
        enum { N_OTHERS = 20 };
        struct fixture f;
        struct script_server others[N_OTHERS];
        unsigned n_slow = 0, n = 0;

        (void)state;
        fixture_start(&f,
                &(struct muster_client_options){ .rate_per_s = 10, .rate_per_host_per_s = 1 },
                answer_after_10_ms);
        submit(&f, &f.server, 100);
        for (int i = 0; i < N_OTHERS; i++) {
                script_server_start(&others[i], &f.client->engine.loop, answer_after_10_ms);
                submit(&f, &others[i], 5);
        }
        /* 100 of the others and, in these 10 s and more, at most one a second of the first. */
        for (uint64_t k = 0; n < N_OTHERS * 5; k++) {
                expect_start(&f, START_NS + k * 100 * NS_PER_MS, 0);
                n_slow = f.server.n_requests;
                n = (unsigned)k + 1 - n_slow;
        }
        assert_in_range(n_slow, 4, 11);
        for (int i = 0; i < N_OTHERS; i++)
                script_server_stop(&others[i]);
        fixture_stop(&f);
}

#define STATUS(code, fields) "HTTP/1.1 " code " X\r\nContent-Length: 2\r\n" fields "\r\nno"

static struct script_answer busy_at_first(struct script_server *server, const char *head,
        unsigned n)
{
        (void)server;
        (void)head;
        if (n == 1)
                return (struct script_answer){ .bytes = STATUS("503", "Retry-After: 10\r\n") };
        return (struct script_answer){ .bytes = YES };
}

/*
 * One host asks for 10 s: all of its requests wait, those of the other host go on. The second try
 * has a moment of its own.
 */
static void test_hold_of_one_host_holds_up_no_other(void **state)
{
        struct fixture f;
        struct script_server busy;
        struct muster_result *result;
        uint64_t last_ns = 0;
        unsigned n_again = 0;

        (void)state;
        fixture_start(&f, &(struct muster_client_options){ .rate_per_s = 10, .max_retries = 1 },
                answer_after_10_ms);
        script_server_start(&busy, &f.client->engine.loop, busy_at_first);
        submit(&f, &busy, 3);
        submit(&f, &f.server, 200);
        for (int i = 0; i < 203; i++) {
                result = next_result(&f);
                assert_int_equal(code_of(result), MUSTER_OK);
                if (strcmp(muster_result_final_url(result), script_url(&busy, "/")) == 0) {
                        assert_in_range(muster_result_planned_ns(result), START_NS,
                                START_NS + 500 * NS_PER_MS);
                        n_again += muster_result_n_attempts(result) == 2;
                        assert_in_range(fixture_now_ns(&f) - START_NS, 10 * NS_PER_S,
                                11 * NS_PER_S);
                } else {
                        assert_int_equal(slot_ns(result), muster_result_planned_ns(result));
                        last_ns = slot_ns(result);
                }
                muster_result_free(result);
        }
        assert_int_equal(n_again, 1);
        /* 204 starts, the retry among them, none of the other host's late. */
        assert_int_equal(last_ns, START_NS + 203 * 100 * NS_PER_MS);
        script_server_stop(&busy);
        fixture_stop(&f);
}

static struct script_answer always_500(struct script_server *server, const char *head, unsigned n)
{
        (void)server;
        (void)n;
        if (path_is(head, "/moved"))
                return (struct script_answer){
                        .bytes = "HTTP/1.1 302 X\r\nLocation: /\r\nContent-Length: 0\r\n\r\n"
                };
        return (struct script_answer){ .bytes = STATUS("500", "") };
}

static void test_retries_and_redirects_are_starts(void **state)
{
        struct fixture f;
        struct muster_result *result;

        (void)state;
        fixture_start(&f,
                &(struct muster_client_options){
                        .rate_per_s = 1, .max_retries = 2, .retry_delay_ms = 1 },
                always_500);
        muster_get(f.client, script_url(&f.server, "/moved"), NULL);
        result = next_result(&f);
        assert_int_equal(muster_result_n_attempts(result), 4);
        assert_int_equal(muster_result_planned_ns(result), START_NS);
        assert_int_equal(fixture_now_ns(&f), START_NS + 3 * NS_PER_S);
        muster_result_free(result);
        fixture_stop(&f);
}

static void test_waiting_for_the_plan_can_time_out(void **state)
{
        struct fixture f;

        (void)state;
        fixture_start(&f,
                &(struct muster_client_options){ .rate_per_s = 1, .queue_timeout_ms = 2500 },
                answer_after_10_ms);
        submit(&f, &f.server, 100);
        for (uint64_t k = 0; k < 3; k++)
                expect_start(&f, START_NS + k * NS_PER_S, 0);
        for (int i = 0; i < 97; i++) {
                struct muster_result *result = next_result(&f);

                assert_int_equal(code_of(result), MUSTER_E_TIMEOUT);
                assert_int_equal(muster_result_planned_ns(result), 0);
                assert_int_equal(muster_result_total_ns(result), 2500 * NS_PER_MS);
                muster_result_free(result);
        }
        /* Those that left have not used up anything. */
        submit(&f, &f.server, 1);
        expect_start(&f, START_NS + 3 * NS_PER_S, 0);
        fixture_stop(&f);
}

static void test_bad_rates(void **state)
{
        static const double bad[] = { -1, 1e-10, 1e10, (double)INFINITY, (double)NAN };
        struct muster_client *client;
        struct muster_error error;

        (void)state;
        for (size_t i = 0; i < 2 * sizeof(bad) / sizeof(bad[0]); i++) {
                struct muster_client_options options = { .error = &error };

                *(i % 2 ? &options.rate_per_s : &options.rate_per_host_per_s) = bad[i / 2];
                assert_int_equal(muster_client_new(&client, &options), MUSTER_E_INVALID);
                assert_non_null(strstr(error.text, i % 2 ? " rate_per_s" : " rate_per_host_per_s"));
        }
}

/* In a loop of the caller's: the descriptor tells when a start is due. */
static void test_foreign_loop(void **state)
{
        struct muster_client *client;
        struct script_server server;
        unsigned n_results = 0, n_turns = 0;
        uint64_t start_ns = clock_ns_of(CLOCK_MONOTONIC);

        (void)state;
        assert_int_equal(muster_client_new(&client,
                                 &(struct muster_client_options){ .rate_per_s = 100 }),
                0);
        script_server_start(&server, &client->engine.loop, answer_after_10_ms);
        for (int i = 0; i < 21; i++)
                muster_get(client, script_url(&server, "/"), NULL);
        while (n_results < 21) {
                struct pollfd poll_fd = { .fd = muster_client_fd(client), .events = POLLIN };
                struct muster_result *result;

                assert_int_equal(poll(&poll_fd, 1, 5000), 1);
                muster_turn(client);
                n_turns++;
                while ((result = muster_take(client))) {
                        n_results++;
                        muster_result_free(result);
                }
        }
        assert_true(clock_ns_of(CLOCK_MONOTONIC) - start_ns >= 200 * NS_PER_MS);
        assert_true(n_turns < 21 * 20);
        script_server_stop(&server);
        muster_client_free(client);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_starts_are_evenly_spaced),
                cmocka_unit_test(test_ramp),
                cmocka_unit_test(test_ramp_does_not_wait_for_servers),
                cmocka_unit_test(test_bad_ramps),
                cmocka_unit_test(test_without_a_rate_the_slot_is_the_plan),
                cmocka_unit_test(test_nothing_is_saved_up),
                cmocka_unit_test(test_late_starts_keep_their_moments),
                cmocka_unit_test(test_full_queue_does_not_stop_the_plan),
                cmocka_unit_test(test_program_that_was_away),
                cmocka_unit_test(test_each_host_for_itself),
                cmocka_unit_test(test_waiting_host_takes_no_moments),
                cmocka_unit_test(test_hold_of_one_host_holds_up_no_other),
                cmocka_unit_test(test_retries_and_redirects_are_starts),
                cmocka_unit_test(test_waiting_for_the_plan_can_time_out),
                cmocka_unit_test(test_bad_rates),
                cmocka_unit_test(test_foreign_loop),
        };

        return cmocka_run_group_tests_name("rates", tests, NULL, NULL);
}
