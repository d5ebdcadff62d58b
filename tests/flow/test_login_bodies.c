/* SPDX-License-Identifier: MIT */
/*
 * Bodies of requests that log in: withheld when the server is asked, sent when it answered
 */
#include "login_world.h"

static void test_body_is_withheld(void **state)
{
        struct fixture f;

        (void)state;
        start(&f, SCRIPT_DIGEST, MUSTER_AUTH_DIGEST);
        submit(&f, "/", "POST", "12345");
        expect(&f, 200, 2);
        assert_int_equal(world.n_empty, 1);
        assert_string_equal(world.last_body_length, "5");
        submit(&f, "/", "POST", "1234567");
        expect(&f, 200, 1);
        assert_string_equal(world.last_body_length, "7");
        fixture_stop(&f);
}

/* Nothing was wanted of the one that asked: the body follows, once for each origin. */
static void test_body_follows(void **state)
{
        struct fixture f;

        (void)state;
        start(&f, SCRIPT_OPEN, MUSTER_AUTH_DIGEST);
        submit(&f, "/", "POST", "12345");
        expect(&f, 200, 2);
        assert_string_equal(world.last_body_length, "5");
        submit(&f, "/", "PUT", "123");
        expect(&f, 200, 1);
        assert_string_equal(world.last_body_length, "3");
        get(&f, "/", 200, 1);
        assert_int_equal(world.n_empty, 1);
        fixture_stop(&f);
}

/* A retry of the one that asked asks again. */
static void test_retry_of_asking(void **state)
{
        struct fixture f;

        (void)state;
        start(&f, SCRIPT_BUSY, MUSTER_AUTH_DIGEST);
        submit(&f, "/", "PUT", "12345");
        expect(&f, 200, 3);
        assert_int_equal(world.n_empty, 2);
        assert_string_equal(world.last_body_length, "5");
        fixture_stop(&f);
}

struct source {
        unsigned n_pulled;
};

static int pull(void *argument, void *buffer, size_t size, size_t *ret_n)
{
        struct source *source = argument;

        (void)size;
        *ret_n = source->n_pulled++ ? 0 : 5;
        memcpy(buffer, "12345", *ret_n);
        return 0;
}

static void submit_pulled(struct fixture *f, struct source *source)
{
        struct muster_request *request = muster_request_new("PUT", script_url(&f->server, "/"));

        source->n_pulled = 0;
        muster_request_set_credentials(request, "ada", "pw", 0);
        muster_request_set_body_pull(request, 5, pull, NULL, source);
        muster_submit(f->client, request, NULL);
}

/* What can be read only once is read when it was asked; a stale nonce is the end of it then. */
static void test_body_that_cannot_repeat(void **state)
{
        struct muster_result *result;
        struct source source;
        struct fixture f;

        (void)state;
        start(&f, SCRIPT_STALE, MUSTER_AUTH_DIGEST);
        submit_pulled(&f, &source);
        expect(&f, 200, 2);
        assert_int_equal(world.n_empty, 1);
        get(&f, "/", 200, 1);
        submit_pulled(&f, &source);
        result = next_result(&f);
        assert_int_equal(muster_result_status(result), 401);
        assert_non_null(strstr(muster_result_warning(result), "cannot be read a second time"));
        muster_result_free(result);
        fixture_stop(&f);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_body_is_withheld),
                cmocka_unit_test(test_body_follows),
                cmocka_unit_test(test_retry_of_asking),
                cmocka_unit_test(test_body_that_cannot_repeat),
        };

        return cmocka_run_group_tests_name("login_bodies", tests, NULL, NULL);
}
