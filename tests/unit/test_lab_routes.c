/* SPDX-License-Identifier: MIT */
/*
 * What the lab answers: its behaviours, bodies of requests, and requests that are none
 */
#include "lab_world.h"

#include <stdio.h>
#include <unistd.h>

/* --- behaviours ------------------------------------------------------------------------------ */

static const struct {
        const char *path;
        int status;
        const char *field; /* NULL: any */
        const char *body;  /* NULL: any; it begins so */
        int n_body;        /* negative: any */
} behaviours[] = {
        { "/", 200, "Content-Type: text/plain", "muster lab: a server", -1 },
        { "/plain", 200, "Content-Length: 6\r\n", "hello\n", 6 },
        { "//plain/", 200, NULL, "hello\n", 6 },
        { "http://lab:80/plain", 200, NULL, "hello\n", 6 },
        { "/bytes/0", 200, "Content-Length: 0\r\n", "", 0 },
        { "/bytes", 200, NULL, "The quick brown fox", 1024 },
        { "/bytes/300k", 200, NULL, NULL, 300 * 1024 },
        { "/bytes/x", 400, NULL, "size \"x\" is not a size, such as 100, 10k, 2M", -1 },
        { "/chunked/100/30", 200, "Transfer-Encoding: chunked\r\n", NULL, 100 },
        { "/chunked", 200, "Transfer-Encoding: chunked\r\n", NULL, 10240 },
        { "/chunked/0", 200, NULL, "", 0 },
        { "/chunked/10/0", 200, NULL, NULL, 10 },
        { "/json/100/2", 200, "Content-Type: application/json\r\n", "{\"child\":{\"items\":", 100 },
        { "/json/100/2", 200, NULL, "{\"child\":{\"items\":", 100 },
        { "/json/10/3", 400, NULL, "a document of depth 3 needs more bytes", -1 },
        { "/json/1k/1001", 400, NULL, "number \"1001\" is not", -1 },
        { "/json/1T", 507, NULL, "no room for a document", -1 },
        { "/encoded/gzip/1k", 200, "Content-Encoding: gzip\r\n", "\x1f\x8b", -1 },
        { "/encoded/gzip,br/1k", 200, "Content-Encoding: gzip, br\r\n", NULL, -1 },
        { "/encoded/raw-deflate", 200, "Content-Encoding: deflate\r\n", NULL, -1 },
        { "/encoded/rot13", 400, NULL, "coding \"rot13\" is not one of these", -1 },
        { "/encoded/br,br,br,br,br", 400, NULL, "coding", -1 },
        { "/encoded/gzip/0", 400, NULL, "size: from 1 to 67108864 bytes", -1 },
        { "/broken/gzip/empty", 200, "Content-Encoding: gzip\r\n", "", 0 },
        { "/broken/zstd/mislabelled", 200, "Content-Encoding: zstd\r\n", "this was never", -1 },
        { "/broken/gzip/badly", 400, NULL, "breakage \"badly\" is not one of these", -1 },
        { "/bomb/br/1M", 200, "Content-Encoding: br\r\n", NULL, -1 },
        { "/bomb/br/2G", 400, NULL, "size: from 1 to 1073741824", -1 },
        { "/status/404", 404, NULL, "404 Not Found\n", -1 },
        { "/status/999", 999, NULL, "999 \n", -1 },
        { "/status/204", 204, NULL, "", 0 },
        { "/status/304", 304, NULL, "", 0 },
        { "/status/401", 401, "WWW-Authenticate: Basic", NULL, -1 },
        { "/status/100", 400, NULL, "status \"100\" is not a number from 200 to 999", -1 },
        { "/status/1000", 400, NULL, NULL, -1 },
        { "/redirect", 302, "Location: /plain\r\n", NULL, -1 },
        { "/redirect/3/307?to=%2fx", 307, "Location: /redirect/2/307?to=%2fx\r\n", NULL, -1 },
        { "/redirect/1?to=http%3a//a.test/%0d%0aX:y", 302, "Location: \r\n", NULL, -1 },
        { "/redirect/1?to=http%3a//a.test/", 302, "Location: http://a.test/\r\n", NULL, -1 },
        { "/redirect/1001", 400, NULL, NULL, -1 },
        { "/redirect-loop", 302, "Location: /redirect-loop/b\r\n", NULL, -1 },
        { "/redirect-loop/b", 302, "Location: /redirect-loop\r\n", NULL, -1 },
        { "/retry/503/1500ms?times=1", 503, "Retry-After: 2\r\n", NULL, -1 },
        { "/retry/503/1500ms?times=1", 200, NULL, "at last", -1 },
        { "/retry/429?times=1&key=a", 429, "Retry-After: 1\r\n", NULL, -1 },
        { "/retry/503/2s?key=a&times=1", 200, NULL, NULL, -1 },
        { "/retry/503?times=x", 400, NULL, "times \"x\" is not a number", -1 },
        { "/limited/1/m", 200, NULL, "within the limit", -1 },
        { "/limited/1e-300?burst=1e300", 200, NULL, "within the limit", -1 },
        { "/limited/0", 400, NULL, "rate \"0\" is not", -1 },
        { "/flaky/100%/502", 502, NULL, "502 Bad Gateway", -1 },
        { "/flaky/0", 200, NULL, "this time it works", -1 },
        { "/flaky/101%", 400, NULL, "share \"101%\" is not", -1 },
        { "/hang/nowhere", 400, NULL, "place \"nowhere\" is not one of these", -1 },
        { "/interim/103/3", 200, NULL, "after 3 interim responses", -1 },
        { "/interim/101", 400, NULL, "status: 102 to 199", -1 },
        { "/basic", 401, "WWW-Authenticate: Basic realm=\"lab\"\r\n", NULL, -1 },
        { "/bearer", 401, "WWW-Authenticate: Bearer realm=\"lab\"\r\n", NULL, -1 },
        { "/cookies", 200, NULL, "{}\n", 3 },
        { "/cookies/set?a=b&c=d", 302, "Set-Cookie: a=b; Path=/\r\nSet-Cookie: c=d; Path=/\r\n",
                NULL, -1 },
        { "/lab/nothing", 400, NULL, "page \"nothing\" is not one of these", -1 },
        { "/nowhere", 404, NULL, "unknown path /nowhere; / lists all paths", -1 },
        { "/plain?status=503&header=X-A:%20b&header=C:d", 503, "X-A: b\r\nC: d\r\n", "hello", 6 },
        { "/plain?size=7", 200, "Content-Length: 7\r\n", "The qui", 7 },
        { "/plain?chunk=2", 200, "Transfer-Encoding: chunked\r\n", "hello\n", 6 },
        { "/plain?piece=2", 200, "Content-Length: 6\r\n", "hello\n", 6 },
        { "/plain?early-hints=2", 200, NULL, "hello\n", 6 },
        { "/plain?", 200, NULL, "hello\n", 6 },
        { "/plain?&&", 200, NULL, "hello\n", 6 },
        { "/plain?colour=red", 400, NULL, "unknown parameter \"colour\"; / lists all parameters",
                -1 },
        { "/plain?status=7", 400, NULL, "parameter status: \"7\" is not CODE", -1 },
        { "/plain?chunk=0", 400, NULL, "parameter chunk", -1 },
        { "/plain?chunk=2M", 400, NULL, "parameter chunk", -1 },
        { "/plain?piece=0", 400, NULL, "parameter piece", -1 },
        { "/plain?header=x", 200, NULL, NULL, -1 },
        { "/plain?header=a%20b:c", 400, NULL, "parameter header", -1 },
        { "/plain?delay=x", 400, NULL, "parameter delay", -1 },
        { "/plain?body-delay=x", 400, NULL, "parameter body-delay", -1 },
        { "/plain?early-hints=101", 400, NULL, "parameter early-hints", -1 },
        { "/plain?hang=nowhere", 400, NULL, "parameter hang", -1 },
        { "/plain?until-close=2", 400, NULL, "parameter until-close", -1 },
        { "/status/404?status=200", 200, NULL, "404 Not Found\n", -1 },
        { "/api", 200, NULL, "The quick", 20 },
        { "/api/x", 404, NULL, "unknown path /api", -1 },
        { "/many/x/y", 418, NULL, NULL, -1 },
};

static void test_behaviours(void **state)
{
        struct client *client;

        (void)state;
        open_world("route /api=/bytes/20\nroute /many*=/status/418");
        client = open_client(0);
        for (size_t i = 0; i < LENGTH(behaviours); i++) {
                const char *body = behaviours[i].body;

                get(client, behaviours[i].path);
                if (!take(client))
                        fail_msg("%s: no response", behaviours[i].path);
                if (client->status != behaviours[i].status ||
                        (behaviours[i].field && !has_field(client, behaviours[i].field)) ||
                        (body && !str_starts(client->body, body)) ||
                        (behaviours[i].n_body >= 0 &&
                                client->body.len != (size_t)behaviours[i].n_body))
                        fail_msg("%s:\n%.*s%.*s", behaviours[i].path, STR_ARGS(client->head),
                                client->body.len < 500 ? (int)client->body.len : 500,
                                client->body.at);
                assert_true(has_field(client, "\r\nDate: "));
                assert_false(has_field(client, "Connection: "));
                assert_int_equal(client->n_interim, strstr(behaviours[i].path, "early-hints=2") ? 2
                                                    : strstr(behaviours[i].path, "/103/3")      ? 3
                                                                                           : 0);
        }
        assert_false(client->is_ended);
        assert_int_equal(stats()->n_accepted, 1);
        assert_int_equal(clock_now(&world.clock), START_NS);
        close_client(client);
        close_world();
}

static void test_bodies_are_broken_as_asked(void **state)
{
        struct client *client;
        size_t whole;

        (void)state;
        open_world("");
        client = open_client(0);
        get(client, "/encoded/gzip");
        answered(client, 200);
        whole = client->body.len;
        get(client, "/broken/gzip");
        answered(client, 200);
        assert_int_equal(client->body.len, whole * 2 / 3);
        get(client, "/broken/gzip/corrupt");
        answered(client, 200);
        assert_int_equal(client->body.len, whole);
        get(client, "/broken/gzip/trailing");
        answered(client, 200);
        assert_int_equal(client->body.len, whole + strlen("this does not belong here"));
        get(client, "/broken/gzip/trailing"); /* now it is kept */
        answered(client, 200);
        assert_int_equal(client->body.len, whole + strlen("this does not belong here"));
        close_client(client);
        close_world();
}

static void test_credentials_and_cookies(void **state)
{
        static const struct {
                const char *path, *field;
                int status;
        } cases[] = {
                { "/basic", "Authorization: Basic dXNlcjpwYXNzd29yZA==", 200 },
                { "/basic/user/password", "authorization: basic  dXNlcjpwYXNzd29yZA==", 200 },
                { "/basic/%75ser/password", "Authorization: Basic dXNlcjpwYXNzd29yZA==", 200 },
                { "/basic/user/other", "Authorization: Basic dXNlcjpwYXNzd29yZA==", 401 },
                { "/basic", "Authorization: Bearer dXNlcjpwYXNzd29yZA==", 401 },
                { "/basic", "Authorization: Basic", 401 },
                { "/bearer", "Authorization: Bearer anything", 200 },
                { "/bearer/t", "Authorization: Bearer t", 200 },
                { "/bearer/t", "Authorization: Bearer u", 401 },
                { "/bearer", "Authorization: Bearer ", 401 },
        };
        struct client *client;
        char text[300];
        json_t *json;

        (void)state;
        open_world("");
        client = open_client(0);
        for (size_t i = 0; i < LENGTH(cases); i++) {
                snprintf(text, sizeof(text), "GET %s HTTP/1.1\r\n%s\r\n\r\n", cases[i].path,
                        cases[i].field);
                ask(client, text);
                answered(client, cases[i].status);
        }
        ask(client, "GET /cookies HTTP/1.1\r\nCookie: a=b;  c=\"d\"; e\r\n\r\n");
        answered(client, 200);
        json = json_of(client);
        assert_string_equal(text_in(json, "a"), "b");
        assert_string_equal(text_in(json, "c"), "\"d\"");
        json_decref(json);
        close_client(client);
        close_world();
}

static void test_bodies_of_requests(void **state)
{
        struct client *client;
        json_t *json;

        (void)state;
        open_world("");
        client = open_client(0);
        ask(client, "POST /echo?x HTTP/1.1\r\nA: \xff\r\nContent-Length: 9\r\n\r\n123");
        assert_false(take(client));
        ask(client, "456789GET /plain HTTP/1.1\r\n\r\n");
        answered(client, 400); /* parameters are looked at with the head */
        answered(client, 200);
        ask(client, "POST /echo HTTP/1.1\r\nA: \xff\r\nContent-Length: 9\r\n\r\n123456789");
        answered(client, 200);
        json = json_of(client);
        assert_string_equal(text_in(json, "method"), "POST");
        assert_string_equal(text_in(json, "target"), "/echo");
        assert_string_equal(text_in(json, "body"), "123456789");
        assert_string_equal(text_in(json, "body_crc32"), "cbf43926"); /* CRC-32's check value */
        assert_int_equal(count_in(json, "body_bytes"), 9);
        assert_int_equal(json_array_size(json_object_get(json, "headers")), 2);
        json_decref(json);
        ask(client, "PUT /upload HTTP/1.1\r\nTransfer-Encoding: chunked\r\n"
                    "Expect: 100-continue\r\n\r\n");
        assert_true(client->got.len - client->used == strlen("HTTP/1.1 100 Continue\r\n\r\n"));
        ask(client, "5\r\n12345\r\n4;x\r\n6789\r\n0\r\nA: b\r\n\r\n");
        answered(client, 200);
        assert_int_equal(client->n_interim, 1);
        assert_true(str_is(client->body, "{\"body_bytes\":9,\"body_crc32\":\"cbf43926\"}\n"));
        get(client, "/upload");
        answered(client, 200);
        assert_true(str_is(client->body, "{\"body_bytes\":0,\"body_crc32\":\"00000000\"}\n"));
        ask(client, "HEAD /echo HTTP/1.1\r\n\r\n");
        assert_true(take_of(client, true) && client->status == 200);
        assert_int_equal(stats()->n_requests, 6);
        assert_int_equal(stats()->n_busy, 0);
        close_client(client);
        close_world();
}

/* --- requests that are none ------------------------------------------------------------------ */

static void test_bad_requests(void **state)
{
        static const struct {
                const char *text;
                int status;
        } cases[] = {
                { "nonsense\r\n\r\n", 400 },
                { "GET / HTTP/2.0\r\n\r\n", 400 },
                { "GET / HTTP/1.1\r\nbad field\r\n\r\nGET / HTTP/1.1\r\n\r\n", 400 },
                { "POST /upload HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n", 400 },
                { "POST /lab/stats HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n", 400 },
                { "POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 400 },
        };
        uint64_t n = 0;

        (void)state;
        open_world("");
        for (size_t i = 0; i < LENGTH(cases); i++) {
                struct client *client = open_client(0);

                ask(client, cases[i].text);
                answered(client, cases[i].status);
                assert_true(has_field(client, "Connection: close\r\n"));
                assert_true(is_closed(client));
                n++;
                /* A request that breaks in its body is still one request. */
                assert_int_equal(stats()->n_requests, n);
                assert_int_equal(stats()->n_bad_requests, n);
                assert_int_equal(stats()->n_responses[4], n);
                assert_int_equal(stats()->n_busy, 0);
                close_client(client);
        }
        assert_int_equal(stats()->n_open, 0);
        close_world();
}

static void test_head_that_never_ends(void **state)
{
        struct client *client;
        char line[1025];

        (void)state;
        open_world("");
        memset(line, 'x', 1024);
        line[1024] = '\0';
        client = open_client(0);
        ask(client, "GET / HTTP/1.1\r\nA: ");
        for (int i = 0; i < 63; i++)
                ask(client, line);
        assert_false(take(client));
        ask(client, "\r\n\r\n");
        answered(client, 200);
        ask(client, "GET / HTTP/1.1\r\nA: ");
        for (int i = 0; i < 64; i++)
                ask(client, line);
        answered(client, 431);
        assert_true(is_closed(client));
        pass(2 * NS_PER_S); /* it lingers until the client goes, and not longer than this */
        assert_int_equal(stats()->n_open, 0);
        close_client(client);
        close_world();
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_behaviours),
                cmocka_unit_test(test_bodies_are_broken_as_asked),
                cmocka_unit_test(test_credentials_and_cookies),
                cmocka_unit_test(test_bodies_of_requests),
                cmocka_unit_test(test_bad_requests),
                cmocka_unit_test(test_head_that_never_ends),
        };

        return cmocka_run_group_tests_name("lab_routes", tests, NULL, NULL);
}
