/* SPDX-License-Identifier: MIT */
/*
 * Clients with threads: cancelling, and the end
 */
#include "fixture.h"
#include "threads_world.h"

static void test_cancel_one(void **state)
{
        struct muster_client_options options = with_threads(2);
        struct muster_request *request;
        struct muster_result *result;
        uint64_t ids[20];
        struct world *w;

        (void)state;
        options.concurrency = 10;
        w = open_world(options, NULL, NULL);
        for (unsigned i = 0; i < 20; i++) {
                request = muster_request_new("GET", url_of(w, i % N_HOSTS, "/hang/start"));
                assert_int_equal(muster_submit(w->client, request, &ids[i]), 0);
        }
        for (unsigned i = 0; i < 20; i++) {
                unsigned at = (i * 7) % 20;

                assert_int_equal(muster_cancel(w->client, ids[at]), 0);
                result = muster_take(w->client); /* at once */
                assert_non_null(result);
                assert_int_equal(muster_result_id(result), ids[at]);
                assert_int_equal(code_of(result), MUSTER_E_CANCELLED);
                check_sums(result);
                muster_result_free(result);
                assert_int_equal(muster_cancel(w->client, ids[at]), MUSTER_E_INVALID);
        }
        assert_int_equal(muster_cancel(w->client, 0), MUSTER_E_INVALID);
        assert_int_equal(muster_cancel(w->client, 999), MUSTER_E_INVALID);
        assert_null(muster_next(w->client));
        close_world(w);
}

static void test_cancel_queued(void **state)
{
        struct muster_client_options options = with_threads(2);
        struct muster_client_stats stats;
        struct muster_result *result;
        unsigned n_cancelled = 0, n_good = 0;
        struct world *w;

        (void)state;
        options.concurrency = 4;
        w = open_world(options, "delay", "100ms");
        for (unsigned i = 0; i < 100; i++)
                get(w, i % N_HOSTS, "/plain", i);
        do
                muster_client_stats(w->client, &stats, sizeof(stats));
        while (stats.n_in_flight < 4);
        muster_cancel_queued(w->client);
        while ((result = muster_next(w->client))) {
                n_good += !muster_result_error(result);
                n_cancelled += code_of(result) == MUSTER_E_CANCELLED;
                check_sums(result);
                muster_result_free(result);
        }
        assert_int_equal(n_good, 4);
        assert_int_equal(n_cancelled, 96);
        close_world(w);
}

static void test_cancel_all(void **state)
{
        struct world *w = open_world(with_threads(3), NULL, NULL);
        struct muster_result *result;
        unsigned n = 0;

        (void)state;
        for (unsigned i = 0; i < 200; i++)
                get(w, i % N_HOSTS, i % 2 ? "/hang/body" : "/redirect-loop", i);
        muster_cancel_all(w->client);
        while ((result = muster_take(w->client))) {
                assert_non_null(muster_result_error(result));
                check_sums(result);
                muster_result_free(result);
                n++;
        }
        assert_int_equal(n, 200);
        get(w, 1, "/plain", 0);
        result = muster_next(w->client);
        assert_int_equal(muster_result_status(result), 200); /* it goes on */
        muster_result_free(result);
        close_world(w);
}

/* With requests in every state, and results that nobody took, or that are kept for longer. */
static void test_free_at_any_time(void **state)
{
        (void)state;
        for (unsigned n_turns = 0; n_turns < 30; n_turns++) {
                struct muster_client_options options = with_threads(3);
                struct muster_result *kept[3] = { NULL };
                struct world *w;

                options.concurrency = 30;
                options.max_retries = 3;
                w = open_world(options, NULL, NULL);
                for (unsigned i = 0; i < 120; i++)
                        get(w, i % N_HOSTS,
                                (const char *[]){ "/plain", "/hang/head", "/redirect/3/302",
                                        "/retry/503/1s", "/bytes/1M" }[i % 5],
                                i);
                for (unsigned i = 0; i < n_turns; i++)
                        muster_wait(w->client, 1);
                for (unsigned i = 0; i < 3; i++)
                        kept[i] = muster_take(w->client);
                w->client = muster_client_free(w->client);
                for (unsigned i = 0; i < 3; i++) {
                        if (kept[i])
                                check_sums(kept[i]);
                        muster_result_free(kept[i]);
                }
                close_world(w);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_cancel_one),
                cmocka_unit_test(test_cancel_queued),
                cmocka_unit_test(test_cancel_all),
                cmocka_unit_test(test_free_at_any_time),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
