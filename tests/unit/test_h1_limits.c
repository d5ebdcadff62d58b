/* SPDX-License-Identifier: MIT */
/*
 * The response reader's limits: heads, chunk lines, fields and interim responses
 */
#include "h1_outcome.h"
#include "unit.h"

#include <http/h1_read.h>
#include <stdio.h>

static void expect_too_large(const char *in, size_t len, size_t size)
{
        struct h1_outcome outcome;

        h1_outcome_of(in, len, size, 0, false, &outcome);
        if (strncmp(outcome.text, "too_large: ", 11) != 0)
                fail_msg("%s", outcome.text);
}

static void test_caps(void **state)
{
        /* [9110 2.3 lengths] */
        static char head[20000];
        struct h1_outcome outcome;
        size_t len;

        (void)state;
        len = (size_t)snprintf(head, sizeof(head), OK_LINE "X: %01100d\r\n\r\n", 0);
        expect_too_large(head, len, 100000);
        expect_too_large(head, len, 7);
        expect_too_large(head, len - 4, 100000); /* before its end is there */
        /* A chunk line, and trailers. */
        len = (size_t)snprintf(head, sizeof(head),
                OK_LINE "Transfer-Encoding: chunked\r\n\r\n1;%05000d\r\n", 0);
        h1_outcome_of(head, len, 100, 0, false, &outcome);
        assert_int_equal(strncmp(outcome.text,
                                 "200 protocol: a line of the chunked coding is too long", 54),
                0);
        len = (size_t)snprintf(head, sizeof(head),
                OK_LINE "Transfer-Encoding: chunked\r\n\r\n0\r\n");
        while (len < 4000)
                len += (size_t)snprintf(head + len, sizeof(head) - len, "Trailer: x\r\n");
        h1_outcome_of(head, len, 100, 0, false, &outcome);
        assert_int_equal(strncmp(outcome.text,
                                 "200 protocol: a line of the chunked coding is too long", 54),
                0);
}

static void test_too_many(void **state)
{
        static char many[64 * 1024];
        static struct h1_scratch scratch;
        struct h1_reader reader = { 0 };
        struct muster_error error = { 0 };
        struct muster_str in = { many, 0 };
        struct http_event event;
        int r = 0;

        (void)state;
        in.len = (size_t)snprintf(many, sizeof(many), OK_LINE);
        for (int i = 0; i <= H1_FIELDS_MAX; i++)
                in.len += (size_t)snprintf(many + in.len, sizeof(many) - in.len, "A: b\r\n");
        in.len += (size_t)snprintf(many + in.len, sizeof(many) - in.len, "\r\n");
        h1_read_begin(&reader, false, 0);
        assert_int_equal(h1_read_next(&reader, &scratch, &in, &event, &error), MUSTER_E_TOO_LARGE);
        in = (struct muster_str){ many, 0 };
        for (int i = 0; i <= H1_INTERIM_MAX; i++)
                in.len += (size_t)snprintf(many + in.len, sizeof(many) - in.len,
                        "HTTP/1.1 100 C\r\n\r\n");
        h1_read_begin(&reader, false, 0);
        while (r == 0)
                r = h1_read_next(&reader, &scratch, &in, &event, &error);
        assert_int_equal(r, MUSTER_E_PROTOCOL);
        h1_read_deinit(&reader);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_caps),
                cmocka_unit_test(test_too_many),
        };

        return cmocka_run_group_tests_name("h1_limits", tests, NULL, NULL);
}
