/* SPDX-License-Identifier: MIT */
/*
 * Bodies that are not in memory, and work on those that are: against a lab in the client's own loop
 */
#include "fixture.h"

#include <fcntl.h>
#include <lab/lab.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#define LARGE_BYTES  (5 * 1024 * 1024)
#define MEDIUM_BYTES (1000 * 1024) /* before the ratio of a coding is looked at */

struct world {
        struct muster_client *client;
        struct lab_config *config;
        struct lab lab;
        char directory[64];
};

static void open_world(struct world *w, const struct muster_client_options *options)
{
        struct muster_error error = { 0 };

        *w = (struct world){ .config = calloc(1, sizeof(*w->config)) };
        assert_int_equal(muster_client_new(&w->client, options), 0);
        assert_int_equal(config_init(w->config), 0);
        assert_int_equal(lab_start(&w->lab, &w->client->engine.loop, w->config, &error), 0);
        strcpy(w->directory, "/tmp/muster-bodies-XXXXXX");
        assert_non_null(mkdtemp(w->directory));
}

static void close_world(struct world *w)
{
        lab_stop(&w->lab);
        muster_client_free(w->client);
        config_deinit(w->config);
        free(w->config);
        assert_int_equal(rmdir(w->directory), 0); /* nothing was left behind */
}

static const char *in_directory(const struct world *w, const char *name)
{
        static char path[128];

        snprintf(path, sizeof(path), "%s/%s", w->directory, name);
        return path;
}

static struct muster_request *request_to(struct world *w, const char *method, const char *path)
{
        char url[256];

        listener_url(&w->lab.listeners[0], NULL, url, sizeof(url));
        strncat(url, path, sizeof(url) - strlen(url) - 1);
        return muster_request_new(method, url);
}

static struct muster_result *submit_and_wait(struct world *w, struct muster_request *request)
{
        struct muster_result *result;

        assert_int_equal(muster_submit(w->client, request, NULL), 0);
        result = muster_next(w->client);
        assert_non_null(result);
        lab_reap(&w->lab);
        return result;
}

static void expect_code(struct muster_result *result, enum muster_code code, const char *words)
{
        const struct muster_error *error = muster_result_error(result);

        if (!error || error->code != code || !strstr(error->text, words))
                print_error("%s\n", muster_result_error_text(result));
        assert_non_null(error);
        assert_int_equal(error->code, code);
        assert_non_null(strstr(error->text, words));
        check_sums(result);
        muster_result_free(result);
}

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
        expect_code(submit_and_wait(&w, request), MUSTER_E_RESOURCE, "nobody reads it");
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
        expect_code(submit_and_wait(&w, request), MUSTER_E_INVALID, "a stream has neither");
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

/* --- uploads --------------------------------------------------------------------------------- */

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
        struct source source = { .size = 200000, .piece = 65536 };
        struct world w;
        struct muster_request *request;

        (void)state;
        open_world(&w, NULL);
        request = request_to(&w, "PUT", "/upload");
        muster_request_set_body_pull(request, 300000, pull, NULL, &source);
        expect_code(submit_and_wait(&w, request), MUSTER_E_INPUT, "less than was announced");
        source.at = 0;
        request = request_to(&w, "PUT", "/upload");
        muster_request_set_body_pull(request, 100000, pull, NULL, &source);
        expect_code(submit_and_wait(&w, request), MUSTER_E_INPUT, "more than was announced");
        source.at = 0;
        source.fails = true;
        request = request_to(&w, "PUT", "/upload");
        muster_request_set_body_pull(request, MUSTER_SIZE_UNKNOWN, pull, NULL, &source);
        expect_code(submit_and_wait(&w, request), MUSTER_E_INPUT, "function failed");
        source = (struct source){ .size = 10, .piece = 10 };
        request = request_to(&w, "PUT", "/upload");
        muster_request_set_body_pull(request, MUSTER_SIZE_UNKNOWN, pull, NULL, &source);
        muster_request_set_options(request, &(struct muster_request_options){ .http_1_0 = true });
        expect_code(submit_and_wait(&w, request), MUSTER_E_INVALID, "HTTP/1.0 has no chunks");
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

/* --- work ------------------------------------------------------------------------------------ */

static int count_letters(struct muster_result *result, void *argument)
{
        size_t *n = malloc(sizeof(*n));

        (void)argument;
        *n = muster_result_body_size(result);
        muster_result_set_processed(result, n, free);
        return 0;
}

static int complain(struct muster_result *result, void *argument)
{
        return argument ? muster_result_fail(result, argument) : -1;
}

static int sleep_a_little(struct muster_result *result, void *argument)
{
        (void)result;
        usleep((useconds_t)(uintptr_t)argument);
        return 0;
}

static void test_process(void **state)
{
        struct world w;

        (void)state;
        open_world(&w, NULL);
        for (int i = 0; i < 2; i++) {
                struct muster_request_options options = { .process_inline = i == 1 };
                struct muster_request *request = request_to(&w, "GET", "/bytes/1000");
                struct muster_result *result;

                muster_request_set_process(request, count_letters, NULL);
                muster_request_set_options(request, &options);
                result = submit_and_wait(&w, request);
                assert_null(muster_result_error(result));
                assert_int_equal(*(size_t *)muster_result_processed(result), 1000);
                check_sums(result);
                muster_result_free(result);
                request = request_to(&w, "GET", "/plain");
                muster_request_set_process(request, complain, (void *)(uintptr_t) "too short");
                muster_request_set_options(request, &options);
                expect_code(submit_and_wait(&w, request), MUSTER_E_PROCESS, "process: too short");
                request = request_to(&w, "GET", "/plain");
                muster_request_set_process(request, complain, NULL);
                expect_code(submit_and_wait(&w, request), MUSTER_E_PROCESS, "failed");
        }
        close_world(&w);
}

static void test_work_is_bounded_and_parallel(void **state)
{
        struct world w;
        struct muster_result *result;
        uint64_t start_ns = clock_ns_of(CLOCK_MONOTONIC), took_ns;
        int n = 0;

        (void)state;
        open_world(&w, &(struct muster_client_options){ .workers = 4, .concurrency = 8 });
        for (int i = 0; i < 40; i++) {
                struct muster_request *request = request_to(&w, "GET", "/plain");

                muster_request_set_process(request, sleep_a_little, (void *)(uintptr_t)20000);
                muster_submit(w.client, request, NULL);
        }
        while ((result = muster_next(w.client))) {
                assert_null(muster_result_error(result));
                assert_true(muster_result_phase_ns(result, MUSTER_PHASE_PROCESS) >= 20 * NS_PER_MS);
                check_sums(result);
                muster_result_free(result);
                n++;
                /* 16 for 4 workers, and those that were in flight when that was reached */
                assert_true(w.client->engine.n_processing <= 16 + 8);
        }
        assert_int_equal(n, 40);
        took_ns = clock_ns_of(CLOCK_MONOTONIC) - start_ns;
        assert_true(took_ns >= 200 * NS_PER_MS); /* 40 x 20 ms in 4 threads */
        close_world(&w);
}

static void test_ending_work(void **state)
{
        struct world w;
        struct muster_request *request;
        struct muster_client_stats stats;
        uint64_t id;

        (void)state;
        open_world(&w, &(struct muster_client_options){ .workers = 1 });
        /* A deadline that passes while it runs decides when it is over. */
        request = request_to(&w, "GET", "/plain");
        muster_request_set_process(request, sleep_a_little, (void *)(uintptr_t)200000);
        muster_request_set_options(request, &(struct muster_request_options){ .deadline_ms = 100 });
        expect_code(submit_and_wait(&w, request), MUSTER_E_TIMEOUT, "ran out in process");
        /* One that has not begun yet is taken back at once. */
        request = request_to(&w, "GET", "/plain");
        muster_request_set_process(request, sleep_a_little, (void *)(uintptr_t)300000);
        muster_submit(w.client, request, NULL);
        request = request_to(&w, "GET", "/plain");
        muster_request_set_process(request, sleep_a_little, NULL);
        muster_submit(w.client, request, &id);
        do {
                muster_wait(w.client, 1);
                muster_client_stats(w.client, &stats, sizeof(stats));
        } while (stats.n_processing < 2);
        assert_int_equal(muster_cancel(w.client, id), 0);
        expect_code(muster_take(w.client), MUSTER_E_CANCELLED, "cancelled");
        /* The other one runs: to free the client waits for it. */
        close_world(&w);
}

/* Work for as long as there is time, and make something of the body that nobody is to see. */
static int work_to_the_end(struct muster_result *result, void *argument)
{
        uint64_t left_ns = muster_result_time_left_ns(result);

        *(uint64_t *)argument = left_ns;
        count_letters(result, NULL);
        while (muster_result_time_left_ns(result))
                usleep(1000);
        return 0;
}

/* On a worker, and in the loop; what was made too late is dropped. */
static void test_total_timeout_covers_the_work(void **state)
{
        struct world w;

        (void)state;
        open_world(&w, &(struct muster_client_options){ .workers = 1 });
        for (int i = 0; i < 4; i++) {
                struct muster_request *request = request_to(&w, "GET", "/plain");
                struct muster_request_options options = { .process_inline = i % 2 };
                struct muster_result *result;
                uint64_t left_ns = 0;

                *(i < 2 ? &options.total_timeout_ms : &options.deadline_ms) = 200;
                muster_request_set_process(request, work_to_the_end, &left_ns);
                muster_request_set_options(request, &options);
                result = submit_and_wait(&w, request);
                assert_true(left_ns > 0 && left_ns <= 200 * NS_PER_MS);
                assert_null(muster_result_processed(result));
                assert_int_equal(muster_result_time_left_ns(result), 0);
                assert_int_equal(muster_result_error(result)->stage, MUSTER_PHASE_PROCESS);
                expect_code(result, MUSTER_E_TIMEOUT,
                        i < 2 ? "total timeout of 0.2 s ran out in process"
                              : "deadline timeout of 0.2 s ran out in process");
        }
        close_world(&w);
}

static int wait_for_end(struct muster_result *result, void *argument)
{
        while (!atomic_load((atomic_bool *)argument))
                usleep(1000);
        /* Without a timeout it has as long as it likes. */
        return muster_result_time_left_ns(result) == MUSTER_NO_TIMEOUT ? 0 : -1;
}

/* Waiting for a worker counts, for a body that is only to be decoded, too. */
static void test_total_timeout_covers_the_wait_for_a_worker(void **state)
{
        static const char *const paths[] = { "/plain", "/encoded/gzip/1000k" };
        atomic_bool may_end = false;
        struct muster_request *request;
        struct muster_result *result;
        struct world w;

        (void)state;
        open_world(&w, &(struct muster_client_options){ .workers = 1 });
        request = request_to(&w, "GET", "/plain");
        muster_request_set_process(request, wait_for_end, &may_end);
        muster_submit(w.client, request, NULL);
        for (int i = 0; i < 2; i++) {
                request = request_to(&w, "GET", paths[i]);
                if (i == 0)
                        muster_request_set_process(request, count_letters, NULL);
                muster_request_set_options(request,
                        &(struct muster_request_options){ .total_timeout_ms = 300 });
                expect_code(submit_and_wait(&w, request), MUSTER_E_TIMEOUT,
                        "total timeout of 0.3 s ran out in process");
        }
        atomic_store(&may_end, true);
        result = muster_next(w.client);
        assert_null(muster_result_error(result));
        muster_result_free(result);
        close_world(&w);
}

static void test_status_that_fails_is_decoded_off_the_loop(void **state)
{
        struct world w;
        struct muster_result *result;

        (void)state;
        open_world(&w, &(struct muster_client_options){ .workers = 1, .fail_on_status = true });
        result = submit_and_wait(&w, request_to(&w, "GET", "/encoded/gzip/1000k?status=404"));
        assert_int_equal(muster_result_body_size(result), MEDIUM_BYTES);
        expect_code(result, MUSTER_E_STATUS, "404");
        close_world(&w);
}

static void test_large_bodies_are_decoded_off_the_loop(void **state)
{
        static const char *const paths[] = { "/encoded/gzip/1000k", "/encoded/br,gzip/1000k",
                "/encoded/zstd/1000k?chunk=1k", "/encoded/deflate/100" };
        struct world w;

        (void)state;
        open_world(&w, &(struct muster_client_options){ .workers = 2 });
        for (size_t i = 0; i < 4; i++) {
                struct muster_result *result = submit_and_wait(&w, request_to(&w, "GET", paths[i]));

                assert_null(muster_result_error(result));
                assert_int_equal(muster_result_body_size(result), i < 3 ? MEDIUM_BYTES : 100);
                assert_int_equal(muster_result_body_bytes(result), i < 3 ? MEDIUM_BYTES : 100);
                assert_true(strncmp(muster_result_body(result), "The quick", 9) == 0);
                check_sums(result);
                muster_result_free(result);
        }
        expect_code(submit_and_wait(&w, request_to(&w, "GET", "/bomb/gzip/2G")), MUSTER_E_TOO_LARGE,
                "too_large");
        close_world(&w);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_file_sink_is_whole_or_not_there),
                cmocka_unit_test(test_status_that_fails_stays_in_memory),
                cmocka_unit_test(test_status_that_fails_with_its_body),
                cmocka_unit_test(test_slow_pipe_holds_up_only_itself),
                cmocka_unit_test(test_stream),
                cmocka_unit_test(test_stream_waits_for_its_reader),
                cmocka_unit_test(test_stream_that_ends_early),
                cmocka_unit_test(test_stream_is_misused),
                cmocka_unit_test(test_upload_of_a_file),
                cmocka_unit_test(test_upload_by_pulling),
                cmocka_unit_test(test_pull_that_lies),
                cmocka_unit_test(test_pulling_again),
                cmocka_unit_test(test_process),
                cmocka_unit_test(test_work_is_bounded_and_parallel),
                cmocka_unit_test(test_ending_work),
                cmocka_unit_test(test_total_timeout_covers_the_work),
                cmocka_unit_test(test_total_timeout_covers_the_wait_for_a_worker),
                cmocka_unit_test(test_status_that_fails_is_decoded_off_the_loop),
                cmocka_unit_test(test_large_bodies_are_decoded_off_the_loop),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
