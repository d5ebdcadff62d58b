/* SPDX-License-Identifier: MIT */
/*
 * Bodies that nobody wants, of redirects and of what is tried again: they never hold the request
 */
#include "fixture.h"

#include <stdlib.h>

#define MS(n)       ((n)*NS_PER_MS)
#define GO          "HTTP/1.1 302 Found\r\nLocation: /end\r\n"
#define BUSY        "HTTP/1.1 503 Busy\r\nRetry-After: 0\r\n"
#define HALF_LENGTH "Content-Length: 10\r\n\r\nhello"
#define HALF_CHUNK  "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"

static char endless[100000];

/*
 * What stands behind the head of a redirect or a 503; how long it holds the request; whether it
 * costs the connection.
 */
static const struct {
        const char *name, *rest, *then;
        uint64_t then_after_ns;
        bool closes;
        unsigned held_ms, n_conns;
} cases[] = {
        { "whole", "Content-Length: 2\r\n\r\nno", NULL, 0, false, 0, 1 },
        { "none", "Content-Length: 0\r\n\r\n", NULL, 0, false, 0, 1 },
        { "chunked", "Transfer-Encoding: chunked\r\n\r\n2\r\nno\r\n0\r\n\r\n", NULL, 0, false, 0,
                1 },
        { "hangs", HALF_LENGTH, NULL, 0, false, 100, 2 },
        { "hangs after the head", "Content-Length: 10\r\n\r\n", NULL, 0, false, 100, 2 },
        { "chunk hangs", HALF_CHUNK, NULL, 0, false, 100, 2 },
        { "comes soon", HALF_LENGTH, "there", MS(40), false, 40, 1 },
        { "chunk comes soon", HALF_CHUNK, "0\r\n\r\n", MS(40), false, 40, 1 },
        { "comes late", HALF_LENGTH, "there", MS(400), false, 100, 2 },
        { "trickles", HALF_LENGTH, "t", MS(90), false, 100, 2 },
        { "until close", "\r\nsome", NULL, 0, false, 0, 2 },
        { "until close, over", "\r\nsome", NULL, 0, true, 0, 2 },
        { "close", "Connection: close\r\nContent-Length: 10\r\n\r\nhello", NULL, 0, false, 0, 2 },
        { "long", "Content-Length: 1000000\r\n\r\n", NULL, 0, false, 0, 2 },
        { "cut", HALF_LENGTH, NULL, 0, true, 0, 2 },
        { "chunk broken", "Transfer-Encoding: chunked\r\n\r\nnonsense\r\n", NULL, 0, false, 0, 2 },
        { "endless", endless, NULL, 0, false, 0, 2 },
};

#define N_CASES (sizeof(cases) / sizeof(cases[0]))

static size_t which; /* of the cases */
static bool is_retry;

static struct script_answer answer(struct script_server *server, const char *head, unsigned n)
{
        static char bytes[sizeof(endless) + 100];

        (void)server;
        if (path_is(head, "/end") || (is_retry && n > 1))
                return (struct script_answer){
                        .bytes = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nyes"
                };
        snprintf(bytes, sizeof(bytes), "%s%s", is_retry ? BUSY : GO, cases[which].rest);
        return (struct script_answer){ .bytes = bytes,
                .then = cases[which].then,
                .then_after_ns = cases[which].then_after_ns,
                .closes = cases[which].closes };
}

static void check_case(struct fixture *f)
{
        struct muster_result *result;
        struct muster_attempt first;

        muster_get(f->client, script_url(&f->server, "/"), NULL);
        result = next_result(f);
        if (code_of(result) != MUSTER_OK)
                fail_msg("%s: %s", cases[which].name, muster_result_error_text(result));
        assert_string_equal(muster_result_body(result), "yes");
        assert_int_equal(muster_result_n_attempts(result), 2);
        muster_result_attempt(result, 0, &first, sizeof(first));
        assert_int_equal(first.code, MUSTER_OK);
        assert_int_equal(first.status, is_retry ? 503 : 302);
        if (first.phase_ns[MUSTER_PHASE_RECEIVE] / NS_PER_MS != cases[which].held_ms ||
                f->server.n_conns != cases[which].n_conns)
                fail_msg("%s: held for %llu ms, %u connections", cases[which].name,
                        (unsigned long long)first.phase_ns[MUSTER_PHASE_RECEIVE] / NS_PER_MS,
                        f->server.n_conns);
        muster_result_free(result);
}

static void check_all(const struct muster_client_options *options)
{
        for (which = 0; which < N_CASES; which++) {
                struct fixture f;

                fixture_start(&f, options, answer);
                check_case(&f);
                fixture_stop(&f);
        }
}

static void test_redirects_go_on(void **state)
{
        /* [9112 9.3 whole-body] */
        (void)state;
        is_retry = false;
        check_all(NULL);
}

static void test_retries_go_on(void **state)
{
        (void)state;
        is_retry = true;
        check_all(&(struct muster_client_options){ .max_retries = 1 });
}

/* It is answered: that more of it does not come is no silence of the server. */
static void test_no_read_timeout_meanwhile(void **state)
{
        (void)state;
        is_retry = false;
        check_all(&(struct muster_client_options){ .read_timeout_ms = 30 });
}

/* Time is up while it is waited for: that is the request's, however little it was. */
static void test_total_timeout_meanwhile(void **state)
{
        struct fixture f;
        struct muster_result *result;

        (void)state;
        is_retry = false;
        which = 3;
        assert_string_equal(cases[which].name, "hangs");
        fixture_start(&f, &(struct muster_client_options){ .total_timeout_ms = 60 }, answer);
        muster_get(f.client, script_url(&f.server, "/"), NULL);
        result = next_result(&f);
        assert_int_equal(code_of(result), MUSTER_E_TIMEOUT);
        assert_int_equal(phase_ms(result, MUSTER_PHASE_RECEIVE), 60);
        muster_result_free(result);
        fixture_stop(&f);
}

/* The wait for one that nobody wants is not the next response's. */
static void test_what_follows_has_its_own_time(void **state)
{
        struct fixture f;

        (void)state;
        is_retry = true;
        which = 6;
        assert_string_equal(cases[which].name, "comes soon");
        fixture_start(&f, &(struct muster_client_options){ .max_retries = 1 }, answer);
        check_case(&f);
        is_retry = false;
        which = 8;
        f.server.n_conns = 1;
        check_case(&f);
        fixture_stop(&f);
}

static int make_endless(void **state)
{
        (void)state;
        strcpy(endless, "Transfer-Encoding: chunked\r\n\r\nfffffff\r\n");
        memset(endless + strlen(endless), 'x', sizeof(endless) - 1 - strlen(endless));
        return 0;
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_redirects_go_on),
                cmocka_unit_test(test_retries_go_on),
                cmocka_unit_test(test_no_read_timeout_meanwhile),
                cmocka_unit_test(test_total_timeout_meanwhile),
                cmocka_unit_test(test_what_follows_has_its_own_time),
        };

        return cmocka_run_group_tests_name("dropped", tests, make_endless, NULL);
}
