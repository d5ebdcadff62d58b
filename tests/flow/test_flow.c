/* SPDX-License-Identifier: MIT */
/*
 * From submit to result: methods, bodies, reuse, redirects, cancelling
 */
#include "fixture.h"

#include <sys/select.h>

#define HELLO "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-A: 1\r\nx-a: 2\r\n\r\nhello"

static struct script_answer hello(struct script_server *server, const char *head, unsigned n)
{
        (void)server;
        (void)head;
        (void)n;
        return (struct script_answer){ .bytes = HELLO };
}

static void test_get(void **state)
{
        struct fixture f;
        struct muster_result *result;
        struct muster_conn_info conn;
        int mark;

        (void)state;
        fixture_start(&f, NULL, hello);
        assert_int_equal(muster_get(f.client, script_url(&f.server, "/a?b#c"), &mark), 0);
        result = next_result(&f);
        assert_null(muster_result_error(result));
        assert_string_equal(muster_result_error_text(result), "");
        assert_ptr_equal(muster_result_userdata(result), &mark);
        assert_int_equal(muster_result_id(result), 1);
        assert_int_equal(muster_result_status(result), 200);
        assert_int_equal(muster_result_http_version(result), 11);
        assert_string_equal(muster_result_body(result), "hello");
        assert_int_equal(muster_result_body_size(result), 5);
        assert_int_equal(muster_result_wire_bytes(result), 5);
        assert_string_equal(muster_result_method(result), "GET");
        assert_string_equal(muster_result_url(result), script_url(&f.server, "/a?b#c"));
        assert_string_equal(muster_result_final_url(result), script_url(&f.server, "/a?b"));
        assert_int_equal(muster_result_n_headers(result), 3);
        assert_true(str_is(muster_result_header(result, "X-a"), "1"));
        assert_true(str_is(muster_result_header_name(result, 2), "x-a"));
        assert_true(str_is(muster_result_header_value(result, 2), "2"));
        assert_null(muster_result_header(result, "none").at);
        assert_null(muster_result_header_value(result, 3).at);
        muster_result_conn(result, &conn, sizeof(conn));
        assert_int_equal(conn.id, 1);
        assert_int_equal(conn.reuse_count, 0);
        assert_string_equal(conn.tls_version, "");
        assert_true(strstr(f.server.last_head, "GET /a?b HTTP/1.1\r\nHost: 127.0.0.1:") ==
                    f.server.last_head);
        muster_result_free(result);
        assert_null(muster_next(f.client));
        fixture_stop(&f);
}

static void test_connection_is_reused(void **state)
{
        struct fixture f;
        struct muster_client_stats stats;

        (void)state;
        fixture_start(&f, &(struct muster_client_options){ .concurrency = 3 }, hello);
        for (int i = 0; i < 20; i++)
                assert_int_equal(muster_get(f.client, script_url(&f.server, "/"), NULL), 0);
        for (int i = 0; i < 20; i++)
                expect_result(&f, MUSTER_OK, 200);
        assert_int_equal(f.server.n_conns, 3);
        muster_client_stats(f.client, &stats, sizeof(stats));
        assert_int_equal(stats.n_conns_opened, 3);
        assert_int_equal(stats.n_conns_reused, 17);
        assert_int_equal(stats.n_attempts, 20);
        assert_int_equal(stats.n_finished, 20);
        assert_int_equal(stats.n_queued, 0);
        fixture_stop(&f);
}

static void test_bad_urls_are_results(void **state)
{
        static const char *const urls[] = { "", "nonsense", "ftp://h/", "http://",
                "http://h:99999/" };
        struct fixture f;

        (void)state;
        fixture_start(&f, NULL, hello);
        for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++)
                assert_int_equal(muster_get(f.client, urls[i], NULL), 0);
        for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
                struct muster_result *result = next_result(&f);

                assert_int_equal(code_of(result), MUSTER_E_URL);
                assert_string_equal(muster_result_url(result), urls[i]);
                assert_string_equal(muster_result_final_url(result), "");
                assert_int_equal(muster_result_n_attempts(result), 0);
                muster_result_free(result);
        }
        fixture_stop(&f);
}

static struct script_answer echo_head(struct script_server *server, const char *head, unsigned n)
{
        static char answer[9000];

        (void)n;
        (void)server;
        snprintf(answer, sizeof(answer), "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n%s",
                strlen(head), head);
        return (struct script_answer){ .bytes = answer };
}

static void test_post(void **state)
{
        /* [9112 2.2 no-extra-crlf] */
        struct fixture f;
        struct muster_request *request;
        struct muster_result *result;
        const char *echoed;

        (void)state;
        fixture_start(&f, NULL, echo_head);
        request = muster_request_new("POST", script_url(&f.server, "/form"));
        assert_string_equal(muster_request_url(request), script_url(&f.server, "/form"));
        assert_int_equal(muster_request_add_header(request, "Content-Type", "text/plain"), 0);
        assert_int_equal(muster_request_add_header(request, "User-Agent", NULL), 0);
        assert_int_equal(muster_request_add_header(request, "Bad Name", "x"), MUSTER_E_INVALID);
        assert_int_equal(muster_request_error(request)->code, MUSTER_E_INVALID);
        assert_int_equal(muster_request_add_header(request, "X", "a\r\nEvil: 1"), MUSTER_E_INVALID);
        assert_int_equal(muster_request_add_header(request, "content-length", "9"),
                MUSTER_E_INVALID);
        assert_int_equal(muster_request_set_body(request, "a=1", 3), 0);
        assert_int_equal(muster_request_set_basic_auth(request, "us:er", "x"), MUSTER_E_INVALID);
        assert_int_equal(muster_request_set_basic_auth(request, "Aladdin", "open sesame"), 0);
        assert_int_equal(muster_submit(f.client, request, NULL), 0);
        result = next_result(&f);
        assert_null(muster_result_error(result));
        echoed = muster_result_body(result);
        assert_non_null(strstr(echoed, "POST /form HTTP/1.1\r\n"));
        assert_non_null(strstr(echoed, "Content-Type: text/plain\r\n"));
        assert_non_null(strstr(echoed, "Content-Length: 3\r\n"));
        assert_non_null(strstr(echoed, "Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n"));
        assert_non_null(strstr(echoed, "\r\n\r\na=1"));
        assert_null(strstr(echoed, "User-Agent"));
        assert_null(strstr(echoed, "Evil"));
        muster_result_free(result);
        fixture_stop(&f);
}

static void expect_invalid(struct fixture *f, struct muster_request *request, const char *text)
{
        struct muster_result *result;

        assert_int_equal(muster_submit(f->client, request, NULL), 0);
        result = next_result(f);
        assert_int_equal(code_of(result), MUSTER_E_INVALID);
        assert_string_equal(muster_result_error_text(result), text);
        assert_int_equal(muster_result_n_attempts(result), 0);
        muster_result_free(result);
}

/* CONNECT is no request for a URL, and what TRACE sends comes back to whoever asks. */
static void test_methods_with_rules_of_their_own(void **state)
{
        /* [9110 7.1 other-forms] [9110 9.3.8 trace-content] [9110 9.3.8 trace-secrets] */
        struct muster_jar *jar = muster_jar_new();
        struct fixture f;
        struct muster_request *request;
        struct muster_result *result;

        (void)state;
        fixture_start(&f,
                &(struct muster_client_options){
                        .size = sizeof(struct muster_client_options), .cookies = jar },
                echo_head);
        expect_invalid(&f, muster_request_new("CONNECT", script_url(&f.server, "/")),
                "invalid: CONNECT opens a tunnel, which muster does not support");
        request = muster_request_new("TRACE", script_url(&f.server, "/"));
        assert_int_equal(muster_request_set_body(request, "a", 1), 0);
        expect_invalid(&f, request, "invalid: TRACE has no body (RFC 9110 section 9.3.8)");

        assert_int_equal(muster_jar_set(jar, script_url(&f.server, "/"), "secret=1"), 0);
        for (int is_trace = 0; is_trace < 2; is_trace++) {
                request =
                        muster_request_new(is_trace ? "TRACE" : "GET", script_url(&f.server, "/"));
                assert_int_equal(muster_request_set_basic_auth(request, "user", "secret"), 0);
                assert_int_equal(muster_submit(f.client, request, NULL), 0);
                result = next_result(&f);
                assert_int_equal(!strstr(muster_result_body(result), "\r\nCookie: "), is_trace);
                assert_int_equal(!strstr(muster_result_body(result), "\r\nAuthorization: "),
                        is_trace);
                muster_result_free(result);
        }
        fixture_stop(&f);
        muster_jar_free(jar);
}

static struct script_answer redirects(struct script_server *server, const char *head, unsigned n)
{
        (void)server;
        (void)n;
        if (path_is(head, "/303"))
                return (struct script_answer){ .bytes = "HTTP/1.1 303 See Other\r\nLocation: "
                                                        "/end\r\nContent-Length: 4\r\n\r\nmore" };
        if (path_is(head, "/307"))
                return (struct script_answer){
                        .bytes = "HTTP/1.1 307 T\r\nLocation: end?x\r\nContent-Length: 0\r\n\r\n"
                };
        if (path_is(head, "/loop"))
                return (struct script_answer){
                        .bytes = "HTTP/1.1 302 F\r\nLocation: /loop\r\nContent-Length: 0\r\n\r\n"
                };
        if (path_is(head, "/bad"))
                return (struct script_answer){
                        .bytes = "HTTP/1.1 302 F\r\nLocation: ftp://x/\r\nContent-Length: 0\r\n\r\n"
                };
        return echo_head(server, head, n);
}

static struct muster_result *post_to(struct fixture *f, const char *path)
{
        struct muster_request *request = muster_request_new("POST", script_url(&f->server, path));

        muster_request_set_body(request, "body!", 5);
        assert_int_equal(muster_submit(f->client, request, NULL), 0);
        return next_result(f);
}

static void test_redirects(void **state)
{
        struct fixture f;
        struct muster_result *result;

        (void)state;
        fixture_start(&f, NULL, redirects);
        result = post_to(&f, "/303");
        assert_int_equal(muster_result_status(result), 200);
        assert_int_equal(muster_result_n_redirects(result), 1);
        assert_int_equal(muster_result_n_attempts(result), 2);
        assert_string_equal(muster_result_final_url(result), script_url(&f.server, "/end"));
        assert_non_null(strstr(muster_result_body(result), "GET /end"));
        assert_null(strstr(muster_result_body(result), "Content-Length"));
        muster_result_free(result);

        result = post_to(&f, "/307");
        assert_non_null(strstr(muster_result_body(result), "POST /end?x"));
        assert_non_null(strstr(muster_result_body(result), "body!"));
        muster_result_free(result);

        result = post_to(&f, "/loop");
        assert_int_equal(code_of(result), MUSTER_E_REDIRECT);
        /* POST, GET, and GET once more. */
        assert_int_equal(muster_result_n_redirects(result), 2);
        assert_non_null(strstr(muster_result_error_text(result), "/loop leads to itself"));
        muster_result_free(result);

        result = post_to(&f, "/bad");
        assert_int_equal(code_of(result), MUSTER_E_REDIRECT);
        assert_int_equal(muster_result_status(result), 302);
        muster_result_free(result);
        assert_int_equal(f.server.n_conns,
                2); /* a refused redirect costs its connection, nothing else does */
        fixture_stop(&f);
}

static struct script_answer crosses_to_user(struct script_server *server, const char *head,
        unsigned n)
{
        static char answer[200];

        (void)head;
        snprintf(answer, sizeof(answer),
                "HTTP/1.1 302 F\r\nLocation: http://me:secret@127.0.0.1:%u/%u\r\n"
                "Content-Length: 0\r\n\r\n",
                server->port, n);
        return (struct script_answer){ .bytes = answer };
}

/* The way that a server leads, by path: "a>b" is a redirect from /a to /b. */
static struct script_answer leads(struct script_server *server, const char *head, unsigned n)
{
        static char answer[300];
        const char *location = path_is(head, "/self")    ? "/self"
                               : path_is(head, "/empty") ? ""
                               : path_is(head, "/part")  ? "#part"
                               : path_is(head, "/query") ? "/query?same"
                               : path_is(head, "/there") ? "/back"
                               : path_is(head, "/back")  ? "/there"
                                                         : "/self";
        const char *more = path_is(head, "/cookie") ? "Set-Cookie: seen=1; Path=/\r\n" : "";

        if (path_is(head, "/second") && n == 2)
                return echo_head(server, head, n);
        if (path_is(head, "/cookie") || path_is(head, "/second"))
                location = "";
        if (path_is(head, "/post") && strncmp(head, "GET", 3) == 0)
                return echo_head(server, head, n);
        if (path_is(head, "/post"))
                location = "/post";
        snprintf(answer, sizeof(answer),
                "HTTP/1.1 %d X\r\nLocation: %s\r\n%sContent-Length: 0\r\n\r\n",
                path_is(head, "/keep") ? 307 : 303, location, more);
        return (struct script_answer){ .bytes = answer };
}

static const struct {
        const char *method, *path;
        enum muster_code code;
        unsigned n_redirects;
        const char *words;
} ways[] = {
        { "GET", "/self", MUSTER_E_REDIRECT, 1,
                "/self leads to itself; to get this response itself" },
        { "GET", "/empty", MUSTER_E_REDIRECT, 1, "leads to itself (its Location is empty); " },
        { "GET", "/part", MUSTER_E_REDIRECT, 1, "/part leads to itself; " },
        { "GET", "/query", MUSTER_E_REDIRECT, 2, "/query?same leads to itself; " },
        { "GET", "/there", MUSTER_E_REDIRECT, 3, "/back leads back to an earlier URL; " },
        { "GET", "/cookie", MUSTER_E_REDIRECT, 1, "keep cookies with a jar (-b \"\")" },
        { "GET", "/second", MUSTER_OK, 1, "" }, /* it only needed a moment */
        { "POST", "/post", MUSTER_OK, 1, "" },  /* to itself, by another method */
        { "POST", "/self", MUSTER_E_REDIRECT, 2, "leads to itself" },
};

static void test_redirects_in_a_loop(void **state)
{
        (void)state;
        for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
                struct fixture f;
                struct muster_result *result;

                fixture_start(&f, NULL, leads);
                muster_submit(f.client,
                        muster_request_new(ways[i].method, script_url(&f.server, ways[i].path)),
                        NULL);
                result = next_result(&f);
                assert_int_equal(code_of(result), ways[i].code);
                assert_int_equal(muster_result_n_redirects(result), ways[i].n_redirects);
                if (!strstr(muster_result_error_text(result), ways[i].words))
                        fail_msg("\"%s\" without \"%s\"", muster_result_error_text(result),
                                ways[i].words);
                assert_null(strstr(muster_result_error_text(result), "--max-redirs"));
                muster_result_free(result);
                fixture_stop(&f);
        }
}

/* None, as an error, and its text has no password. */
static void test_redirects_that_are_errors(void **state)
{
        struct fixture f;
        struct muster_result *result;

        (void)state;
        fixture_start(&f,
                &(struct muster_client_options){
                        .size = sizeof(struct muster_client_options), .fail_on_redirect = true },
                leads);
        muster_get(f.client, script_url(&f.server, "/there"), NULL);
        result = next_result(&f);
        assert_int_equal(code_of(result), MUSTER_E_REDIRECT);
        assert_int_equal(muster_result_status(result), 303);
        assert_int_equal(muster_result_n_redirects(result), 0);
        assert_non_null(strstr(muster_result_error_text(result),
                "/back, but --max-redirs 0 allows no redirect"));
        muster_result_free(result);
        fixture_stop(&f);
        fixture_start(&f, &(struct muster_client_options){ .max_redirects = 1 }, crosses_to_user);
        muster_get(f.client, script_url(&f.server, "/"), NULL);
        result = next_result(&f);
        assert_non_null(strstr(muster_result_error_text(result), "gave up after 1 redirects"));
        assert_non_null(strstr(muster_result_error_text(result), "--max-redirs"));
        assert_null(strstr(muster_result_error_text(result), "secret"));
        muster_result_free(result);
        fixture_stop(&f);
}

static void test_redirect_as_result(void **state)
{
        struct fixture f;

        (void)state;
        fixture_start(&f, &(struct muster_client_options){ .no_redirects = true }, redirects);
        muster_get(f.client, script_url(&f.server, "/303"), NULL);
        expect_result(&f, MUSTER_OK, 303);
        fixture_stop(&f);
}

static unsigned other_port;

static struct script_answer crosses(struct script_server *server, const char *head, unsigned n)
{
        static char answer[200];

        (void)server;
        (void)head;
        (void)n;
        snprintf(answer, sizeof(answer),
                "HTTP/1.1 302 F\r\nLocation: http://127.0.0.1:%u/\r\nContent-Length: 0\r\n\r\n",
                other_port);
        return (struct script_answer){ .bytes = answer };
}

static void test_credentials_stay_with_their_origin(void **state)
{
        struct fixture f;
        struct script_server other;
        struct muster_request *request;
        struct muster_result *result;

        (void)state;
        fixture_start(&f, NULL, crosses);
        script_server_start(&other, &f.client->engine.loop, echo_head);
        other_port = other.port;
        request = muster_request_new(NULL, script_url(&f.server, "/"));
        muster_request_set_basic_auth(request, "u", "p");
        muster_request_add_header(request, "Cookie", "a=b");
        muster_request_add_header(request, "X-Other", "stays, too");
        muster_submit(f.client, request, NULL);
        result = next_result(&f);
        assert_non_null(strstr(f.server.last_head, "Authorization"));
        assert_non_null(strstr(f.server.last_head, "Cookie"));
        assert_null(strstr(muster_result_body(result), "Authorization"));
        assert_null(strstr(muster_result_body(result), "Cookie"));
        assert_non_null(strstr(f.server.last_head, "X-Other: stays, too"));
        assert_null(strstr(muster_result_body(result), "X-Other"));
        muster_result_free(result);
        script_server_stop(&other);
        fixture_stop(&f);
}

/*
 * One that runs, one that waits, one that is finished: each can be cancelled or not, and has one
 * result.
 */
static void test_cancel(void **state)
{
        struct fixture f;
        uint64_t ids[3];

        (void)state;
        fixture_start(&f, &(struct muster_client_options){ .concurrency = 1 }, script_hangs);
        for (int i = 0; i < 3; i++)
                assert_int_equal(muster_submit(f.client,
                                         muster_request_new(NULL, script_url(&f.server, "/")),
                                         &ids[i]),
                        0);
        assert_int_equal(muster_wait(f.client, 100), MUSTER_LATER);
        assert_int_equal(muster_cancel(f.client, ids[1]), 0);
        expect_result(&f, MUSTER_E_CANCELLED, 0);
        assert_int_equal(muster_cancel(f.client, ids[1]), MUSTER_E_INVALID);
        assert_int_equal(muster_cancel(f.client, ids[0]), 0);
        expect_result(&f, MUSTER_E_CANCELLED, 0);
        assert_int_equal(muster_wait(f.client, 100), MUSTER_LATER);
        assert_int_equal(f.server.n_requests, 2); /* the third got the slot of the first */
        muster_cancel_all(f.client);
        expect_result(&f, MUSTER_E_CANCELLED, 0);
        assert_null(muster_next(f.client));
        assert_int_equal(muster_cancel(f.client, 99), MUSTER_E_INVALID);
        fixture_stop(&f);
}

static void test_client_is_freed_with_requests_in_every_state(void **state)
{
        struct fixture f;
        struct muster_result *kept;

        (void)state;
        fixture_start(&f, &(struct muster_client_options){ .concurrency = 2 }, script_hangs);
        muster_get(f.client, "bad", NULL);
        muster_get(f.client, "bad too", NULL);
        kept = muster_next(f.client);
        for (int i = 0; i < 5; i++)
                muster_get(f.client, script_url(&f.server, "/"), NULL);
        assert_int_equal(muster_turn(f.client), 0); /* the second bad one is there */
        fixture_stop(&f);
        assert_string_equal(muster_result_url(kept), "bad");
        muster_result_free(kept);
}

static void test_misuse_is_answered(void **state)
{
        struct muster_client *client;
        struct muster_error error;
        struct muster_request *request;
        struct muster_result *result;

        (void)state;
        assert_int_equal(muster_client_new(NULL, NULL), MUSTER_E_INVALID);
        assert_int_equal(muster_client_new(&client,
                                 &(struct muster_client_options){
                                         .concurrency = 5000000, .error = &error }),
                MUSTER_E_INVALID);
        assert_non_null(strstr(error.text, "5000000"));
        assert_int_equal(muster_client_new(&client,
                                 &(struct muster_client_options){
                                         .ca_file = "/does/not/exist", .error = &error }),
                MUSTER_E_TLS);
        assert_non_null(strstr(error.text, "/does/not/exist"));
        assert_int_equal(muster_client_new(&client, NULL), 0);
        assert_int_equal(muster_submit(NULL, NULL, NULL), MUSTER_E_INVALID);
        assert_int_equal(muster_submit(client, NULL, NULL), MUSTER_E_INVALID);
        assert_int_equal(muster_get(client, NULL, NULL), MUSTER_E_INVALID);
        assert_int_equal(muster_wait(client, 0), MUSTER_IDLE);
        assert_null(muster_next(NULL));
        assert_null(muster_take(client));
        request = muster_request_new("GE T", "http://h/");
        assert_int_equal(muster_request_add_header(request, NULL, "x"), MUSTER_E_INVALID);
        assert_int_equal(muster_request_set_body(request, NULL, 3), MUSTER_E_INVALID);
        assert_int_equal(muster_submit(client, request, NULL), 0);
        result = muster_next(client);
        assert_int_equal(muster_result_error(result)->code, MUSTER_E_INVALID);
        muster_result_free(result);
        assert_null(muster_client_free(client));
        assert_null(muster_client_free(NULL));
        assert_null(muster_result_free(NULL));
        assert_null(muster_request_free(NULL));
}

static void test_foreign_loop_is_told(void **state)
{
        struct fixture f;
        struct muster_result *result = NULL;
        int fd, epoll_turns = 0;

        (void)state;
        fixture_start(&f, NULL, hello);
        fd = muster_client_fd(f.client);
        assert_true(fd >= 0);
        assert_int_equal(muster_client_fd(f.client), fd);
        muster_get(f.client, script_url(&f.server, "/"), NULL);
        while (!(result = muster_take(f.client)) && epoll_turns++ < 100) {
                fd_set set;
                struct timeval patience = { .tv_sec = 5 };

                FD_ZERO(&set);
                FD_SET(fd, &set);
                assert_int_equal(select(fd + 1, &set, NULL, NULL, &patience), 1);
                assert_true(muster_turn(f.client) >= 0);
        }
        assert_non_null(result);
        assert_int_equal(muster_result_status(result), 200);
        muster_result_free(result);
        assert_int_equal(muster_turn(f.client), MUSTER_IDLE);
        fixture_stop(&f);
}

static void test_wake(void **state)
{
        struct fixture f;

        (void)state;
        fixture_start(&f, NULL, script_hangs);
        muster_get(f.client, script_url(&f.server, "/"), NULL);
        muster_wake(f.client);
        assert_int_equal(muster_wait(f.client, MUSTER_NO_TIMEOUT), MUSTER_WOKEN);
        assert_int_equal(muster_wait(f.client, 10), MUSTER_LATER);
        fixture_stop(&f);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_get),
                cmocka_unit_test(test_connection_is_reused),
                cmocka_unit_test(test_bad_urls_are_results),
                cmocka_unit_test(test_post),
                cmocka_unit_test(test_methods_with_rules_of_their_own),
                cmocka_unit_test(test_redirects),
                cmocka_unit_test(test_redirects_in_a_loop),
                cmocka_unit_test(test_redirects_that_are_errors),
                cmocka_unit_test(test_redirect_as_result),
                cmocka_unit_test(test_credentials_stay_with_their_origin),
                cmocka_unit_test(test_cancel),
                cmocka_unit_test(test_client_is_freed_with_requests_in_every_state),
                cmocka_unit_test(test_misuse_is_answered),
                cmocka_unit_test(test_foreign_loop_is_told),
                cmocka_unit_test(test_wake),
        };

        return cmocka_run_group_tests_name("flow", tests, NULL, NULL);
}
