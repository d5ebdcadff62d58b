/* SPDX-License-Identifier: MIT */
/*
 * Memory that runs out: whatever allocation fails, every request that was accepted has one result,
 * and nothing leaks
 */
#include "fixture.h"

#include <base/mem.h>

#define N_REQUESTS 6

static struct script_answer mixed(struct script_server *server, const char *head, unsigned n)
{
        (void)server;
        (void)n;
        if (path_is(head, "/0"))
                return (struct script_answer){
                        .bytes = "HTTP/1.1 302 F\r\nLocation: /end\r\nContent-Length: 0\r\n\r\n"
                };
        if (path_is(head, "/1"))
                return (struct script_answer){
                        .bytes = "HTTP/1.1 503 X\r\nContent-Length: 0\r\n\r\n"
                };
        return (struct script_answer){
                .bytes =
                        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nyes\r\n0\r\n\r\n"
        };
}

static int run(long fail_after, double per_s)
{
        struct fixture f;
        int n_accepted = 0, n_results = 0, has_failed;
        struct muster_result *result;

        fixture_start(&f,
                &(struct muster_client_options){ .concurrency = 2,
                        .max_retries = 1,
                        .rate_per_s = per_s,
                        .rate_per_host_per_s = per_s },
                mixed);
        mem_fail_after(fail_after);
        for (int i = 0; i < N_REQUESTS; i++) {
                char path[8];

                snprintf(path, sizeof(path), "/%d", i % 3);
                n_accepted += muster_get(f.client, script_url(&f.server, path), NULL) == 0;
        }
        while ((result = muster_next(f.client))) {
                n_results++;
                if (code_of(result))
                        assert_int_equal(code_of(result), MUSTER_E_RESOURCE);
                muster_result_free(result);
        }
        has_failed = mem_has_failed();
        mem_fail_after(-1);
        assert_int_equal(n_results, n_accepted);
        fixture_stop(&f);
        return has_failed;
}

static void test_every_allocation_may_fail(void **state)
{
        long n = 0;

        (void)state;
        while (run(n, 0))
                n++;
        assert_true(n > 20);
}

/* With a plan, which has a heap and a timer more. */
static void test_every_allocation_may_fail_at_a_rate(void **state)
{
        long n = 0;

        (void)state;
        while (run(n, 1000))
                n++;
        assert_true(n > 20);
}

static int run_new(long fail_after)
{
        struct muster_client *client;
        int r, has_failed;

        mem_fail_after(fail_after);
        r = muster_client_new(&client,
                &(struct muster_client_options){ .dns_server = "127.0.0.1:5353" });
        has_failed = mem_has_failed();
        mem_fail_after(-1);
        if (r == 0)
                muster_client_free(client);
        else
                assert_int_equal(r, MUSTER_E_RESOURCE);
        return has_failed;
}

static void test_new_may_fail_anywhere(void **state)
{
        long n = 0;

        (void)state;
        while (run_new(n))
                n++;
        assert_true(n > 5);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_every_allocation_may_fail),
                cmocka_unit_test(test_every_allocation_may_fail_at_a_rate),
                cmocka_unit_test(test_new_may_fail_anywhere),
        };

        return cmocka_run_group_tests_name("memory", tests, NULL, NULL);
}
