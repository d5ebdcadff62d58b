/* SPDX-License-Identifier: MIT */
/*
 * Clients with threads: streams, work on bodies, foreign loops, waits
 */
#include "fixture.h"
#include "threads_world.h"

#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

static struct muster_result *next_stream(struct world *w, unsigned host, const char *path)
{
        struct muster_request *request = muster_request_new("GET", url_of(w, host, path));
        struct muster_result *result;

        muster_request_set_options(request, &(struct muster_request_options){ .stream = true });
        assert_int_equal(muster_submit(w->client, request, NULL), 0);
        result = muster_next(w->client);
        assert_non_null(result);
        return result;
}

static void test_streams(void **state)
{
        static const char *const paths[] = { "/bytes/3M", "/encoded/br/1000k", "/chunked/3M/1000",
                "/bytes/0", "/trickle/1k/100/1ms" };
        static const size_t sizes[] = { 3 << 20, 1000 << 10, 3 << 20, 0, 1024 };
        struct world *w = open_world(with_threads(2), NULL, NULL);

        (void)state;
        for (unsigned i = 0; i < 20; i++) {
                struct muster_result *result = next_stream(w, i, paths[i % 5]);
                char buffer[10000];
                size_t n, n_read = 0;
                int r;

                assert_int_equal(muster_result_status(result), 200);
                while ((r = muster_result_read(result, buffer, sizeof(buffer), &n)) == 0)
                        n_read += n;
                assert_int_equal(r, MUSTER_END);
                assert_int_equal(n_read, sizes[i % 5]);
                assert_int_equal(muster_result_body_bytes(result), sizes[i % 5]);
                check_sums(result);
                muster_result_free(result);
        }
        close_world(w);
}

/*
 * Results are ordered, and asked for their error, while their engines still receive the bodies; for
 * a race detector.
 */
static void test_streams_beside_results(void **state)
{
        struct muster_client_options options = with_threads(3);
        struct muster_result *streams[100], *result;
        unsigned n_streams = 0, n = 0;
        struct world *w;

        (void)state;
        options.concurrency = 30;
        w = open_world(options, NULL, NULL);
        for (unsigned i = 0; i < 200; i++) {
                struct muster_request *request = muster_request_new("GET",
                        url_of(w, i % N_HOSTS, i % 4 ? "/bytes/20k" : "/cut/9000?size=1M"));

                muster_request_set_options(request,
                        &(struct muster_request_options){ .stream = i % 2 == 0 });
                assert_int_equal(muster_submit(w->client, request, NULL), 0);
        }
        for (; (result = muster_next(w->client)); n++) {
                if (request_of_result(result)->relay)
                        streams[n_streams++] = result;
                else
                        muster_result_free(result);
                for (unsigned i = 0; i < n_streams; i++)
                        (void)muster_result_error(streams[i]);
        }
        assert_int_equal(n, 200);
        for (unsigned i = 0; i < n_streams; i++) {
                char buffer[10000];
                size_t size, n_read = 0;
                int r;

                while ((r = muster_result_read(streams[i], buffer, sizeof(buffer), &size)) == 0)
                        n_read += size;
                assert_int_equal(r, n_read < 20 * 1024 ? MUSTER_E_CLOSED : MUSTER_END);
                assert_true((r < 0) == (muster_result_error(streams[i]) != NULL));
                muster_result_free(streams[i]);
        }
        close_world(w);
}

static void test_streams_that_are_not_read(void **state)
{
        struct world *w = open_world(with_threads(2), NULL, NULL);
        struct muster_result *result, *other;
        char buffer[1000];
        size_t n;
        int r;

        (void)state;
        result = next_stream(w, 1, "/bytes/20M");
        get(w, 1, "/plain", 0); /* others go on meanwhile, of the same host, too */
        other = muster_next(w->client);
        assert_int_equal(muster_result_status(other), 200);
        muster_result_free(other);
        assert_int_equal(muster_result_read(result, buffer, sizeof(buffer), &n), 0);
        assert_int_equal(muster_wait(w->client, 0), MUSTER_IDLE); /* no result will come */
        assert_int_equal(muster_turn(w->client), MUSTER_IDLE);
        muster_result_free(result); /* which ends it */

        result = next_stream(w, 2, "/cut/2000?size=1M");
        while ((r = muster_result_read(result, buffer, sizeof(buffer), &n)) == 0)
                ;
        assert_int_equal(r, MUSTER_E_CLOSED);
        assert_int_equal(code_of(result), MUSTER_E_CLOSED);
        muster_result_free(result);

        result = next_stream(w, 3, "/bytes/20M");
        w->client = muster_client_free(w->client);
        while ((r = muster_result_read(result, buffer, sizeof(buffer), &n)) == 0)
                ;
        assert_int_equal(r, MUSTER_E_CANCELLED);
        muster_result_free(result);
        close_world(w);
}

static atomic_uint n_processed;

static int process(struct muster_result *result, void *argument)
{
        (void)argument;
        atomic_fetch_add(&n_processed, 1);
        muster_result_set_processed(result, (void *)muster_result_body_size(result), NULL);
        return 0;
}

static void test_process_functions(void **state)
{
        struct muster_client_options options = with_threads(2);
        struct muster_result *result;
        struct world *w;

        (void)state;
        options.workers = 3;
        options.decode_threshold_bytes = 1000;
        w = open_world(options, NULL, NULL);
        for (unsigned i = 0; i < 200; i++) {
                struct muster_request *request =
                        muster_request_new("GET", url_of(w, i % N_HOSTS, "/encoded/gzip/20k"));

                muster_request_set_process(request, process, NULL);
                assert_int_equal(muster_submit(w->client, request, NULL), 0);
        }
        while ((result = muster_next(w->client))) {
                assert_int_equal((uintptr_t)muster_result_processed(result), 20 * 1024);
                check_sums(result);
                muster_result_free(result);
        }
        assert_int_equal(atomic_load(&n_processed), 200);
        close_world(w);
}

static void test_foreign_loop(void **state)
{
        struct world *w = open_world(with_threads(2), NULL, NULL);
        struct pollfd poll_fd = { .fd = muster_client_fd(w->client), .events = POLLIN };
        unsigned n_submitted = 0, n = 0;
        int r = MUSTER_LATER;

        (void)state;
        assert_true(poll_fd.fd >= 0);
        while (n < 300) {
                struct muster_result *result;

                while (n_submitted < 300 && n_submitted < n + 20)
                        get(w, n_submitted++ % N_HOSTS, "/plain", 0);
                if (r == MUSTER_LATER)
                        assert_int_equal(poll(&poll_fd, 1, 20000), 1);
                r = muster_turn(w->client);
                assert_true(r == 0 || r == MUSTER_LATER);
                while ((result = muster_take(w->client))) {
                        assert_int_equal(muster_result_status(result), 200);
                        muster_result_free(result);
                        n++;
                }
        }
        assert_int_equal(muster_turn(w->client), MUSTER_IDLE);
        close_world(w);
}

/* Asked for again, the descriptor says nothing new: a loop that polls it would not rest. */
static void test_foreign_loop_rests(void **state)
{
        struct world *w = open_world(with_threads(2), NULL, NULL);
        struct pollfd poll_fd = { .fd = muster_client_fd(w->client), .events = POLLIN };

        (void)state;
        get(w, 1, "/hang/start", 0);
        assert_int_equal(poll(&poll_fd, 1, 20000), 1); /* for what was there before */
        assert_int_equal(muster_turn(w->client), MUSTER_LATER);
        assert_int_equal(muster_client_fd(w->client), poll_fd.fd);
        assert_int_equal(poll(&poll_fd, 1, 0), 0);
        close_world(w);
}

static void *wake_client(void *client)
{
        muster_wake(client);
        return NULL;
}

static void test_waits_end(void **state)
{
        struct world *w = open_world(with_threads(2), NULL, NULL);
        pthread_t thread;

        (void)state;
        get(w, 1, "/hang/start", 0);
        assert_int_equal(muster_wait(w->client, 0), MUSTER_LATER);
        assert_int_equal(muster_wait(w->client, 5), MUSTER_LATER);
        assert_int_equal(pthread_create(&thread, NULL, wake_client, w->client), 0);
        assert_int_equal(muster_wait(w->client, MUSTER_NO_TIMEOUT), MUSTER_WOKEN);
        pthread_join(thread, NULL);
        assert_int_equal(muster_wait(w->client, 1), MUSTER_LATER);
        close_world(w);
}

static void test_full_queue(void **state)
{
        struct muster_client_options options = with_threads(2);
        unsigned n = 0, n_submitted = 0;
        struct world *w;

        (void)state;
        options.queue_size = 10;
        w = open_world(options, NULL, NULL);
        while (n < 200) {
                while (n_submitted < 200 &&
                        muster_get(w->client, url_of(w, n_submitted % N_HOSTS, "/plain"), NULL) ==
                                0)
                        n_submitted++;
                assert_true(n_submitted - n <= 10);
                muster_result_free(muster_next(w->client));
                n++;
        }
        close_world(w);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_streams),
                cmocka_unit_test(test_streams_beside_results),
                cmocka_unit_test(test_streams_that_are_not_read),
                cmocka_unit_test(test_process_functions),
                cmocka_unit_test(test_foreign_loop),
                cmocka_unit_test(test_foreign_loop_rests),
                cmocka_unit_test(test_waits_end),
                cmocka_unit_test(test_full_queue),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
