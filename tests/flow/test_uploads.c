/* SPDX-License-Identifier: MIT */
/*
 * Bodies of requests that are not in memory
 */
#include "bodies_world.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

/* Gives out the letters of a text that repeats, `left` of them. */
struct source {
        size_t size, at, piece;
        int n_rewinds;
        bool fails;
};

static char letter(size_t i)
{
        return (char)('a' + i % 23);
}

static int pull(void *argument, void *buffer, size_t size, size_t *ret_n)
{
        struct source *source = argument;
        size_t n = source->size - source->at;

        if (source->fails && source->at > source->size / 2)
                return -1;
        if (n > size)
                n = size;
        if (n > source->piece)
                n = source->piece;
        for (size_t i = 0; i < n; i++)
                ((char *)buffer)[i] = letter(source->at + i);
        source->at += n;
        *ret_n = n;
        return 0;
}

static int rewind_source(void *argument)
{
        struct source *source = argument;

        source->at = 0;
        source->n_rewinds++;
        return 0;
}

/* What the lab says of an upload of so many letters. */
static void expect_upload(struct muster_result *result, size_t size)
{
        char expected[100], block[23];
        uLong crc = crc32(0, NULL, 0);

        for (size_t i = 0; i < sizeof(block); i++)
                block[i] = letter(i);
        for (size_t left = size; left;) {
                size_t n = left < sizeof(block) ? left : sizeof(block);

                crc = crc32(crc, (const Bytef *)block, (uInt)n);
                left -= n;
        }
        snprintf(expected, sizeof(expected), "{\"body_bytes\":%zu,\"body_crc32\":\"%08lx\"}\n",
                size, crc);
        if (muster_result_error(result))
                print_error("%s\n", muster_result_error_text(result));
        assert_null(muster_result_error(result));
        assert_string_equal(muster_result_body(result),
                size ? expected : muster_result_body(result));
        check_sums(result);
        muster_result_free(result);
}

static void write_letters(const char *path, size_t size)
{
        FILE *file = fopen(path, "w");

        for (size_t i = 0; i < size; i++)
                fputc(letter(i), file);
        fclose(file);
}

static void test_upload_of_a_file(void **state)
{
        struct world w;
        struct muster_request *request;
        char path[128];

        (void)state;
        open_world(&w, NULL);
        strcpy(path, in_directory(&w, "upload"));
        write_letters(path, LARGE_BYTES);
        request = request_to(&w, "POST", "/upload");
        assert_int_equal(muster_request_set_body_file(request, path), 0);
        expect_upload(submit_and_wait(&w, request), LARGE_BYTES);
        /* Sent again where a redirect keeps the body. */
        request = request_to(&w, "POST", "/redirect/2/307?to=/upload");
        muster_request_set_body_file(request, path);
        expect_upload(submit_and_wait(&w, request), LARGE_BYTES);
        write_letters(path, 0);
        request = request_to(&w, "POST", "/upload");
        muster_request_set_body_file(request, path);
        expect_upload(submit_and_wait(&w, request), 0);
        unlink(path);
        request = request_to(&w, "POST", "/upload");
        muster_request_set_body_file(request, path);
        expect_code(submit_and_wait(&w, request), MUSTER_E_INPUT, "No such file or directory");
        request = request_to(&w, "POST", "/upload");
        muster_request_set_body_file(request, w.directory);
        expect_code(submit_and_wait(&w, request), MUSTER_E_INPUT, "Is a directory");
        close_world(&w);
}

static void test_upload_by_pulling(void **state)
{
        static const size_t pieces[] = { 1, 1000, 65536, 1 << 20 };
        struct world w;

        (void)state;
        open_world(&w, NULL);
        for (size_t i = 0; i < 8; i++) {
                struct source source = { .size = i < 2 ? 5000 : LARGE_BYTES,
                        .piece = pieces[i / 2] };
                struct muster_request *request = request_to(&w, "PUT", "/upload");

                muster_request_set_body_pull(request, i % 2 ? source.size : MUSTER_SIZE_UNKNOWN,
                        pull, NULL, &source);
                expect_upload(submit_and_wait(&w, request), source.size);
        }
        close_world(&w);
}

static void test_pull_that_lies(void **state)
{
        /* [9112 6.1 chunked-to-whom] */
        struct source source = { .size = 200000, .piece = 65536 };
        struct world w;
        struct muster_request *request;

        (void)state;
        open_world(&w, NULL);
        request = request_to(&w, "PUT", "/upload");
        muster_request_set_body_pull(request, 300000, pull, NULL, &source);
        expect_code(submit_and_wait(&w, request), MUSTER_E_INPUT,
                "fewer bytes came than were announced");
        source.at = 0;
        request = request_to(&w, "PUT", "/upload");
        muster_request_set_body_pull(request, 100000, pull, NULL, &source);
        expect_code(submit_and_wait(&w, request), MUSTER_E_INPUT,
                "more bytes came than were announced");
        source.at = 0;
        source.fails = true;
        request = request_to(&w, "PUT", "/upload");
        muster_request_set_body_pull(request, MUSTER_SIZE_UNKNOWN, pull, NULL, &source);
        expect_code(submit_and_wait(&w, request), MUSTER_E_INPUT, "function failed");
        source = (struct source){ .size = 10, .piece = 10 };
        request = request_to(&w, "PUT", "/upload");
        muster_request_set_body_pull(request, MUSTER_SIZE_UNKNOWN, pull, NULL, &source);
        muster_request_set_options(request, &(struct muster_request_options){ .http_1_0 = true });
        expect_code(submit_and_wait(&w, request), MUSTER_E_INVALID,
                "HTTP/1.0 has no chunked coding");
        close_world(&w);
}

static void test_pulling_again(void **state)
{
        struct source source = { .size = 5000, .piece = 700 };
        struct muster_client_options options = {
                .max_retries = 3, .retry_delay_ms = 1, .retry_budget_percent = 100
        };
        struct world w;
        struct muster_request *request;

        (void)state;
        open_world(&w, &options);
        request = request_to(&w, "PUT", "/redirect/1/308?to=/upload");
        muster_request_set_body_pull(request, source.size, pull, rewind_source, &source);
        expect_upload(submit_and_wait(&w, request), source.size);
        assert_int_equal(source.n_rewinds, 1);
        rewind_source(&source);
        request = request_to(&w, "PUT", "/redirect/1/308?to=/upload");
        muster_request_set_body_pull(request, source.size, pull, NULL, &source);
        expect_code(submit_and_wait(&w, request), MUSTER_E_REDIRECT, "cannot be rewound");
        /* A 503 is then the result, and not tried again. */
        rewind_source(&source);
        request = request_to(&w, "PUT", "/status/503");
        muster_request_set_body_pull(request, source.size, pull, NULL, &source);
        {
                struct muster_result *result = submit_and_wait(&w, request);

                assert_int_equal(muster_result_status(result), 503);
                assert_int_equal(muster_result_n_attempts(result), 1);
                muster_result_free(result);
        }
        close_world(&w);
}

/* --- pipes ----------------------------------------------------------------------------------- */

/* What is tested with both protocols. */
static void open_either(struct world *w, bool has_h2)
{
        static const struct muster_client_options h2_options = { .size = sizeof(h2_options),
                .http = MUSTER_HTTP_2_PRIOR_KNOWLEDGE };

        open_world(w, has_h2 ? &h2_options : NULL);
        w->config->listeners[0].h2.is_on = has_h2;
}

static struct muster_request *post_pipe(struct world *w, const char *path)
{
        struct muster_request *request = request_to(w, "POST", "/upload");

        assert_int_equal(mkfifo(path, 0600), 0);
        assert_int_equal(muster_request_set_body_pipe(request, path), 0);
        return request;
}

static void test_pipe_needs_to_be_asked_for(void **state)
{
        struct muster_request *request;
        struct world w;
        char path[128];

        (void)state;
        open_world(&w, NULL);
        strcpy(path, in_directory(&w, "pipe"));
        request = post_pipe(&w, path);
        assert_int_equal(muster_request_set_body_file(request, path), 0);
        expect_code(submit_and_wait(&w, request), MUSTER_E_INPUT, "is a pipe");
        request = request_to(&w, "POST", "/upload");
        assert_int_equal(muster_request_set_body_file(request, "/dev/zero"), 0);
        expect_code(submit_and_wait(&w, request), MUSTER_E_INPUT, "is a device");
        unlink(path);
        close_world(&w);
}

static void test_pipe_without_a_writer(void **state)
{
        (void)state;
        for (int has_h2 = 0; has_h2 < 2; has_h2++) {
                struct muster_request *request;
                struct world w;
                char path[128];

                open_either(&w, has_h2);
                strcpy(path, in_directory(&w, "pipe"));
                request = post_pipe(&w, path);
                /* That we have nothing to send is not the server's silence. */
                muster_request_set_options(request,
                        &(struct muster_request_options){
                                .read_timeout_ms = 20, .total_timeout_ms = 100 });
                assert_int_equal(muster_submit(w.client, request, NULL), 0);
                /* Another one is not held up. */
                expect_upload(submit_and_wait(&w, request_to(&w, "POST", "/upload")), 0);
                expect_code(muster_next(w.client), MUSTER_E_TIMEOUT, "total");
                unlink(path);
                close_world(&w);
        }
}

static void test_pipe_that_comes_in_pieces(void **state)
{
        (void)state;
        for (int has_h2 = 0; has_h2 < 2; has_h2++) {
                struct muster_request *request;
                struct world w;
                char path[128];
                int fd;

                open_either(&w, has_h2);
                strcpy(path, in_directory(&w, "pipe"));
                request = post_pipe(&w, path);
                fd = open(path, O_RDWR | O_CLOEXEC);
                assert_int_equal(muster_submit(w.client, request, NULL), 0);
                for (size_t at = 0; at < 1000; at += 100) {
                        for (int turn = 0; turn < 20; turn++)
                                assert_true(muster_turn(w.client) >= 0);
                        for (size_t i = at; i < at + 100; i++)
                                assert_int_equal(write(fd, &(char){ letter(i) }, 1), 1);
                }
                assert_null(muster_take(w.client));
                close(fd);
                expect_upload(muster_next(w.client), 1000);
                unlink(path);
                close_world(&w);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_upload_of_a_file),
                cmocka_unit_test(test_upload_by_pulling),
                cmocka_unit_test(test_pull_that_lies),
                cmocka_unit_test(test_pulling_again),
                cmocka_unit_test(test_pipe_needs_to_be_asked_for),
                cmocka_unit_test(test_pipe_without_a_writer),
                cmocka_unit_test(test_pipe_that_comes_in_pieces),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
