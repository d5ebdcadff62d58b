/* SPDX-License-Identifier: MIT */
/*
 * Limits: how much at once, for whom, how large
 */
#include "fixture.h"

#define YES "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nyes"

static struct script_answer slow(struct script_server *server, const char *head, unsigned n)
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

static void test_concurrency(void **state)
{
        struct fixture f;

        (void)state;
        fixture_start(&f, &(struct muster_client_options){ .concurrency = 7 }, slow);
        submit(&f, &f.server, 100);
        for (int i = 0; i < 100; i++)
                expect_result(&f, MUSTER_OK, 200);
        assert_int_equal(f.server.n_open_max, 7);
        assert_int_equal(f.server.n_conns, 7);
        fixture_stop(&f);
}

static void test_per_host(void **state)
{
        struct fixture f;
        struct script_server other;

        (void)state;
        fixture_start(&f, &(struct muster_client_options){ .concurrency = 20, .per_host = 3 },
                slow);
        script_server_start(&other, &f.client->engine.loop, slow);
        submit(&f, &f.server, 30);
        submit(&f, &other, 30);
        for (int i = 0; i < 60; i++)
                expect_result(&f, MUSTER_OK, 200);
        assert_int_equal(f.server.n_open_max, 3);
        assert_int_equal(other.n_open_max, 3);
        script_server_stop(&other);
        fixture_stop(&f);
}

static void test_full_queue_is_an_answer(void **state)
{
        struct fixture f;
        struct muster_request *request;

        (void)state;
        fixture_start(&f, &(struct muster_client_options){ .concurrency = 2, .queue_size = 5 },
                slow);
        submit(&f, &f.server, 5);
        assert_int_equal(muster_get(f.client, script_url(&f.server, "/"), NULL), MUSTER_FULL);
        request = muster_request_new(NULL, script_url(&f.server, "/"));
        assert_int_equal(muster_submit(f.client, request, NULL), MUSTER_FULL);
        expect_result(&f, MUSTER_OK, 200);
        assert_int_equal(muster_submit(f.client, request, NULL), 0); /* it was still ours */
        for (int i = 0; i < 5; i++)
                expect_result(&f, MUSTER_OK, 200);
        assert_null(muster_next(f.client));
        fixture_stop(&f);
}

/*
 * A host that hangs gets its share of the slots and no more: the other one's requests all pass
 * meanwhile.
 */
static void test_hanging_host_does_not_hold_up_the_other(void **state)
{
        struct fixture f;
        struct script_server dead;
        uint64_t start;

        (void)state;
        fixture_start(&f,
                &(struct muster_client_options){ .concurrency = 8, .total_timeout_ms = 30000 },
                slow);
        script_server_start(&dead, &f.client->engine.loop, script_hangs);
        submit(&f, &dead, 100);
        submit(&f, &f.server, 100);
        start = fixture_now_ns(&f);
        for (int i = 0; i < 100; i++)
                expect_result(&f, MUSTER_OK, 200);
        assert_int_equal(dead.n_open_max, 4);
        /* 100 requests of 10 ms by at least 4 at a time. */
        assert_true(fixture_now_ns(&f) - start < 100 / 4 * 15 * NS_PER_MS);
        script_server_stop(&dead);
        fixture_stop(&f);
}

static unsigned hang_from;

static struct script_answer hangs_later(struct script_server *server, const char *head, unsigned n)
{
        return n > hang_from ? script_hangs(server, head, n) : slow(server, head, n);
}

/*
 * A host that has earned slots and then begins to hang leaves an eighth of them to the other, and
 * earns anew after its failures.
 */
static void test_host_that_begins_to_hang(void **state)
{
        struct fixture f;
        struct script_server other;
        int n_good = 0;

        (void)state;
        hang_from = 200;
        fixture_start(&f,
                &(struct muster_client_options){ .concurrency = 16, .total_timeout_ms = 1000 },
                hangs_later);
        script_server_start(&other, &f.client->engine.loop, slow);
        submit(&f, &f.server, 260);
        submit(&f, &other, 300);
        for (int i = 0; i < 560; i++) {
                struct muster_result *result = next_result(&f);

                n_good += code_of(result) == MUSTER_OK;
                if (other.n_requests < 300)
                        assert_true(f.server.n_busy <= 14);
                muster_result_free(result);
        }
        assert_int_equal(n_good, 500);
        assert_true(f.server.n_busy_max > 8);
        script_server_stop(&other);
        fixture_stop(&f);
}

static struct script_answer large(struct script_server *server, const char *head, unsigned n)
{
        static char head_too_large[5000];

        (void)server;
        (void)n;
        if (path_is(head, "/length"))
                return (struct script_answer){
                        .bytes = "HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n"
                };
        if (path_is(head, "/chunks"))
                return (struct script_answer){
                        .bytes = "HTTP/1.1 200 OK\r\nTransfer-Encoding: "
                                 "chunked\r\n\r\n6\r\nabcdef\r\n5\r\nghijk\r\n0\r\n\r\n"
                };
        snprintf(head_too_large, sizeof(head_too_large), "HTTP/1.1 200 OK\r\nX: %04000d\r\n\r\n",
                0);
        return (struct script_answer){ .bytes = head_too_large };
}

static void test_sizes(void **state)
{
        static const char *const paths[] = { "/length", "/chunks", "/head" };
        struct fixture f;

        (void)state;
        fixture_start(&f,
                &(struct muster_client_options){ .max_body_bytes = 10, .max_header_bytes = 1000 },
                large);
        for (size_t i = 0; i < 3; i++) {
                muster_get(f.client, script_url(&f.server, paths[i]), NULL);
                expect_result(&f, MUSTER_E_TOO_LARGE, i < 2 ? 200 : 0);
        }
        fixture_stop(&f);
}

static void test_discarded_body_is_counted(void **state)
{
        struct fixture f;
        struct muster_result *result;

        (void)state;
        fixture_start(&f, &(struct muster_client_options){ .discard_body = true }, slow);
        submit(&f, &f.server, 1);
        result = next_result(&f);
        assert_int_equal(muster_result_body_size(result), 0);
        assert_int_equal(muster_result_body_bytes(result), 3);
        assert_string_equal(muster_result_body(result), "");
        muster_result_free(result);
        fixture_stop(&f);
}

/*
 * Bytes that nobody asked for, behind a response: the connection is not used again, the next
 * response is the right one.
 */
static struct script_answer chatty(struct script_server *server, const char *head, unsigned n)
{
        (void)server;
        (void)head;
        return (struct script_answer){
                .bytes = n == 1 ? YES "HTTP/1.1 500 Evil\r\nContent-Length: 0\r\n\r\n" : YES
        };
}

static void test_unsolicited_bytes_cost_the_connection(void **state)
{
        struct fixture f;

        (void)state;
        fixture_start(&f, &(struct muster_client_options){ .concurrency = 1 }, chatty);
        submit(&f, &f.server, 2);
        expect_result(&f, MUSTER_OK, 200);
        expect_result(&f, MUSTER_OK, 200);
        assert_int_equal(f.server.n_conns, 2);
        fixture_stop(&f);
}

/*
 * A new host needs a place: the connection that has been idle longest goes, and there are never
 * more than four for each slot. Before that, none is closed for another one's sake.
 */
static void test_idle_connections_make_room(void **state)
{
        enum { N_OTHERS = 6 };
        struct fixture f;
        struct script_server others[N_OTHERS];

        (void)state;
        fixture_start(&f, &(struct muster_client_options){ .concurrency = 1 }, slow);
        for (int i = 0; i < N_OTHERS; i++)
                script_server_start(&others[i], &f.client->engine.loop, slow);
        for (int i = 0; i < N_OTHERS; i++) {
                submit(&f, &others[i], 1);
                expect_result(&f, MUSTER_OK, 200);
                assert_int_equal(f.client->engine.pool.n_conns, i < 4 ? i + 1 : 4);
        }
        for (int i = 0; i < N_OTHERS; i++)
                script_server_stop(&others[i]);
        fixture_stop(&f);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_concurrency),
                cmocka_unit_test(test_per_host),
                cmocka_unit_test(test_full_queue_is_an_answer),
                cmocka_unit_test(test_hanging_host_does_not_hold_up_the_other),
                cmocka_unit_test(test_host_that_begins_to_hang),
                cmocka_unit_test(test_sizes),
                cmocka_unit_test(test_discarded_body_is_counted),
                cmocka_unit_test(test_unsolicited_bytes_cost_the_connection),
                cmocka_unit_test(test_idle_connections_make_room),
        };

        return cmocka_run_group_tests_name("limits", tests, NULL, NULL);
}
