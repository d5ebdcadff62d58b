/* SPDX-License-Identifier: MIT */
/*
 * Work on bodies: decoding, process functions, and what bounds them
 */
#include "bodies_world.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>
#include <zlib.h>

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
        expect_code(submit_and_wait(&w, request), MUSTER_E_TIMEOUT, "ran out in phase process");
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
                        i < 2 ? "total timeout of 0.2 s ran out in phase process"
                              : "deadline timeout of 0.2 s ran out in phase process");
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
                        "total timeout of 0.3 s ran out in phase process");
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
