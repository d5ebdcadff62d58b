/* SPDX-License-Identifier: MIT */
/*
 * Bodies of which bytes go another way, past the response reader
 */
#include "h1_outcome.h"
#include "unit.h"

#include <http/h1_read.h>

/* Ask for events until there is no more input; returns the last answer. */
static int read_all(struct h1_reader *reader, struct muster_str *in, struct buf *body,
        struct muster_error *error)
{
        static struct h1_scratch scratch;
        struct http_event event = { .kind = HTTP_HEAD };
        int r = 0;

        while (r == 0 && event.kind != HTTP_DONE) {
                r = h1_read_next(reader, &scratch, in, &event, error);
                if (r == 0 && event.kind == HTTP_BODY)
                        buf_add_str(body, event.body);
        }
        return r;
}

/* Cut in two at `cut`; of the second piece up to `n` bytes go to the body another way. */
static void expect_skipped(struct muster_str text, size_t cut, size_t n)
{
        struct muster_str first = { text.at, cut }, rest = { text.at + cut, text.len - cut };
        struct h1_reader reader = { 0 };
        struct muster_error error = { 0 };
        struct buf body = { 0 };
        int r;

        h1_read_begin(&reader, false, 0);
        r = read_all(&reader, &first, &body, &error);
        if (r == H1_MORE) {
                uint64_t left = h1_read_body_left(&reader);

                n = left < n ? (size_t)left : n;
                h1_read_skip_body(&reader, n);
                assert_int_equal(left ? h1_read_body_left(&reader) : 0, left - n);
                buf_add(&body, rest.at, n);
                rest = (struct muster_str){ rest.at + n, rest.len - n };
                r = read_all(&reader, &rest, &body, &error);
        }
        assert_int_equal(r, 0);
        assert_int_equal(first.len + rest.len, 4);
        assert_true(str_is(buf_str(&body), "hello"));
        assert_int_equal(h1_read_body_left(&reader), 0);
        buf_deinit(&body);
        h1_read_deinit(&reader);
}

static void test_body_that_went_another_way(void **state)
{
        static const struct muster_str text =
                BYTES("HTTP/1.1 103 E\r\n\r\n" OK_LINE "Content-Length: 5\r\n\r\nhelloHTTP");

        (void)state;
        for (size_t cut = 1; cut < text.len; cut++)
                for (size_t n = 0; n <= 6; n++)
                        expect_skipped(text, cut, n);
}

/* Where the next bytes are not the body as it is, or where it ends is not known, none may. */
static void test_bodies_that_go_no_other_way(void **state)
{
        static const struct muster_str texts[] = {
                BYTES(OK_LINE "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"),
                BYTES(OK_LINE "\r\nuntil close"), BYTES("HTTP/1.1 304 N\r\n\r\n"),
                BYTES(OK_LINE "Content-Length: 0\r\n\r\n")
        };

        (void)state;
        for (size_t i = 0; i < LENGTH(texts); i++)
                for (size_t cut = 0; cut <= texts[i].len; cut++) {
                        struct muster_str in = { texts[i].at, cut };
                        struct h1_reader reader = { 0 };
                        struct muster_error error = { 0 };
                        struct buf body = { 0 };

                        h1_read_begin(&reader, false, 0);
                        assert_true(read_all(&reader, &in, &body, &error) >= 0);
                        assert_int_equal(h1_read_body_left(&reader), 0);
                        buf_deinit(&body);
                        h1_read_deinit(&reader);
                }
}

/* What went another way is not missing. */
static void test_end_behind_skipped_bytes(void **state)
{
        struct muster_str in = BYTES(OK_LINE "Content-Length: 10\r\n\r\nab");
        struct h1_reader reader = { 0 };
        struct muster_error error = { 0 };
        struct buf body = { 0 };

        (void)state;
        h1_read_begin(&reader, false, 0);
        assert_int_equal(read_all(&reader, &in, &body, &error), H1_MORE);
        h1_read_skip_body(&reader, 5);
        assert_int_equal(h1_read_eof(&reader, &error), MUSTER_E_CLOSED);
        assert_non_null(strstr(error.text, "with 3 bytes of the body still missing"));
        buf_deinit(&body);
        h1_read_deinit(&reader);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_body_that_went_another_way),
                cmocka_unit_test(test_bodies_that_go_no_other_way),
                cmocka_unit_test(test_end_behind_skipped_bytes),
        };

        return cmocka_run_group_tests_name("h1_skipped", tests, NULL, NULL);
}
