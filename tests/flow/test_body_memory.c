/* SPDX-License-Identifier: MIT */
/*
 * One cap for the bodies of all requests: who waits for it, who goes on, and that all end
 */
#include "fixture.h"

#include <stdlib.h>
#include <unistd.h>

#define KIB        1024
#define BODY_BYTES 300000
#define HEAD       "HTTP/1.1 200 OK\r\nContent-Length: 300000\r\n\r\n"
#define HEAD_BYTES (sizeof(HEAD) - 1)
#define CHUNK_HEAD "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n493e0\r\n"
#define MOST_BYTES (sizeof(CHUNK_HEAD) + BODY_BYTES + 16)

static char known[MOST_BYTES], unknown[MOST_BYTES];
static size_t known_bytes, unknown_bytes;

static size_t make(char *to, const char *head, const char *tail)
{
        size_t at = strlen(head);

        memcpy(to, head, at);
        memset(to + at, 'b', BODY_BYTES);
        strcpy(to + at + BODY_BYTES, tail);
        return at + BODY_BYTES + strlen(tail);
}

static int make_all(void **state)
{
        (void)state;
        known_bytes = make(known, HEAD, "");
        unknown_bytes = make(unknown, CHUNK_HEAD, "\r\n0\r\n\r\n");
        return 0;
}

static struct script_answer answer(struct script_server *server, const char *head, unsigned n)
{
        (void)server;
        (void)n;
        if (path_is(head, "/small"))
                return (struct script_answer){
                        .bytes = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nyes"
                };
        if (path_is(head, "/unknown"))
                return (struct script_answer){ .bytes = unknown, .len = unknown_bytes };
        if (path_is(head, "/pauses"))
                return (struct script_answer){ .bytes = known,
                        .len = HEAD_BYTES + 200000,
                        .then = known + HEAD_BYTES + 200000,
                        .then_after_ns = 10 * NS_PER_S };
        return (struct script_answer){ .bytes = known, .len = known_bytes };
}

static void start(struct fixture *f, uint64_t cap_bytes)
{
        fixture_start(f,
                &(struct muster_client_options){ .size = sizeof(struct muster_client_options),
                        .read_timeout_ms = 20000,
                        .body_memory_bytes = cap_bytes },
                answer);
}

static void get(struct fixture *f, const char *path, int n)
{
        for (int i = 0; i < n; i++)
                assert_int_equal(muster_get(f->client, script_url(&f->server, path), NULL), 0);
}

static struct muster_client_stats stats_of(const struct fixture *f)
{
        struct muster_client_stats stats;

        muster_client_stats(f->client, &stats, sizeof(stats));
        return stats;
}

static void check_body(const struct muster_result *result)
{
        const char *body = muster_result_body(result);

        assert_string_equal(muster_result_error_text(result), "");
        assert_int_equal(muster_result_body_size(result), BODY_BYTES);
        assert_int_equal(body[0], 'b');
        assert_int_equal(body[BODY_BYTES - 1], 'b');
}

static void end(struct fixture *f)
{
        struct muster_client_stats stats = stats_of(f);

        assert_int_equal(stats.body_bytes, 0);
        assert_int_equal(stats.n_body_waiting, 0);
        assert_int_equal(f->client->body_memory.n_moving, 0);
        fixture_stop(f);
}

#define READ_BYTES (128 * KIB) /* may have come with the head */

/* Bodies of known length take what they need at once, so that two at a time are received. */
static void test_known_lengths_never_exceed_it(void **state)
{
        struct muster_client_stats stats;
        struct fixture f;

        (void)state;
        start(&f, 2 * BODY_BYTES + 1000);
        get(&f, "/", 12);
        for (int i = 0; i < 12; i++) {
                struct muster_result *result = next_result(&f);

                check_body(result);
                stats = stats_of(&f);
                assert_true(stats.body_bytes <=
                            2 * BODY_BYTES + 1000 + stats.n_body_waiting * READ_BYTES);
                muster_result_free(result);
        }
        assert_true(stats_of(&f).n_body_waits >= 1);
        end(&f);
}

/* While another one is slow, what waits for its memory has no read timeout. */
static void test_no_read_timeout_while_it_waits(void **state)
{
        struct muster_result *result;
        struct fixture f;

        (void)state;
        start(&f, BODY_BYTES + 1000);
        get(&f, "/pauses", 4); /* 10 s each, one after the other */
        for (int i = 0; i < 4; i++) {
                result = next_result(&f);
                check_body(result);
                muster_result_free(result);
        }
        assert_true(stats_of(&f).n_body_waits >= 3);
        end(&f);
}

/* Each has a part, and none can end: one at a time goes on. */
static void test_unknown_lengths_end(void **state)
{
        struct fixture f;

        (void)state;
        start(&f, 256 * KIB);
        get(&f, "/unknown", 12);
        for (int i = 0; i < 12; i++) {
                struct muster_result *result = next_result(&f);

                check_body(result);
                muster_result_free(result);
        }
        assert_true(stats_of(&f).n_body_waits >= 1);
        end(&f);
}

static void test_one_larger_than_the_cap(void **state)
{
        struct fixture f;

        (void)state;
        start(&f, 1000);
        get(&f, "/", 3);
        get(&f, "/unknown", 3);
        for (int i = 0; i < 6; i++) {
                struct muster_result *result = next_result(&f);

                check_body(result);
                muster_result_free(result);
        }
        end(&f);
}

/* No request starts while bodies have it all, and the record says what those waited for. */
static void test_no_start_at_the_cap(void **state)
{
        struct muster_request *last;
        struct muster_result *result;
        struct fixture f;

        (void)state;
        start(&f, BODY_BYTES);
        get(&f, "/", 1);
        result = next_result(&f);
        last = muster_request_new(NULL, script_url(&f.server, "/small"));
        assert_int_equal(muster_submit(f.client, last, NULL), 0);
        for (int i = 0; i < 20; i++)
                assert_int_equal(muster_turn(f.client), MUSTER_LATER);
        assert_int_equal(f.server.n_requests, 1);
        assert_int_equal(stats_of(&f).n_queued, 1);
        muster_result_free(result);
        result = next_result(&f);
        assert_null(muster_result_error(result));
        assert_int_equal(last->notes.wait, TRACE_WAIT_MEMORY);
        muster_result_free(result);
        end(&f);
}

/* It holds all, and waits for more: only an error can come of that, and it says what to do. */
static void test_caller_that_frees_nothing(void **state)
{
        struct muster_result *results[3];
        struct fixture f;

        (void)state;
        start(&f, 2 * BODY_BYTES);
        get(&f, "/", 2);
        for (int i = 0; i < 2; i++)
                check_body(results[i] = next_result(&f));
        get(&f, "/small", 2);
        results[2] = next_result(&f);
        assert_int_equal(code_of(results[2]), MUSTER_E_TOO_LARGE);
        assert_non_null(strstr(muster_result_error_text(results[2]), "--body-memory"));
        assert_non_null(strstr(muster_result_error_text(results[2]), "600000 bytes"));
        assert_int_equal(stats_of(&f).n_queued, 1); /* one error for each time that it waits */
        for (int i = 0; i < 3; i++)
                muster_result_free(results[i]);
        expect_result(&f, MUSTER_OK, 200);
        end(&f);
}

/* The same, when the body has begun already. */
static void test_caller_frees_nothing_beside_a_body_that_waits(void **state)
{
        struct muster_result *results[3];
        struct fixture f;
        int n_refused = 0;

        (void)state;
        start(&f, 2 * BODY_BYTES);
        get(&f, "/", 3);
        for (int i = 0; i < 3; i++) {
                results[i] = next_result(&f);
                n_refused += code_of(results[i]) == MUSTER_E_TOO_LARGE;
        }
        assert_int_equal(n_refused, 1);
        for (int i = 0; i < 3; i++)
                muster_result_free(results[i]);
        get(&f, "/", 1);
        expect_result(&f, MUSTER_OK, 200);
        end(&f);
}

static void test_cancelled_while_it_waits(void **state)
{
        struct fixture f;

        (void)state;
        start(&f, BODY_BYTES + 1000);
        get(&f, "/pauses", 3);
        for (int i = 0; i < 1000 && stats_of(&f).n_body_waiting < 2; i++)
                muster_turn(f.client);
        assert_int_equal(stats_of(&f).n_body_waiting, 2);
        muster_cancel_all(f.client);
        for (int i = 0; i < 3; i++)
                expect_result(&f, MUSTER_E_CANCELLED, 200);
        end(&f);
}

/* The other timeouts go on. */
static void test_total_timeout_while_it_waits(void **state)
{
        struct muster_request *request;
        struct fixture f;

        (void)state;
        start(&f, BODY_BYTES + 1000);
        get(&f, "/pauses", 1);
        for (int i = 0; i < 1000 && stats_of(&f).body_bytes == 0; i++)
                muster_turn(f.client);
        request = muster_request_new(NULL, script_url(&f.server, "/"));
        muster_request_set_options(request,
                &(struct muster_request_options){
                        .size = sizeof(struct muster_request_options), .total_timeout_ms = 1000 });
        assert_int_equal(muster_submit(f.client, request, NULL), 0);
        expect_result(&f, MUSTER_E_TIMEOUT, 200);
        expect_result(&f, MUSTER_OK, 200);
        end(&f);
}

/* A sink needs no memory. */
static void test_sinks_do_not_count(void **state)
{
        char path[] = "/tmp/muster-test-XXXXXX";
        int fd = mkstemp(path);
        struct fixture f;

        (void)state;
        assert_true(fd >= 0);
        start(&f, 1000);
        for (int i = 0; i < 4; i++) {
                struct muster_request *request =
                        muster_request_new(NULL, script_url(&f.server, "/unknown"));

                muster_request_set_sink_fd(request, fd);
                assert_int_equal(muster_submit(f.client, request, NULL), 0);
        }
        for (int i = 0; i < 4; i++)
                expect_result(&f, MUSTER_OK, 200);
        assert_int_equal(lseek(fd, 0, SEEK_END), 4 * BODY_BYTES);
        assert_int_equal(stats_of(&f).n_body_waits, 0);
        close(fd);
        unlink(path);
        end(&f);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_known_lengths_never_exceed_it),
                cmocka_unit_test(test_no_read_timeout_while_it_waits),
                cmocka_unit_test(test_unknown_lengths_end),
                cmocka_unit_test(test_one_larger_than_the_cap),
                cmocka_unit_test(test_no_start_at_the_cap),
                cmocka_unit_test(test_caller_that_frees_nothing),
                cmocka_unit_test(test_caller_frees_nothing_beside_a_body_that_waits),
                cmocka_unit_test(test_cancelled_while_it_waits),
                cmocka_unit_test(test_total_timeout_while_it_waits),
                cmocka_unit_test(test_sinks_do_not_count),
        };

        return cmocka_run_group_tests_name("body_memory", tests, make_all, NULL);
}
