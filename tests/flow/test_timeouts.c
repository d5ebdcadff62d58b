/* SPDX-License-Identifier: MIT */
/*
 * Timeouts: each with its own clock, and none because of our own delay
 */
#include "fixture.h"

#include <unistd.h>

#define YES "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nyes"

static struct script_answer by_path(struct script_server *server, const char *head, unsigned n)
{
        (void)server;
        (void)n;
        if (path_is(head, "/hang"))
                return (struct script_answer){ 0 };
        if (path_is(head, "/half"))
                return (struct script_answer){
                        .bytes = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\ny"
                };
        if (path_is(head, "/slow"))
                return (struct script_answer){ .bytes = YES, .delay_ns = 5 * NS_PER_S };
        return (struct script_answer){ .bytes = YES };
}

static void expect_timeout(struct fixture *f, const char *path, const char *name, const char *stage,
        uint64_t after_ms)
{
        uint64_t start = fixture_now_ns(f);
        struct muster_result *result;
        char expected[100];

        muster_get(f->client, script_url(&f->server, path), NULL);
        result = next_result(f);
        assert_int_equal(code_of(result), MUSTER_E_TIMEOUT);
        snprintf(expected, sizeof(expected),
                "timeout: the %s timeout of %g s ran out in phase %s (", name,
                (double)after_ms / 1000, stage);
        if (strncmp(muster_result_error_text(result), expected, strlen(expected)))
                fail_msg("\"%s\" instead of \"%s...\"", muster_result_error_text(result), expected);
        assert_string_equal(muster_phase_name(muster_result_error(result)->stage), stage);
        assert_int_equal((fixture_now_ns(f) - start) / NS_PER_MS, after_ms);
        muster_result_free(result);
}

static void test_total(void **state)
{
        struct fixture f;

        (void)state;
        fixture_start(&f, &(struct muster_client_options){ .total_timeout_ms = 2500 }, by_path);
        expect_timeout(&f, "/hang", "total", "wait", 2500);
        expect_timeout(&f, "/half", "total", "receive", 2500);
        fixture_stop(&f);
}

static void test_read(void **state)
{
        struct fixture f;

        (void)state;
        fixture_start(&f, &(struct muster_client_options){ .read_timeout_ms = 700 }, by_path);
        expect_timeout(&f, "/hang", "read", "wait", 700);
        expect_timeout(&f, "/half", "read", "receive", 700);
        fixture_stop(&f);
}

static void test_defaults_end_a_hang(void **state)
{
        struct fixture f;

        (void)state;
        fixture_start(&f, NULL, by_path);
        expect_timeout(&f, "/hang", "read", "wait", 60000);
        fixture_stop(&f);
}

static void test_deadline(void **state)
{
        struct fixture f;

        (void)state;
        fixture_start(&f, &(struct muster_client_options){ .deadline_ms = 1200, .concurrency = 1 },
                by_path);
        muster_get(f.client, script_url(&f.server, "/hang"), NULL);
        muster_turn(f.client);
        expect_timeout(&f, "/", "deadline", "wait",
                1200); /* the first to finish is the one that hangs */
        expect_result(&f, MUSTER_E_TIMEOUT, 0);
        fixture_stop(&f);
}

static void test_queue(void **state)
{
        struct fixture f;
        struct muster_result *result;

        (void)state;
        fixture_start(&f,
                &(struct muster_client_options){ .queue_timeout_ms = 300, .concurrency = 1 },
                by_path);
        muster_get(f.client, script_url(&f.server, "/slow"), NULL);
        expect_timeout(&f, "/", "queue", "queue", 300);
        result = next_result(&f);
        assert_int_equal(muster_result_status(result),
                200); /* it had its slot: the queue timeout is over */
        assert_in_range(phase_ms(result, MUSTER_PHASE_WAIT), 4990, 5000);
        muster_result_free(result);
        fixture_stop(&f);
}

/* A listener whose queue is full answers no SYN: the connect timeout ends that. */
static void test_connect(void **state)
{
        struct fixture f;
        struct script_server full;
        struct muster_result *result;
        int fds[8], n = 0;

        (void)state;
        fixture_start(&f, &(struct muster_client_options){ .connect_timeout_ms = 900 }, by_path);
        script_server_start(&full, &f.client->engine.loop, by_path);
        loop_watch_set(&f.client->engine.loop, &full.watch, full.fd, false, false);
        listen(full.fd, 0);
        for (; n < 8; n++) {
                struct sockaddr_storage address;
                socklen_t len = sizeof(address);

                getsockname(full.fd, (struct sockaddr *)&address, &len);
                fds[n] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
                (void)!connect(fds[n], (struct sockaddr *)&address, len);
        }
        muster_get(f.client, script_url(&full, "/"), NULL);
        result = next_result(&f);
        assert_int_equal(code_of(result), MUSTER_E_TIMEOUT);
        assert_int_equal(muster_result_error(result)->stage, MUSTER_PHASE_TCP);
        assert_non_null(strstr(muster_result_error_text(result), "connect timeout of 0.9 s"));
        assert_int_equal(phase_ms(result, MUSTER_PHASE_TCP), 900);
        muster_result_free(result);
        while (n)
                close(fds[--n]);
        close(full.fd);
        fixture_stop(&f);
}

/*
 * The program is away for a minute while the answer lies in the kernel. It came in time, so it
 * counts, and the lag is told.
 */
static void test_answer_that_was_there_counts(void **state)
{
        struct fixture f;
        struct muster_result *result;

        (void)state;
        fixture_start(&f,
                &(struct muster_client_options){
                        .total_timeout_ms = 2000, .read_timeout_ms = 1000 },
                by_path);
        muster_get(f.client, script_url(&f.server, "/"), NULL);
        while (f.server.n_requests == 0)
                assert_int_equal(muster_turn(f.client), MUSTER_LATER);
        f.client->engine.clock.manual_ns += 60 * NS_PER_S;
        result = next_result(&f);
        assert_int_equal(code_of(result), MUSTER_OK);
        assert_int_equal(muster_result_status(result), 200);
        muster_result_free(result);
        fixture_stop(&f);
}

/*
 * The program is away when the time runs out, and nothing has come: the peer gets that time back,
 * but only once.
 */
static void test_time_that_we_took_is_given_back_once(void **state)
{
        struct fixture f;
        struct muster_result *result;
        uint64_t start;

        (void)state;
        fixture_start(&f, &(struct muster_client_options){ .total_timeout_ms = 1000 }, by_path);
        start = fixture_now_ns(&f);
        muster_get(f.client, script_url(&f.server, "/hang"), NULL);
        while (f.server.n_requests == 0)
                muster_turn(f.client);
        f.client->engine.clock.manual_ns += 4 * NS_PER_S;
        assert_int_equal(muster_turn(f.client), MUSTER_LATER);
        result = next_result(&f);
        assert_int_equal(code_of(result), MUSTER_E_TIMEOUT);
        assert_int_equal((fixture_now_ns(&f) - start) / NS_PER_MS, 7000);
        muster_result_free(result);
        fixture_stop(&f);
}

static void test_request_overrides_client(void **state)
{
        struct fixture f;
        struct muster_request *request;
        struct muster_result *result;

        (void)state;
        fixture_start(&f, &(struct muster_client_options){ .total_timeout_ms = 1000 }, by_path);
        request = muster_request_new(NULL, script_url(&f.server, "/slow"));
        muster_request_set_options(request,
                &(struct muster_request_options){ .total_timeout_ms = MUSTER_NO_TIMEOUT });
        muster_submit(f.client, request, NULL);
        result = next_result(&f);
        assert_int_equal(muster_result_status(result), 200);
        muster_result_free(result);
        fixture_stop(&f);
}

static void test_idle_connections_are_aged_out(void **state)
{
        struct fixture f;

        (void)state;
        fixture_start(&f, &(struct muster_client_options){ .idle_timeout_ms = 3000 }, by_path);
        muster_get(f.client, script_url(&f.server, "/"), NULL);
        expect_result(&f, MUSTER_OK, 200);
        f.client->engine.clock.manual_ns += 2 * NS_PER_S;
        muster_get(f.client, script_url(&f.server, "/"), NULL);
        expect_result(&f, MUSTER_OK, 200);
        assert_int_equal(f.server.n_conns, 1);
        f.client->engine.clock.manual_ns += 4 * NS_PER_S;
        muster_turn(f.client);
        muster_turn(f.client);
        assert_int_equal(f.server.n_open, 0);
        muster_get(f.client, script_url(&f.server, "/"), NULL);
        expect_result(&f, MUSTER_OK, 200);
        assert_int_equal(f.server.n_conns, 2);
        fixture_stop(&f);
}

/* --- too slow -------------------------------------------------------------------------------- */

static char thousand[1100];

static struct script_answer drips(struct script_server *server, const char *head, unsigned n)
{
        int len = snprintf(thousand, 100, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n",
                path_is(head, "/more") ? 2000 : 1001);

        (void)server;
        (void)n;
        memset(thousand + len, 'x', 1000);
        thousand[len + 1000] = '\0';
        if (path_is(head, "/late")) /* silence before the first byte is no matter of speed */
                return (struct script_answer){ .bytes = YES, .delay_ns = 50 * NS_PER_S };
        if (path_is(head, "/head"))
                return (struct script_answer){ .bytes = "HTTP/1.1 200 OK\r\nX-",
                        .then = "A: b\r\n",
                        .then_after_ns = 9 * NS_PER_S };
        if (path_is(head, "/two"))
                return (struct script_answer){
                        .bytes = "HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\nx",
                        .then = "x",
                        .then_after_ns = 9 * NS_PER_S
                };
        /* 1000 bytes in the first 10 s, one more later. */
        return (struct script_answer){
                .bytes = thousand, .then = "x", .then_after_ns = 19 * NS_PER_S
        };
}

static void expect_too_slow(struct fixture *f, const char *path, const char *what, uint64_t after_s)
{
        uint64_t start = fixture_now_ns(f);
        struct muster_result *result;

        muster_get(f->client, script_url(&f->server, path), NULL);
        result = next_result(f);
        assert_int_equal(code_of(result), MUSTER_E_TIMEOUT);
        if (!strstr(muster_result_error_text(result), what))
                fail_msg("\"%s\" instead of \"%s\"", muster_result_error_text(result), what);
        assert_int_equal((fixture_now_ns(f) - start) / NS_PER_S, after_s);
        muster_result_free(result);
}

static void start_speed(struct fixture *f, uint64_t bytes_per_s, uint64_t time_ms)
{
        fixture_start(f,
                &(struct muster_client_options){ .size = sizeof(struct muster_client_options),
                        .read_timeout_ms = MUSTER_NO_TIMEOUT,
                        .connect_timeout_ms = MUSTER_NO_TIMEOUT,
                        .low_speed_bytes_per_s = bytes_per_s,
                        .low_speed_time_ms = time_ms },
                drips);
}

static void test_too_slow(void **state)
{
        struct fixture f;

        (void)state;
        start_speed(&f, 100, 10000);
        expect_too_slow(&f, "/two",
                "timeout: too slow: 2 bytes of the body came in 10 s, less than 100 a second", 10);
        expect_too_slow(&f, "/head", "timeout: too slow: 0 bytes of the body came in 10 s", 10);
        expect_too_slow(&f, "/more", "timeout: too slow: 1 byte of the body came in 10 s", 20);
        muster_get(f.client, script_url(&f.server, "/late"), NULL);
        expect_result(&f, MUSTER_OK, 200);
        fixture_stop(&f);
        /* What is not given is as with curl. */
        start_speed(&f, 100, 0);
        expect_too_slow(&f, "/two", "2 bytes of the body came in 30 s, less than 100 a second", 30);
        fixture_stop(&f);
        start_speed(&f, 0, 10000);
        expect_too_slow(&f, "/two", "2 bytes of the body came in 10 s, less than 1 a second", 10);
        fixture_stop(&f);
}

static void test_fast_enough(void **state)
{
        struct fixture f;

        (void)state;
        start_speed(&f, 100, 60000);
        expect_too_slow(&f, "/two", "2 bytes of the body came in 60 s", 60);
        fixture_stop(&f);
        start_speed(&f, 1, 10000); /* 1000 bytes of the first 10 s, and the end before 20 s */
        expect_too_slow(&f, "/two", "2 bytes of the body came in 10 s", 10);
        fixture_stop(&f);
        start_speed(&f, 40, 25000);
        muster_get(f.client, script_url(&f.server, "/"), NULL);
        expect_result(&f, MUSTER_OK, 200);
        fixture_stop(&f);
}

/* Without the options there is a limit that only a server of ill will falls below. */
static void test_default_speed(void **state)
{
        struct fixture f;

        (void)state;
        start_speed(&f, 0, 0);
        expect_too_slow(&f, "/two", "2 bytes of the body came in 600 s, less than 16 a second",
                600);
        fixture_stop(&f);
        fixture_start(&f,
                &(struct muster_client_options){ .size = sizeof(struct muster_client_options),
                        .read_timeout_ms = MUSTER_NO_TIMEOUT,
                        .total_timeout_ms = 7200000,
                        .low_speed_bytes_per_s = MUSTER_NO_LIMIT },
                drips);
        expect_too_slow(&f, "/two", "timeout: the total timeout of 7200 s", 7200);
        fixture_stop(&f);
}

/* A stream may have little to say for hours, unless it is asked for more. */
static void test_slow_stream(void **state)
{
        static const uint64_t bytes_per_s[] = { 0, 100 };
        char room[10];

        (void)state;
        for (int i = 0; i < 2; i++) {
                struct muster_request_options options = { .size = sizeof(options), .stream = true };
                struct muster_request *request;
                struct muster_result *result;
                struct fixture f;
                size_t n = 0;
                int r;

                fixture_start(&f,
                        &(struct muster_client_options){
                                .size = sizeof(struct muster_client_options),
                                .read_timeout_ms = MUSTER_NO_TIMEOUT,
                                .total_timeout_ms = 3600000,
                                .low_speed_bytes_per_s = bytes_per_s[i] },
                        drips);
                request = muster_request_new(NULL, script_url(&f.server, "/two"));
                muster_request_set_options(request, &options);
                muster_submit(f.client, request, NULL);
                result = muster_next(f.client);
                while ((r = muster_result_read(result, room, sizeof(room), &n)) == 0)
                        ;
                assert_int_equal(r, MUSTER_E_TIMEOUT);
                if (!strstr(muster_result_error_text(result),
                            i ? "2 bytes of the body came in 30 s" : "the total timeout of 3600 s"))
                        fail_msg("%s", muster_result_error_text(result));
                muster_result_free(result);
                fixture_stop(&f);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_total),
                cmocka_unit_test(test_read),
                cmocka_unit_test(test_defaults_end_a_hang),
                cmocka_unit_test(test_deadline),
                cmocka_unit_test(test_queue),
                cmocka_unit_test(test_connect),
                cmocka_unit_test(test_answer_that_was_there_counts),
                cmocka_unit_test(test_time_that_we_took_is_given_back_once),
                cmocka_unit_test(test_request_overrides_client),
                cmocka_unit_test(test_idle_connections_are_aged_out),
                cmocka_unit_test(test_too_slow),
                cmocka_unit_test(test_fast_enough),
                cmocka_unit_test(test_default_speed),
                cmocka_unit_test(test_slow_stream),
        };

        return cmocka_run_group_tests_name("timeouts", tests, NULL, NULL);
}
