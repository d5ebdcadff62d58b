/* SPDX-License-Identifier: MIT */
/*
 * What the options forbid is not connected: not at first, not after a redirect, not by any route
 *
 * All servers are on loopback, which is forbidden like any other address that is not of the internet.
 * Which those are, tests/unit/test_address_class.c has.
 */
#include "fixture.h"

#define YES "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nyes"

/* The port is known only when the server listens: each test has texts with it. */
static unsigned short port;
static char texts[4][120];
static char location[200];

static struct script_answer yes(struct script_server *server, const char *head, unsigned n)
{
        (void)server;
        (void)n;
        if (path_is(head, "/redirect"))
                return (struct script_answer){ .bytes = location };
        return (struct script_answer){ .bytes = YES };
}

static struct script_server other; /* in a loop of its own: it is only listened to */
static struct loop other_loop;
static struct clock other_clock = { .is_manual = true, .manual_ns = START_NS };

/* A server whose port is known before the client is made. */
static void open_server(void)
{
        int sys;

        assert_int_equal(loop_init(&other_loop, &other_clock, &sys), 0);
        script_server_start(&other, &other_loop, yes);
        port = other.port;
}

static void close_server(void)
{
        script_server_stop(&other);
        loop_deinit(&other_loop);
}

/* Nobody has connected to it. */
static void expect_untouched(void)
{
        for (int i = 0; i < 3; i++)
                assert_int_equal(loop_turn(&other_loop, other_clock.manual_ns), 0);
        assert_int_equal(other.n_conns, 0);
}

static const char *with_port(int i, const char *before, const char *after)
{
        snprintf(texts[i], sizeof(texts[i]), "%s%u%s", before, port, after);
        return texts[i];
}

static void expect_denied(struct muster_client *client, const char *url, const char *why)
{
        struct muster_result *result;
        struct muster_attempt attempt;

        assert_int_equal(muster_get(client, url, NULL), 0);
        result = muster_next(client);
        assert_non_null(result);
        check_sums(result);
        assert_int_equal(code_of(result), MUSTER_E_DENIED);
        if (!strstr(muster_result_error_text(result), why))
                fail_msg("%s: %s", url, muster_result_error_text(result));
        assert_int_equal(muster_result_error(result)->stage, MUSTER_PHASE_DNS);
        assert_int_equal(muster_result_phase_ns(result, MUSTER_PHASE_TCP), 0);
        assert_int_equal(muster_result_n_attempts(result), 1); /* and no retry */
        assert_int_equal(muster_result_attempt(result, 0, &attempt, sizeof(attempt)), 0);
        assert_int_equal(attempt.code, MUSTER_E_DENIED);
        muster_result_free(result);
}

/* A client that may not, with the server's port in its options, and this URL. */
static void expect_denied_with(struct muster_client_options *options, const char *url,
        const char *why)
{
        struct muster_client *client;

        options->size = sizeof(*options);
        options->max_retries = 3;
        assert_int_equal(client_new_manual(&client, options, START_NS), 0);
        expect_denied(client, url, why);
        expect_untouched();
        muster_client_free(client);
}

static void test_address_is_denied(void **state)
{
        (void)state;
        open_server();
        expect_denied_with(&(struct muster_client_options){ .deny_private = true },
                with_port(0, "http://127.0.0.1:", "/"), "denied: 127.0.0.1 is a loopback address");
        expect_denied_with(&(struct muster_client_options){ .deny_private = true },
                with_port(0, "http://0x7f.1:", "/"), "denied: 127.0.0.1 is");
        expect_denied_with(&(struct muster_client_options){ .deny_private = true },
                with_port(0, "http://localhost:", "/"), "denied: localhost: 127.0.0.1 is");
        expect_denied_with(&(struct muster_client_options){ .deny_private = true },
                with_port(0, "http://a.LOCALHOST.:", "/"), "127.0.0.1 is");
        close_server();
}

static void test_other_places_are_denied(void **state)
{
        const char *list[2] = { NULL, NULL };

        (void)state;
        open_server();
        list[0] = with_port(1, "h.test:", ":127.0.0.1");
        expect_denied_with(&(struct muster_client_options){ .deny_private = true, .resolve = list },
                with_port(0, "http://h.test:", "/"), "denied: h.test: 127.0.0.1 is a loopback");
        list[0] = with_port(1, "h.test::localhost:", "");
        expect_denied_with(&(struct muster_client_options){ .deny_private = true,
                                   .connect_to = list },
                "http://h.test/", "denied: localhost: 127.0.0.1 is a loopback");
        expect_denied_with(&(struct muster_client_options){ .deny_private = true,
                                   .unix_socket = "/tmp/nobody-listens-here" },
                "http://h.test/", "denied: the socket /tmp/nobody-listens-here is of this machine");
        close_server();
}

/* The allowed ones of a name are tried, and no others: 127.0.0.2 refuses, 127.0.0.1 would not. */
static void test_allowed_addresses_are_tried(void **state)
{
        const char *const resolve[] = { texts[1], NULL };
        static const char *const hosts[] = { "127.0.0.2", NULL };
        struct muster_client_options options = { .size = sizeof(options),
                .deny_private = true,
                .resolve = resolve,
                .allow_hosts = hosts };
        struct muster_client *client;
        struct muster_result *result;

        (void)state;
        open_server();
        with_port(1, "h.test:", ":127.0.0.1,127.0.0.2,127.0.0.1");
        assert_int_equal(client_new_manual(&client, &options, START_NS), 0);
        muster_get(client, with_port(0, "http://h.test:", "/"), NULL);
        result = muster_next(client);
        assert_int_equal(code_of(result), MUSTER_E_CONNECT);
        assert_non_null(strstr(muster_result_error_text(result), "connect: 127.0.0.2:"));
        assert_non_null(strstr(muster_result_error_text(result), "(1 address tried)"));
        muster_result_free(result);
        expect_untouched();
        muster_client_free(client);
        close_server();
}

static void test_ports_and_hosts(void **state)
{
        static const char *const ports[] = { "80", NULL }, *const hosts[] = { "h.test", NULL };

        (void)state;
        open_server();
        expect_denied_with(&(struct muster_client_options){ .allow_ports = ports },
                with_port(0, "http://127.0.0.1:", "/"), "is not among the allowed ones");
        expect_denied_with(&(struct muster_client_options){ .allow_hosts = hosts },
                with_port(0, "http://127.0.0.1:", "/"), "is not among the allowed hosts");
        close_server();
}

/* --- with a server that answers -------------------------------------------------------------- */

static const char *const ok_hosts[] = { "ok.localhost", NULL };

static void start_allowed(struct fixture *f)
{
        fixture_start(f,
                &(struct muster_client_options){ .size = sizeof(struct muster_client_options),
                        .deny_private = true,
                        .max_retries = 2,
                        .allow_hosts = ok_hosts },
                yes);
        port = f->server.port;
}

static void test_redirect_is_checked(void **state)
{
        static const char *const targets[] = { "http://127.0.0.1:", "http://bad.localhost:",
                "http://[::ffff:127.0.0.1]:", "//0:", "//017700000001:",
                "http://ok.localhost.bad.localhost:", "http://xok.localhost:" };
        struct fixture f;

        (void)state;
        start_allowed(&f);
        for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
                struct muster_result *result;
                snprintf(location, sizeof(location),
                        "HTTP/1.1 302 Found\r\nLocation: %s\r\nContent-Length: 0\r\n\r\n",
                        with_port(3, targets[i], "/"));
                muster_get(f.client, with_port(0, "http://ok.localhost:", "/redirect"), NULL);
                result = next_result(&f);
                assert_int_equal(code_of(result), MUSTER_E_DENIED);
                assert_int_equal(muster_result_n_redirects(result), 1);
                assert_int_equal(muster_result_n_attempts(result), 2);
                assert_int_equal(f.server.n_requests, i + 1);
                muster_result_free(result);
        }
        assert_int_equal(f.server.n_conns, 1);
        fixture_stop(&f);
}

/* An open connection to the same address is of an allowed origin, and of no other. */
static void test_connection_is_of_its_origin(void **state)
{
        struct fixture f;

        (void)state;
        start_allowed(&f);
        for (int i = 0; i < 3; i++) {
                muster_get(f.client, with_port(0, "http://ok.localhost:", "/"), NULL);
                expect_result(&f, MUSTER_OK, 200);
                expect_denied(f.client, with_port(1, "http://bad.localhost:", "/"),
                        "denied: bad.localhost: 127.0.0.1");
                expect_denied(f.client, with_port(2, "http://127.0.0.1:", "/"),
                        "denied: 127.0.0.1 is");
        }
        assert_int_equal(f.server.n_conns, 1);
        assert_int_equal(f.server.n_requests, 3);
        fixture_stop(&f);
}

/* Many at once, some of them allowed: each gets its own answer. */
static void test_denied_among_others(void **state)
{
        unsigned n_denied = 0, n_good = 0;
        struct fixture f;

        (void)state;
        start_allowed(&f);
        for (int i = 0; i < 100; i++) {
                with_port(0, i % 3 ? "http://bad.localhost:" : "http://ok.localhost:", "/");
                muster_get(f.client, texts[0], NULL);
        }
        for (int i = 0; i < 100; i++) {
                struct muster_result *result = next_result(&f);

                n_denied += code_of(result) == MUSTER_E_DENIED;
                n_good += code_of(result) == MUSTER_OK;
                muster_result_free(result);
        }
        assert_int_equal(n_good, 34);
        assert_int_equal(n_denied, 66);
        assert_int_equal(f.server.n_requests, 34);
        fixture_stop(&f);
}

/* --- proxies --------------------------------------------------------------------------------- */

/* What the proxy would connect to cannot be checked here, or is an address that is forbidden. */
static void test_behind_a_proxy(void **state)
{
        static const char *const schemes[] = { "http", "https", "socks4a", "socks5h" };

        (void)state;
        open_server();
        for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
                char before[40];
                struct muster_client_options options = { .deny_private = true, .proxy = texts[1] };

                snprintf(before, sizeof(before), "%s://127.0.0.1:", schemes[i]);
                with_port(1, before, "");
                expect_denied_with(&options, "http://example.com/",
                        "denied: where example.com leads is known to the proxy");
                expect_denied_with(&options, "https://localhost/", "is known to the proxy");
                expect_denied_with(&options, "https://10.1/", "denied: 10.0.0.1 is a private");
                expect_denied_with(&options, "http://[::ffff:8.8.8.8]/",
                        "denied: ::ffff:8.8.8.8 is an IPv4-mapped");
        }
        close_server();
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_address_is_denied),
                cmocka_unit_test(test_other_places_are_denied),
                cmocka_unit_test(test_allowed_addresses_are_tried),
                cmocka_unit_test(test_ports_and_hosts),
                cmocka_unit_test(test_redirect_is_checked),
                cmocka_unit_test(test_connection_is_of_its_origin),
                cmocka_unit_test(test_denied_among_others),
                cmocka_unit_test(test_behind_a_proxy),
        };

        return cmocka_run_group_tests_name("guard", tests, NULL, NULL);
}
