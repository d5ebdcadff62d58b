/* SPDX-License-Identifier: MIT */
/*
 * Retries: when, how often, how long they wait; an hour of them in a moment
 */
#include "fixture.h"

#include <base/rand.h>
#include <zlib.h>

#define STATUS(code, fields) "HTTP/1.1 " code " X\r\nContent-Length: 2\r\n" fields "\r\nno"
#define YES                  "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nyes"

static struct script_answer twice_503(struct script_server *server, const char *head, unsigned n)
{
        (void)server;
        (void)head;
        return (struct script_answer){ .bytes = n <= 2 ? STATUS("503", "") : YES };
}

static void test_status_is_retried(void **state)
{
        struct fixture f;
        struct muster_result *result;
        struct muster_attempt attempt;

        (void)state;
        fixture_start(&f, &(struct muster_client_options){ .max_retries = 3 }, twice_503);
        muster_get(f.client, script_url(&f.server, "/"), NULL);
        result = next_result(&f);
        assert_int_equal(muster_result_status(result), 200);
        assert_string_equal(muster_result_body(result), "yes");
        assert_int_equal(muster_result_n_attempts(result), 3);
        muster_result_attempt(result, 0, &attempt, sizeof(attempt));
        assert_int_equal(attempt.status, 503);
        assert_int_equal(attempt.code, MUSTER_OK);
        assert_true(attempt.backoff_ns <= 500 * NS_PER_MS);
        muster_result_attempt(result, 1, &attempt, sizeof(attempt));
        assert_true(attempt.backoff_ns <= 1000 * NS_PER_MS);
        muster_result_attempt(result, 2, &attempt, sizeof(attempt));
        assert_int_equal(attempt.status, 200);
        assert_int_equal(attempt.backoff_ns, 0);
        assert_int_equal(muster_result_attempt(result, 3, &attempt, sizeof(attempt)),
                MUSTER_E_INVALID);
        assert_int_equal(f.server.n_conns,
                1); /* a 503 that came whole does not cost the connection */
        muster_result_free(result);
        fixture_stop(&f);
}

static struct script_answer retry_after(struct script_server *server, const char *head, unsigned n)
{
        (void)server;
        if (n > 1 && !path_is(head, "/never"))
                return (struct script_answer){ .bytes = YES };
        if (path_is(head, "/seconds"))
                return (struct script_answer){ .bytes = STATUS("429", "Retry-After: 120\r\n") };
        return (struct script_answer){ .bytes = STATUS("503", "Retry-After: 86400\r\n") };
}

static void test_retry_after_is_kept_to(void **state)
{
        struct fixture f;
        struct muster_result *result;

        (void)state;
        fixture_start(&f, &(struct muster_client_options){ .max_retries = 2 }, retry_after);
        muster_get(f.client, script_url(&f.server, "/seconds"), NULL);
        result = next_result(&f);
        assert_int_equal(muster_result_status(result), 200);
        assert_int_equal(phase_ms(result, MUSTER_PHASE_BACKOFF), 120000);
        muster_result_free(result);
        /* A day is no retry: the response is the result, with its body. */
        muster_get(f.client, script_url(&f.server, "/never"), NULL);
        result = next_result(&f);
        assert_int_equal(muster_result_status(result), 503);
        assert_int_equal(muster_result_n_attempts(result), 1);
        assert_string_equal(muster_result_body(result), "no");
        muster_result_free(result);
        fixture_stop(&f);
}

static struct script_answer always_500(struct script_server *server, const char *head, unsigned n)
{
        (void)server;
        (void)head;
        (void)n;
        return (struct script_answer){ .bytes = STATUS("500", "") };
}

static void test_waiting_holds_no_slot(void **state)
{
        struct fixture f;
        struct muster_client_stats stats;

        (void)state;
        fixture_start(&f,
                &(struct muster_client_options){ .concurrency = 1,
                        .max_retries = 1,
                        .retry_delay_ms = 3600000,
                        .retry_delay_max_ms = 3600000 },
                always_500);
        for (int i = 0; i < 3; i++)
                muster_get(f.client, script_url(&f.server, "/"), NULL);
        /*
         * The back-off is random up to an hour: within a second all three have had their first
         * turn.
         */
        assert_int_equal(muster_wait(f.client, 1000), MUSTER_LATER);
        assert_true(f.server.n_requests >= 3);
        muster_client_stats(f.client, &stats, sizeof(stats));
        assert_int_equal(stats.n_in_flight, 0);
        assert_int_equal(stats.n_queued, 3);
        for (int i = 0; i < 3; i++)
                expect_result(&f, MUSTER_OK, 500);
        assert_int_equal(f.server.n_requests, 6);
        fixture_stop(&f);
}

/* 100 requests pay for 20 retries, and 10 are given to start with. */
static void test_budget(void **state)
{
        struct fixture f;
        struct muster_client_stats stats;

        (void)state;
        fixture_start(&f, &(struct muster_client_options){ .max_retries = 5 }, always_500);
        for (int i = 0; i < 100; i++)
                muster_get(f.client, script_url(&f.server, "/"), NULL);
        for (int i = 0; i < 100; i++)
                expect_result(&f, MUSTER_OK, 500);
        muster_client_stats(f.client, &stats, sizeof(stats));
        assert_int_equal(stats.n_retries, 30);
        assert_int_equal(f.server.n_requests, 130);
        fixture_stop(&f);
}

static struct script_answer closes_early(struct script_server *server, const char *head, unsigned n)
{
        (void)server;
        (void)head;
        if (n % 2)
                return (struct script_answer){
                        .bytes = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort",
                        .closes = true
                };
        return (struct script_answer){ .bytes = YES };
}

static void post(struct fixture *f, bool retry_unsafe)
{
        struct muster_request *request = muster_request_new("POST", script_url(&f->server, "/"));

        muster_request_set_options(request,
                &(struct muster_request_options){ .retry_unsafe = retry_unsafe });
        muster_submit(f->client, request, NULL);
}

static void test_early_close_is_retried_where_that_is_harmless(void **state)
{
        /* [9110 9.2.2 retries] */
        struct fixture f;

        (void)state;
        fixture_start(&f, &(struct muster_client_options){ .max_retries = 1 }, closes_early);
        muster_get(f.client, script_url(&f.server, "/"), NULL);
        expect_result(&f, MUSTER_OK, 200);
        post(&f, false);
        expect_result(&f, MUSTER_E_CLOSED, 200);
        assert_int_equal(f.server.n_requests, 3);
        f.server.n_requests = 0;
        post(&f, true);
        expect_result(&f, MUSTER_OK, 200);
        fixture_stop(&f);
}

static void test_refused_connection_is_retried_whatever_the_method(void **state)
{
        struct fixture f;
        struct muster_request *request;
        struct muster_result *result;

        (void)state;
        fixture_start(&f, &(struct muster_client_options){ .max_retries = 2 }, always_500);
        /* Port 1 of loopback: nobody listens there. */
        request = muster_request_new("POST", "http://127.0.0.1:1/");
        muster_submit(f.client, request, NULL);
        result = next_result(&f);
        assert_int_equal(code_of(result), MUSTER_E_CONNECT);
        assert_int_equal(muster_result_n_attempts(result), 3);
        muster_result_free(result);
        fixture_stop(&f);
}

/* More than is decoded on the loop, and the connection ends within it. */
struct cut_body {
        char bytes[100000];
        size_t len;
};

static void make_cut_body(struct cut_body *cut)
{
        static Bytef plain[60000];
        struct rand rand;
        z_stream z = { 0 };
        int head;

        rand_init(&rand, 1);
        for (size_t i = 0; i < sizeof(plain); i++)
                plain[i] = (Bytef)rand_next(&rand);
        head = snprintf(cut->bytes, sizeof(cut->bytes),
                "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 90000\r\n\r\n");
        assert_int_equal(deflateInit2(&z, 1, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
        z.next_in = plain;
        z.avail_in = sizeof(plain);
        z.next_out = (Bytef *)cut->bytes + head;
        z.avail_out = (uInt)(sizeof(cut->bytes) - (size_t)head);
        assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
        cut->len = (size_t)head + z.total_out / 2;
        deflateEnd(&z);
}

static struct script_answer cut_at_first(struct script_server *server, const char *head, unsigned n)
{
        const struct cut_body *cut = server->userdata;

        (void)head;
        if (n == 1)
                return (struct script_answer){
                        .bytes = cut->bytes, .len = cut->len, .closes = true
                };
        return (struct script_answer){ .bytes = YES };
}

/* What was kept of the first answer for a worker is no part of the second. */
static void test_kept_bytes_are_of_one_attempt(void **state)
{
        static struct cut_body cut;
        struct fixture f;
        struct muster_result *result;

        (void)state;
        make_cut_body(&cut);
        fixture_start(&f,
                &(struct muster_client_options){
                        .max_retries = 1, .workers = 1, .decode_threshold_bytes = 1024 },
                cut_at_first);
        f.server.userdata = &cut;
        muster_get(f.client, script_url(&f.server, "/"), NULL);
        result = next_result(&f);
        assert_int_equal(code_of(result), MUSTER_OK);
        assert_int_equal(muster_result_n_attempts(result), 2);
        assert_string_equal(muster_result_body(result), "yes");
        assert_string_equal(muster_result_warning(result), "");
        muster_result_free(result);
        fixture_stop(&f);
}

static struct script_answer yes(struct script_server *server, const char *head, unsigned n)
{
        (void)server;
        (void)head;
        (void)n;
        return (struct script_answer){ .bytes = YES };
}

/* The second request on a connection finds it closed: no byte of an answer comes. */
static struct script_answer dies_on_reuse(struct script_server *server, const char *head,
        unsigned n)
{
        (void)head;
        if (n == 2)
                return (struct script_answer){ .closes = true, .resets = server->userdata != NULL };
        return (struct script_answer){ .bytes = YES };
}

static void check_stale(bool resets, const char *method, enum muster_code code, unsigned n_attempts)
{
        struct fixture f;
        struct muster_result *result;

        fixture_start(&f, NULL, dies_on_reuse);
        f.server.userdata = resets ? &f : NULL;
        muster_get(f.client, script_url(&f.server, "/"), NULL);
        expect_result(&f, MUSTER_OK, 200);
        muster_submit(f.client, muster_request_new(method, script_url(&f.server, "/")), NULL);
        result = next_result(&f);
        assert_int_equal(code_of(result), code);
        assert_int_equal(muster_result_n_attempts(result), n_attempts);
        assert_int_equal(phase_ms(result, MUSTER_PHASE_BACKOFF), 0);
        muster_result_free(result);
        fixture_stop(&f);
}

static void test_stale_connection(void **state)
{
        /* [9110 9.2.2 retries] */
        (void)state;
        check_stale(false, "GET", MUSTER_OK, 2);
        check_stale(true, "GET", MUSTER_OK, 2);
        check_stale(false, "POST", MUSTER_E_CLOSED, 1);
}

/* Closed while idle: that is noticed before the next request, and costs nothing. */
static void test_idle_close_is_noticed(void **state)
{
        struct fixture f;
        struct muster_result *result;

        (void)state;
        fixture_start(&f, NULL, yes);
        muster_get(f.client, script_url(&f.server, "/"), NULL);
        expect_result(&f, MUSTER_OK, 200);
        script_server_drop_conns(&f.server);
        muster_turn(f.client);
        muster_get(f.client, script_url(&f.server, "/"), NULL);
        result = next_result(&f);
        assert_int_equal(muster_result_n_attempts(result), 1);
        muster_result_free(result);
        assert_int_equal(f.server.n_conns, 2);
        fixture_stop(&f);
}

/*
 * The same where nobody turned the loop meanwhile: the caller was busy elsewhere, and then submits
 * what must not be sent twice.
 */
static void test_idle_close_is_noticed_late(void **state)
{
        struct muster_request *request;
        struct muster_result *result;
        struct fixture f;

        (void)state;
        fixture_start(&f, NULL, yes);
        muster_get(f.client, script_url(&f.server, "/"), NULL);
        expect_result(&f, MUSTER_OK, 200);
        script_server_drop_conns(&f.server);
        f.client->engine.clock.manual_ns += NS_PER_S;
        request = muster_request_new("POST", script_url(&f.server, "/"));
        muster_submit(f.client, request, NULL);
        result = next_result(&f);
        assert_int_equal(code_of(result), MUSTER_OK);
        assert_int_equal(muster_result_n_attempts(result), 1);
        muster_result_free(result);
        assert_int_equal(f.server.n_conns, 2);
        fixture_stop(&f);
}

static void test_no_retry_past_the_deadline(void **state)
{
        struct fixture f;
        struct muster_result *result;

        (void)state;
        fixture_start(&f, &(struct muster_client_options){ .max_retries = 2, .deadline_ms = 60000 },
                retry_after);
        muster_get(f.client, script_url(&f.server, "/seconds"), NULL);
        result = next_result(&f);
        assert_int_equal(muster_result_status(result), 429);
        assert_int_equal(muster_result_n_attempts(result), 1);
        muster_result_free(result);
        fixture_stop(&f);
}

static struct script_answer always_503(struct script_server *server, const char *head, unsigned n)
{
        (void)server;
        (void)n;
        return (struct script_answer){ .bytes = path_is(head, "/asks")
                                                        ? STATUS("503", "Retry-After: 7\r\n")
                                                        : STATUS("503", "") };
}

static void test_fixed_delay(void **state)
{
        struct fixture f;
        struct muster_result *result;
        struct muster_attempt attempt;

        (void)state;
        fixture_start(&f,
                &(struct muster_client_options){ .size = sizeof(struct muster_client_options),
                        .max_retries = 3,
                        .retry_fixed_delay_ms = 2000 },
                always_503);
        muster_get(f.client, script_url(&f.server, "/"), NULL);
        result = next_result(&f);
        assert_int_equal(muster_result_n_attempts(result), 4);
        for (unsigned i = 0; i < 3; i++) {
                muster_result_attempt(result, i, &attempt, sizeof(attempt));
                assert_int_equal(attempt.backoff_ns, 2 * NS_PER_S);
        }
        muster_result_free(result);
        muster_get(f.client, script_url(&f.server, "/asks"), NULL);
        result = next_result(&f);
        muster_result_attempt(result, 0, &attempt, sizeof(attempt));
        assert_int_equal(attempt.backoff_ns, 7 * NS_PER_S);
        muster_result_free(result);
        fixture_stop(&f);
}

/* A retry may begin until the time is over, and may itself take longer. */
static void test_time_for_retries(void **state)
{
        struct fixture f;
        struct muster_result *result;

        (void)state;
        fixture_start(&f,
                &(struct muster_client_options){ .size = sizeof(struct muster_client_options),
                        .max_retries = 100,
                        .retry_fixed_delay_ms = 2000,
                        .retry_max_time_ms = 9000,
                        .retry_budget_percent = MUSTER_NO_RETRY_BUDGET },
                always_503);
        muster_get(f.client, script_url(&f.server, "/"), NULL);
        result = next_result(&f);
        assert_int_equal(muster_result_n_attempts(result), 5);
        assert_string_equal(muster_result_warning(result),
                "not retried: after a wait of 2 s the time for retries would be over (--retry-max-time 9 s)");
        muster_result_free(result);
        fixture_stop(&f);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_status_is_retried),
                cmocka_unit_test(test_retry_after_is_kept_to),
                cmocka_unit_test(test_waiting_holds_no_slot),
                cmocka_unit_test(test_budget),
                cmocka_unit_test(test_early_close_is_retried_where_that_is_harmless),
                cmocka_unit_test(test_refused_connection_is_retried_whatever_the_method),
                cmocka_unit_test(test_kept_bytes_are_of_one_attempt),
                cmocka_unit_test(test_stale_connection),
                cmocka_unit_test(test_idle_close_is_noticed),
                cmocka_unit_test(test_idle_close_is_noticed_late),
                cmocka_unit_test(test_no_retry_past_the_deadline),
                cmocka_unit_test(test_fixed_delay),
                cmocka_unit_test(test_time_for_retries),
        };

        return cmocka_run_group_tests_name("retries", tests, NULL, NULL);
}
