/* SPDX-License-Identifier: MIT */
/*
 * Proxies: whose connections serve whom, what the time of a tunnel is, and what is tried again
 *
 * The proxy is a script, and answers in place of servers as well. How it is asked, byte for byte, is
 * for the unit tests of tunnels and for real proxies to say.
 */
#include "fixture.h"

#include <base/str.h>
#include <stdlib.h>

#define OK        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
#define CONNECTED "HTTP/1.1 200 Connected\r\n\r\n"
#define N_HOSTS   4
#define NS(ms)    ((ms) * (uint64_t)NS_PER_MS)

static struct {
        unsigned n_connects, n_407;
        unsigned n_asked;                       /* SOCKS: requests to connect */
        char first_address[5], last_address[5]; /* SOCKS: type and bytes, of IPv4 */
} world;

static void start(struct fixture *f, const char *scheme, struct muster_client_options options,
        script_function answer)
{
        char proxy[80];

        memset(&world, 0, sizeof(world));
        script_server_listen(&f->server);
        snprintf(proxy, sizeof(proxy), "%s127.0.0.1:%u", scheme, f->server.port);
        options.size = sizeof(options);
        options.proxy = proxy;
        assert_int_equal(client_new_manual(&f->client, &options, START_NS), 0);
        script_server_begin(&f->server, &f->client->engine.loop, answer);
}

static void get(struct fixture *f, const char *url)
{
        assert_int_equal(muster_get(f->client, url, NULL), 0);
}

static bool is_connect(const char *head)
{
        return strncmp(head, "CONNECT ", 8) == 0;
}

/* --- one connection for all origins ---------------------------------------------------------- */

static struct script_answer answer_urls(struct script_server *server, const char *head, unsigned n)
{
        (void)server;
        (void)n;
        assert_true(path_is(head, "http://"));
        return (struct script_answer){ .bytes = OK };
}

static void test_connection_serves_all_origins(void **state)
{
        struct muster_client_stats stats;
        struct fixture f;

        (void)state;
        start(&f, "", (struct muster_client_options){ .concurrency = 1 }, answer_urls);
        for (int i = 0; i < 12; i++) {
                char url[40];

                snprintf(url, sizeof(url), "http://h%d.test/%d", i % 3, i);
                get(&f, url);
        }
        for (int i = 0; i < 12; i++) {
                struct muster_result *result = next_result(&f);
                struct muster_conn_info conn;

                assert_int_equal(muster_result_status(result), 200);
                muster_result_conn(result, &conn, sizeof(conn));
                assert_int_equal(conn.reuse_count, i);
                muster_result_free(result);
        }
        muster_client_stats(f.client, &stats, sizeof(stats));
        assert_int_equal(f.server.n_conns, 1);
        assert_int_equal(stats.n_conns_opened, 1);
        assert_int_equal(stats.n_conns_reused, 11);
        fixture_stop(&f);
}

/* Origins that nobody uses are forgotten, the connection that they had stays. */
static void test_more_origins_than_are_kept(void **state)
{
        struct fixture f;

        (void)state;
        start(&f, "http://", (struct muster_client_options){ .concurrency = 2 }, answer_urls);
        for (int i = 0; i < ORIGINS_KEPT + 200; i++) {
                char url[40];

                snprintf(url, sizeof(url), "http://h%d.test/", i);
                get(&f, url);
                expect_result(&f, MUSTER_OK, 200);
        }
        assert_int_equal(f.server.n_conns, 1);
        fixture_stop(&f);
}

static struct script_answer answer_slowly(struct script_server *server, const char *head,
        unsigned n)
{
        (void)server;
        (void)n;
        assert_true(path_is(head, "http://h"));
        return (struct script_answer){ .bytes = OK, .delay_ns = NS(100) };
}

/* A limit of a host counts the host: four hosts at one each take four connections, and 300 ms. */
static void test_per_host_counts_the_host(void **state)
{
        struct fixture f;

        (void)state;
        start(&f, "", (struct muster_client_options){ .per_host = 1 }, answer_slowly);
        for (int i = 0; i < 3 * N_HOSTS; i++) {
                char url[40];

                snprintf(url, sizeof(url), "http://h%d.test/", i % N_HOSTS);
                get(&f, url);
        }
        for (int i = 0; i < 3 * N_HOSTS; i++)
                expect_result(&f, MUSTER_OK, 200);
        assert_int_equal(f.server.n_busy_max, N_HOSTS);
        assert_int_equal(f.server.n_conns, N_HOSTS);
        assert_int_equal((fixture_now_ns(&f) - START_NS) / NS_PER_MS, 300);
        fixture_stop(&f);
}

static struct script_answer answer_and_close(struct script_server *server, const char *head,
        unsigned n)
{
        (void)server;
        (void)head;
        /* without a word, when the next request comes */
        return n == 2 ? (struct script_answer){ .closes = true }
                      : (struct script_answer){ .bytes = OK };
}

/* Another origin's request finds it closed: it is made again, and that costs no attempt. */
static void test_shared_connection_was_closed(void **state)
{
        struct fixture f;

        (void)state;
        start(&f, "", (struct muster_client_options){ .concurrency = 1 }, answer_and_close);
        get(&f, "http://a.test/");
        expect_result(&f, MUSTER_OK, 200);
        get(&f, "http://b.test/");
        expect_result(&f, MUSTER_OK, 200);
        assert_int_equal(f.server.n_conns, 2);
        assert_int_equal(f.server.n_requests, 3);
        fixture_stop(&f);
}

/* A connection that is allowed is no way to a host that is not: 169.254.169.254 has secrets. */
static void test_guard_is_not_passed(void **state)
{
        static const char *const hosts[] = { "a.test", "b.test", NULL };
        struct fixture f;

        (void)state;
        start(&f, "",
                (struct muster_client_options){
                        .concurrency = 1, .deny_private = true, .allow_hosts = hosts },
                answer_urls);
        for (int i = 0; i < 2; i++) {
                get(&f, "http://a.test/");
                expect_result(&f, MUSTER_OK, 200);
                get(&f, "http://169.254.169.254/");
                expect_result(&f, MUSTER_E_DENIED, 0);
                get(&f, "http://c.test/");
                expect_result(&f, MUSTER_E_DENIED, 0);
                get(&f, "http://b.test/");
                expect_result(&f, MUSTER_OK, 200);
        }
        assert_int_equal(f.server.n_requests, 4);
        assert_int_equal(f.server.n_conns, 2);
        fixture_stop(&f);
}

/* --- tunnels --------------------------------------------------------------------------------- */

static struct script_answer answer_tunnels(struct script_server *server, const char *head,
        unsigned n)
{
        (void)server;
        (void)n;
        if (is_connect(head)) {
                world.n_connects++;
                return (struct script_answer){ .bytes = CONNECTED, .delay_ns = NS(300) };
        }
        assert_true(path_is(head, "/"));
        return (struct script_answer){ .bytes = OK, .delay_ns = NS(50) };
}

static void test_tunnel_serves_one_origin(void **state)
{
        struct fixture f;

        (void)state;
        start(&f, "", (struct muster_client_options){ .concurrency = 1, .proxy_tunnel = true },
                answer_tunnels);
        for (int i = 0; i < 6; i++) {
                struct muster_result *result;

                get(&f, i % 2 ? "http://a.test/" : "http://b.test/");
                result = next_result(&f);
                assert_int_equal(muster_result_status(result), 200);
                assert_int_equal(phase_ms(result, MUSTER_PHASE_TUNNEL), i < 2 ? 300 : 0);
                muster_result_free(result);
        }
        assert_int_equal(world.n_connects, 2);
        assert_int_equal(f.server.n_conns, 2);
        fixture_stop(&f);
}

static void test_tunnel_hangs(void **state)
{
        static const char *const schemes[] = { "http://", "socks5h://", "socks4a://" };

        (void)state;
        for (size_t i = 0; i < 3; i++) {
                struct muster_result *result;
                struct fixture f;

                start(&f, schemes[i],
                        (struct muster_client_options){
                                .proxy_tunnel = true, .connect_timeout_ms = 700 },
                        script_hangs);
                get(&f, "http://a.test/");
                result = next_result(&f);
                assert_int_equal(code_of(result), MUSTER_E_TIMEOUT);
                assert_int_equal(muster_result_error(result)->stage, MUSTER_PHASE_TUNNEL);
                assert_int_equal(phase_ms(result, MUSTER_PHASE_TUNNEL), 700);
                muster_result_free(result);
                fixture_stop(&f);
        }
}

static struct script_answer refuse_first(struct script_server *server, const char *head, unsigned n)
{
        (void)server;
        if (!is_connect(head))
                return (struct script_answer){ .bytes = OK };
        world.n_connects++;
        return (struct script_answer){ .closes = n == 1,
                .bytes = n == 1 ? "HTTP/1.1 503 Later\r\nContent-Length: 0\r\n\r\n" : CONNECTED };
}

static struct script_answer refuse_always(struct script_server *server, const char *head,
        unsigned n)
{
        (void)server;
        (void)head;
        (void)n;
        world.n_connects++;
        return (struct script_answer){ .bytes = "HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n" };
}

/* Trouble on the way to the host may pass; the proxy's own rules do not. */
static void test_what_refusals_are_tried_again(void **state)
{
        const struct muster_client_options options = { .proxy_tunnel = true, .max_retries = 3 };
        struct fixture f;

        (void)state;
        start(&f, "", options, refuse_first);
        get(&f, "http://a.test/");
        expect_result(&f, MUSTER_OK, 200);
        assert_int_equal(world.n_connects, 2);
        fixture_stop(&f);
        start(&f, "", options, refuse_always);
        get(&f, "http://a.test/");
        expect_result(&f, MUSTER_E_PROXY, 0);
        assert_int_equal(world.n_connects, 1);
        fixture_stop(&f);
}

/* --- logging in ------------------------------------------------------------------------------ */

static struct script_answer answer_logins(struct script_server *server, const char *head,
        unsigned n)
{
        (void)server;
        (void)n;
        assert_null(strstr(head, "\r\nAuthorization:"));
        if (path_is(head, "/")) {
                assert_null(strstr(head, "Proxy-"));
                return (struct script_answer){ .bytes = OK };
        }
        if (strstr(head, "Proxy-Authorization: Digest username=\"ann\""))
                return (struct script_answer){ .bytes = is_connect(head) ? CONNECTED : OK };
        world.n_407++;
        return (struct script_answer){
                .bytes = "HTTP/1.1 407 Who\r\nProxy-Authenticate: Digest realm=\"r\", "
                         "nonce=\"n\", qop=\"auth\"\r\nContent-Length: 0\r\n\r\n"
        };
}

/* What one 407 has told serves all origins, in tunnels and out of them. */
static void test_login_is_the_proxys(void **state)
{
        (void)state;
        for (int tunnels = 0; tunnels < 2; tunnels++) {
                struct fixture f;

                start(&f, "http://ann:secret@",
                        (struct muster_client_options){ .concurrency = 1,
                                .proxy_auth = MUSTER_AUTH_DIGEST,
                                .proxy_tunnel = tunnels },
                        answer_logins);
                for (int i = 0; i < 6; i++) {
                        get(&f, i % 2 ? "http://a.test/" : "http://b.test/");
                        expect_result(&f, MUSTER_OK, 200);
                }
                assert_int_equal(world.n_407, 1);
                fixture_stop(&f);
        }
}

/* --- SOCKS ----------------------------------------------------------------------------------- */

/*
 * Connects to 127.0.0.2 alone. The greeting is "5 1 0", and so does a request to connect begin; a
 * type of address follows there.
 */
static struct script_answer answer_socks(struct script_server *server, const char *head, unsigned n)
{
        static const char refused[] = { 5, 5, 0, 1, 0, 0, 0, 0, 0, 0 };
        static const char granted[] = { 5, 0, 0, 1, 0, 0, 0, 0, 0, 0 };
        bool is_good = head[0] == 5 && memcmp(head + 3, "\1\177\0\0\2", 5) == 0;

        (void)server;
        (void)n;
        if (head[0] != 5)
                return (struct script_answer){ .bytes = OK };
        if (head[3] == 0)
                return (struct script_answer){ .bytes = "\5", .len = 2 };
        world.n_asked++;
        memcpy(world.n_asked == 1 ? world.first_address : world.last_address, head + 3, 5);
        return (struct script_answer){
                .bytes = is_good ? granted : refused, .len = sizeof(granted), .closes = !is_good
        };
}

static void test_addresses_in_turn(void **state)
{
        static const char *const all[] = { "h.test:80:127.0.0.3,127.0.0.4,127.0.0.2", NULL };
        static const char *const none[] = { "h.test:80:127.0.0.3,127.0.0.4", NULL };
        struct muster_result *result;
        struct fixture f;

        (void)state;
        start(&f, "socks5://", (struct muster_client_options){ .resolve = all }, answer_socks);
        get(&f, "http://h.test/");
        result = next_result(&f);
        assert_int_equal(muster_result_status(result), 200);
        assert_int_equal(muster_result_n_attempts(result), 1);
        muster_result_free(result);
        assert_int_equal(world.n_asked, 3);
        assert_memory_equal(world.first_address, "\1\177\0\0\3", 5);
        assert_memory_equal(world.last_address, "\1\177\0\0\2", 5);
        assert_int_equal(f.server.n_conns, 3);
        fixture_stop(&f);

        start(&f, "socks5://", (struct muster_client_options){ .resolve = none }, answer_socks);
        get(&f, "http://h.test/");
        result = next_result(&f);
        assert_int_equal(code_of(result), MUSTER_E_PROXY);
        assert_non_null(strstr(muster_result_error_text(result),
                " refused the tunnel to 127.0.0.4:80: connection refused (5) (2 addresses tried)"));
        muster_result_free(result);
        assert_int_equal(f.server.n_conns, 2);
        fixture_stop(&f);
}

static void test_name_is_left_to_the_proxy(void **state)
{
        struct fixture f;

        (void)state;
        start(&f, "socks5h://", (struct muster_client_options){ .concurrency = 1 }, answer_socks);
        get(&f, "http://h.test/");
        expect_result(&f, MUSTER_E_PROXY, 0);
        assert_int_equal(world.n_asked, 1);
        assert_memory_equal(world.first_address, "\3\6h.t", 5);
        fixture_stop(&f);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_connection_serves_all_origins),
                cmocka_unit_test(test_more_origins_than_are_kept),
                cmocka_unit_test(test_per_host_counts_the_host),
                cmocka_unit_test(test_shared_connection_was_closed),
                cmocka_unit_test(test_guard_is_not_passed),
                cmocka_unit_test(test_tunnel_serves_one_origin),
                cmocka_unit_test(test_tunnel_hangs),
                cmocka_unit_test(test_what_refusals_are_tried_again),
                cmocka_unit_test(test_login_is_the_proxys),
                cmocka_unit_test(test_addresses_in_turn),
                cmocka_unit_test(test_name_is_left_to_the_proxy),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
