/* SPDX-License-Identifier: MIT */
/*
 * HTTP/2: many requests on a connection, and what a server may do to them
 */
#include "h2_world.h"

static struct h2_answer hello(struct h2_server *server, const struct h2_asked *asked)
{
        (void)server;
        (void)asked;
        return (struct h2_answer){ .status = 200, .body = "hello" };
}

static void test_get(void **state)
{
        struct world w;
        struct muster_result *result;

        (void)state;
        begin(&w, (struct muster_client_options){ 0 }, hello);
        ask(&w, 1, "/a?b");
        result = next_result(&w.f);
        assert_string_equal(muster_result_error_text(result), "");
        assert_int_equal(muster_result_status(result), 200);
        assert_int_equal(muster_result_http_version(result), 20);
        assert_string_equal(muster_result_body(result), "hello");
        assert_true(str_is(muster_result_header(result, "content-length"), "5"));
        muster_result_free(result);
        end(&w);
}

static struct h2_answer later(struct h2_server *server, const struct h2_asked *asked)
{
        (void)server;
        (void)asked;
        return (struct h2_answer){ .status = 200, .body = "x", .delay_ns = 100 * NS_PER_MS };
}

static void test_requests_share_a_connection(void **state)
{
        struct world w;
        struct muster_client_stats stats;

        (void)state;
        begin(&w, (struct muster_client_options){ .concurrency = 50 }, later);
        ask(&w, 200, "/");
        expect_all(&w, 200, MUSTER_OK, 200);
        assert_int_equal(w.server.n_conns, 1);
        assert_int_equal(w.server.n_busy_max, 50);
        muster_client_stats(w.client, &stats, sizeof(stats));
        assert_int_equal(stats.n_conns_opened, 1);
        assert_int_equal(stats.n_conns_reused, 199);
        assert_int_equal(stats.n_attempts, 200);
        end(&w);
}

/* The server allows 8 streams: more connections are opened, as many as are needed. */
static void test_more_connections_for_more_streams(void **state)
{
        struct world w;

        (void)state;
        begin(&w, (struct muster_client_options){ .concurrency = 20 }, later);
        w.server.max_streams = 8;
        ask(&w, 60, "/");
        expect_all(&w, 60, MUSTER_OK, 200);
        assert_int_equal(w.server.n_conns, 3);
        assert_int_equal(w.server.n_busy_max, 20);
        end(&w);
}

static void test_requests_wait_for_a_stream(void **state)
{
        struct world w;
        uint64_t queue_ms = 0;

        (void)state;
        begin(&w, (struct muster_client_options){ .concurrency = 20, .h2_conns = 1 }, later);
        w.server.max_streams = 5;
        ask(&w, 1, "/");
        expect_all(&w, 1, MUSTER_OK, 200); /* now the limit is known */
        ask(&w, 20, "/");
        for (int i = 0; i < 20; i++) {
                struct muster_result *result = next_result(&w.f);

                assert_int_equal(muster_result_status(result), 200);
                assert_int_equal(muster_result_n_attempts(result), 1);
                queue_ms += phase_ms(result, MUSTER_PHASE_QUEUE);
                muster_result_free(result);
        }
        assert_int_equal(w.server.n_conns, 1);
        assert_int_equal(w.server.n_busy_max, 5);
        assert_in_range(queue_ms, 5 * (100 + 200 + 300), 5 * (100 + 200 + 300) + 20);
        end(&w);
}

/* Before the server's SETTINGS, nobody opens a second connection for fear of no room. */
static void test_settings_are_awaited(void **state)
{
        struct world w;

        (void)state;
        begin(&w, (struct muster_client_options){ .concurrency = 300 }, later);
        w.server.max_streams = 300;
        w.server.settings_delay_ns = 50 * NS_PER_MS;
        ask(&w, 300, "/");
        expect_all(&w, 300, MUSTER_OK, 200);
        assert_int_equal(w.server.n_conns, 1);
        assert_int_equal(w.server.n_busy_max, 300);
        end(&w);
}

/* --- what fails alone, and what is repeated -------------------------------------------------- */

static struct h2_answer reset_second(struct h2_server *server, const struct h2_asked *asked)
{
        (void)server;
        if (asked->n == 2)
                return (struct h2_answer){ .status = 200,
                        .body_bytes = 100,
                        .reset = 2 /* INTERNAL_ERROR */,
                        .resets_late = false };
        return (struct h2_answer){ .status = 200, .delay_ns = 10 * NS_PER_MS };
}

static void test_a_reset_fails_one_request(void **state)
{
        struct world w;
        unsigned n_failed = 0;

        (void)state;
        begin(&w, (struct muster_client_options){ .concurrency = 10 }, reset_second);
        ask(&w, 10, "/");
        for (int i = 0; i < 10; i++) {
                struct muster_result *result = next_result(&w.f);

                n_failed += code_of(result) == MUSTER_E_CLOSED;
                if (code_of(result))
                        assert_non_null(strstr(muster_result_error_text(result), "INTERNAL_ERROR"));
                muster_result_free(result);
        }
        assert_int_equal(n_failed, 1);
        assert_int_equal(w.server.n_conns, 1);
        end(&w);
}

static struct h2_answer refuse_first(struct h2_server *server, const struct h2_asked *asked)
{
        (void)server;
        if (asked->n <= 2)
                return (struct h2_answer){ .reset = 7 /* REFUSED_STREAM */ };
        return (struct h2_answer){ .status = 200 };
}

/* It is certain that the server did nothing: a POST is repeated as well. */
static void test_refused_streams_are_repeated(void **state)
{
        /* [9113 8.7 retried] */
        struct world w;
        struct muster_result *result;

        (void)state;
        begin(&w, (struct muster_client_options){ 0 }, refuse_first);
        assert_int_equal(muster_submit(w.client, muster_request_new("POST", h2_url(&w.server, "/")),
                                 NULL),
                0);
        result = next_result(&w.f);
        assert_int_equal(code_of(result), MUSTER_OK);
        assert_int_equal(muster_result_n_attempts(result), 3);
        muster_result_free(result);
        assert_int_equal(w.server.n_conns, 1);
        end(&w);
}

static struct h2_answer refuse(struct h2_server *server, const struct h2_asked *asked)
{
        (void)server;
        (void)asked;
        return (struct h2_answer){ .reset = 7 };
}

static void test_repeating_has_an_end(void **state)
{
        struct world w;
        struct muster_result *result;

        (void)state;
        begin(&w, (struct muster_client_options){ 0 }, refuse);
        ask(&w, 1, "/");
        result = next_result(&w.f);
        assert_int_equal(code_of(result), MUSTER_E_CLOSED);
        assert_non_null(strstr(muster_result_error_text(result), "REFUSED_STREAM"));
        assert_int_equal(muster_result_n_attempts(result), 4);
        muster_result_free(result);
        end(&w);
}

/* The first connection tells how many streams there are: the next ones are not asked for more. */
static void test_few_streams_for_many(void **state)
{
        struct world w;

        (void)state;
        begin(&w, (struct muster_client_options){ .concurrency = 50 }, later);
        w.server.max_streams = 5;
        ask(&w, 200, "/");
        expect_all(&w, 200, MUSTER_OK, 200);
        assert_int_equal(w.server.n_conns, 10);
        end(&w);
}

static struct h2_answer close_on_third(struct h2_server *server, const struct h2_asked *asked)
{
        (void)server;
        if (asked->n == 3)
                return (struct h2_answer){ .closes = true };
        return (struct h2_answer){ .status = 200 };
}

/* A reused connection that ends without an answer: GET is repeated once, POST is not. */
static void test_lost_connection(void **state)
{
        struct world w;

        (void)state;
        begin(&w, (struct muster_client_options){ .concurrency = 1 }, close_on_third);
        ask(&w, 3, "/");
        expect_all(&w, 3, MUSTER_OK, 200);
        assert_int_equal(w.server.n_requests, 4);
        w.server.n_requests = 2;
        assert_int_equal(muster_submit(w.client, muster_request_new("POST", h2_url(&w.server, "/")),
                                 NULL),
                0);
        expect_result(&w.f, MUSTER_E_CLOSED, 0);
        end(&w);
}

/* --- time and slow readers ------------------------------------------------------------------- */

static struct h2_answer hang_on_slow(struct h2_server *server, const struct h2_asked *asked)
{
        (void)server;
        if (!strcmp(asked->path, "/hang"))
                return (struct h2_answer){ 0 };
        return (struct h2_answer){ .status = 200, .delay_ns = 300 * NS_PER_MS };
}

static void test_a_timeout_resets_one_stream(void **state)
{
        struct world w;

        (void)state;
        begin(&w, (struct muster_client_options){ .concurrency = 4, .total_timeout_ms = 500 },
                hang_on_slow);
        ask(&w, 1, "/hang");
        ask(&w, 3, "/");
        expect_all(&w, 3, MUSTER_OK, 200);
        expect_all(&w, 1, MUSTER_E_TIMEOUT, 0);
        ask(&w, 1, "/");
        expect_all(&w, 1, MUSTER_OK, 200);
        assert_int_equal(w.server.n_conns, 1);
        assert_int_equal(w.server.n_resets, 1);
        end(&w);
}

static struct h2_answer and_no_more(struct h2_server *server, const struct h2_asked *asked)
{
        (void)server;
        (void)asked;
        return (struct h2_answer){ .status = 200, .delay_ns = NS_PER_MS, .allows_none = true };
}

/* A server that allows no stream any more does not hold requests for ever. */
static void test_no_stream_at_all(void **state)
{
        struct world w;
        uint64_t begun_ns;

        (void)state;
        begin(&w, (struct muster_client_options){ .concurrency = 2, .h2_conns = 1 }, and_no_more);
        ask(&w, 1, "/");
        expect_all(&w, 1, MUSTER_OK, 200);
        begun_ns = w.client->engine.loop.now_ns;
        ask(&w, 2, "/");
        expect_all(&w, 2, MUSTER_OK, 200);
        assert_in_range((w.client->engine.loop.now_ns - begun_ns) / NS_PER_MS, 9990, 10100);
        assert_int_equal(w.server.n_conns, 2);
        end(&w);
}

/* A dead connection that had been idle is found out by a PING, and its request is repeated. */
static void test_ping_after_long_idleness(void **state)
{
        struct world w;
        uint64_t began_ns;

        (void)state;
        begin(&w, (struct muster_client_options){ 0 }, hello);
        ask(&w, 1, "/");
        expect_all(&w, 1, MUSTER_OK, 200);
        w.client->engine.clock.manual_ns += 20 * NS_PER_S;
        ask(&w, 1, "/");
        expect_all(&w, 1, MUSTER_OK, 200);
        assert_int_equal(w.server.n_pings, 1);
        w.client->engine.clock.manual_ns += 20 * NS_PER_S;
        w.server.is_deaf = true;
        began_ns = w.client->engine.clock.manual_ns;
        ask(&w, 1, "/");
        while (w.server.n_conns == 1)
                assert_int_equal(client_turn(w.client), 0);
        w.server.is_deaf = false;
        assert_in_range(w.client->engine.clock.manual_ns - began_ns, 5 * NS_PER_S,
                5 * NS_PER_S + 50 * NS_PER_MS);
        expect_all(&w, 1, MUSTER_OK, 200);
        assert_int_equal(w.server.n_conns, 2);
        end(&w);
}

static struct h2_answer large(struct h2_server *server, const struct h2_asked *asked)
{
        (void)server;
        if (!strcmp(asked->path, "/large"))
                return (struct h2_answer){ .status = 200, .body_bytes = 30 * 1000 * 1000 };
        return (struct h2_answer){ .status = 200, .body_bytes = 100 * 1000 };
}

/* Nobody reads a stream: it stops, and the others go on. */
static void test_a_slow_reader_stops_its_own_stream(void **state)
{
        struct muster_request_options stream = { .size = sizeof(stream), .stream = true };
        struct world w;
        struct muster_request *request;
        struct muster_result *slow;
        static char buffer[1 << 16];
        uint64_t total = 0;
        size_t n;

        (void)state;
        begin(&w, (struct muster_client_options){ .concurrency = 4 }, large);
        request = muster_request_new("GET", h2_url(&w.server, "/large"));
        muster_request_set_options(request, &stream);
        assert_int_equal(muster_submit(w.client, request, NULL), 0);
        slow = muster_next(w.client);
        assert_non_null(slow);
        ask(&w, 100, "/small");
        expect_all(&w, 100, MUSTER_OK, 200);
        assert_int_equal(w.server.n_conns, 1);
        assert_true(muster_result_wire_bytes(slow) < 20 * 1000 * 1000);
        while (muster_result_read(slow, buffer, sizeof(buffer), &n) == 0)
                total += n;
        assert_int_equal(total, 30 * 1000 * 1000);
        muster_result_free(slow);
        end(&w);
}

/* --- uploads --------------------------------------------------------------------------------- */

static struct h2_answer count_body(struct h2_server *server, const struct h2_asked *asked)
{
        static char text[32];

        (void)server;
        snprintf(text, sizeof(text), "%zu", asked->body_bytes);
        return (struct h2_answer){ .status = 200, .body = text };
}

static int give_a_million(void *argument, void *buffer, size_t size, size_t *ret_n)
{
        size_t *left = argument;

        *ret_n = size < *left ? size : *left;
        memset(buffer, 'u', *ret_n);
        *left -= *ret_n;
        return 0;
}

static void expect_echo(struct world *w, const char *text)
{
        struct muster_result *result = next_result(&w->f);

        assert_string_equal(muster_result_error_text(result), "");
        assert_string_equal(muster_result_body(result), text);
        muster_result_free(result);
}

static void test_uploads(void **state)
{
        static char body[200 * 1000];
        struct world w;
        struct muster_request *request;
        size_t left = 1000 * 1000;

        (void)state;
        begin(&w, (struct muster_client_options){ 0 }, count_body);
        request = muster_request_new("POST", h2_url(&w.server, "/"));
        assert_int_equal(muster_request_set_body(request, body, sizeof(body)), 0);
        assert_int_equal(muster_submit(w.client, request, NULL), 0);
        expect_echo(&w, "200000");
        request = muster_request_new("POST", h2_url(&w.server, "/"));
        assert_int_equal(muster_request_set_body_pull(request, MUSTER_SIZE_UNKNOWN, give_a_million,
                                 NULL, &left),
                0);
        assert_int_equal(muster_submit(w.client, request, NULL), 0);
        expect_echo(&w, "1000000");
        request = muster_request_new("POST", h2_url(&w.server, "/"));
        assert_int_equal(muster_request_set_body(request, "", 0), 0);
        assert_int_equal(muster_submit(w.client, request, NULL), 0);
        expect_echo(&w, "0");
        assert_int_equal(w.server.n_conns, 1);
        end(&w);
}

/* --- the others ------------------------------------------------------------------------------ */

static void test_cancelling_all(void **state)
{
        struct world w;

        (void)state;
        begin(&w, (struct muster_client_options){ .concurrency = 5 }, hang_on_slow);
        ask(&w, 20, "/hang");
        for (int i = 0; i < 5; i++)
                assert_int_equal(client_turn(w.client), 0);
        muster_cancel_all(w.client);
        expect_all(&w, 20, MUSTER_E_CANCELLED, 0);
        ask(&w, 1, "/");
        expect_all(&w, 1, MUSTER_OK, 200);
        assert_int_equal(w.server.n_conns, 1);
        end(&w);
}

static struct script_answer old_server(struct script_server *server, const char *head, unsigned n)
{
        (void)server;
        (void)head;
        (void)n;
        return (struct script_answer){ .bytes = "HTTP/1.1 400 Bad Request\r\n\r\n",
                .closes = true };
}

static void test_a_server_of_http_1(void **state)
{
        struct muster_client_options options = { .size = sizeof(options),
                .http = MUSTER_HTTP_2_PRIOR_KNOWLEDGE };
        struct fixture f;

        (void)state;
        fixture_start(&f, &options, old_server);
        for (int i = 0; i < 3; i++)
                assert_int_equal(muster_get(f.client, script_url(&f.server, "/"), NULL), 0);
        for (int i = 0; i < 3; i++)
                expect_result(&f, MUSTER_E_PROTOCOL, 0);
        fixture_stop(&f);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_get),
                cmocka_unit_test(test_requests_share_a_connection),
                cmocka_unit_test(test_more_connections_for_more_streams),
                cmocka_unit_test(test_requests_wait_for_a_stream),
                cmocka_unit_test(test_settings_are_awaited),
                cmocka_unit_test(test_a_reset_fails_one_request),
                cmocka_unit_test(test_refused_streams_are_repeated),
                cmocka_unit_test(test_repeating_has_an_end),
                cmocka_unit_test(test_few_streams_for_many),
                cmocka_unit_test(test_lost_connection),
                cmocka_unit_test(test_a_timeout_resets_one_stream),
                cmocka_unit_test(test_no_stream_at_all),
                cmocka_unit_test(test_ping_after_long_idleness),
                cmocka_unit_test(test_a_slow_reader_stops_its_own_stream),
                cmocka_unit_test(test_uploads),
                cmocka_unit_test(test_cancelling_all),
                cmocka_unit_test(test_a_server_of_http_1),
        };

        return cmocka_run_group_tests_name("flow_h2", tests, NULL, NULL);
}
