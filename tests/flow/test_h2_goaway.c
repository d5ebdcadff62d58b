/* SPDX-License-Identifier: MIT */
/*
 * HTTP/2: connections that the server ends with GOAWAY
 */
#include "h2_world.h"

static struct h2_answer leave_after_three(struct h2_server *server, const struct h2_asked *asked)
{
        (void)server;
        if (asked->conn == 1 && asked->stream == 7)
                return (struct h2_answer){ .refuses_rest = true };
        return (struct h2_answer){ .status = 200, .delay_ns = 50 * NS_PER_MS };
}

/* Requests above the last stream of GOAWAY go to a new connection, those below it end as usual. */
static void test_goaway(void **state)
{
        struct world w;

        (void)state;
        begin(&w, (struct muster_client_options){ .concurrency = 6 }, leave_after_three);
        for (int i = 0; i < 6; i++)
                assert_int_equal(muster_submit(w.client,
                                         muster_request_new("POST", h2_url(&w.server, "/")), NULL),
                        0);
        expect_all(&w, 6, MUSTER_OK, 200);
        assert_int_equal(w.server.n_conns, 2);
        ask(&w, 3, "/");
        expect_all(&w, 3, MUSTER_OK, 200);
        assert_int_equal(w.server.n_conns, 2);
        assert_int_equal(w.server.n_open, 1);
        end(&w);
}

/* The requests of each connection up to the tenth; the others are not looked at. */
static struct h2_answer take_ten(struct h2_server *server, const struct h2_asked *asked)
{
        (void)server;
        return (struct h2_answer){ .status = 200,
                .delay_ns = (asked->stream > 19 ? 20 : 10) * NS_PER_MS,
                .goes_away = asked->stream == 19 };
}

static unsigned attempts_of_all(struct world *w, unsigned n)
{
        unsigned n_attempts = 0;

        for (unsigned i = 0; i < n; i++) {
                struct muster_result *result = next_result(&w->f);

                assert_int_equal(muster_result_status(result), 200);
                n_attempts += muster_result_n_attempts(result);
                muster_result_free(result);
        }
        return n_attempts;
}

/*
 * A server that takes ten requests a connection (nginx with keepalive_requests) has shown so with
 * the second one: no more are sent in vain.
 */
static void test_goaway_after_each_ten(void **state)
{
        struct world w;

        (void)state;
        begin(&w, (struct muster_client_options){ .concurrency = 100 }, take_ten);
        ask(&w, 1000, "/");
        assert_in_range(attempts_of_all(&w, 1000), 1000 + 90, 1000 + 2 * 90);
        assert_in_range(w.server.n_conns, 100, 102);
        end(&w);
}

/* Ten each from the first two connections, and from then on all that come. */
static struct h2_answer take_ten_at_first(struct h2_server *server, const struct h2_asked *asked)
{
        struct h2_answer answer = take_ten(server, asked);

        answer.goes_away &= asked->conn <= 2;
        return answer;
}

/* One that does so no more is found out by the first connection that goes on. */
static void test_goaway_no_more(void **state)
{
        struct world w;
        unsigned n_conns;

        (void)state;
        begin(&w, (struct muster_client_options){ .concurrency = 20 }, take_ten_at_first);
        ask(&w, 200, "/");
        attempts_of_all(&w, 200);
        n_conns = w.server.n_conns;
        assert_in_range(n_conns, 3, 4);
        assert_in_range(w.server.n_open, 1, 2);
        ask(&w, 200, "/");
        assert_int_equal(attempts_of_all(&w, 200), 200);
        assert_int_equal(w.server.n_conns, n_conns);
        end(&w);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_goaway),
                cmocka_unit_test(test_goaway_after_each_ten),
                cmocka_unit_test(test_goaway_no_more),
        };

        return cmocka_run_group_tests_name("flow_h2_goaway", tests, NULL, NULL);
}
