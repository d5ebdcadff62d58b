/* SPDX-License-Identifier: MIT */
/*
 * Cookies of whole clients: what each attempt sends, and which responses are listened to
 */
#include "fixture.h"

#define OK(fields)    "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n" fields "\r\n"
#define BUSY(fields)  "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n" fields "\r\n"
#define HINTS(fields) "HTTP/1.1 103 Early Hints\r\n" fields "\r\n"

/* What the requests sent as Cookie, one behind the other: "[a=1][]". */
static char sent[4096];

/* Note the Cookie fields of a request. Each must be one. */
static void note(const char *head)
{
        const char *at = strstr(head, "\r\nCookie: ");
        char cookie[1024] = "";

        if (at) {
                snprintf(cookie, sizeof(cookie), "%.*s", (int)strcspn(at + 10, "\r"), at + 10);
                assert_null(strstr(at + 2, "\r\nCookie: "));
        }
        strcat(strcat(strcat(sent, "["), cookie), "]");
}

static struct script_answer redirect_to(const char *fields)
{
        static char text[512];

        snprintf(text, sizeof(text), "HTTP/1.1 302 Found\r\nContent-Length: 0\r\n%s\r\n", fields);
        return (struct script_answer){ .bytes = text };
}

/* The server's userdata is where /away leads. */
static struct script_answer answer(struct script_server *server, const char *head, unsigned n)
{
        char fields[256];

        note(head);
        if (path_is(head, "/set"))
                return (struct script_answer){ .bytes = OK("Set-Cookie: a=1; path=/\r\n"
                                                           "set-cookie: b=2; path=/\r\n") };
        if (path_is(head, "/login"))
                return redirect_to("Location: /home\r\nSet-Cookie: session=s; path=/\r\n");
        if (path_is(head, "/loop") && !strstr(head, "seen=1"))
                return redirect_to("Location: /loop\r\nSet-Cookie: seen=1\r\n");
        if (path_is(head, "/busy") && n == 1)
                return (struct script_answer){ .bytes = BUSY("Set-Cookie: retry=1\r\n") };
        if (path_is(head, "/hints"))
                return (struct script_answer){ .bytes = HINTS("Set-Cookie: hint=1\r\n")
                                                       OK("Set-Cookie: final=1\r\n") };
        if (path_is(head, "/gone"))
                return (struct script_answer){ .bytes = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n"
                                                        "Set-Cookie: cut=1; path=/\r\n\r\n",
                        .closes = true };
        if (path_is(head, "/away")) {
                snprintf(fields, sizeof(fields), "Location: %s\r\nSet-Cookie: here=1; path=/\r\n",
                        (const char *)server->userdata);
                return redirect_to(fields);
        }
        return (struct script_answer){ .bytes = OK("") };
}

struct world {
        struct fixture f;
        struct muster_jar *jar;
};

static void start(struct world *w, unsigned max_retries)
{
        struct muster_client_options options = { .size = sizeof(options),
                .max_retries = max_retries,
                .retry_budget_percent = MUSTER_NO_RETRY_BUDGET };

        sent[0] = '\0';
        w->jar = muster_jar_new();
        options.cookies = w->jar;
        fixture_start(&w->f, &options, answer);
}

static void stop(struct world *w)
{
        fixture_stop(&w->f);
        muster_jar_free(w->jar);
}

static struct muster_request *request_for(const struct world *w, const char *path)
{
        return muster_request_new(NULL, script_url(&w->f.server, path));
}

static void fetch_request(struct world *w, struct muster_request *request)
{
        muster_submit(w->f.client, request, NULL);
        expect_result(&w->f, MUSTER_OK, 200);
}

static void fetch(struct world *w, const char *path)
{
        fetch_request(w, request_for(w, path));
}

static void test_kept(void **state)
{
        struct world w;

        (void)state;
        start(&w, 0);
        fetch(&w, "/set");
        fetch(&w, "/x");
        fetch(&w, "/y");
        assert_string_equal(sent, "[][a=1; b=2][a=1; b=2]");
        stop(&w);
}

static void test_redirects(void **state)
{
        struct world w;

        (void)state;
        start(&w, 0);
        fetch(&w, "/login");
        assert_string_equal(sent, "[][session=s]");
        sent[0] = '\0';
        fetch(&w, "/loop"); /* it only wanted its cookie back */
        assert_string_equal(sent, "[session=s][session=s; seen=1]");
        stop(&w);
}

static void test_retries(void **state)
{
        struct world w;

        (void)state;
        start(&w, 2);
        fetch(&w, "/busy");
        assert_string_equal(sent, "[][retry=1]");
        stop(&w);
}

static void test_interim(void **state)
{
        struct world w;

        (void)state;
        start(&w, 0);
        fetch(&w, "/hints");
        fetch(&w, "/x");
        assert_string_equal(sent, "[][final=1]");
        stop(&w);
}

/* The head was there, though the body was cut. */
static void test_failed(void **state)
{
        struct world w;

        (void)state;
        start(&w, 0);
        muster_submit(w.f.client, request_for(&w, "/gone"), NULL);
        expect_result(&w.f, MUSTER_E_CLOSED, 200);
        fetch(&w, "/x");
        assert_string_equal(sent, "[][cut=1]");
        stop(&w);
}

/* The caller's Cookie field and the jar make one. */
static void test_own_field(void **state)
{
        /* [6265bis 5.8.1 one-field] */
        struct muster_request *request;
        struct world w;

        (void)state;
        start(&w, 0);
        fetch(&w, "/set");
        sent[0] = '\0';
        request = request_for(&w, "/x");
        assert_int_equal(muster_request_add_header(request, "cookie", "own=9"), 0);
        assert_int_equal(muster_request_add_header(request, "Cookie", "b=own"), 0);
        fetch_request(&w, request);
        request = request_for(&w, "/x");
        assert_int_equal(muster_request_add_header(request, "Cookie", NULL), 0);
        fetch_request(&w, request);
        request = request_for(&w, "/x");
        assert_int_equal(muster_request_add_header(request, "Cookie", ""), 0);
        fetch_request(&w, request);
        assert_string_equal(sent, "[a=1; own=9; b=own][][a=1; b=2]");
        stop(&w);
}

/* Another port is another origin: the caller's own field stays there, the jar's cookies go along. */
static void test_other_origin(void **state)
{
        struct script_server other;
        struct muster_request *request;
        struct world w;

        (void)state;
        start(&w, 0);
        script_server_start(&other, &w.f.client->engine.loop, answer);
        w.f.server.userdata = (void *)(uintptr_t)script_url(&other, "/x");
        request = request_for(&w, "/away");
        assert_int_equal(muster_request_add_header(request, "Cookie", "own=secret"), 0);
        fetch_request(&w, request);
        assert_string_equal(sent, "[own=secret][here=1]");
        script_server_stop(&other);
        stop(&w);
}

/* Another host gets neither. */
static void test_other_host(void **state)
{
        struct muster_request *request;
        char url[64];
        struct world w;

        (void)state;
        start(&w, 0);
        snprintf(url, sizeof(url), "http://localhost:%d/x", w.f.server.port);
        w.f.server.userdata = url;
        request = request_for(&w, "/away");
        assert_int_equal(muster_request_add_header(request, "Cookie", "own=secret"), 0);
        fetch_request(&w, request);
        assert_string_equal(sent, "[own=secret][]");
        stop(&w);
}

static void set_options(struct muster_request *request, struct muster_jar *jar, bool no_cookies)
{
        struct muster_request_options options = {
                .size = sizeof(options), .cookies = jar, .no_cookies = no_cookies
        };

        assert_int_equal(muster_request_set_options(request, &options), 0);
}

/* A request may have another jar, or none. */
static void test_jar_of_request(void **state)
{
        struct muster_jar *own = muster_jar_new();
        struct muster_cookies *cookies;
        struct muster_request *request;
        struct world w;

        (void)state;
        start(&w, 0);
        request = request_for(&w, "/login");
        set_options(request, w.jar, false); /* the last options count */
        set_options(request, own, false);
        fetch_request(&w, request);
        fetch(&w, "/x");
        request = request_for(&w, "/x");
        set_options(request, own, true);
        fetch_request(&w, request);
        request = request_for(&w, "/x");
        set_options(request, own, false);
        muster_jar_free(own); /* the request holds it */
        fetch_request(&w, request);
        assert_string_equal(sent, "[][session=s][][][session=s]");
        cookies = muster_cookies_new(w.jar);
        assert_int_equal(muster_cookies_count(cookies), 0);
        muster_cookies_free(cookies);
        stop(&w);
}

/* A request that is never submitted lets go of its jar, too. */
static void test_unsubmitted(void **state)
{
        struct muster_jar *jar = muster_jar_new();
        struct muster_request *request = muster_request_new(NULL, "http://h/");

        (void)state;
        set_options(request, jar, false);
        muster_jar_free(jar);
        muster_request_free(request);
}

/* Two clients use one jar; it lives as long as one of them. */
static void test_shared(void **state)
{
        struct muster_client *second;
        struct muster_client_options options = { .size = sizeof(options) };
        struct world w;

        (void)state;
        start(&w, 0);
        options.cookies = w.jar;
        assert_int_equal(muster_client_new(&second, &options), 0);
        fetch(&w, "/set");
        muster_client_free(second);
        fetch(&w, "/x");
        assert_string_equal(sent, "[][a=1; b=2]");
        stop(&w);
}

/* Without a jar nothing is kept, and the caller's fields go out as one. */
static void test_without(void **state)
{
        /* [6265bis 7.2 off] */
        struct muster_request *request;
        struct fixture f;

        (void)state;
        sent[0] = '\0';
        fixture_start(&f, NULL, answer);
        muster_get(f.client, script_url(&f.server, "/set"), NULL);
        expect_result(&f, MUSTER_OK, 200);
        request = muster_request_new(NULL, script_url(&f.server, "/x"));
        assert_int_equal(muster_request_add_header(request, "Cookie", "own=9"), 0);
        assert_int_equal(muster_request_add_header(request, "cookie", "more=8"), 0);
        muster_submit(f.client, request, NULL);
        expect_result(&f, MUSTER_OK, 200);
        assert_string_equal(sent, "[][own=9; more=8]");
        fixture_stop(&f);
}

int main(void)
{
        const struct CMUnitTest tests[] = { cmocka_unit_test(test_kept),
                cmocka_unit_test(test_redirects), cmocka_unit_test(test_retries),
                cmocka_unit_test(test_interim), cmocka_unit_test(test_failed),
                cmocka_unit_test(test_own_field), cmocka_unit_test(test_other_origin),
                cmocka_unit_test(test_other_host), cmocka_unit_test(test_jar_of_request),
                cmocka_unit_test(test_unsubmitted), cmocka_unit_test(test_shared),
                cmocka_unit_test(test_without) };

        return cmocka_run_group_tests_name("flow_cookies", tests, NULL, NULL);
}
