/* SPDX-License-Identifier: MIT */
/*
 * How the lab reads requests: heads and bodies, split anywhere, without a socket
 */
#include "unit.h"

#include <base/rand.h>
#include <http/h1_head.h>
#include <lab/request.h>
#include <stdio.h>

/* --- heads of requests ----------------------------------------------------------------------- */

static struct request request;
static struct muster_error request_error;

/* The head is kept until the next call. */
static int parse(const char *head)
{
        static struct h1_scratch scratch;
        static char *copy;
        int r;

        mem_free(copy);
        copy = mem_strndup(head, strlen(head)); /* a sanitizer sees reading past it */
        request_error = (struct muster_error){ 0 };
        r = request_parse(&request, (struct muster_str){ copy, strlen(head) }, &scratch,
                &request_error);
        assert_int_equal(r, r ? (int)request_error.code : 0);
        if (r < 0)
                copy = mem_free(copy);
        return r;
}

static void parse_good(const char *head)
{
        if (parse(head) != 0)
                fail_msg("\"%s\": %s", head, request_error.text);
}

static void test_heads(void **state)
{
        (void)state;
        parse_good("GET /a/b?c=d&e HTTP/1.1\r\nHost: a.test\r\nX-Y:  z \r\n\r\n");
        assert_true(str_is(request.method, "GET") && str_is(request.target, "/a/b?c=d&e"));
        assert_true(str_is(request.path, "/a/b") && str_is(request.query, "c=d&e"));
        assert_true(request.version == 11 && request.keeps_alive && !request.is_head);
        assert_int_equal(request.framing, REQUEST_NO_BODY);
        assert_int_equal(request.fields.n, 2);
        assert_true(str_is(fields_find(&request.fields, "x-y"), "z"));
        parse_good("HEAD / HTTP/1.0\r\n\r\n");
        assert_true(request.version == 10 && !request.keeps_alive && request.is_head);
        assert_true(!request.query.at && request.fields.n == 0);
        parse_good("GET / HTTP/1.0\nConnection: Keep-Alive\n\n");
        assert_true(request.keeps_alive);
        parse_good("GET / HTTP/1.1\r\nConnection: x, Close\r\n\r\n");
        assert_false(request.keeps_alive);
        parse_good("POST / HTTP/1.1\r\nContent-Length: 12\r\nExpect: 100-continue\r\n\r\n");
        assert_true(request.framing == REQUEST_LENGTH && request.length == 12);
        assert_true(request.expects_continue);
        parse_good("POST / HTTP/1.1\r\nContent-Length: 0\r\nExpect: 100-continue\r\n\r\n");
        assert_true(request.framing == REQUEST_NO_BODY && !request.expects_continue);
        parse_good("POST / HTTP/1.1\r\nContent-Length: 7\r\nContent-Length: 7, 7\r\n\r\n");
        assert_int_equal(request.length, 7);
        parse_good("POST / HTTP/1.1\r\nTransfer-Encoding: Chunked\r\n\r\n");
        assert_int_equal(request.framing, REQUEST_CHUNKED);
        parse_good("x!#-9 * HTTP/1.1\r\n\r\n");
        assert_true(str_is(request.method, "x!#-9") && str_is(request.path, "*"));
}

static void test_targets(void **state)
{
        static const struct {
                const char *target, *path, *query;
        } cases[] = {
                { "/", "/", NULL },
                { "/a?", "/a", "" },
                { "/a?b?c", "/a", "b?c" },
                { "?b", "/", "b" },
                { "//a", "//a", NULL },
                { "http://h", "/", NULL },
                { "http://h:1/", "/", NULL },
                { "http://h/a?b", "/a", "b" },
                { "https://u@h/a", "/a", NULL },
                { "http://h?b=/c", "/", "b=/c" },
                { "http://", "/", NULL },
                { "/a?u=http://h/b", "/a", "u=http://h/b" },
                { "*", "*", NULL },
                { "h:443", "h:443", NULL },
                { "", "/", NULL },
        };

        (void)state;
        for (size_t i = 0; i < LENGTH(cases); i++) {
                struct request r = { 0 };

                request_cut_target(&r, str_of(cases[i].target));
                if (!str_is(r.path, cases[i].path) ||
                        (r.query.at == NULL) != (cases[i].query == NULL) ||
                        (cases[i].query && !str_is(r.query, cases[i].query)))
                        fail_msg("%s: %.*s, %.*s", cases[i].target, STR_ARGS(r.path),
                                STR_ARGS(r.query));
        }
}

static void test_malformed_heads(void **state)
{
        static const char *const heads[] = {
                "\r\n",
                "GET\r\n\r\n",
                "GET /\r\n\r\n",
                "GET / \r\n\r\n",
                " GET / HTTP/1.1\r\n\r\n",
                "GET  / HTTP/1.1\r\n\r\n",
                "GET / HTTP/1.1 x\r\n\r\n",
                "GET /a b HTTP/1.1\r\n\r\n",
                "GET / HTTP/2.0\r\n\r\n",
                "GET / HTTP/1.2\r\n\r\n",
                "GET / http/1.1\r\n\r\n",
                "G(T / HTTP/1.1\r\n\r\n",
                "GET / HTTP/1.1\r\nno colon\r\n\r\n",
                "GET / HTTP/1.1\r\n: x\r\n\r\n",
                "GET / HTTP/1.1\r\na : x\r\n\r\n",
                "GET / HTTP/1.1\r\na: x\r\n folded\r\n\r\n",
                "POST / HTTP/1.1\r\nContent-Length: x\r\n\r\n",
                "POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
                "POST / HTTP/1.1\r\nContent-Length: +1\r\n\r\n",
                "POST / HTTP/1.1\r\nContent-Length:\r\n\r\n",
                "POST / HTTP/1.1\r\nContent-Length: 1 2\r\n\r\n",
                "POST / HTTP/1.1\r\nContent-Length: 18446744073709551616\r\n\r\n",
                "POST / HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
                "POST / HTTP/1.1\r\nContent-Length: 5, 6\r\n\r\n",
                "POST / HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n",
                "POST / HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
                "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: gzip\r\n\r\n",
                "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n",
                "POST / HTTP/1.1\r\nTransfer-Encoding:\r\n\r\n",
        };

        (void)state;
        for (size_t i = 0; i < LENGTH(heads); i++) {
                if (parse(heads[i]) != MUSTER_E_PROTOCOL)
                        fail_msg("\"%s\" is taken for a request", heads[i]);
                assert_true(strlen(request_error.text) > 0);
        }
}

static void test_head_of_many_fields(void **state)
{
        struct buf head = { 0 };

        (void)state;
        buf_add_text(&head, "GET / HTTP/1.1\r\n");
        for (int i = 0; i <= H1_FIELDS_MAX; i++)
                buf_add_text(&head, "a: b\r\n");
        buf_add_text(&head, "\r\n");
        buf_terminate(&head);
        assert_int_equal(parse(head.at), MUSTER_E_TOO_LARGE);
        head.len -= 8;
        buf_add_text(&head, "\r\n");
        buf_terminate(&head);
        parse_good(head.at);
        assert_int_equal(request.fields.n, H1_FIELDS_MAX);
        buf_deinit(&head);
}

static void test_random_heads(void **state)
{
        static const char letters[] =
                "GET / HTTP/1.10\r\n\n:,;Content-LengthTransfer-Encodingchunked\0\xff?";
        static struct h1_scratch scratch;
        struct rand rand;
        int n_good = 0;

        (void)state;
        rand_init(&rand, 1);
        for (int i = 0; i < 20000; i++) {
                struct muster_error error = { 0 };
                char text[128] = "GET / HTTP/1.1\r\nA: b\r\n\r\n";
                size_t len = strlen(text), scanned = 0, end;
                char *copy;
                int r;

                for (size_t k = rand_up_to(&rand, 6); k; k--)
                        text[rand_up_to(&rand, len - 1)] =
                                letters[rand_up_to(&rand, sizeof(letters) - 1)];
                end = h1_head_end((struct muster_str){ text, len }, &scanned);
                if (!end)
                        continue;
                copy = mem_strndup(text, end);
                r = request_parse(&request, (struct muster_str){ copy, end }, &scratch, &error);
                assert_int_equal(r, (int)error.code);
                n_good += r == 0;
                mem_free(copy);
        }
        assert_true(n_good > 1000);
}

/* --- bodies of requests ---------------------------------------------------------------------- */

struct body_result {
        int last;
        char data[256];
        size_t len;
        size_t n_left;
        bool is_over;
};

static void feed(struct request_body *body, struct muster_str in, struct body_result *result)
{
        char *copy = mem_strndup(in.at, in.len);
        struct muster_str rest = { copy, in.len }, data;

        while ((result->last = request_body_next(body, &rest, &data)) == 0) {
                assert_true(data.len > 0 && data.at >= copy && data.at + data.len <= copy + in.len);
                assert_true(result->len + data.len <= sizeof(result->data));
                memcpy(result->data + result->len, data.at, data.len);
                result->len += data.len;
        }
        result->is_over = body->state == BODY_IS_OVER;
        result->n_left = rest.len;
        assert_true(result->last < 0 || result->is_over || rest.len == 0);
        mem_free(copy);
}

static struct body_result read_body(const char *framing, struct muster_str in, size_t cut)
{
        struct body_result result = { .last = REQUEST_MORE };
        struct request_body body;
        char head[100];

        snprintf(head, sizeof(head), "POST / HTTP/1.1\r\n%s\r\n\r\n", framing);
        parse_good(head);
        request_body_begin(&body, &request);
        feed(&body, (struct muster_str){ in.at, cut }, &result);
        if (result.last == REQUEST_MORE && !result.is_over)
                feed(&body, (struct muster_str){ in.at + cut, in.len - cut }, &result);
        else
                result.n_left += in.len - cut;
        return result;
}

#define LENGTH_5 "Content-Length: 5"
#define CHUNKED  "Transfer-Encoding: chunked"

static void test_bodies_split_anywhere(void **state)
{
        static const struct {
                const char *framing, *in, *data;
                size_t n_left; /* of the next request */
        } cases[] = {
                { LENGTH_5, "helloGET", "hello", 3 },
                { LENGTH_5, "hello", "hello", 0 },
                { "X: y", "GET / ", "", 6 },
                { CHUNKED, "0\r\n\r\nGET", "", 3 },
                { CHUNKED, "5\r\nhello\r\n0\r\n\r\nGET", "hello", 3 },
                { CHUNKED, "2\r\nhe\r\n3;x=\"y\"\r\nllo\r\n000\r\nA: b\r\nC: d\r\n\r\n\r\n",
                        "hello", 2 },
                { CHUNKED, "5\nhello\n0\n\nGET", "hello", 3 },
                { CHUNKED, "00000000000005 \r\nhello\r\n0\r\n\r\n", "hello", 0 },
                { CHUNKED, "A\r\n0123456789\r\nb\r\n0123456789a\r\n0\r\n\r\n",
                        "01234567890123456789a", 0 },
        };

        (void)state;
        for (size_t i = 0; i < LENGTH(cases); i++) {
                struct muster_str in = str_of(cases[i].in);

                for (size_t cut = 0; cut <= in.len; cut++) {
                        struct body_result result = read_body(cases[i].framing, in, cut);

                        assert_int_equal(result.last, REQUEST_MORE);
                        assert_true(result.is_over);
                        assert_true(str_is((struct muster_str){ result.data, result.len },
                                cases[i].data));
                        assert_int_equal(result.n_left, cases[i].n_left);
                }
                /* Without what ends it, it is not over. */
                for (size_t len = 0; len < in.len - cases[i].n_left; len++)
                        assert_false(read_body(cases[i].framing, (struct muster_str){ in.at, len },
                                len / 2)
                                             .is_over);
        }
}

static void test_broken_chunks(void **state)
{
        static const char *const bodies[] = {
                "\r\n",
                "x\r\n",
                " 5\r\nhello\r\n",
                "-5\r\n",
                "0x5\r\n",
                "5x\r\nhello\r\n",
                "5\r\nhello6\r\n",
                "5\r\nhellox\r\n",
                "1234567890abcdef\r\n",
                "+5\r\nhello\r\n",
        };
        char line[400];

        (void)state;
        for (size_t i = 0; i < LENGTH(bodies); i++)
                for (size_t cut = 0; cut <= strlen(bodies[i]); cut++)
                        if (read_body(CHUNKED, str_of(bodies[i]), cut).last != MUSTER_E_PROTOCOL)
                                fail_msg("\"%s\" is taken for chunks", bodies[i]);
        memset(line, 'x', sizeof(line));
        memcpy(line, "5;", 2);
        assert_int_equal(read_body(CHUNKED, (struct muster_str){ line, sizeof(line) }, 7).last,
                MUSTER_E_PROTOCOL);
}

static void test_random_bodies(void **state)
{
        static const char letters[] = "0123456789abcdef\r\n\r\n\r\n;x \0";
        struct rand rand;

        (void)state;
        rand_init(&rand, 1);
        for (int i = 0; i < 20000; i++) {
                char text[40];
                size_t len = rand_up_to(&rand, sizeof(text));
                struct body_result whole, split;

                for (size_t k = 0; k < len; k++)
                        text[k] = letters[rand_up_to(&rand, sizeof(letters) - 2)];
                whole = read_body(CHUNKED, (struct muster_str){ text, len }, len);
                split = read_body(CHUNKED, (struct muster_str){ text, len },
                        rand_up_to(&rand, len));
                assert_int_equal(whole.last, split.last);
                assert_int_equal(whole.is_over, split.is_over);
                assert_true(whole.len == split.len &&
                            memcmp(whole.data, split.data, whole.len) == 0);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_heads),
                cmocka_unit_test(test_targets),
                cmocka_unit_test(test_malformed_heads),
                cmocka_unit_test(test_head_of_many_fields),
                cmocka_unit_test(test_random_heads),
                cmocka_unit_test(test_bodies_split_anywhere),
                cmocka_unit_test(test_broken_chunks),
                cmocka_unit_test(test_random_bodies),
        };

        return cmocka_run_group_tests_name("lab_request", tests, NULL, NULL);
}
