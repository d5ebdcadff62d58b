/* SPDX-License-Identifier: MIT */
/*
 * Bodies of responses that are not in memory
 */
#include "bodies_world.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

/* --- where a response goes ------------------------------------------------------------------- */

static void test_file_sink_is_whole_or_not_there(void **state)
{
        struct world w;
        struct muster_request *request;
        struct muster_result *result;
        struct stat status;
        char path[128];

        (void)state;
        open_world(&w, NULL);
        strcpy(path, in_directory(&w, "body"));
        request = request_to(&w, "GET", "/bytes/5M");
        assert_int_equal(muster_request_set_sink_file(request, path), 0);
        result = submit_and_wait(&w, request);
        assert_null(muster_result_error(result));
        assert_int_equal(muster_result_body_size(result), 0);
        assert_int_equal(muster_result_body_bytes(result), LARGE_BYTES);
        check_sums(result);
        muster_result_free(result);
        assert_int_equal(stat(path, &status), 0);
        assert_int_equal(status.st_size, LARGE_BYTES);

        /* A body that breaks off leaves the old file alone, and none of its own. */
        request = request_to(&w, "GET", "/bytes/5M?cut=100000");
        assert_int_equal(muster_request_set_sink_file(request, path), 0);
        expect_code(submit_and_wait(&w, request), MUSTER_E_CLOSED, "closed");
        assert_int_equal(stat(path, &status), 0);
        assert_int_equal(status.st_size, LARGE_BYTES);

        /* Decoded, and after a retry; no body is an empty file. */
        request = request_to(&w, "GET", "/encoded/gzip/1M");
        muster_request_set_sink_file(request, path);
        muster_result_free(submit_and_wait(&w, request));
        assert_int_equal(stat(path, &status), 0);
        assert_int_equal(status.st_size, 1024 * 1024);
        request = request_to(&w, "GET", "/status/204");
        muster_request_set_sink_file(request, path);
        muster_result_free(submit_and_wait(&w, request));
        assert_int_equal(stat(path, &status), 0);
        assert_int_equal(status.st_size, 0);
        unlink(path);

        request = request_to(&w, "GET", "/plain");
        muster_request_set_sink_file(request, in_directory(&w, "no/such/folder"));
        expect_code(submit_and_wait(&w, request), MUSTER_E_RESOURCE, "No such file or directory");
        close_world(&w);
}

static void test_status_that_fails_stays_in_memory(void **state)
{
        struct world w;
        struct muster_request *request;
        struct muster_result *result;

        (void)state;
        open_world(&w, &(struct muster_client_options){ .fail_on_status = true });
        request = request_to(&w, "GET", "/status/404");
        muster_request_set_sink_file(request, in_directory(&w, "body"));
        result = submit_and_wait(&w, request);
        assert_int_equal(muster_result_error(result)->code, MUSTER_E_STATUS);
        assert_true(muster_result_body_size(result) > 0);
        assert_int_equal(access(in_directory(&w, "body"), F_OK), -1);
        muster_result_free(result);
        close_world(&w);
}

/* With its body wanted it is a file as that of a good response, and a failure all the same. */
static void test_status_that_fails_with_its_body(void **state)
{
        struct world w;
        struct muster_request *request;
        struct muster_result *result;
        struct stat status;
        char path[128];

        (void)state;
        open_world(&w,
                &(struct muster_client_options){
                        .size = sizeof(struct muster_client_options), .fail_with_body = true });
        snprintf(path, sizeof(path), "%s", in_directory(&w, "body"));
        request = request_to(&w, "GET", "/status/404");
        muster_request_set_sink_file(request, path);
        result = submit_and_wait(&w, request);
        assert_int_equal(muster_result_error(result)->code, MUSTER_E_STATUS);
        assert_int_equal(muster_result_body_size(result), 0);
        assert_int_equal(stat(path, &status), 0);
        assert_int_equal(status.st_size, muster_result_body_bytes(result));
        assert_true(status.st_size > 0);
        muster_result_free(result);
        unlink(path);
        close_world(&w);
}

static void test_slow_pipe_holds_up_only_itself(void **state)
{
        struct world w;
        struct muster_request *request;
        struct muster_result *result = NULL;
        char buffer[65536];
        size_t n_read = 0, n_others = 0;
        int fds[2];

        (void)state;
        open_world(&w, NULL);
        assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
        fcntl(fds[0], F_SETFL, O_NONBLOCK);
        request = request_to(&w, "GET", "/bytes/5M");
        assert_int_equal(muster_request_set_sink_fd(request, fds[1]), 0);
        muster_submit(w.client, request, NULL);
        for (int i = 0; i < 20; i++)
                muster_submit(w.client, request_to(&w, "GET", "/plain"), NULL);
        while (n_others < 20) {
                muster_result_free(muster_next(w.client));
                n_others++;
        }
        /* Nobody has read of it yet: little of it is in memory, the rest is with the server. */
        for (int i = 0; i < 50; i++)
                muster_turn(w.client);
        assert_true(request->result.body.len < 300 * 1024);
        while (!result) {
                ssize_t n = read(fds[0], buffer, sizeof(buffer));

                n_read += n > 0 ? (size_t)n : 0;
                muster_turn(w.client);
                result = muster_take(w.client);
        }
        for (ssize_t n; (n = read(fds[0], buffer, sizeof(buffer))) > 0;)
                n_read += (size_t)n;
        assert_null(muster_result_error(result));
        assert_int_equal(n_read, LARGE_BYTES);
        check_sums(result);
        muster_result_free(result);

        /* Its reader is gone: an error of this request, no signal. */
        close(fds[0]);
        request = request_to(&w, "GET", "/bytes/1k");
        muster_request_set_sink_fd(request, fds[1]);
        expect_code(submit_and_wait(&w, request), MUSTER_E_RESOURCE, "its reader has closed it");
        close(fds[1]);
        close_world(&w);
}

/*
 * Over TLS what came with one receive is decrypted piece by piece, also behind the one that filled
 * the pipe.
 */
static void test_slow_pipe_is_no_silence_of_the_server(void **state)
{
        struct muster_request *request;
        struct muster_result *result = NULL;
        char buffer[65536];
        struct world w;
        int fds[2];

        (void)state;
        open_tls_world(&w);
        assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
        fcntl(fds[0], F_SETFL, O_NONBLOCK);
        request = request_to(&w, "GET", "/bytes/5M");
        muster_request_set_options(request,
                &(struct muster_request_options){ .read_timeout_ms = 50 });
        assert_int_equal(muster_request_set_sink_fd(request, fds[1]), 0);
        muster_submit(w.client, request, NULL);
        while (!request->sink.is_blocked)
                muster_turn(w.client);
        for (int i = 0; i < 20; i++)
                muster_wait(w.client, 10); /* longer than the read timeout */
        while (!result) {
                (void)!read(fds[0], buffer, sizeof(buffer));
                muster_turn(w.client);
                result = muster_take(w.client);
        }
        assert_null(muster_result_error(result));
        assert_int_equal(muster_result_body_bytes(result), LARGE_BYTES);
        check_sums(result);
        muster_result_free(result);
        close(fds[0]);
        close(fds[1]);
        close_world(&w);
}

/* --- streams --------------------------------------------------------------------------------- */

static struct muster_request *stream_of(struct world *w, const char *path)
{
        struct muster_request *request = request_to(w, "GET", path);

        muster_request_set_options(request, &(struct muster_request_options){ .stream = true });
        return request;
}

static void test_stream(void **state)
{
        struct world w;
        struct muster_result *result;
        static const char *const paths[] = { "/bytes/1000k", "/encoded/br/1000k",
                "/chunked/1000k/100" };
        char buffer[10000];
        size_t n;
        int r;

        (void)state;
        open_world(&w, NULL);
        for (size_t i = 0; i < 3; i++) {
                size_t n_read = 0;

                result = submit_and_wait(&w, stream_of(&w, paths[i]));
                assert_int_equal(muster_result_status(result), 200);
                while ((r = muster_result_read(result, buffer, sizeof(buffer), &n)) == 0)
                        n_read += n;
                assert_int_equal(r, MUSTER_END);
                assert_int_equal(n, 0);
                assert_int_equal(n_read, MEDIUM_BYTES);
                assert_int_equal(muster_result_body_bytes(result), MEDIUM_BYTES);
                check_sums(result);
                muster_result_free(result);
        }
        /* No body at all. */
        result = submit_and_wait(&w, stream_of(&w, "/status/204"));
        assert_int_equal(muster_result_read(result, buffer, sizeof(buffer), &n), MUSTER_END);
        check_sums(result);
        muster_result_free(result);
        close_world(&w);
}

static void test_stream_waits_for_its_reader(void **state)
{
        struct world w;
        struct muster_result *result;
        struct muster_request *request;
        static char buffer[1024 * 1024];
        size_t n, n_read = 0;

        (void)state;
        open_world(&w, &(struct muster_client_options){ .read_timeout_ms = 50 });
        request = stream_of(&w, "/bytes/5M");
        result = submit_and_wait(&w, request);
        for (int i = 0; i < 20; i++)
                muster_wait(w.client, 10); /* longer than the read timeout: which is not about us */
        assert_true(request->result.body.len < 600 * 1024);
        while (muster_result_read(result, buffer, sizeof(buffer), &n) == 0)
                n_read += n;
        assert_int_equal(n_read, LARGE_BYTES);
        assert_null(muster_result_error(result));
        check_sums(result);
        muster_result_free(result);
        close_world(&w);
}

static void test_stream_that_ends_early(void **state)
{
        struct world w;
        struct muster_result *result;
        char buffer[1000];
        size_t n;
        int r;

        (void)state;
        open_world(&w, NULL);
        /* One that is not read yet keeps nobody waiting for a next result. */
        result = submit_and_wait(&w, stream_of(&w, "/bytes/1M"));
        assert_null(muster_next(w.client));
        assert_int_equal(muster_wait(w.client, 10), MUSTER_IDLE);
        muster_result_free(result);
        assert_int_equal(w.client->engine.n_streams, 0);
        /* by the server */
        result = submit_and_wait(&w, stream_of(&w, "/bytes/1M?cut=5000"));
        while ((r = muster_result_read(result, buffer, sizeof(buffer), &n)) == 0)
                ;
        assert_int_equal(r, MUSTER_E_CLOSED);
        expect_code(result, MUSTER_E_CLOSED, "closed");
        /* by its reader; others go on */
        result = submit_and_wait(&w, stream_of(&w, "/bytes/100M"));
        assert_int_equal(muster_result_read(result, buffer, sizeof(buffer), &n), 0);
        muster_result_free(result);
        result = submit_and_wait(&w, request_to(&w, "GET", "/plain"));
        assert_null(muster_result_error(result));
        muster_result_free(result);
        /* by muster_cancel_all(), and with the client */
        result = submit_and_wait(&w, stream_of(&w, "/bytes/100M"));
        muster_cancel_all(w.client);
        while ((r = muster_result_read(result, buffer, sizeof(buffer), &n)) == 0)
                ;
        assert_int_equal(r, MUSTER_E_CANCELLED);
        muster_result_free(result);
        result = submit_and_wait(&w, stream_of(&w, "/hang/body"));
        close_world(&w);
        muster_result_free(result);
}

static void test_stream_is_misused(void **state)
{
        struct world w;
        struct muster_request *request;
        struct muster_result *result;
        char buffer[10];
        size_t n;

        (void)state;
        open_world(&w, NULL);
        request = stream_of(&w, "/plain");
        muster_request_set_sink_fd(request, 1);
        expect_code(submit_and_wait(&w, request), MUSTER_E_INVALID,
                "a request with stream cannot have");
        result = submit_and_wait(&w, request_to(&w, "GET", "/plain"));
        assert_int_equal(muster_result_read(result, buffer, sizeof(buffer), &n), MUSTER_E_INVALID);
        assert_int_equal(muster_result_read(NULL, buffer, sizeof(buffer), &n), MUSTER_E_INVALID);
        assert_int_equal(muster_result_read(result, NULL, 1, &n), MUSTER_E_INVALID);
        muster_result_free(result);
        request = request_to(&w, "GET", "/plain");
        assert_int_equal(muster_request_set_sink_fd(request, -1), MUSTER_E_INVALID);
        assert_int_equal(muster_request_set_sink_file(request, ""), MUSTER_E_INVALID);
        assert_int_equal(muster_request_set_sink_file(NULL, "x"), MUSTER_E_INVALID);
        assert_int_equal(muster_request_set_body_file(request, NULL), MUSTER_E_INVALID);
        assert_int_equal(muster_request_set_body_pull(request, 1, NULL, NULL, NULL),
                MUSTER_E_INVALID);
        muster_request_free(request);
        close_world(&w);
}

/* --- large ones in memory -------------------------------------------------------------------- */

/* As the lab made it, byte by byte. */
static void expect_filling(struct world *w, const char *path, size_t n_bytes)
{
        struct muster_result *result = submit_and_wait(w, request_to(w, "GET", path));
        const char *body = muster_result_body(result);

        if (muster_result_error(result))
                fail_msg("%s: %s", path, muster_result_error_text(result));
        assert_int_equal(muster_result_body_size(result), n_bytes);
        assert_int_equal(muster_result_body_bytes(result), n_bytes);
        assert_int_equal(muster_result_wire_bytes(result), n_bytes);
        for (size_t at = 0; at < n_bytes;) {
                struct muster_str letters = lab_filling(&w->lab, at);
                size_t n = letters.len < n_bytes - at ? letters.len : n_bytes - at;

                assert_memory_equal(body + at, letters.at, n);
                at += n;
        }
        check_sums(result);
        muster_result_free(result);
}

/* In pieces of any size; and one that is too large for all of its room to be made at once. */
static void expect_large_bodies(struct world *w)
{
        expect_filling(w, "/bytes/5M", LARGE_BYTES);
        expect_filling(w, "/bytes/40M", 40u * 1024 * 1024);
        expect_filling(w, "/trickle/1M/50001?gap=0", 1024 * 1024);
        expect_filling(w, "/bytes/100", 100);
        expect_filling(w, "/bytes/17000", 17000);
}

static void test_large_bodies(void **state)
{
        struct world w;

        (void)state;
        open_world(&w, NULL);
        expect_large_bodies(&w);
        close_world(&w);
}

static void test_large_bodies_of_https(void **state)
{
        struct world w;

        (void)state;
        open_tls_world(&w);
        expect_large_bodies(&w);
        close_world(&w);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_file_sink_is_whole_or_not_there),
                cmocka_unit_test(test_status_that_fails_stays_in_memory),
                cmocka_unit_test(test_status_that_fails_with_its_body),
                cmocka_unit_test(test_slow_pipe_holds_up_only_itself),
                cmocka_unit_test(test_slow_pipe_is_no_silence_of_the_server),
                cmocka_unit_test(test_stream),
                cmocka_unit_test(test_stream_waits_for_its_reader),
                cmocka_unit_test(test_stream_that_ends_early),
                cmocka_unit_test(test_stream_is_misused),
                cmocka_unit_test(test_large_bodies),
                cmocka_unit_test(test_large_bodies_of_https),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
