/* SPDX-License-Identifier: MIT */
/*
 * Expect: 100-continue: when a body asks, what it waits for, and what comes of it
 */
#include "fixture.h"

#define YES      "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nyes"
#define CONTINUE "HTTP/1.1 100 Continue\r\n\r\n"
#define NO       "HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno"
#define FAILED   "HTTP/1.1 417 Expectation Failed\r\nContent-Length: 0\r\n\r\n"

#define ABOVE_BYTES 1000
#define LARGE_BYTES 2000

static char large[LARGE_BYTES];

static struct script_answer yes(struct script_server *server, const char *head, unsigned n)
{
        (void)server;
        (void)n;
        return (struct script_answer){ .bytes = YES,
                .delay_ns = path_is(head, "/slow") ? 400 * NS_PER_MS : 0 };
}

static struct script_answer to_expect(struct script_server *server, const char *head, unsigned n)
{
        (void)server;
        (void)n;
        if (path_is(head, "/silent"))
                return (struct script_answer){ 0 };
        if (path_is(head, "/late"))
                return (struct script_answer){ .bytes = CONTINUE, .delay_ns = 5 * NS_PER_S };
        if (path_is(head, "/no"))
                return (struct script_answer){ .bytes = NO };
        if (path_is(head, "/failed"))
                return (struct script_answer){ .bytes = FAILED };
        return (struct script_answer){ .bytes = CONTINUE, .delay_ns = 300 * NS_PER_MS };
}

static void start(struct fixture *f)
{
        memset(large, 'x', sizeof(large));
        fixture_start(f,
                &(struct muster_client_options){ .size = sizeof(struct muster_client_options),
                        .expect_above_bytes = ABOVE_BYTES },
                yes);
        f->server.expects = to_expect;
}

static struct muster_request *post(struct fixture *f, const char *path, size_t size)
{
        struct muster_request *request = muster_request_new("POST", script_url(&f->server, path));

        assert_int_equal(muster_request_set_body(request, large, size), 0);
        return request;
}

static struct muster_result *result_of(struct fixture *f, struct muster_request *request)
{
        assert_int_equal(muster_submit(f->client, request, NULL), 0);
        return next_result(f);
}

static void expect_status(struct fixture *f, struct muster_request *request, int status)
{
        struct muster_result *result = result_of(f, request);

        assert_int_equal(code_of(result), MUSTER_OK);
        assert_int_equal(muster_result_status(result), status);
        muster_result_free(result);
}

static bool has_expect(const struct fixture *f)
{
        return strcasestr(f->server.last_head, "\r\nExpect: 100-continue\r\n") != NULL;
}

static void test_body_follows_100(void **state)
{
        /* [9110 10.1.1 says-that-it-waits] */
        struct fixture f;
        struct muster_result *result;

        (void)state;
        start(&f);
        for (int i = 0; i < 3; i++) {
                result = result_of(&f, post(&f, "/", LARGE_BYTES));
                assert_int_equal(muster_result_status(result), 200);
                assert_int_equal(phase_ms(result, MUSTER_PHASE_WAIT), 300);
                assert_int_equal(phase_ms(result, MUSTER_PHASE_SEND), 0);
                assert_true(has_expect(&f));
                assert_non_null(strstr(f.server.last_head, "\r\n\r\nxxxxxxxxxx"));
                muster_result_free(result);
        }
        assert_int_equal(f.server.n_conns, 1);
        fixture_stop(&f);
}

/* What comes first of the response is not its 100: the server is waited for behind that, too. */
static void test_100_is_no_first_byte(void **state)
{
        struct fixture f;
        struct muster_result *result;

        (void)state;
        start(&f);
        result = result_of(&f, post(&f, "/slow", LARGE_BYTES));
        assert_int_equal(muster_result_status(result), 200);
        assert_in_range(phase_ms(result, MUSTER_PHASE_WAIT), 699, 700);
        assert_int_equal(phase_ms(result, MUSTER_PHASE_RECEIVE), 0);
        muster_result_free(result);
        fixture_stop(&f);
}

static void test_only_large_bodies_ask(void **state)
{
        /* [9110 10.1.1 expects-for-content] */
        struct muster_request *request;
        struct fixture f;

        (void)state;
        start(&f);
        expect_status(&f, post(&f, "/", ABOVE_BYTES), 200);
        assert_false(has_expect(&f));
        expect_status(&f, post(&f, "/", ABOVE_BYTES + 1), 200);
        assert_true(has_expect(&f));
        /* The caller's own field decides. */
        request = post(&f, "/", 10);
        muster_request_add_header(request, "expect", "100-Continue");
        expect_status(&f, request, 200);
        assert_non_null(strstr(f.server.last_head, "\r\nexpect: 100-Continue\r\n"));
        assert_false(has_expect(&f) && strstr(f.server.last_head, "\r\nExpect:"));
        request = post(&f, "/", LARGE_BYTES);
        muster_request_add_header(request, "Expect", NULL);
        expect_status(&f, request, 200);
        assert_null(strcasestr(f.server.last_head, "\r\nexpect:"));
        request = post(&f, "/", LARGE_BYTES);
        muster_request_set_options(request, &(struct muster_request_options){ .http_1_0 = true });
        expect_status(&f, request, 200);
        assert_false(has_expect(&f));
        fixture_stop(&f);
}

/* The body is sent after a second, and the 100 that comes later changes nothing. */
static void test_server_that_says_nothing(void **state)
{
        /* [9110 10.1.1 waits-no-longer] */
        static const char *const paths[] = { "/silent", "/late" };
        struct fixture f;

        (void)state;
        start(&f);
        for (size_t i = 0; i < 2; i++) {
                uint64_t begin = fixture_now_ns(&f);
                struct muster_result *result = result_of(&f, post(&f, paths[i], LARGE_BYTES));

                assert_int_equal(muster_result_status(result), 200);
                assert_int_equal((fixture_now_ns(&f) - begin) / NS_PER_MS, 1000);
                assert_int_equal(phase_ms(result, MUSTER_PHASE_WAIT), 1000);
                assert_int_equal(f.server.n_requests, i + 1);
                muster_result_free(result);
        }
        fixture_stop(&f);
}

/* The answer takes the place of the body; nobody can tell what the connection is good for then. */
static void test_answer_before_the_body(void **state)
{
        struct fixture f;

        (void)state;
        start(&f);
        expect_status(&f, post(&f, "/no", LARGE_BYTES), 403);
        assert_null(strstr(f.server.last_head, "xxx"));
        expect_status(&f, post(&f, "/", LARGE_BYTES), 200);
        assert_int_equal(f.server.n_conns, 2);
        fixture_stop(&f);
}

static int pull_large(void *argument, void *buffer, size_t size, size_t *ret_n)
{
        size_t *left = argument;

        *ret_n = *left < size ? *left : size;
        memset(buffer, 'x', *ret_n);
        *left -= *ret_n;
        return 0;
}

static void test_expectation_that_fails(void **state)
{
        struct muster_request *request;
        struct muster_result *result;
        size_t left = LARGE_BYTES;
        struct fixture f;

        (void)state;
        start(&f);
        request = muster_request_new("POST", script_url(&f.server, "/failed"));
        muster_request_add_header(request, "Expect", "100-continue");
        muster_request_set_body_pull(request, LARGE_BYTES, pull_large, NULL, &left);
        result = result_of(&f, request);
        assert_int_equal(muster_result_status(result), 200);
        assert_int_equal(muster_result_n_attempts(result), 2);
        assert_false(has_expect(&f));
        assert_int_equal(left, 0);
        muster_result_free(result);
        /* It is known of the server from now on. */
        result = result_of(&f, post(&f, "/failed", LARGE_BYTES));
        assert_int_equal(muster_result_status(result), 200);
        assert_int_equal(muster_result_n_attempts(result), 1);
        muster_result_free(result);
        fixture_stop(&f);
}

static void test_ends_while_it_waits(void **state)
{
        struct muster_request *request;
        struct muster_result *result;
        struct fixture f;
        uint64_t id;

        (void)state;
        start(&f);
        request = post(&f, "/late", LARGE_BYTES);
        muster_request_set_options(request,
                &(struct muster_request_options){ .total_timeout_ms = 400 });
        result = result_of(&f, request);
        assert_int_equal(code_of(result), MUSTER_E_TIMEOUT);
        assert_int_equal(muster_result_error(result)->stage, MUSTER_PHASE_WAIT);
        assert_int_equal(phase_ms(result, MUSTER_PHASE_WAIT), 400);
        muster_result_free(result);
        assert_int_equal(muster_submit(f.client, post(&f, "/late", LARGE_BYTES), &id), 0);
        assert_int_equal(muster_wait(f.client, 500), MUSTER_LATER);
        assert_int_equal(muster_cancel(f.client, id), 0);
        expect_result(&f, MUSTER_E_CANCELLED, 0);
        /* The server goes away meanwhile. */
        assert_int_equal(muster_submit(f.client, post(&f, "/late", LARGE_BYTES), NULL), 0);
        assert_int_equal(muster_wait(f.client, 500), MUSTER_LATER);
        script_server_drop_conns(&f.server);
        expect_result(&f, MUSTER_E_CLOSED, 0);
        fixture_stop(&f);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_body_follows_100),
                cmocka_unit_test(test_100_is_no_first_byte),
                cmocka_unit_test(test_only_large_bodies_ask),
                cmocka_unit_test(test_server_that_says_nothing),
                cmocka_unit_test(test_answer_before_the_body),
                cmocka_unit_test(test_expectation_that_fails),
                cmocka_unit_test(test_ends_while_it_waits),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
