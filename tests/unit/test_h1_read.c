/* SPDX-License-Identifier: MIT */
/*
 * The response reader: every fixture is fed whole, cut in two at every byte, and byte by byte, and
 * must always give the same
 */
#include "h1_outcome.h"
#include "unit.h"

#include <base/rand.h>
#include <http/h1_read.h>

static const struct {
        const char *in, *out, *body;
        size_t n_left;
        bool is_head;
} fixtures[] = {
        { OK_LINE "Content-Length: 5\r\n\r\nhello", "200 done", "hello", 0, false },
        { OK_LINE "content-LENGTH:5\r\n\r\nhello", "200 done", "hello", 0, false },
        { OK_LINE "Content-Length: 5\r\n\r\nhelloHTTP", "200 done", "hello", 4, false },
        { OK_LINE "Content-Length: 0\r\n\r\n", "200 done", "", 0, false },
        { OK_LINE "Content-Length: 5, 5\r\n\r\nhello", "200 done", "hello", 0, false },
        { OK_LINE "Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello", "200 done", "hello", 0,
                false },
        { OK_LINE "Content-Length: 05\r\n\r\nhello", "200 done", "hello", 0, false },
        { OK_LINE "\r\nuntil close", "200c eof", "until close", 0, false },
        { OK_LINE "\r\n", "200c eof", "", 0, false },
        { OK_LINE "Connection: close\r\nContent-Length: 1\r\n\r\nx", "200c done", "x", 0, false },
        { OK_LINE "Connection: foo, Close\r\nContent-Length: 1\r\n\r\nx", "200c done", "x", 0,
                false },
        { OK_LINE "Connection: closed\r\nContent-Length: 1\r\n\r\nx", "200 done", "x", 0, false },
        { "HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nx", "200c done", "x", 0, false },
        { "HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 1\r\n\r\nx", "200 done",
                "x", 0, false },
        { "HTTP/1.9 200 OK\r\nContent-Length: 1\r\n\r\nx", "200 done", "x", 0, false },
        { "HTTP/1.1 200\r\nContent-Length: 1\r\n\r\nx", "200 done", "x", 0, false },
        { "HTTP/1.1 200 \r\nContent-Length: 1\r\n\r\nx", "200 done", "x", 0, false },
        { "HTTP/1.1 999 Odd\r\nContent-Length: 1\r\n\r\nx", "999 done", "x", 0, false },
        { "HTTP/1.1 200 OK\nContent-Length: 1\n\nx", "200 done", "x", 0, false },
        { "HTTP/1.1 200 OK\r\nContent-Length: 1\n\r\nx", "200 done", "x", 0, false },
        { OK_LINE "A:\r\nB: \t \r\nContent-Length: 1\r\n\r\nx", "200 done", "x", 0, false },
        { OK_LINE "X: \xc3\xbc\x80\r\nContent-Length: 1\r\n\r\nx", "200 done", "x", 0, false },
        /* no body whatever the fields say */
        { "HTTP/1.1 204 No Content\r\n\r\n", "204n done", "", 0, false },
        { "HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n", "204n done", "", 0, false },
        { "HTTP/1.1 304 N\r\nTransfer-Encoding: chunked\r\n\r\n", "304n done", "", 0, false },
        /* nor then, but it may come: not to be used again */
        { "HTTP/1.1 204 N\r\nContent-Length: 5\r\n\r\nhello", "204cn done", "", 5, false },
        { "HTTP/1.1 204 N\r\nTransfer-Encoding: chunked\r\n\r\n", "204cn done", "", 0, false },
        { "HTTP/1.1 204 N\r\nContent-Length: abc\r\n\r\n", "204cn done", "", 0, false },
        { "HTTP/1.1 204 N\r\nContent-Length:\r\n\r\n", "204cn done", "", 0, false },
        { "HTTP/1.1 204 N\r\nTransfer-Encoding: gzip\r\n\r\n", "204cn done", "", 0, false },
        { "HTTP/1.1 304 N\r\nContent-Length: -1\r\n\r\n", "304cn done", "", 0, false },
        { "HTTP/1.1 304 N\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n", "304cn done", "", 0,
                false },
        { "HTTP/1.1 304 N\r\nTransfer-Encoding: identity\r\n\r\n", "304cn done", "", 0, false },
        { OK_LINE "Content-Length: x\r\n\r\n", "200cn done", "", 0, true },
        { OK_LINE "Content-Length: 5, 6\r\n\r\n", "200cn done", "", 0, true },
        { OK_LINE "Transfer-Encoding:\r\n\r\n", "200cn done", "", 0, true },
        { OK_LINE "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n", "200cn done", "", 0,
                true },
        { "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: keep-alive\r\n\r\n",
                "200cn done", "", 0, true },
        { "HTTP/1.1 103 E\r\nContent-Length: abc\r\nTransfer-Encoding: chunked\r\n\r\n" OK_LINE
          "Content-Length: 1\r\n\r\nx",
                "i 103 200c done", "x", 0, false },
        { "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", "304n done", "", 0, false },
        { OK_LINE "Content-Length: 5\r\n\r\n", "200n done", "", 0, true },
        { OK_LINE "Transfer-Encoding: chunked\r\n\r\n", "200n done", "", 0, true },
        { OK_LINE "\r\n", "200n done", "", 0, true },
        /* interim responses */
        { "HTTP/1.1 100 Continue\r\n\r\n" OK_LINE "Content-Length: 1\r\n\r\nx", "i 100 200 done",
                "x", 0, false },
        { "HTTP/1.1 103 E\r\nLink: a\r\n\r\nHTTP/1.1 103 E\r\n\r\n" OK_LINE
          "Content-Length: 1\r\n\r\nx",
                "i 103 i 103 200 done", "x", 0, false },
        { "HTTP/1.1 101 Switching\r\n\r\n", "protocol: a change of protocol", NULL, 0, false },
        /* chunks */
        { OK_LINE "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", "200 done", "hello",
                0, false },
        { OK_LINE "Transfer-Encoding: Chunked\r\n\r\n5\r\nhello\r\n6\r\n world\r\n0\r\n\r\nrest",
                "200 done", "hello world", 4, false },
        { OK_LINE "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "200 done", "", 0, false },
        { OK_LINE "Transfer-Encoding: chunked\r\n\r\n000\r\n\r\n", "200 done", "", 0, false },
        { OK_LINE
                "Transfer-Encoding: chunked\r\n\r\n0A;name=value\r\n0123456789\r\n0;x=\"a;b\"\r\n\r\n",
                "200 done", "0123456789", 0, false },
        { OK_LINE "Transfer-Encoding: chunked\r\n\r\n1 ; a\r\nx\r\n0\r\n\r\n", "200 done", "x", 0,
                false },
        { OK_LINE "Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nTrailer: a\r\nOther: b\r\n\r\n",
                "200 done", "x", 0, false },
        { OK_LINE "Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nbad trailer\r\n\r\n",
                "200 done", "x", 0, false },
        { OK_LINE "Transfer-Encoding: chunked\r\n\r\n0\r\nHTTP/1.1 200 OK\r\n\r\n",
                "200 protocol: not a valid trailer field", NULL, 0, false },
        { OK_LINE "Transfer-Encoding: chunked\r\n\r\n0\r\nA: b\rc\r\n\r\n",
                "200 protocol: not a valid trailer field", NULL, 0, false },
        { OK_LINE "Transfer-Encoding: chunked\r\n\r\nx\r\n", "200 protocol: not a valid chunk size",
                NULL, 0, false },
        { OK_LINE "Transfer-Encoding: chunked\r\n\r\n0x5\r\nhello\r\n",
                "200 protocol: not a valid chunk size", NULL, 0, false },
        { OK_LINE "Transfer-Encoding: chunked\r\n\r\n+5\r\nhello\r\n",
                "200 protocol: not a valid chunk size", NULL, 0, false },
        { OK_LINE "Transfer-Encoding: chunked\r\n\r\n-5\r\nhello\r\n",
                "200 protocol: not a valid chunk size", NULL, 0, false },
        { OK_LINE "Transfer-Encoding: chunked\r\n\r\n 5\r\nhello\r\n",
                "200 protocol: not a valid chunk size", NULL, 0, false },
        { OK_LINE "Transfer-Encoding: chunked\r\n\r\n5 5\r\nhello\r\n",
                "200 protocol: not a valid chunk size", NULL, 0, false },
        { OK_LINE "Transfer-Encoding: chunked\r\n\r\n\r\nhello\r\n",
                "200 protocol: not a valid chunk size", NULL, 0, false },
        { OK_LINE "Transfer-Encoding: chunked\r\n\r\n5\nhello\r\n",
                "200 protocol: a line of the chunked coding does not end in CRLF", NULL, 0, false },
        { OK_LINE "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\n0\r\n\r\n",
                "200 protocol: a line of the chunked coding", NULL, 0, false },
        { OK_LINE "Transfer-Encoding: chunked\r\n\r\n5\r\nhelloX\r\n0\r\n\r\n",
                "200 protocol: a line of the chunked coding", NULL, 0, false },
        { OK_LINE "Transfer-Encoding: chunked\r\n\r\n5;a\rb\r\nhello\r\n",
                "200 protocol: not a valid chunk size", NULL, 0, false },
        { OK_LINE "Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n",
                "200 protocol: a chunk size that is too large", NULL, 0, false },
        { OK_LINE "Transfer-Encoding: chunked\r\n\r\n8000000000000000\r\n",
                "200 protocol: a chunk size that is too large", NULL, 0, false },
        /* codings that mean nothing, and one that is said twice */
        { OK_LINE "Transfer-Encoding: identity\r\nContent-Length: 5\r\n\r\nhello", "200c done",
                "hello", 0, false },
        { OK_LINE "Transfer-Encoding: Identity\r\n\r\nhello", "200c eof", "hello", 0, false },
        { OK_LINE "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                "200c done", "", 0, false },
        /* ambiguous framing */
        { OK_LINE "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
                "protocol: both Transfer-Encoding and Content-Length", NULL, 0, false },
        { OK_LINE "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n",
                "protocol: both Transfer-Encoding and Content-Length", NULL, 0, false },
        { OK_LINE "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
                "protocol: several Content-Length values that differ", NULL, 0, false },
        { OK_LINE "Content-Length: 5, 6\r\n\r\nhello",
                "protocol: several Content-Length values that differ", NULL, 0, false },
        { OK_LINE "Content-Length: +5\r\n\r\nhello", "protocol: Content-Length is not a number",
                NULL, 0, false },
        { OK_LINE "Content-Length: -5\r\n\r\nhello", "protocol: Content-Length is not a number",
                NULL, 0, false },
        { OK_LINE "Content-Length: 5 5\r\n\r\nhello", "protocol: Content-Length is not a number",
                NULL, 0, false },
        { OK_LINE "Content-Length: 0x5\r\n\r\nhello", "protocol: Content-Length is not a number",
                NULL, 0, false },
        { OK_LINE "Content-Length: 5.0\r\n\r\nhello", "protocol: Content-Length is not a number",
                NULL, 0, false },
        { OK_LINE "Content-Length: 99999999999999999999\r\n\r\n",
                "protocol: Content-Length is not a number", NULL, 0, false },
        { OK_LINE "Content-Length: 9223372036854775808\r\n\r\n",
                "protocol: Content-Length is not a number", NULL, 0, false },
        { OK_LINE "Transfer-Encoding: gzip, chunked\r\n\r\n",
                "protocol: a Transfer-Encoding other than chunked", NULL, 0, false },
        { OK_LINE "Transfer-Encoding: chunked, chunked\r\n\r\n",
                "protocol: a Transfer-Encoding other than chunked", NULL, 0, false },
        { OK_LINE "Transfer-Encoding: identity, chunked\r\n\r\n",
                "protocol: a Transfer-Encoding other than chunked", NULL, 0, false },
        { OK_LINE "Transfer-Encoding: chunked, identity\r\n\r\n",
                "protocol: a Transfer-Encoding other than chunked", NULL, 0, false },
        { OK_LINE "Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n\r\n",
                "protocol: a Transfer-Encoding other than chunked", NULL, 0, false },
        { OK_LINE "Transfer-Encoding: chunked,\r\n\r\n",
                "protocol: a Transfer-Encoding other than chunked", NULL, 0, false },
        { OK_LINE "Transfer-Encoding: chunked;q=1\r\n\r\n",
                "protocol: a Transfer-Encoding other than chunked", NULL, 0, false },
        { OK_LINE "Content-Length:\r\n\r\n", "protocol: an empty Content-Length", NULL, 0, false },
        { OK_LINE "Content-Length: \t \r\n\r\n", "protocol: an empty Content-Length", NULL, 0,
                false },
        { OK_LINE "Content-Length: 5\r\nContent-Length:\r\n\r\nhello",
                "protocol: an empty Content-Length", NULL, 0, false },
        { OK_LINE "Content-Length: ,5\r\n\r\nhello", "protocol: Content-Length is not a number",
                NULL, 0, false },
        { OK_LINE "Content-Length: 5,\r\n\r\nhello", "protocol: Content-Length is not a number",
                NULL, 0, false },
        { OK_LINE "Transfer-Encoding: xchunked\r\n\r\n",
                "protocol: a Transfer-Encoding other than chunked", NULL, 0, false },
        { OK_LINE "Transfer-Encoding:\r\n\r\n", "protocol: an empty Transfer-Encoding", NULL, 0,
                false },
        { "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
                "protocol: Transfer-Encoding in HTTP/1.0", NULL, 0, false },
        /* heads that are none */
        { "HTTP/2 200 OK\r\n\r\n", "protocol: not a version of HTTP/1", NULL, 0, false },
        { "HTTP/1.x 200 OK\r\n\r\n", "protocol: not a version of HTTP/1", NULL, 0, false },
        { "http/1.1 200 OK\r\n\r\n", "protocol: not an HTTP response, but \"h", NULL, 0, false },
        { "SSH-2.0-OpenSSH_9.2\r\n\r\n", "protocol: not an HTTP response, but \"S", NULL, 0,
                false },
        { "HTTX", "protocol: not an HTTP response, but \"HTTX", NULL, 0, false },
        { "HTTP\r\n\r\n", "protocol: not an HTTP response, but \"HTTP", NULL, 0, false },
        { "HTTP/\r\n\r\n", "protocol: not a version of HTTP/1", NULL, 0, false },
        { "\r\n\r\n" OK_LINE "\r\n", "protocol: not an HTTP response, but \"\\r", NULL, 0, false },
        { "HTTP/1.1200 OK\r\n\r\n", "protocol: the status is not three digits", NULL, 0, false },
        { "HTTP/1.1 20 OK\r\n\r\n", "protocol: the status is not three digits", NULL, 0, false },
        { "HTTP/1.1 2000 OK\r\n\r\n", "protocol: the status is not three digits", NULL, 0, false },
        { "HTTP/1.1 099 OK\r\n\r\n", "protocol: the status is below 100", NULL, 0, false },
        /* ends that come too early */
        { "", "closed: the server ended the connection without a response", NULL, 0, false },
        { "HTTP/1.1 2", "closed: the server ended the connection within the head", NULL, 0, false },
        { OK_LINE "Content-Length: 10\r\n\r\nhello",
                "200 closed: the server ended the connection with 5 bytes of the body still missing",
                NULL, 0, false },
        { OK_LINE "Transfer-Encoding: chunked\r\n\r\n5\r\nhel",
                "200 closed: the server ended the connection before the last chunk", NULL, 0,
                false },
        { OK_LINE "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n",
                "200 closed: the server ended the connection before the last chunk", NULL, 0,
                false },
};

static void check(size_t i, const struct h1_outcome *outcome)
{
        size_t len = strlen(fixtures[i].out);

        if (strncmp(outcome->text, fixtures[i].out, len) != 0 ||
                (fixtures[i].body && outcome->text[len]))
                fail_msg("fixture %zu gave \"%s\", not \"%s\"", i, outcome->text, fixtures[i].out);
        if (!fixtures[i].body)
                return;
        if (outcome->body_len != strlen(fixtures[i].body) ||
                memcmp(outcome->body, fixtures[i].body, outcome->body_len))
                fail_msg("fixture %zu: the body is \"%.*s\"", i, (int)outcome->body_len,
                        outcome->body);
        assert_int_equal(outcome->n_left, fixtures[i].n_left);
}

static void test_whole(void **state)
{
        /*
         * [9110 6 knows-its-request] [9110 8.6 large-lengths] [9110 15.2 interim]
         * [9112 6.1 chunked] [9112 6.1 chunked-in-1.0] [9112 6.3 no-body]
         * [9112 6.3 both-lengths] [9112 6.3 invalid-length] [9112 6.3 extra-data]
         * [9112 7.1 large-chunks] [9112 7.1.1 extensions] [9112 8 incomplete]
         */
        struct h1_outcome outcome;

        (void)state;
        for (size_t i = 0; i < LENGTH(fixtures); i++) {
                h1_outcome_of(fixtures[i].in, strlen(fixtures[i].in), 100000, 0,
                        fixtures[i].is_head, &outcome);
                check(i, &outcome);
        }
}

static void test_every_split(void **state)
{
        struct h1_outcome outcome;

        (void)state;
        for (size_t i = 0; i < LENGTH(fixtures); i++) {
                size_t len = strlen(fixtures[i].in);

                for (size_t cut = 1; cut < len; cut++) {
                        h1_outcome_of(fixtures[i].in, len, 100000, cut, fixtures[i].is_head,
                                &outcome);
                        check(i, &outcome);
                }
                for (size_t size = 1; size < 4; size++) {
                        h1_outcome_of(fixtures[i].in, len, size, 0, fixtures[i].is_head, &outcome);
                        check(i, &outcome);
                }
        }
}

/* NUL cannot stand in the table above. */
static void test_nul(void **state)
{
        /* [9110 5.5 control-characters] */
        static const char in[] = OK_LINE "A: b\0c\r\n\r\n";
        struct h1_outcome outcome;

        (void)state;
        h1_outcome_of(in, sizeof(in) - 1, 100000, 0, false, &outcome);
        assert_string_equal(outcome.text, "protocol: a NUL byte in the head: \"A: b\\x00c\"");
}

static void test_head_is_borrowed_and_whole(void **state)
{
        static struct h1_scratch scratch;
        struct muster_str in = BYTES(OK_LINE "Server: x y \r\nEmpty:\r\nContent-Length: 0\r\n\r\n");
        struct h1_reader reader = { 0 };
        struct muster_error error = { 0 };
        struct http_event event;

        (void)state;
        h1_read_begin(&reader, false, 0);
        assert_false(h1_read_has_begun(&reader));
        assert_int_equal(h1_read_next(&reader, &scratch, &in, &event, &error), 0);
        assert_true(h1_read_has_begun(&reader));
        assert_int_equal(event.kind, HTTP_HEAD);
        assert_int_equal(event.head.version, 11);
        assert_true(str_is(event.head.reason, "OK"));
        assert_int_equal(event.head.fields.n, 3);
        assert_true(str_is(fields_find(&event.head.fields, "server"), "x y"));
        assert_true(str_is(fields_find(&event.head.fields, "Empty"), ""));
        assert_non_null(fields_find(&event.head.fields, "Empty").at);
        assert_true(event.head.has_length);
        assert_int_equal(event.head.length, 0);
        assert_int_equal(reader.kept.size, 0); /* what arrived whole is not copied */
        h1_read_deinit(&reader);
}

/* Several responses in one input: each ends where it ends, and the reader begins anew. */
static void test_back_to_back(void **state)
{
        static struct h1_scratch scratch;
        struct muster_str in =
                BYTES(OK_LINE "Content-Length: 1\r\n\r\na" OK_LINE "Content-Length: 1\r\n\r\nb");
        struct h1_reader reader = { 0 };
        struct muster_error error = { 0 };
        char bodies[3] = "";

        (void)state;
        for (int i = 0; i < 2; i++) {
                struct http_event event = { .kind = HTTP_HEAD };

                h1_read_begin(&reader, false, 0);
                while (event.kind != HTTP_DONE) {
                        assert_int_equal(h1_read_next(&reader, &scratch, &in, &event, &error), 0);
                        if (event.kind == HTTP_BODY)
                                bodies[i] = event.body.at[0];
                }
        }
        assert_string_equal(bodies, "ab");
        assert_int_equal(in.len, 0);
        h1_read_deinit(&reader);
}

/* Any bytes, cut anywhere: the outcome is the same as whole, and nothing crashes. */
static void test_mutations(void **state)
{
        struct rand rand;

        (void)state;
        rand_init(&rand, 5);
        for (int n = 0; n < 20000; n++) {
                struct h1_outcome whole, cut;
                char text[300];
                size_t i = rand_up_to(&rand, LENGTH(fixtures) - 1), len = strlen(fixtures[i].in);

                if (len < 2 || len > sizeof(text))
                        continue;
                memcpy(text, fixtures[i].in, len);
                for (uint64_t k = rand_up_to(&rand, 2); k < 3; k++)
                        text[rand_up_to(&rand, len - 1)] = (char)rand_next(&rand);
                h1_outcome_of(text, len, 100000, 0, false, &whole);
                h1_outcome_of(text, len, 100000, 1 + rand_up_to(&rand, len - 2), false, &cut);
                /*
                 * The quoted bytes may be shorter in one of them: compare what comes before the
                 * quote.
                 */
                if (strcspn(whole.text, "\"") != strcspn(cut.text, "\""))
                        fail_msg("\"%s\" and \"%s\"", whole.text, cut.text);
                assert_int_equal(strncmp(whole.text, cut.text, strcspn(whole.text, "\"")), 0);
                if (strstr(whole.text, "done"))
                        assert_int_equal(whole.n_left, cut.n_left);
        }
}

static void read_with_little_memory(void)
{
        static struct h1_scratch scratch;
        struct h1_reader reader = { 0 };
        struct muster_error error = { 0 };
        const char *text =
                OK_LINE "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nA: b\r\n\r\n";
        int r = H1_MORE;

        h1_read_begin(&reader, false, 0);
        for (const char *at = text; *at && r == H1_MORE; at++) {
                struct muster_str in = { at, 1 };
                struct http_event event = { .kind = HTTP_HEAD };

                do
                        r = h1_read_next(&reader, &scratch, &in, &event, &error);
                while (r == 0 && event.kind != HTTP_DONE);
        }
        assert_true(r == 0 || r == MUSTER_E_RESOURCE);
        h1_read_deinit(&reader);
}

static void test_memory(void **state)
{
        (void)state;
        for_each_failing_allocation(read_with_little_memory);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_whole),
                cmocka_unit_test(test_every_split),
                cmocka_unit_test(test_nul),
                cmocka_unit_test(test_head_is_borrowed_and_whole),
                cmocka_unit_test(test_back_to_back),
                cmocka_unit_test(test_mutations),
                cmocka_unit_test(test_memory),
        };

        return cmocka_run_group_tests_name("h1_read", tests, NULL, NULL);
}
