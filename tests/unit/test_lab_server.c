/* SPDX-License-Identifier: MIT */
/*
 * The lab as a whole, on a manual clock: clients are plain sockets in the same thread
 *
 * Loopback hands bytes over within send(), so that a few turns of the loop without waiting are all
 * that a request needs. Time only passes in pass(), which stops at each moment at which something
 * is due.
 */
#include "unit.h"

#include <arpa/inet.h>
#include <base/rand.h>
#include <errno.h>
#include <fcntl.h>
#include <http/h1_read.h>
#include <jansson.h>
#include <lab/lab.h>
#include <lab/peer.h>
#include <lab/scenario.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <unistd.h>

#define START_NS (50 * NS_PER_S)
#define MS       NS_PER_MS

/* --- the lab --------------------------------------------------------------------------------- */

static struct {
        struct clock clock;
        struct loop loop;
        struct lab_config config;
        struct lab lab;
} world;

static void settle(void)
{
        for (int i = 0; i < 4; i++) {
                assert_int_equal(loop_turn(&world.loop, 0), 0);
                lab_reap(&world.lab);
        }
}

static void pass(uint64_t ns)
{
        uint64_t end = world.clock.manual_ns + ns, next;

        settle();
        while ((next = heap_top_key(&world.loop.timers)) <= end) {
                if (next > world.clock.manual_ns)
                        world.clock.manual_ns = next;
                settle();
        }
        world.clock.manual_ns = end;
        settle();
}

/* With the settings of a scenario. */
static void open_world(const char *settings)
{
        struct muster_error error = { 0 };
        int sys = 0;

        world.clock = (struct clock){ .is_manual = true, .manual_ns = START_NS };
        assert_int_equal(loop_init(&world.loop, &world.clock, &sys), 0);
        assert_int_equal(config_init(&world.config), 0);
        if (scenario_parse("test", str_of(settings), &world.config, &error) < 0 ||
                config_check(&world.config, &error) < 0 ||
                lab_start(&world.lab, &world.loop, &world.config, &error) < 0)
                fail_msg("%s", error.text);
}

static void close_world(void)
{
        lab_stop(&world.lab);
        lab_stop(&world.lab);
        config_deinit(&world.config);
        loop_deinit(&world.loop);
}

static struct listener *listener(void)
{
        return &world.lab.listeners[0];
}

static const struct listener_stats *stats(void)
{
        return &listener()->stats;
}

/* --- clients --------------------------------------------------------------------------------- */

struct client {
        int fd;
        struct buf got;
        size_t used; /* of it */
        bool is_ended, is_reset;
        /* The response that was taken last, borrowed. */
        int status, n_interim;
        struct muster_str head, body;
        struct buf body_bytes;
};

static struct client clients[16];

static void open_client_at(struct client *client, uint16_t port, int receive_bytes)
{
        struct sockaddr_in address = { .sin_family = AF_INET,
                .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                .sin_port = htons(port) };
        int yes = 1;

        *client = (struct client){ .fd = socket(AF_INET, SOCK_STREAM, 0) };
        assert_true(client->fd >= 0);
        if (receive_bytes)
                setsockopt(client->fd, SOL_SOCKET, SO_RCVBUF, &receive_bytes, sizeof(int));
        assert_int_equal(connect(client->fd, (struct sockaddr *)&address, sizeof(address)), 0);
        setsockopt(client->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
        fcntl(client->fd, F_SETFL, O_NONBLOCK);
}

static struct client *open_client(int i)
{
        open_client_at(&clients[i], listener()->port, 0);
        settle();
        return &clients[i];
}

static void close_client(struct client *client)
{
        if (client->fd > 0)
                close(client->fd);
        buf_deinit(&client->got);
        buf_deinit(&client->body_bytes);
        *client = (struct client){ .fd = -1 };
        settle();
}

/* Receive all there is, as long as more comes. */
static void pull(struct client *client)
{
        static char bytes[256 * 1024];

        for (int n_empty = 0; n_empty < 2 && !client->is_ended && !client->is_reset;) {
                ssize_t n = recv(client->fd, bytes, sizeof(bytes), 0);

                n_empty = n < 0 ? n_empty + 1 : 0;
                if (n > 0)
                        assert_int_equal(buf_add(&client->got, bytes, (size_t)n), 0);
                else if (n == 0)
                        client->is_ended = true;
                else if (errno != EAGAIN)
                        client->is_reset = true;
                settle();
        }
}

static void ask(struct client *client, const char *text)
{
        assert_int_equal(send(client->fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
        settle();
        pull(client);
}

static void get(struct client *client, const char *path)
{
        char text[400];

        snprintf(text, sizeof(text), "GET %s HTTP/1.1\r\nHost: lab\r\n\r\n", path);
        ask(client, text);
}

/* Take the next response off what came. False: it is not there, or not whole. */
static bool take_of(struct client *client, bool is_head)
{
        static struct h1_scratch scratch;
        struct muster_str in = { client->got.at + client->used, client->got.len - client->used };
        struct h1_reader reader = { 0 };
        struct http_event event = { 0 };
        struct muster_error error = { 0 };
        int r;

        if (!in.len)
                return false;
        h1_read_begin(&reader, is_head, 0);
        client->n_interim = 0;
        client->body_bytes.len = 0;
        while ((r = h1_read_next(&reader, &scratch, &in, &event, &error)) == 0 &&
                event.kind != HTTP_DONE) {
                if (event.kind == HTTP_INTERIM)
                        client->n_interim++;
                if (event.kind == HTTP_HEAD) {
                        client->status = event.head.status;
                        client->head = event.head.raw;
                }
                if (event.kind == HTTP_BODY)
                        assert_int_equal(buf_add_str(&client->body_bytes, event.body), 0);
        }
        if (r < 0)
                fail_msg("not a response: %s", error.text);
        if (r == H1_MORE && client->is_ended)
                r = h1_read_eof(&reader, NULL);
        h1_read_deinit(&reader);
        if (r != 0)
                return false;
        buf_terminate(&client->body_bytes);
        client->body = buf_str(&client->body_bytes);
        client->used = (size_t)(in.at - client->got.at);
        return true;
}

static bool take(struct client *client)
{
        pull(client);
        return take_of(client, false);
}

static void answered(struct client *client, int status)
{
        if (!take(client))
                fail_msg("no response; got \"%.*s\"",
                        client->got.at ? (int)(client->got.len - client->used) : 0,
                        client->got.at ? client->got.at + client->used : "");
        if (client->status != status)
                fail_msg("%.*s%.*s", STR_ARGS(client->head), STR_ARGS(client->body));
}

static bool has_field(const struct client *client, const char *line)
{
        return memmem(client->head.at, client->head.len, line, strlen(line)) != NULL;
}

static bool is_closed(struct client *client)
{
        pull(client);
        return client->is_ended && client->used == client->got.len;
}

static json_t *json_of(const struct client *client)
{
        json_t *json = json_loadb(client->body.at, client->body.len, 0, NULL);

        assert_non_null(json);
        return json;
}

static const char *text_in(const json_t *json, const char *name)
{
        const char *text = json_string_value(json_object_get(json, name));

        return text ? text : "(not there)";
}

static long long count_in(const json_t *json, const char *name)
{
        json_t *value = json_object_get(json, name);

        assert_true(json_is_integer(value));
        return json_integer_value(value);
}

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
        { "/nowhere", 404, NULL, "no behaviour /nowhere; / lists them", -1 },
        { "/plain?status=503&header=X-A:%20b&header=C:d", 503, "X-A: b\r\nC: d\r\n", "hello", 6 },
        { "/plain?size=7", 200, "Content-Length: 7\r\n", "The qui", 7 },
        { "/plain?chunk=2", 200, "Transfer-Encoding: chunked\r\n", "hello\n", 6 },
        { "/plain?piece=2", 200, "Content-Length: 6\r\n", "hello\n", 6 },
        { "/plain?early-hints=2", 200, NULL, "hello\n", 6 },
        { "/plain?", 200, NULL, "hello\n", 6 },
        { "/plain?&&", 200, NULL, "hello\n", 6 },
        { "/plain?colour=red", 400, NULL, "no parameter \"colour\"; / lists them", -1 },
        { "/plain?status=7", 400, NULL, "parameter status: \"7\" is not CODE", -1 },
        { "/plain?chunk=0", 400, NULL, "parameter chunk", -1 },
        { "/plain?chunk=2M", 400, NULL, "parameter chunk", -1 },
        { "/plain?piece=0", 400, NULL, "parameter piece", -1 },
        { "/plain?header=x", 200, NULL, NULL, -1 },
        { "/plain?header=a%20b:c", 400, NULL, "parameter header", -1 },
        { "/plain?delay=x", 400, NULL, "parameter delay", -1 },
        { "/plain?early-hints=101", 400, NULL, "parameter early-hints", -1 },
        { "/plain?hang=nowhere", 400, NULL, "parameter hang", -1 },
        { "/plain?until-close=2", 400, NULL, "parameter until-close", -1 },
        { "/status/404?status=200", 200, NULL, "404 Not Found\n", -1 },
        { "/api", 200, NULL, "The quick", 20 },
        { "/api/x", 404, NULL, "no behaviour /api", -1 },
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

/* --- connections ----------------------------------------------------------------------------- */

static void test_byte_by_byte(void **state)
{
        static const char text[] = "\r\nPOST /upload HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
                                   "3\r\nabc\r\n0\r\n\r\nGET /plain HTTP/1.0\n\n";
        struct client *client;

        (void)state;
        open_world("");
        client = open_client(0);
        for (size_t i = 0; i + 1 < sizeof(text); i++) {
                assert_false(client->is_ended);
                assert_int_equal(send(client->fd, text + i, 1, 0), 1);
                settle();
        }
        answered(client, 200);
        assert_true(str_starts(client->body, "{\"body_bytes\":3"));
        answered(client, 200);
        assert_true(is_closed(client));
        close_client(client);
        close_world();
}

static void test_pipelined(void **state)
{
        struct client *client;
        struct buf text = { 0 };

        (void)state;
        open_world("");
        client = open_client(0);
        for (int i = 0; i < 200; i++) {
                char request[100];

                snprintf(request, sizeof(request),
                        "POST /bytes/%d HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc", i * 100);
                buf_add_text(&text, request);
        }
        buf_terminate(&text);
        ask(client, text.at);
        for (size_t i = 0; i < 200; i++) {
                answered(client, 200);
                assert_int_equal(client->body.len, i * 100);
        }
        /* Those with a delay come one after the other, each with its own. */
        ask(client, "GET /delay/10ms HTTP/1.1\r\n\r\nGET /delay/20ms HTTP/1.1\r\n\r\n"
                    "GET /plain HTTP/1.1\r\nConnection: close\r\n\r\nGET / HTTP/1.1\r\n\r\n");
        pass(10 * MS - 1);
        assert_false(take(client));
        pass(1);
        answered(client, 200);
        pass(20 * MS - 1);
        assert_false(take(client));
        pass(1);
        answered(client, 200);
        answered(client, 200);
        assert_true(has_field(client, "Connection: close\r\n"));
        assert_true(is_closed(client)); /* the last one gets nothing */
        assert_int_equal(stats()->n_requests, 203);
        buf_deinit(&text);
        close_client(client);
        close_world();
}

static void test_keep_alive_and_its_ends(void **state)
{
        static const struct {
                const char *settings, *text;
                const char *field; /* of the response */
                bool is_closed;
        } cases[] = {
                { "", "GET /plain HTTP/1.1\r\n\r\n", NULL, false },
                { "", "GET /plain HTTP/1.1\r\nConnection: close\r\n\r\n", "Connection: close",
                        true },
                { "", "GET /plain HTTP/1.0\r\n\r\n", "Connection: close", true },
                { "", "GET /plain HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
                        "Connection: keep-alive", false },
                { "", "GET /close HTTP/1.1\r\n\r\n", "Connection: close", true },
                { "", "GET /plain?close=1 HTTP/1.1\r\n\r\n", "Connection: close", true },
                { "", "GET /plain?until-close=1 HTTP/1.1\r\n\r\n", "Connection: close", true },
                { "", "GET /plain?http1.0=1 HTTP/1.1\r\n\r\n", "HTTP/1.0 200", true },
                { "", "GET /chunked HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
                        "Content-Length: 10240", true },
                { "no-keep-alive", "GET /plain HTTP/1.1\r\n\r\n", "Connection: close", true },
                { "max-requests 1", "GET /plain HTTP/1.1\r\n\r\n", "Connection: close", true },
                { "max-requests 2", "GET /plain HTTP/1.1\r\n\r\n", NULL, false },
        };

        (void)state;
        for (size_t i = 0; i < LENGTH(cases); i++) {
                struct client *client;

                open_world(cases[i].settings);
                client = open_client(0);
                ask(client, cases[i].text);
                answered(client, 200);
                assert_true(client->body.len >= 6);
                if (cases[i].field ? !has_field(client, cases[i].field)
                                   : has_field(client, "Connection: "))
                        fail_msg("%s: %.*s", cases[i].text, STR_ARGS(client->head));
                assert_int_equal(is_closed(client), cases[i].is_closed);
                close_client(client);
                assert_int_equal(stats()->n_open, 0);
                close_world();
        }
}

static void test_max_requests(void **state)
{
        struct client *client;

        (void)state;
        open_world("max-requests 3");
        client = open_client(0);
        for (int i = 1; i <= 3; i++) {
                assert_false(is_closed(client));
                get(client, "/plain");
                answered(client, 200);
                assert_int_equal(has_field(client, "Connection: close\r\n"), i == 3);
        }
        assert_true(is_closed(client));
        close_client(client);
        close_world();
}

static void test_idle_timeout(void **state)
{
        struct client *client;

        (void)state;
        open_world("idle-timeout 5s");
        client = open_client(0);
        pass(5 * NS_PER_S - 1);
        assert_false(is_closed(client));
        get(client, "/delay/20s"); /* this is not idle */
        pass(20 * NS_PER_S);
        answered(client, 200);
        pass(5 * NS_PER_S - 1);
        assert_false(is_closed(client));
        pass(1);
        assert_true(is_closed(client));
        close_client(client);
        client = open_client(1);
        ask(client, "GET / HT"); /* half a head is nothing */
        pass(5 * NS_PER_S);
        assert_true(is_closed(client));
        close_client(client);
        assert_int_equal(stats()->n_gone, 0);
        close_world();
}

static void test_accept_interval(void **state)
{
        (void)state;
        open_world("accept-interval 50ms");
        for (int i = 0; i < 3; i++)
                open_client_at(&clients[i], listener()->port, 0);
        settle();
        assert_int_equal(stats()->n_accepted, 1);
        pass(50 * MS - 1);
        assert_int_equal(stats()->n_accepted, 1);
        pass(1);
        assert_int_equal(stats()->n_accepted, 2);
        pass(50 * MS);
        assert_int_equal(stats()->n_accepted, 3);
        assert_int_equal(stats()->n_open_max, 3);
        for (int i = 0; i < 3; i++)
                close_client(&clients[i]);
        assert_int_equal(stats()->n_open, 0);
        close_world();
}

static void test_client_that_ends_its_side(void **state)
{
        struct client *client;

        (void)state;
        open_world("");
        client = open_client(0);
        get(client, "/plain");
        shutdown(client->fd, SHUT_WR);
        answered(client, 200);
        assert_true(is_closed(client));
        close_client(client);

        /* A response on its way comes whole. */
        open_client_at(client, listener()->port, 4096);
        settle();
        assert_true(send(client->fd, "GET /bytes/8M HTTP/1.1\r\n\r\n", 26, 0) == 26);
        settle();
        shutdown(client->fd, SHUT_WR);
        settle();
        assert_int_equal(stats()->n_busy, 1);
        answered(client, 200);
        assert_int_equal(client->body.len, 8 * 1024 * 1024);
        assert_true(is_closed(client));
        close_client(client);

        /* One with pauses, too. */
        client = open_client(0);
        get(client, "/trickle/3/1/100ms");
        shutdown(client->fd, SHUT_WR);
        pass(200 * MS);
        answered(client, 200);
        assert_true(str_is(client->body, "The"));
        assert_true(is_closed(client));
        close_client(client);

        /* One that has not begun: who ends has given up. */
        client = open_client(0);
        get(client, "/delay/1s");
        shutdown(client->fd, SHUT_WR);
        settle();
        assert_true(is_closed(client));
        assert_int_equal(stats()->n_gone, 1);
        close_client(client);
        assert_int_equal(stats()->n_open, 0);
        close_world();
}

/*
 * A client that asks and asks and does not read: what it sent waits in the kernel, and at last all
 * is answered.
 */
static void test_client_that_does_not_read(void **state)
{
        static char text[60000] = "GET /bytes/300k HTTP/1.1\r\nX: ";
        size_t n_sent = 0, n_requests, n_answered = 0;
        struct client *client = &clients[0];

        (void)state;
        memset(text + strlen(text), 'x', sizeof(text) - strlen(text) - 5);
        memcpy(text + sizeof(text) - 5, "\r\n\r\n", 4);
        open_world("");
        open_client_at(client, listener()->port, 0);
        settle();
        for (int n_still = 0; n_still < 3;) {
                size_t at = n_sent % (sizeof(text) - 1);
                ssize_t n = send(client->fd, text + at, sizeof(text) - 1 - at, MSG_NOSIGNAL);

                n_sent += n > 0 ? (size_t)n : 0;
                n_still = n > 0 ? 0 : n_still + 1;
                if (n < 0)
                        settle();
        }
        n_requests = n_sent / (sizeof(text) - 1);
        assert_true(peer_of_link(list_first(&listener()->peers))->in.len <=
                    128 * 1024 + LOOP_BUFFER_BYTES);
        assert_true(stats()->n_requests < n_requests);
        while (take(client)) {
                assert_int_equal(client->body.len, 300 * 1024);
                n_answered++;
        }
        assert_int_equal(n_answered, n_requests);
        close_client(client);
        assert_int_equal(stats()->n_open, 0);
        close_world();
}

/* --- time ------------------------------------------------------------------------------------ */

static void test_delay(void **state)
{
        struct client *client;

        (void)state;
        open_world("delay 5ms\nroute /api=/plain?delay=10ms");
        client = open_client(0);
        get(client, "/plain");
        pass(5 * MS - 1);
        assert_false(take(client));
        pass(1);
        answered(client, 200);
        get(client, "/api"); /* the listener's and the path's */
        pass(15 * MS - 1);
        assert_false(take(client));
        pass(1);
        answered(client, 200);
        get(client, "/delay/1h");
        pass(3600 * NS_PER_S + 5 * MS - 1);
        assert_false(take(client));
        pass(1);
        answered(client, 200);
        get(client, "/lab/stats"); /* exempt */
        answered(client, 200);
        close_client(client);
        close_world();
}

static void test_trickle(void **state)
{
        struct client *client;
        size_t head;

        (void)state;
        open_world("");
        client = open_client(0);
        get(client, "/trickle/5/2/100ms");
        head = client->got.len - 2;
        assert_memory_equal(client->got.at + head - 4, "\r\n\r\nTh", 6);
        pass(100 * MS - 1);
        pull(client);
        assert_int_equal(client->got.len, head + 2);
        pass(1);
        pull(client);
        assert_int_equal(client->got.len, head + 4);
        assert_false(take(client));
        pass(100 * MS);
        answered(client, 200);
        assert_int_equal(client->body.len, 5);
        get(client, "/chunked/4/1?gap=10ms");
        pass(30 * MS - 1);
        assert_false(take(client));
        pass(1);
        answered(client, 200);
        assert_int_equal(client->body.len, 4);
        close_client(client);
        close_world();
}

static void test_hangs_cuts_and_resets(void **state)
{
        struct client *client;
        int n_gone = 0;

        (void)state;
        open_world("");
        for (int i = 0; i < 4; i++) {
                static const char *const paths[] = { "/hang", "/hang/head", "/hang/body",
                        "/plain?hang=20" };

                client = open_client(0);
                get(client, paths[i]);
                pass(3600 * NS_PER_S);
                pull(client);
                assert_false(client->is_ended);
                assert_int_equal(client->got.len > 0, i > 0);
                if (i == 2)
                        assert_non_null(memmem(client->got.at, client->got.len, "\r\n\r\nThe", 7));
                if (i == 3)
                        assert_int_equal(client->got.len, 20);
                assert_int_equal(stats()->n_busy, 1);
                close_client(client);
                assert_int_equal(stats()->n_gone, ++n_gone);
                assert_int_equal(stats()->n_busy, 0);
        }
        client = open_client(0);
        get(client, "/cut/25");
        pull(client);
        assert_true(client->is_ended && client->got.len == 25);
        close_client(client);
        client = open_client(0);
        get(client, "/cut");
        assert_true(client->is_ended && client->got.len == 0);
        close_client(client);
        client = open_client(0);
        get(client, "/reset/30");
        assert_true(client->is_reset && client->got.len <= 30);
        close_client(client);
        client = open_client(0);
        get(client, "/plain?delay=1s&reset=0");
        assert_false(client->is_reset);
        pass(NS_PER_S);
        pull(client);
        assert_true(client->is_reset);
        close_client(client);
        assert_int_equal(stats()->n_gone, n_gone + 4);
        assert_int_equal(stats()->n_busy, 0);
        assert_int_equal(stats()->n_open, 0);
        close_world();
}

static void test_write_size(void **state)
{
        struct client *client;

        (void)state;
        open_world("write-size 100");
        client = open_client(0);
        get(client, "/bytes/1M");
        answered(client, 200);
        assert_int_equal(client->body.len, 1024 * 1024);
        close_client(client);
        close_world();
}

/* --- limits and errors ----------------------------------------------------------------------- */

static void test_rate_limit(void **state)
{
        struct client *client;

        (void)state;
        open_world("rate-limit 10/s,2");
        client = open_client(0);
        get(client, "/plain");
        answered(client, 200);
        get(client, "/plain");
        answered(client, 200);
        ask(client, "POST /echo HTTP/1.1\r\nContent-Length: 2\r\n\r\nab");
        answered(client, 429);
        assert_true(has_field(client, "Retry-After: 1\r\n"));
        get(client, "/lab/stats"); /* exempt */
        answered(client, 200);
        pass(100 * MS - 1);
        get(client, "/plain");
        answered(client, 429);
        pass(1);
        get(client, "/plain");
        answered(client, 200);
        assert_int_equal(stats()->n_rate_limited, 2);
        close_client(client);
        close_world();
        open_world("");
        client = open_client(0);
        for (int i = 0; i < 5; i++) {
                get(client, "/limited/10?burst=3");
                answered(client, i < 3 ? 200 : 429);
        }
        pass(100 * MS);
        get(client, "/limited/10?burst=3");
        answered(client, 200);
        assert_int_equal(stats()->n_rate_limited, 2);
        close_client(client);
        close_world();
}

static int count_errors(const char *settings, char *pattern)
{
        struct client *client;
        int n = 0;

        open_world(settings);
        client = open_client(0);
        for (int i = 0; i < 400; i++) {
                get(client, "/plain");
                assert_true(take(client));
                assert_true(client->status == 200 || client->status == 500);
                pattern[i] = client->status == 500;
                n += pattern[i];
        }
        assert_int_equal(stats()->n_responses[5], n);
        close_client(client);
        close_world();
        return n;
}

static void test_error_share(void **state)
{
        char one[400], again[400], other[400];
        int n = count_errors("error-share 25%\nseed 3", one);

        (void)state;
        assert_true(n > 60 && n < 140);
        assert_int_equal(count_errors("error-share 25%\nseed 3", again), n);
        assert_memory_equal(one, again, sizeof(one));
        count_errors("error-share 25%\nseed 4", other);
        assert_memory_not_equal(one, other, sizeof(one));
        assert_int_equal(count_errors("error-share 100%", one), 400);
        assert_int_equal(count_errors("error-share 0", one), 0);
}

/* --- capacity -------------------------------------------------------------------------------- */

static void open_and_ask(int n)
{
        for (int i = 0; i < n; i++)
                get(open_client(i), "/plain");
}

static void close_clients(int n)
{
        for (int i = 0; i < n; i++)
                close_client(&clients[i]);
        assert_int_equal(stats()->n_open, 0);
        assert_int_equal(stats()->n_busy, 0);
        assert_int_equal(listener()->capacity.n_busy, 0);
        assert_int_equal(listener()->capacity.n_waiting, 0);
}

/* Who has a response that was not taken before? As "01.3". */
static const char *answers_of(int n)
{
        static char text[LENGTH(clients) + 1];

        for (int i = 0; i < n; i++) {
                text[i] = take(&clients[i]) ? (char)('0' + i) : '.';
                assert_true(text[i] == '.' || clients[i].status == 200);
        }
        text[n] = '\0';
        return text;
}

static void test_workers_first_come_first_served(void **state)
{
        const struct capacity *capacity;

        (void)state;
        open_world("workers 2\nservice-time 100ms");
        capacity = &listener()->capacity;
        open_and_ask(5);
        assert_true(capacity->n_busy == 2 && capacity->n_waiting == 3);
        get(open_client(5), "/lab/stats"); /* needs no worker */
        answered(&clients[5], 200);
        pass(100 * MS - 1);
        assert_string_equal(answers_of(5), ".....");
        pass(1);
        assert_string_equal(answers_of(5), "01...");
        pass(100 * MS);
        assert_string_equal(answers_of(5), "..23.");
        pass(100 * MS);
        assert_string_equal(answers_of(5), "....4");
        assert_int_equal(capacity->n_done, 5);
        assert_int_equal(capacity->n_waiting_max, 3);
        assert_int_equal(capacity->busy_ns, 500 * MS);
        assert_int_equal(capacity->wait_ns, 400 * MS);
        close_clients(6);
        close_world();
}

/* A program that was away finds everything as it should have been. */
static void test_workers_when_the_clock_jumps(void **state)
{
        (void)state;
        open_world("workers 2\nservice-time 100ms");
        open_and_ask(5);
        world.clock.manual_ns += 250 * MS;
        settle();
        assert_string_equal(answers_of(5), "0123.");
        assert_int_equal(listener()->capacity.wait_ns, 400 * MS);
        pass(50 * MS - 1);
        assert_string_equal(answers_of(5), ".....");
        pass(1);
        assert_string_equal(answers_of(5), "....4");
        close_clients(5);
        close_world();
}

static void test_queue_that_is_full(void **state)
{
        (void)state;
        open_world("workers 1\nservice-time 100ms\nqueue 1");
        open_and_ask(3);
        answered(&clients[2], 503);
        assert_true(has_field(&clients[2], "Retry-After: 1\r\n"));
        assert_false(has_field(&clients[2], "Connection: close"));
        assert_int_equal(listener()->capacity.n_refused, 1);
        pass(100 * MS);
        assert_string_equal(answers_of(3), "0..");
        get(&clients[2], "/plain"); /* there is room now */
        pass(200 * MS);
        assert_string_equal(answers_of(3), ".12");
        close_clients(3);
        close_world();
        open_world("workers 1\nservice-time 100ms\nqueue 0\nrefuse close");
        open_and_ask(2);
        assert_true(is_closed(&clients[1]));
        assert_int_equal(stats()->n_gone, 1);
        pass(100 * MS);
        assert_string_equal(answers_of(1), "0");
        close_clients(2);
        close_world();
}

static void test_clients_that_leave_a_queue(void **state)
{
        (void)state;
        open_world("workers 1\nservice-time 100ms");
        open_and_ask(4);
        close_client(&clients[1]); /* waits */
        assert_int_equal(listener()->capacity.n_waiting, 2);
        pass(30 * MS);
        close_client(&clients[0]); /* at work: the worker is free at once */
        assert_true(listener()->capacity.n_waiting == 1 && listener()->capacity.n_busy == 1);
        clients[0].fd = clients[1].fd = -1;
        pass(100 * MS - 1);
        assert_false(take(&clients[2]));
        pass(1);
        assert_true(take(&clients[2]));
        pass(100 * MS);
        assert_true(take(&clients[3]));
        assert_int_equal(listener()->capacity.n_done, 2);
        close_clients(4);
        close_world();
}

static void test_coherency_and_contention(void **state)
{
        (void)state;
        /* As the second begins, the third is there: it takes twice as long. */
        open_world("workers 1\nservice-time 100ms\ncoherency 1");
        open_and_ask(3);
        pass(100 * MS);
        assert_string_equal(answers_of(3), "0..");
        pass(200 * MS - 1);
        assert_string_equal(answers_of(3), "...");
        pass(1);
        assert_string_equal(answers_of(3), ".1.");
        pass(100 * MS);
        assert_string_equal(answers_of(3), "..2");
        close_clients(3);
        close_world();
        /* Those that wait do not contend. */
        open_world("workers 2\nservice-time 100ms\ncontention 1");
        open_and_ask(3);
        pass(100 * MS);
        assert_string_equal(answers_of(3), "0..");
        pass(100 * MS);
        assert_string_equal(answers_of(3), ".1.");
        pass(100 * MS); /* it began beside the second */
        assert_string_equal(answers_of(3), "..2");
        close_clients(3);
        close_world();
        /* Beyond all measure is still a number. */
        open_world("workers 2\nservice-time 100ms\ncontention 1e300");
        open_and_ask(2);
        pass(24 * 3600 * NS_PER_S);
        assert_string_equal(answers_of(2), "0.");
        close_clients(2);
        close_world();
}

/* --- what it says of itself ------------------------------------------------------------------ */

static json_t *listener_in(json_t *json, size_t i)
{
        json_t *in = json_array_get(json_object_get(json, "listeners"), i);

        assert_non_null(in);
        return in;
}

static json_t *get_stats(struct client *client)
{
        get(client, "/lab/stats");
        answered(client, 200);
        assert_true(has_field(client, "Content-Type: application/json\r\n"));
        return json_of(client);
}

static void test_stats(void **state)
{
        struct client *client, *second;
        json_t *json, *first;

        (void)state;
        open_world("listener the-first\nworkers 2\nservice-time 10ms\nlistener second\n"
                   "name a.test 192.0.2.1");
        client = open_client(0);
        second = open_client(1);
        get(second, "/status/503");
        pass(10 * MS);
        answered(second, 503);
        get(second, "/status/404");
        pass(10 * MS);
        answered(second, 404);
        get(second, "/hang");
        pass(980 * MS);
        json = get_stats(client);
        first = listener_in(json, 0);
        assert_true(json_real_value(json_object_get(json, "seconds")) == 1);
        assert_string_equal(text_in(first, "name"), "the-first");
        assert_string_equal(text_in(listener_in(json, 1), "name"), "second");
        assert_int_equal(count_in(first, "port"), listener()->port);
        assert_int_equal(count_in(first, "connections"), 2);
        assert_int_equal(count_in(first, "connections_open"), 2);
        assert_int_equal(count_in(first, "connections_open_max"), 2);
        assert_int_equal(count_in(first, "requests"), 3);
        assert_int_equal(count_in(first, "requests_at_once"), 1);
        assert_int_equal(count_in(first, "responses_4xx"), 1);
        assert_int_equal(count_in(first, "responses_5xx"), 1);
        assert_int_equal(count_in(first, "responses_2xx"), 0);
        assert_int_equal(count_in(first, "served"), 3);
        assert_int_equal(count_in(first, "service_us"), 30000);
        assert_int_equal(count_in(first, "workers"), 2);
        assert_int_equal(count_in(first, "bytes_sent"), second->got.len);
        assert_int_equal(count_in(listener_in(json, 1), "connections"), 0);
        assert_int_equal(count_in(json_object_get(json, "dns"), "port"),
                dns_server_port(&world.lab.dns));
        assert_null(json_object_get(json, "link"));
        json_decref(json);
        get(client, "/lab/reset");
        answered(client, 200);
        close_client(second);
        pass(500 * MS);
        json = get_stats(client);
        first = listener_in(json, 0);
        assert_true(json_real_value(json_object_get(json, "seconds")) == 0.5);
        assert_int_equal(count_in(first, "connections"), 0);
        assert_int_equal(count_in(first, "connections_open"), 1);
        assert_int_equal(count_in(first, "connections_open_max"), 2);
        assert_int_equal(count_in(first, "requests"), 0);
        assert_int_equal(count_in(first, "requests_at_once"), 0);
        assert_int_equal(count_in(first, "requests_at_once_max"), 1);
        assert_int_equal(count_in(first, "incomplete"), 1);
        assert_int_equal(count_in(first, "served"), 0);
        json_decref(json);
        close_client(client);
        close_world();
}

/* --- starting -------------------------------------------------------------------------------- */

static void test_start_in_words(void **state)
{
        struct lab_config *config;
        struct muster_error error = { 0 };
        struct lab lab = { 0 };
        char url[100], expected[100];

        (void)state;
        lab_stop(&lab); /* zeroed is not running */
        open_world("");
        config = mem_zalloc(sizeof(*config));
        assert_int_equal(config_init(config), 0);
        config->listeners[0].port = listener()->port;
        assert_int_equal(lab_start(&lab, &world.loop, config, &error), MUSTER_E_RESOURCE);
        snprintf(expected, sizeof(expected),
                "listener lab: cannot bind to 127.0.0.1:%u: ", listener()->port);
        assert_true(str_starts(str_of(error.text), expected));
        assert_int_equal(error.sys, EADDRINUSE);
        lab_stop(&lab);
        config_deinit(config);
        mem_free(config);
        listener_url(listener(), NULL, url, sizeof(url));
        snprintf(expected, sizeof(expected), "http://127.0.0.1:%u", listener()->port);
        assert_string_equal(url, expected);
        listener_url(listener(), "a.test", url, sizeof(url));
        snprintf(expected, sizeof(expected), "http://a.test:%u", listener()->port);
        assert_string_equal(url, expected);
        close_world();
}

static void start_without_memory(void)
{
        struct clock clock = { .is_manual = true, .manual_ns = START_NS };
        struct muster_error error = { 0 };
        int sys = 0;

        world.clock = clock;
        if (loop_init(&world.loop, &world.clock, &sys) < 0)
                return;
        if (config_init(&world.config) == 0 &&
                scenario_parse("test", str_of("name a.test 192.0.2.1"), &world.config, NULL) == 0) {
                int r = lab_start(&world.lab, &world.loop, &world.config, &error);

                assert_int_equal(r, error.code);
                assert_true(r == 0 || mem_has_failed());
        }
        close_world();
}

static void test_start_without_memory(void **state)
{
        (void)state;
        for_each_failing_allocation(start_without_memory);
}

/* --- trouble --------------------------------------------------------------------------------- */

static const char *const requests[] = {
        "GET /plain HTTP/1.1\r\nA: b\r\n\r\n",
        "GET /json/2k/3 HTTP/1.1\r\n\r\n",
        "GET /encoded/gzip,br,zstd HTTP/1.1\r\n\r\n",
        "GET /broken/deflate/trailing HTTP/1.1\r\n\r\n",
        "POST /echo HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello",
        "POST /upload HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n",
        "GET /chunked/40k?early-hints=2&gap=1ms HTTP/1.1\r\n\r\n",
        "GET /basic/a/b HTTP/1.1\r\nAuthorization: Basic YTpi\r\n\r\n",
        "GET /redirect/3?to=%2fplain&header=a:b HTTP/1.1\r\n\r\n",
        "GET /retry/503/1s?times=1&key=a HTTP/1.1\r\n\r\n",
        "GET /cookies/set?a=b&c=d HTTP/1.1\r\n\r\n",
        "GET /cookies HTTP/1.1\r\nCookie: a=b; c=d\r\n\r\n",
        "GET / HTTP/1.1\r\n\r\nGET /delay/5ms HTTP/1.1\r\n\r\nGET /bytes/1M HTTP/1.1\r\n\r\n",
        "GET /lab/stats HTTP/1.1\r\n\r\n",
        "GET /pl",
        "ain HTTP/1.1\r\n\r\n",
        "GET /hang/body HTTP/1.1\r\n\r\n",
        "GET /cut/30 HTTP/1.1\r\n\r\n",
        "GET /trickle/9/1/1ms HTTP/1.1\r\n\r\n",
        "POST /upload HTTP/1.1\r\nExpect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n",
        "\r\n",
        "x",
};

/* Whatever happened before: all is forgotten, and a new client is served. */
static void check_all_is_well(void)
{
        struct client *client;

        for (size_t i = 0; i < LENGTH(clients); i++)
                if (clients[i].fd > 0)
                        close_client(&clients[i]);
        pass(3 * NS_PER_S);
        assert_int_equal(stats()->n_open, 0);
        assert_int_equal(stats()->n_busy, 0);
        assert_int_equal(listener()->capacity.n_busy, 0);
        assert_int_equal(listener()->capacity.n_waiting, 0);
        assert_true(list_is_empty(&listener()->peers) && list_is_empty(&world.lab.dead));
        client = open_client(0);
        get(client, "/json/2k/3");
        pass(10 * MS);
        answered(client, 200);
        assert_int_equal(client->body.len, 2048);
        get(client, "/plain");
        pass(10 * MS);
        answered(client, 200);
        close_client(client);
}

/* Without any memory of the test's own: only whether the lab survives is asked here. */
static void send_all_without_memory(void)
{
        for (size_t i = 0; i < LENGTH(requests); i++) {
                struct client client;
                char bytes[4096];

                open_client_at(&client, listener()->port, 0);
                settle();
                (void)!send(client.fd, requests[i], strlen(requests[i]), MSG_NOSIGNAL);
                pass(3 * MS);
                while (recv(client.fd, bytes, sizeof(bytes), 0) > 0)
                        ;
                close(client.fd);
                settle();
        }
}

static void serve_without_memory(const char *settings, long step)
{
        int has_failed = 1;

        for (long n = 0; has_failed; n += step) {
                open_world(settings);
                mem_fail_after(n);
                send_all_without_memory();
                has_failed = mem_has_failed();
                mem_fail_after(-1);
                check_all_is_well();
                close_world();
                assert_true(n < 10000);
        }
}

static void test_serving_without_memory(void **state)
{
        (void)state;
        serve_without_memory("", 1);
        serve_without_memory("workers 1\nservice-time 2ms\nidle-timeout 1s", 1);
}

/* One waits and gets no timer when its turn comes. */
static void test_worker_without_memory(void **state)
{
        struct job first = { 0 }, jobs[2] = { 0 };
        struct capacity *capacity;

        (void)state;
        open_world("workers 1\nservice-time 10ms");
        capacity = &listener()->capacity;
        assert_int_equal(capacity_enter(capacity, &first, NULL), 0);
        assert_int_equal(capacity_enter(capacity, &jobs[0], NULL), 0);
        assert_int_equal(capacity_enter(capacity, &jobs[1], NULL), 0);
        assert_true(capacity->n_busy == 1 && capacity->n_waiting == 2);
        /* The heap of timers has room now only for what it has: take all of it. */
        heap_deinit(&world.loop.timers);
        first.timer.node = (struct heap_node){ 0 };
        mem_fail_after(0);
        capacity_leave(&first);
        mem_fail_after(-1);
        assert_true(capacity->n_busy == 0 && capacity->n_waiting == 0);
        capacity_leave(&jobs[0]);
        capacity_leave(&jobs[1]);
        assert_true(capacity->n_busy == 0 && capacity->n_waiting == 0);
        close_world();
}

static void do_something(struct rand *rand)
{
        size_t i = 1 + rand_up_to(rand, 7);
        struct client *client = &clients[i];
        const char *text = requests[rand_up_to(rand, LENGTH(requests) - 1)];
        static const struct linger abrupt = { .l_onoff = 1 };
        char noise[40];

        if (client->fd <= 0) {
                open_client_at(client, listener()->port, rand_up_to(rand, 1) ? 4096 : 0);
                settle();
                return;
        }
        switch (rand_up_to(rand, 15)) {
        case 0:
                setsockopt(client->fd, SOL_SOCKET, SO_LINGER, &abrupt, sizeof(abrupt));
                close_client(client);
                return;
        case 1:
                close_client(client);
                return;
        case 2:
                shutdown(client->fd, SHUT_WR);
                settle();
                return;
        case 3:
                pull(client);
                return;
        case 4:
        case 5:
                pass(rand_up_to(rand, 20 * MS));
                return;
        case 6:
                for (size_t k = 0; k < sizeof(noise); k++)
                        noise[k] = (char)rand_next(rand);
                (void)!send(client->fd, noise, sizeof(noise), MSG_NOSIGNAL);
                settle();
                return;
        default:
                (void)!send(client->fd, text, strlen(text), MSG_NOSIGNAL);
                settle();
                return;
        }
}

static void test_anything_in_any_order(void **state)
{
        static const char *const settings[] = { "",
                "workers 2\nservice-time exp:5ms\nqueue 2\nidle-timeout 50ms",
                "workers 1\nservice-time 5ms\nqueue 0\nrefuse close\nmax-requests 3",
                "delay exp:2ms\nwrite-size 1k\nerror-share 20%\naccept-interval 1ms" };

        (void)state;
        for (size_t i = 0; i < LENGTH(settings); i++) {
                struct rand rand;

                rand_init(&rand, i + 1);
                open_world(settings[i]);
                for (int k = 0; k < 1500; k++)
                        do_something(&rand);
                assert_true(stats()->n_requests > 100);
                world.config.listeners[0].error_share = 0;
                world.config.listeners[0].delay = (struct spread){ 0 };
                check_all_is_well();
                close_world();
        }
}

static void test_stop_in_the_midst(void **state)
{
        (void)state;
        open_world("workers 1\nservice-time 5ms");
        for (int i = 0; i < 8; i++)
                get(open_client(i), i % 2 ? "/hang/body" : "/bytes/9M");
        pass(12 * MS);
        close_world();
        open_world("");
        for (int i = 0; i < 8; i++)
                close_client(&clients[i]);
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
                cmocka_unit_test(test_byte_by_byte),
                cmocka_unit_test(test_pipelined),
                cmocka_unit_test(test_keep_alive_and_its_ends),
                cmocka_unit_test(test_max_requests),
                cmocka_unit_test(test_idle_timeout),
                cmocka_unit_test(test_accept_interval),
                cmocka_unit_test(test_client_that_ends_its_side),
                cmocka_unit_test(test_client_that_does_not_read),
                cmocka_unit_test(test_delay),
                cmocka_unit_test(test_trickle),
                cmocka_unit_test(test_hangs_cuts_and_resets),
                cmocka_unit_test(test_write_size),
                cmocka_unit_test(test_rate_limit),
                cmocka_unit_test(test_error_share),
                cmocka_unit_test(test_workers_first_come_first_served),
                cmocka_unit_test(test_workers_when_the_clock_jumps),
                cmocka_unit_test(test_queue_that_is_full),
                cmocka_unit_test(test_clients_that_leave_a_queue),
                cmocka_unit_test(test_coherency_and_contention),
                cmocka_unit_test(test_stats),
                cmocka_unit_test(test_start_in_words),
                cmocka_unit_test(test_start_without_memory),
                cmocka_unit_test(test_serving_without_memory),
                cmocka_unit_test(test_worker_without_memory),
                cmocka_unit_test(test_anything_in_any_order),
                cmocka_unit_test(test_stop_in_the_midst),
        };

        return cmocka_run_group_tests_name("lab_server", tests, NULL, NULL);
}
