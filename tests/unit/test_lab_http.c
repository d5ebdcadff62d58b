/* SPDX-License-Identifier: MIT */
/*
 * The lab's side of HTTP without a socket: requests read, plans turned into bytes, documents,
 * codings, kept bodies
 */
#include "unit.h"

#include <base/rand.h>
#include <http/decode.h>
#include <http/h1_head.h>
#include <jansson.h>
#include <lab/blob.h>
#include <lab/coding.h>
#include <lab/document.h>
#include <lab/reply.h>
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

/* --- replies --------------------------------------------------------------------------------- */

static struct plan plan;
static struct reply reply;
static struct reply_manner manner;

static void begin_plan(void)
{
        plan_begin(&plan);
        manner = (struct reply_manner){ .keeps_alive = true,
                .version = 11,
                .date = str_of("Date: x\r\n"),
                .filling = str_of("abcdefghij") };
}

/* The steps of a reply as text: what is sent between "|", "~5" a wait of 5 ns, and how it ends. */
static const char *run(void)
{
        static struct buf text;
        struct reply_step step = { .kind = REPLY_SEND };
        struct rand rand;

        rand_init(&rand, 1);
        reply_begin(&reply, &plan, &manner);
        text.len = 0;
        while (step.kind == REPLY_SEND || step.kind == REPLY_WAIT) {
                char wait[32];

                assert_int_equal(reply_next(&reply, &rand, &step), 0);
                for (unsigned i = 0; i < step.n_pieces; i++)
                        buf_add(&text, step.pieces[i].iov_base, step.pieces[i].iov_len);
                if (step.n_pieces)
                        buf_add_text(&text, "|");
                if (step.kind == REPLY_WAIT) {
                        snprintf(wait, sizeof(wait), "~%llu", (unsigned long long)step.wait_ns);
                        buf_add_text(&text, wait);
                }
        }
        buf_add_text(&text, step.kind == REPLY_DONE    ? "done"
                            : step.kind == REPLY_HANG  ? "hang"
                            : step.kind == REPLY_CLOSE ? "close"
                                                       : "reset");
        buf_terminate(&text);
        return text.at;
}

static void fill(uint64_t n_bytes)
{
        plan.has_filling = true;
        plan.filling_bytes = n_bytes;
}

#define HEAD        "HTTP/1.1 200 OK\r\nDate: x\r\n"
#define HEAD_LEN(n) HEAD "Content-Length: " n "\r\n\r\n"
#define SAID        "Content-Type: text/plain; charset=utf-8\r\n"

static void test_reply_of_text(void **state)
{
        (void)state;
        begin_plan();
        assert_string_equal(run(), HEAD_LEN("0") "|done");
        plan_say(&plan, 404, "no %s\n", "such thing");
        plan_add_field(&plan, "A", str_of("b"));
        assert_string_equal(run(), "HTTP/1.1 404 Not Found\r\nDate: x\r\n" SAID
                                   "Content-Length: 14\r\nA: b\r\n\r\nno such thing\n|done");
        manner.is_head = true;
        assert_string_equal(run(), "HTTP/1.1 404 Not Found\r\nDate: x\r\n" SAID
                                   "Content-Length: 14\r\nA: b\r\n\r\n|done");
        begin_plan();
        plan_say(&plan, 204, "this is not sent");
        assert_string_equal(run(), "HTTP/1.1 204 No Content\r\nDate: x\r\n" SAID "\r\n|done");
        plan.framing = PLAN_CHUNKED;
        assert_string_equal(run(), "HTTP/1.1 204 No Content\r\nDate: x\r\n" SAID "\r\n|done");
        begin_plan();
        plan.status = 999;
        assert_string_equal(run(), "HTTP/1.1 999 \r\nDate: x\r\nContent-Length: 0\r\n\r\n|done");
}

static void test_reply_of_connection_fields(void **state)
{
        (void)state;
        begin_plan();
        manner.keeps_alive = false;
        assert_string_equal(run(), HEAD "Content-Length: 0\r\nConnection: close\r\n\r\n|done");
        manner.version = 10;
        assert_string_equal(run(), HEAD "Content-Length: 0\r\nConnection: close\r\n\r\n|done");
        manner.keeps_alive = true;
        assert_string_equal(run(), HEAD "Content-Length: 0\r\nConnection: keep-alive\r\n\r\n|done");
        plan.is_http_1_0 = true;
        manner.version = 11;
        assert_string_equal(run(), "HTTP/1.0 200 OK\r\nDate: x\r\nContent-Length: 0\r\n\r\n|done");
}

static void test_reply_of_filling(void **state)
{
        (void)state;
        begin_plan();
        fill(10);
        assert_string_equal(run(), HEAD_LEN("10") "abcdefghij|done");
        fill(25); /* more than there is at once */
        assert_string_equal(run(), HEAD_LEN("25") "abcdefghij|abcdefghij|abcde|done");
        manner.write_bytes = 4;
        fill(10);
        assert_string_equal(run(), HEAD_LEN("10") "|abcd|abcd|ab|done");
        plan.piece_bytes = 6; /* counts before the listener's */
        plan.gap.a_ns = 5;
        assert_string_equal(run(), HEAD_LEN("10") "|abcdef|~5abcd|done");
        manner.is_head = true;
        assert_string_equal(run(), HEAD_LEN("10") "|done");
}

static void test_reply_of_chunks(void **state)
{
        (void)state;
        begin_plan();
        plan.framing = PLAN_CHUNKED;
        assert_string_equal(run(), HEAD "Transfer-Encoding: chunked\r\n\r\n|0\r\n\r\n|done");
        fill(20);
        plan.piece_bytes = 10;
        assert_string_equal(run(), HEAD "Transfer-Encoding: chunked\r\n\r\n|a\r\nabcdefghij\r\n|"
                                        "a\r\nabcdefghij\r\n|0\r\n\r\n|done");
        plan.gap.a_ns = 7;
        plan.piece_bytes = 8;
        assert_string_equal(run(), HEAD "Transfer-Encoding: chunked\r\n\r\n|8\r\nabcdefgh\r\n|~7"
                                        "8\r\nabcdefgh\r\n|~74\r\nabcd\r\n|0\r\n\r\n|done");
        begin_plan();
        plan.framing = PLAN_CHUNKED;
        plan_say(&plan, 200, "hello");
        assert_string_equal(run(),
                HEAD SAID "Transfer-Encoding: chunked\r\n\r\n|5\r\nhello\r\n|0\r\n\r\n|done");
        /* HTTP/1.0 knows no chunks (RFC 9112 section 6.1). */
        manner.version = 10;
        manner.keeps_alive = false;
        assert_string_equal(run(),
                HEAD SAID "Content-Length: 5\r\nConnection: close\r\n\r\nhello|done");
        manner.version = 11;
        manner.is_head = true;
        assert_null(strstr(run(), "\r\n\r\n5"));
}

static void test_reply_until_close(void **state)
{
        (void)state;
        begin_plan();
        plan.framing = PLAN_UNTIL_CLOSE;
        plan.closes = true;
        manner.keeps_alive = false;
        fill(3);
        assert_string_equal(run(), HEAD "Connection: close\r\n\r\nabc|done");
}

static void test_reply_with_interim(void **state)
{
        static const char hint[] =
                "HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload; as=style\r\n\r\n|";
        char expected[600];

        (void)state;
        begin_plan();
        plan.n_interim = 2;
        plan.interim_status = 103;
        snprintf(expected, sizeof(expected), "%s%s%s", hint, hint, HEAD_LEN("0") "|done");
        assert_string_equal(run(), expected);
        plan.n_interim = 1;
        plan.interim_status = 102;
        assert_string_equal(run(), "HTTP/1.1 102 Processing\r\n\r\n|" HEAD_LEN("0") "|done");
        manner.version = 10; /* must not get any (RFC 9110 section 15.2) */
        manner.keeps_alive = false;
        assert_string_equal(run(), HEAD "Content-Length: 0\r\nConnection: close\r\n\r\n|done");
}

static void check_stop(enum plan_stop stop, const char *how, const char *all, size_t len)
{
        plan.stop = stop;
        plan.stop_where = PLAN_AT_BYTE;
        for (size_t at = 0; at <= len + 5; at++) {
                char expected[400];
                const char *got;
                size_t n = 0;

                plan.stop_at = at;
                got = run();
                /* Compare without the marks between pieces. */
                for (const char *c = got; *c; c++)
                        if (*c != '|')
                                expected[n++] = *c;
                expected[n] = '\0';
                assert_memory_equal(expected, all, at < len ? at : len);
                assert_string_equal(expected + (at < len ? at : len), at <= len ? how : "done");
        }
}

static void test_reply_stops_at_byte(void **state)
{
        static const char whole[] = HEAD_LEN("10") "abcdefghij";
        static const char pieces[] = HEAD_LEN("10") "abcabcabca";
        static const char chunks[] =
                HEAD "Transfer-Encoding: chunked\r\n\r\n6\r\nabcdef\r\n4\r\nabcd\r\n0\r\n\r\n";

        (void)state;
        begin_plan();
        fill(10);
        check_stop(PLAN_CLOSES, "close", whole, sizeof(whole) - 1);
        check_stop(PLAN_RESETS, "reset", whole, sizeof(whole) - 1);
        check_stop(PLAN_HANGS, "hang", whole, sizeof(whole) - 1);
        plan.piece_bytes = 3; /* each piece begins the filling anew */
        check_stop(PLAN_CLOSES, "close", pieces, sizeof(pieces) - 1);
        plan.piece_bytes = 6;
        plan.framing = PLAN_CHUNKED;
        check_stop(PLAN_CLOSES, "close", chunks, sizeof(chunks) - 1);
}

static void test_reply_stops_somewhere(void **state)
{
        size_t head = strlen(HEAD_LEN("10"));
        const char *got;

        (void)state;
        begin_plan();
        fill(10);
        plan.stop = PLAN_HANGS;
        plan.stop_where = PLAN_IN_HEAD;
        got = run();
        assert_int_equal(strlen(got), head / 2 + strlen("|hang"));
        assert_memory_equal(got, HEAD_LEN("10"), head / 2);
        plan.stop_where = PLAN_IN_BODY;
        assert_string_equal(run(), HEAD_LEN("10") "abcde|hang");
        plan.n_interim = 1;
        plan.interim_status = 102;
        assert_string_equal(run(), "HTTP/1.1 102 Processing\r\n\r\n|" HEAD_LEN("10") "abcde|hang");
}

static void test_reply_of_a_large_text(void **state)
{
        size_t n_text = 300 * 1024;
        const char *got;

        (void)state;
        begin_plan();
        for (size_t i = 0; i < n_text; i++)
                buf_add_char(&plan.text, (char)('a' + i % 26));
        got = run();
        assert_memory_equal(got, HEAD_LEN("307200"), strlen(HEAD_LEN("307200")));
        assert_memory_equal(got + strlen(HEAD_LEN("307200")), plan.text.at, n_text);
        assert_string_equal(got + strlen(HEAD_LEN("307200")) + n_text, "|done");
}

static void reply_without_memory(void)
{
        struct reply_step step = { 0 };
        struct rand rand;
        int r;

        rand_init(&rand, 1);
        begin_plan();
        plan_say(&plan, 200, "hello");
        plan_add_field(&plan, "A", str_of("b"));
        plan.framing = PLAN_CHUNKED;
        plan.n_interim = 1;
        plan.interim_status = 102;
        reply_begin(&reply, &plan, &manner);
        do
                r = reply_next(&reply, &rand, &step);
        while (r == 0 && step.kind == REPLY_SEND);
        assert_true(r == MUSTER_E_RESOURCE || (r == 0 && step.kind == REPLY_DONE));
        assert_true(r == 0 || mem_has_failed());
        plan_deinit(&plan);
        reply_deinit(&reply);
        plan = (struct plan){ 0 };
        reply = (struct reply){ 0 };
}

static void test_reply_without_memory(void **state)
{
        (void)state;
        plan_deinit(&plan);
        reply_deinit(&reply);
        plan = (struct plan){ 0 };
        reply = (struct reply){ 0 };
        for_each_failing_allocation(reply_without_memory);
}

static void test_plan(void **state)
{
        char large[3000];

        (void)state;
        begin_plan();
        plan_add_field(&plan, "A", str_of("b\r\nC: d"));
        assert_true(str_is(buf_str(&plan.fields), "A: \r\n"));
        plan_add_field(&plan, "E", str_of("f\xc3\xa4"));
        assert_true(str_is(buf_str(&plan.fields), "A: \r\nE: f\xc3\xa4\r\n"));
        memset(large, 'x', sizeof(large) - 1);
        large[sizeof(large) - 1] = '\0';
        plan_say(&plan, 500, "%s", large);
        assert_true(plan.text.len == 1023 && plan.status == 500);
        assert_int_equal(plan_body_bytes(&plan), 1023);
        fill(7);
        assert_int_equal(plan_body_bytes(&plan), 7);
        plan_say(&plan, 200, "%s", "");
        assert_int_equal(plan_body_bytes(&plan), 0);
        plan_begin(&plan);
        assert_true(plan.status == 200 && !plan.fields.len && !plan.text.len && !plan.type);
        assert_string_equal(status_reason(418), "I'm a Teapot");
        assert_string_equal(status_reason(299), "");
        plan_deinit(&plan);
        plan_deinit(&plan);
}

/* --- documents ------------------------------------------------------------------------------- */

static size_t depth_of(const json_t *value)
{
        const json_t *child = json_object_get(value, "child");

        return child ? 1 + depth_of(child) : 1;
}

static void check_document(uint64_t n_bytes, unsigned depth)
{
        struct buf text = { 0 };
        json_error_t error;
        json_t *value;
        int r = document_make(n_bytes, depth, &text);

        if (r == MUSTER_E_INVALID) {
                assert_true(n_bytes < 30 + 12 * depth);
                assert_int_equal(text.len, 0);
                return;
        }
        assert_int_equal(r, 0);
        assert_int_equal(text.len, n_bytes);
        value = json_loadb(text.at, text.len, 0, &error);
        if (!value)
                fail_msg("%llu bytes, depth %u: %s", (unsigned long long)n_bytes, depth,
                        error.text);
        assert_int_equal(depth_of(value), depth);
        json_decref(value);
        buf_deinit(&text);
}

static void test_documents(void **state)
{
        struct buf text = { 0 };

        (void)state;
        for (uint64_t n_bytes = 0; n_bytes < 600; n_bytes++)
                for (unsigned depth = 1; depth <= 5; depth++)
                        check_document(n_bytes, depth);
        check_document(1024, 1);
        check_document(10 * 1024, 100);
        check_document(20 * 1024, DOCUMENT_DEPTH_MAX);
        check_document(1024 * 1024, 3);
        assert_int_equal(document_make(27, 1, &text), 0);
        assert_true(str_is(buf_str(&text), "{\"items\":[],\"padding\":\"  \"}"));
        buf_deinit(&text);
        assert_int_equal(document_make(24, 1, &text), MUSTER_E_INVALID);
        assert_int_equal(document_make(5000, DOCUMENT_DEPTH_MAX, &text), MUSTER_E_INVALID);
}

static void test_json_strings(void **state)
{
        static const struct {
                struct muster_str text;
                const char *json;
        } cases[] = {
                { BYTES(""), "\"\"" },
                { BYTES("a\"\\/\x7f"), "\"a\\u0022\\u005c/\x7f\"" },
                { BYTES("\0\n\x1f"), "\"\\u0000\\u000a\\u001f\"" },
                { BYTES("\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80"),
                        "\"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\"" },
                { BYTES("\xff"), "\"\xef\xbf\xbd\"" },
                { BYTES("\xc3"), "\"\xef\xbf\xbd\"" },
                { BYTES("\xc0\x80"), "\"\xef\xbf\xbd\xef\xbf\xbd\"" },
                { BYTES("\xe0\x80\x80"), "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"" },
                { BYTES("\xed\xa0\x80x"), "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbdx\"" },
                { BYTES("\xf4\x90\x80\x80"),
                        "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"" },
                { BYTES("\xe2\x82x"), "\"\xef\xbf\xbd\xef\xbf\xbdx\"" },
        };
        struct buf text = { 0 };
        struct rand rand;

        (void)state;
        for (size_t i = 0; i < LENGTH(cases); i++) {
                text.len = 0;
                assert_int_equal(document_add_string(&text, cases[i].text), 0);
                if (!str_is(buf_str(&text), cases[i].json))
                        fail_msg("case %zu: %.*s", i, STR_ARGS(buf_str(&text)));
        }
        rand_init(&rand, 1);
        for (int i = 0; i < 20000; i++) {
                char bytes[8];
                size_t len = rand_up_to(&rand, sizeof(bytes));
                json_t *value;

                for (size_t k = 0; k < len; k++)
                        bytes[k] = (char)(rand_next(&rand) % 3 ? 0x80 | rand_next(&rand)
                                                               : rand_next(&rand));
                text.len = 0;
                assert_int_equal(document_add_string(&text, (struct muster_str){ bytes, len }), 0);
                value = json_loadb(text.at, text.len, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
                assert_non_null(value);
                json_decref(value);
        }
        buf_deinit(&text);
}

static void make_without_memory(void)
{
        struct buf text = { 0 };
        int r = document_make(500, 2, &text);

        assert_true(r == MUSTER_E_RESOURCE || (r == 0 && text.len == 500));
        if (r == 0)
                r = document_add_string(&text, str_of("\x01 and some more text than fits"));
        assert_true((r == MUSTER_E_RESOURCE) == (mem_has_failed() != 0));
        buf_deinit(&text);
}

static void test_documents_without_memory(void **state)
{
        (void)state;
        for_each_failing_allocation(make_without_memory);
}

/* --- codings --------------------------------------------------------------------------------- */

/* What a client makes of it, with the coding named as the lab names it. */
static int decode(enum coding coding, struct muster_str in, struct buf *out, uint64_t *ret_n_out)
{
        const struct decode_limits limits = { .max_bytes = UINT64_MAX, .max_ratio = 1000000 };
        static struct h1_scratch scratch;
        struct muster_error error = { 0 };
        struct decoder *decoder = NULL;
        struct fields fields;
        char head[64];
        int r;

        snprintf(head, sizeof(head), "Content-Encoding: %s\r\n\r\n", coding_token(coding));
        assert_int_equal(h1_fields_parse(str_of(head), head, &scratch, &fields, &error), 0);
        assert_int_equal(decoder_new(&decoder, &fields, &limits, &error), 0);
        r = decoder_feed(decoder, in, out, &error);
        if (r == 0)
                r = decoder_end(decoder, &error);
        *ret_n_out = decoder_n_out(decoder);
        decoder_free(decoder);
        return r;
}

static void check_coding(enum coding coding, struct muster_str block, uint64_t n_bytes)
{
        struct buf coded = { 0 }, decoded = { 0 };
        uint64_t n_out;

        buf_add_text(&coded, "before");
        assert_int_equal(coding_encode(coding, block, n_bytes, &coded), 0);
        assert_memory_equal(coded.at, "before", 6);
        assert_int_equal(decode(coding, (struct muster_str){ coded.at + 6, coded.len - 6 },
                                 &decoded, &n_out),
                0);
        assert_int_equal(decoded.len, n_bytes);
        for (uint64_t i = 0; i < n_bytes; i++)
                if (decoded.at[i] != block.at[i % block.len])
                        fail_msg("coding %d: byte %llu differs", coding, (unsigned long long)i);
        buf_deinit(&coded);
        buf_deinit(&decoded);
}

static void test_codings(void **state)
{
        static const uint64_t sizes[] = { 0, 1, 2, 9, 10, 11, 4095, 65536, 65537, 300000 };
        static char noise[100003];
        struct rand rand;

        (void)state;
        rand_init(&rand, 1);
        for (size_t i = 0; i < sizeof(noise); i++)
                noise[i] = (char)rand_next(&rand);
        for (enum coding coding = 0; coding < N_CODINGS; coding++) {
                for (size_t i = 0; i < LENGTH(sizes); i++)
                        check_coding(coding, str_of("0123456789"), sizes[i]);
                check_coding(coding, (struct muster_str){ noise, sizeof(noise) }, 250000);
        }
}

/* A long one is made of parts: here by what each part is alone. */
static void test_coding_of_parts(void **state)
{
        static const char zeros[64 * 1024];
        const struct muster_str block = { zeros, sizeof(zeros) };
        uint64_t part = UINT64_C(64) << 20, n_out;
        struct buf one = { 0 }, two = { 0 };

        (void)state;
        assert_int_equal(coding_encode(CODING_ZSTD, block, part, &one), 0);
        assert_int_equal(coding_encode(CODING_ZSTD, block, 2 * part + 1000, &two), 0);
        assert_true(two.len > 2 * one.len && two.len < 2 * one.len + 100);
        assert_memory_equal(two.at, one.at, one.len);
        assert_memory_equal(two.at + one.len, one.at, one.len);
        assert_int_equal(decode(CODING_ZSTD, buf_str(&two), NULL, &n_out), 0);
        assert_int_equal(n_out, 2 * part + 1000);
        buf_deinit(&one);
        buf_deinit(&two);
}

static void test_coding_names(void **state)
{
        static const char *const names[] = { "gzip", "deflate", "raw-deflate", "br", "zstd" };
        enum coding coding = N_CODINGS;

        (void)state;
        for (enum coding i = 0; i < N_CODINGS; i++) {
                assert_true(coding_parse(str_of(names[i]), &coding));
                assert_int_equal(coding, i);
                assert_non_null(strstr(CODING_NAMES, names[i]));
        }
        assert_true(coding_parse(str_of("GZip"), &coding) && coding == CODING_GZIP);
        assert_string_equal(coding_token(CODING_RAW_DEFLATE), "deflate");
        assert_false(coding_parse(str_of(""), &coding));
        assert_false(coding_parse(str_of("gzi"), &coding));
        assert_false(coding_parse(str_of("identity"), &coding));
}

static void encode_without_memory(void)
{
        for (enum coding coding = 0; coding < N_CODINGS; coding++) {
                struct buf out = { 0 };
                int r = coding_encode(coding, str_of("abc"), 100, &out);

                assert_true((r == MUSTER_E_RESOURCE) == (mem_has_failed() != 0));
                buf_deinit(&out);
        }
}

static void test_codings_without_memory(void **state)
{
        (void)state;
        for_each_failing_allocation(encode_without_memory);
}

/* --- kept bodies ----------------------------------------------------------------------------- */

static void test_blobs(void **state)
{
        struct blobs blobs;
        struct buf bytes = { 0 };
        const struct blob *blob;
        char key[32];

        (void)state;
        blobs_init(&blobs);
        assert_null(blobs_find(&blobs, "a"));
        buf_add_text(&bytes, "hello");
        blob = blobs_add(&blobs, "a", &bytes);
        assert_non_null(blob);
        assert_true(!bytes.at && blobs_find(&blobs, "a") == blob);
        assert_true(str_is(buf_str(&blob->bytes), "hello"));
        assert_int_equal(blobs.n_bytes, blob->bytes.size);
        for (int i = 1; i < BLOBS_MAX; i++) {
                snprintf(key, sizeof(key), "key %d", i);
                assert_non_null(blobs_add(&blobs, key, &bytes));
        }
        assert_null(blobs_add(&blobs, "one too many", &bytes));
        assert_null(blobs_find(&blobs, "one too many"));
        blobs_deinit(&blobs);
}

static void test_blobs_are_bounded(void **state)
{
        struct blobs blobs;
        struct buf large = { 0 };

        (void)state;
        blobs_init(&blobs);
        assert_int_equal(buf_reserve(&large, 1024), 0);
        blobs.n_bytes = BLOBS_BYTES_MAX - large.size + 1; /* as if there were others */
        assert_null(blobs_add(&blobs, "a", &large));
        assert_null(large.at);
        assert_int_equal(buf_reserve(&large, 1024), 0);
        blobs.n_bytes--;
        assert_non_null(blobs_add(&blobs, "a", &large));
        assert_int_equal(blobs.n_bytes, BLOBS_BYTES_MAX);
        blobs_deinit(&blobs);
}

static void keep_without_memory(void)
{
        struct blobs blobs;
        struct buf bytes = { 0 };

        blobs_init(&blobs);
        if (buf_add_text(&bytes, "hello") == 0 && blobs_add(&blobs, "a", &bytes))
                assert_non_null(blobs_find(&blobs, "a"));
        else
                assert_null(blobs_find(&blobs, "a"));
        assert_null(bytes.at);
        blobs_deinit(&blobs);
}

static void test_blobs_without_memory(void **state)
{
        (void)state;
        for_each_failing_allocation(keep_without_memory);
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
                cmocka_unit_test(test_reply_of_text),
                cmocka_unit_test(test_reply_of_connection_fields),
                cmocka_unit_test(test_reply_of_filling),
                cmocka_unit_test(test_reply_of_chunks),
                cmocka_unit_test(test_reply_until_close),
                cmocka_unit_test(test_reply_with_interim),
                cmocka_unit_test(test_reply_stops_at_byte),
                cmocka_unit_test(test_reply_stops_somewhere),
                cmocka_unit_test(test_reply_of_a_large_text),
                cmocka_unit_test(test_reply_without_memory),
                cmocka_unit_test(test_plan),
                cmocka_unit_test(test_documents),
                cmocka_unit_test(test_json_strings),
                cmocka_unit_test(test_documents_without_memory),
                cmocka_unit_test(test_codings),
                cmocka_unit_test(test_coding_of_parts),
                cmocka_unit_test(test_coding_names),
                cmocka_unit_test(test_codings_without_memory),
                cmocka_unit_test(test_blobs),
                cmocka_unit_test(test_blobs_are_bounded),
                cmocka_unit_test(test_blobs_without_memory),
        };

        return cmocka_run_group_tests_name("lab_http", tests, NULL, NULL);
}
