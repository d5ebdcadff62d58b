/* SPDX-License-Identifier: MIT */
/*
 * Plans turned into bytes, without a socket
 */
#include "unit.h"

#include <base/rand.h>
#include <lab/reply.h>
#include <stdio.h>

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

/* The head goes out before the wait; where there is no body there is none. */
static void test_reply_of_body_that_comes_later(void **state)
{
        (void)state;
        begin_plan();
        plan.body_delay.a_ns = 3;
        assert_string_equal(run(), HEAD_LEN("0") "|done");
        fill(10);
        assert_string_equal(run(), HEAD_LEN("10") "|~3abcdefghij|done");
        manner.body_delay.a_ns = 4; /* the listener's, too */
        plan.piece_bytes = 6;
        plan.gap.a_ns = 5;
        assert_string_equal(run(), HEAD_LEN("10") "|~7abcdef|~5abcd|done");
        plan.framing = PLAN_CHUNKED;
        assert_string_equal(run(), HEAD "Transfer-Encoding: chunked\r\n\r\n|~76\r\nabcdef\r\n|"
                                        "~54\r\nabcd\r\n|0\r\n\r\n|done");
        manner.is_head = true;
        assert_null(strstr(run(), "~7"));
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

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_reply_of_text),
                cmocka_unit_test(test_reply_of_connection_fields),
                cmocka_unit_test(test_reply_of_filling),
                cmocka_unit_test(test_reply_of_body_that_comes_later),
                cmocka_unit_test(test_reply_of_chunks),
                cmocka_unit_test(test_reply_until_close),
                cmocka_unit_test(test_reply_with_interim),
                cmocka_unit_test(test_reply_stops_at_byte),
                cmocka_unit_test(test_reply_stops_somewhere),
                cmocka_unit_test(test_reply_of_a_large_text),
                cmocka_unit_test(test_reply_without_memory),
                cmocka_unit_test(test_plan),
        };

        return cmocka_run_group_tests_name("lab_reply", tests, NULL, NULL);
}
