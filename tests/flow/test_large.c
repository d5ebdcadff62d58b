/* SPDX-License-Identifier: MIT */
/*
 * Large bodies: what is left of one when its head was read is received straight into the result
 */
#include "fixture.h"

#include <core/conn.h>

#define MS(n)      ((n)*NS_PER_MS)
#define BODY_BYTES 300000
#define HEAD       "HTTP/1.1 200 OK\r\nContent-Length: 300000\r\n\r\n"
#define HEAD_BYTES (sizeof(HEAD) - 1)

/* A head, a body, and what comes behind it. */
static char response[HEAD_BYTES + BODY_BYTES + 100];
static size_t response_bytes;

/* The first answer: cut in two, the second part comes after 10 ms. Later ones: whole at once. */
static size_t cut;
static const char *first_head = HEAD;
static bool hangs, closes;

static void make_response(const char *behind)
{
        memcpy(response, HEAD, HEAD_BYTES);
        for (size_t i = 0; i < BODY_BYTES; i++)
                response[HEAD_BYTES + i] = (char)('a' + (i * 7 + i / 251) % 26);
        strcpy(response + HEAD_BYTES + BODY_BYTES, behind);
        response_bytes = HEAD_BYTES + BODY_BYTES + strlen(behind);
        hangs = closes = false;
}

static struct script_answer in_two(struct script_server *server, const char *head, unsigned n)
{
        (void)server;
        (void)head;
        if (n > 1)
                return (struct script_answer){
                        .bytes = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nyes"
                };
        return (struct script_answer){ .bytes = response,
                .len = cut,
                .then = hangs || closes ? NULL : response + cut,
                .then_after_ns = MS(10),
                .closes = closes };
}

/* Some of a body of which more would come, in another framing or coding. */
static struct script_answer in_part(struct script_server *server, const char *head, unsigned n)
{
        (void)server;
        (void)head;
        (void)n;
        return (struct script_answer){ .bytes = first_head };
}

/* Turn until so much of the body is there. */
static void turn_until_body(struct fixture *f, const struct muster_request *request, size_t bytes)
{
        for (int i = 0; i < 1000 && request->result.wire_bytes < bytes; i++)
                muster_turn(f->client);
        assert_true(request->result.wire_bytes >= bytes);
}

static struct muster_request *submit(struct fixture *f)
{
        struct muster_request *request = muster_request_new(NULL, script_url(&f->server, "/"));

        assert_int_equal(muster_submit(f->client, request, NULL), 0);
        return request;
}

static void expect_body(struct fixture *f)
{
        struct muster_result *result = next_result(f);

        assert_null(muster_result_error(result));
        assert_int_equal(muster_result_body_size(result), BODY_BYTES);
        assert_int_equal(muster_result_body_bytes(result), BODY_BYTES);
        assert_int_equal(muster_result_wire_bytes(result), BODY_BYTES);
        assert_memory_equal(muster_result_body(result), response + HEAD_BYTES, BODY_BYTES);
        assert_int_equal(((const char *)muster_result_body(result))[BODY_BYTES], '\0');
        muster_result_free(result);
}

static void test_whole_wherever_it_is_cut(void **state)
{
        static const size_t cuts[] = { 1, HEAD_BYTES - 1, HEAD_BYTES, HEAD_BYTES + 1,
                HEAD_BYTES + 1000, HEAD_BYTES + 131072, HEAD_BYTES + BODY_BYTES - 1,
                HEAD_BYTES + BODY_BYTES };

        (void)state;
        make_response("");
        for (size_t i = 0; i < sizeof(cuts) / sizeof(cuts[0]); i++) {
                struct fixture f;

                cut = cuts[i];
                fixture_start(&f, NULL, in_two);
                submit(&f);
                expect_body(&f);
                submit(&f);
                expect_result(&f, MUSTER_OK, 200);
                assert_int_equal(f.server.n_conns, 1); /* nothing is left over */
                fixture_stop(&f);
        }
}

/* Seen from within: where the rest goes, and that it is there. */
static void test_rest_is_placed(void **state)
{
        struct muster_request *request;
        struct fixture f;

        (void)state;
        make_response("");
        cut = HEAD_BYTES + 1000;
        fixture_start(&f, NULL, in_two);
        request = submit(&f);
        turn_until_body(&f, request, 1000);
        assert_true(conn_has_place(request->exchange.conn));
        assert_int_equal(request->exchange.conn->socket.into.iov_len, BODY_BYTES - 1000);
        expect_body(&f);
        fixture_stop(&f);
}

static void test_what_comes_behind_is_not_of_it(void **state)
{
        struct fixture f;

        (void)state;
        make_response("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil");
        cut = HEAD_BYTES + 1000;
        fixture_start(&f, NULL, in_two);
        submit(&f);
        expect_body(&f);
        submit(&f);
        expect_result(&f, MUSTER_OK, 200);
        assert_int_equal(f.server.n_conns, 2);
        fixture_stop(&f);
}

static void test_server_breaks_off(void **state)
{
        struct muster_result *result;
        struct fixture f;

        (void)state;
        make_response("");
        cut = HEAD_BYTES + 200000;
        closes = true;
        fixture_start(&f, NULL, in_two);
        submit(&f);
        result = next_result(&f);
        assert_int_equal(code_of(result), MUSTER_E_CLOSED);
        assert_non_null(strstr(muster_result_error_text(result),
                "with 100000 bytes of the body still missing"));
        assert_int_equal(muster_result_body_size(result), 200000);
        assert_memory_equal(muster_result_body(result), response + HEAD_BYTES, 200000);
        muster_result_free(result);
        fixture_stop(&f);
}

/* The memory is given back before anything more can come. */
static void test_ends_while_the_rest_is_awaited(void **state)
{
        (void)state;
        make_response("");
        cut = HEAD_BYTES + 1000;
        for (int i = 0; i < 3; i++) {
                static const enum muster_code codes[] = { MUSTER_E_CANCELLED, MUSTER_E_TIMEOUT,
                        MUSTER_E_TIMEOUT };
                struct muster_request *request;
                struct fixture f;

                hangs = i > 0;
                fixture_start(&f,
                        &(struct muster_client_options){ .read_timeout_ms = i == 1 ? 50 : 0,
                                .total_timeout_ms = i == 2 ? 50 : 0 },
                        in_two);
                request = submit(&f);
                turn_until_body(&f, request, 1000);
                assert_true(conn_has_place(request->exchange.conn));
                if (i == 0)
                        muster_cancel_all(f.client);
                expect_result(&f, codes[i], 200);
                submit(&f);
                expect_result(&f, MUSTER_OK, 200);
                fixture_stop(&f);
        }
}

/* Where bytes are not the body, or are not to be kept, or nobody knows how many they are. */
static void test_what_is_not_placed(void **state)
{
        static const struct {
                const char *bytes;
                struct muster_client_options options;
                bool has_sink;
        } cases[] = {
                { "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5000\r\nhello", { 0 },
                        false },
                { "HTTP/1.1 200 OK\r\n\r\nhello", { 0 }, false },
                { "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 50000\r\n\r\n\x1f\x8b",
                        { 0 }, false },
                { "HTTP/1.1 200 OK\r\nContent-Length: 50000\r\n\r\nhello", { .discard_body = true },
                        false },
                { "HTTP/1.1 200 OK\r\nContent-Length: 50000\r\n\r\nhello", { 0 }, true },
                { "HTTP/1.1 302 Found\r\nLocation: /a\r\nContent-Length: 50000\r\n\r\nhello", { 0 },
                        false },
        };

        (void)state;
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                struct muster_request *request;
                struct fixture f;

                first_head = cases[i].bytes;
                fixture_start(&f, &cases[i].options, in_part);
                request = muster_request_new(NULL, script_url(&f.server, "/"));
                if (cases[i].has_sink)
                        muster_request_set_sink_file(request, "/tmp/muster-test-large");
                muster_submit(f.client, request, NULL);
                turn_until_body(&f, request, 2);
                assert_false(conn_has_place(request->exchange.conn));
                muster_cancel_all(f.client);
                expect_result(&f, MUSTER_E_CANCELLED, i == 5 ? 302 : 200);
                fixture_stop(&f);
        }
}

static struct script_answer second_hangs(struct script_server *server, const char *head, unsigned n)
{
        if (n == 2)
                return script_hangs(server, head, n);
        return (struct script_answer){ .bytes = response, .len = response_bytes };
}

/* While there is something to do the memory of one body is kept for the next one. */
static void test_memory_is_used_again(void **state)
{
        struct muster_result *result;
        const void *memory;
        struct fixture f;

        (void)state;
        make_response("");
        fixture_start(&f, NULL, second_hangs);
        submit(&f);
        result = next_result(&f);
        memory = muster_result_body(result);
        submit(&f); /* hangs */
        while (f.server.n_requests < 2)
                muster_turn(f.client);
        muster_result_free(result);
        assert_int_equal(f.client->bodies.n_bytes, 512 * 1024);
        submit(&f);
        result = next_result(&f);
        assert_ptr_equal(muster_result_body(result), memory);
        assert_memory_equal(memory, response + HEAD_BYTES, BODY_BYTES);
        assert_int_equal(f.client->bodies.n_bytes, 0);
        muster_result_free(result);
        assert_int_equal(f.client->bodies.n_bytes, 512 * 1024);
        muster_cancel_all(f.client);
        f.client->n_stored += 100000; /* even if there are enough recycled requests */
        expect_result(&f, MUSTER_E_CANCELLED, 0);
        f.client->n_stored -= 100000;
        assert_int_equal(f.client->bodies.n_bytes, 0); /* idle */
        fixture_stop(&f);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_whole_wherever_it_is_cut),
                cmocka_unit_test(test_rest_is_placed),
                cmocka_unit_test(test_what_comes_behind_is_not_of_it),
                cmocka_unit_test(test_server_breaks_off),
                cmocka_unit_test(test_ends_while_the_rest_is_awaited),
                cmocka_unit_test(test_what_is_not_placed),
                cmocka_unit_test(test_memory_is_used_again),
        };

        return cmocka_run_group_tests_name("large", tests, NULL, NULL);
}
