/* SPDX-License-Identifier: MIT */
/*
 * What no caller should do: it is answered, and nothing breaks
 */
#include "fixture.h"

#define HELLO "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"

static struct script_answer hello(struct script_server *server, const char *head, unsigned n)
{
        (void)server;
        (void)head;
        (void)n;
        return (struct script_answer){ .bytes = HELLO };
}

static int nothing(struct muster_result *result, void *argument)
{
        (void)result;
        (void)argument;
        return 0;
}

static void test_null_client(void **state)
{
        struct muster_request *request = muster_request_new(NULL, "http://h/");
        struct muster_client_stats stats;

        (void)state;
        assert_int_equal(muster_client_new(NULL, NULL), MUSTER_E_INVALID);
        assert_null(muster_client_free(NULL));
        assert_int_equal(muster_submit(NULL, request, NULL),
                MUSTER_E_INVALID); /* and it is freed */
        assert_int_equal(muster_submit(NULL, NULL, NULL), MUSTER_E_INVALID);
        assert_int_equal(muster_get(NULL, "http://h/", NULL), MUSTER_E_INVALID);
        assert_int_equal(muster_cancel(NULL, 1), MUSTER_E_INVALID);
        muster_cancel_all(NULL);
        muster_cancel_queued(NULL);
        assert_null(muster_next(NULL));
        assert_null(muster_take(NULL));
        assert_int_equal(muster_wait(NULL, 1), MUSTER_E_INVALID);
        assert_int_equal(muster_turn(NULL), MUSTER_E_INVALID);
        assert_int_equal(muster_client_fd(NULL), MUSTER_E_INVALID);
        muster_wake(NULL);
        muster_client_stats(NULL, &stats, sizeof(stats));
}

static void test_null_request(void **state)
{
        struct muster_request *request;

        (void)state;
        assert_null(muster_request_free(NULL));
        muster_request_set_userdata(NULL, NULL);
        muster_request_set_process(NULL, nothing, NULL);
        assert_int_equal(muster_request_add_header(NULL, "a", "b"), MUSTER_E_INVALID);
        assert_int_equal(muster_request_set_body(NULL, "", 0), MUSTER_E_INVALID);
        assert_int_equal(muster_request_set_body_file(NULL, "x"), MUSTER_E_INVALID);
        assert_int_equal(muster_request_set_body_pull(NULL, 0, NULL, NULL, NULL), MUSTER_E_INVALID);
        assert_int_equal(muster_request_set_sink_fd(NULL, 1), MUSTER_E_INVALID);
        assert_int_equal(muster_request_set_sink_file(NULL, "x"), MUSTER_E_INVALID);
        assert_int_equal(muster_request_set_basic_auth(NULL, "a", "b"), MUSTER_E_INVALID);
        assert_int_equal(muster_request_set_options(NULL, NULL), MUSTER_E_INVALID);
        request = muster_request_new(NULL, NULL);
        assert_int_equal(muster_request_add_header(request, NULL, "b"), MUSTER_E_INVALID);
        assert_int_equal(muster_request_set_body(request, NULL, 5), MUSTER_E_INVALID);
        assert_int_equal(muster_request_set_basic_auth(request, NULL, NULL), MUSTER_E_INVALID);
        assert_int_equal(muster_request_set_options(request, NULL), 0);
        muster_request_free(request);
}

static void test_null_result(void **state)
{
        struct muster_attempt attempt;
        struct muster_conn_info conn;
        char buffer[10];
        size_t n;

        (void)state;
        assert_null(muster_result_free(NULL));
        assert_null(muster_result_userdata(NULL));
        assert_int_equal(muster_result_id(NULL), 0);
        assert_null(muster_result_error(NULL));
        assert_string_equal(muster_result_error_text(NULL), "");
        assert_string_equal(muster_result_method(NULL), "");
        assert_string_equal(muster_result_url(NULL), "");
        assert_string_equal(muster_result_final_url(NULL), "");
        assert_int_equal(muster_result_status(NULL), 0);
        assert_int_equal(muster_result_http_version(NULL), 0);
        assert_null(muster_result_header(NULL, "a").at);
        assert_int_equal(muster_result_n_headers(NULL), 0);
        assert_null(muster_result_header_name(NULL, 0).at);
        assert_null(muster_result_header_value(NULL, 0).at);
        assert_string_equal(muster_result_body(NULL), "");
        assert_int_equal(muster_result_body_size(NULL), 0);
        assert_int_equal(muster_result_body_bytes(NULL), 0);
        assert_int_equal(muster_result_wire_bytes(NULL), 0);
        assert_string_equal(muster_result_undecoded(NULL), "");
        assert_string_equal(muster_result_warning(NULL), "");
        assert_int_equal(muster_result_time_left_ns(NULL), 0);
        assert_int_equal(muster_result_n_attempts(NULL), 0);
        assert_int_equal(muster_result_n_redirects(NULL), 0);
        assert_int_equal(muster_result_n_dropped_fields(NULL), 0);
        assert_int_equal(muster_result_phase_ns(NULL, MUSTER_PHASE_WAIT), 0);
        assert_int_equal(muster_result_total_ns(NULL), 0);
        assert_int_equal(muster_result_submitted_ns(NULL), 0);
        assert_int_equal(muster_result_planned_ns(NULL), 0);
        assert_int_equal(muster_result_attempt(NULL, 0, &attempt, sizeof(attempt)),
                MUSTER_E_INVALID);
        muster_result_conn(NULL, &conn, sizeof(conn));
        muster_result_set_processed(NULL, NULL, NULL);
        assert_null(muster_result_processed(NULL));
        assert_int_equal(muster_result_fail(NULL, "x"), MUSTER_E_INVALID);
        assert_int_equal(muster_result_read(NULL, buffer, sizeof(buffer), &n), MUSTER_E_INVALID);
        assert_int_equal(muster_result_read_now(NULL, buffer, sizeof(buffer), &n),
                MUSTER_E_INVALID);
}

static void test_submitted_requests_are_not_the_callers(void **state)
{
        struct fixture f;
        struct muster_request *request;
        struct muster_result *result;

        (void)state;
        fixture_start(&f, NULL, hello);
        request = muster_request_new(NULL, script_url(&f.server, "/"));
        assert_int_equal(muster_submit(f.client, request, NULL), 0);
        assert_int_equal(muster_submit(f.client, request, NULL), MUSTER_E_INVALID);
        assert_int_equal(muster_request_add_header(request, "a", "b"), MUSTER_E_INVALID);
        assert_int_equal(muster_request_set_body(request, "x", 1), MUSTER_E_INVALID);
        assert_int_equal(muster_request_set_sink_fd(request, 1), MUSTER_E_INVALID);
        muster_request_set_process(request, nothing, NULL);
        assert_null(muster_request_free(request)); /* it goes on all the same */
        result = next_result(&f);
        assert_null(muster_result_error(result));
        assert_int_equal(muster_result_fail(result, "too late"), MUSTER_E_PROCESS);
        muster_result_free(result);
        assert_int_equal(muster_cancel(f.client, 77), MUSTER_E_INVALID);
        fixture_stop(&f);
}

/* Everything that a process function must not do. */
static int meddle(struct muster_result *result, void *argument)
{
        struct fixture *f = argument;

        assert_int_equal(muster_get(f->client, "http://h/", NULL), MUSTER_E_INVALID);
        assert_int_equal(muster_cancel(f->client, 1), MUSTER_E_INVALID);
        muster_cancel_all(f->client);
        assert_null(muster_next(f->client));
        assert_null(muster_take(f->client));
        assert_int_equal(muster_wait(f->client, 0), MUSTER_E_INVALID);
        assert_int_equal(muster_turn(f->client), MUSTER_E_INVALID);
        assert_null(muster_client_free(f->client));
        assert_null(muster_result_free(result));
        muster_wake(f->client); /* this it may */
        return 0;
}

static void test_client_from_a_process_function(void **state)
{
        struct fixture f;
        struct muster_request *request;
        struct muster_result *result;

        (void)state;
        for (int i = 0; i < 2; i++) {
                fixture_start(&f, NULL, hello);
                request = muster_request_new(NULL, script_url(&f.server, "/"));
                muster_request_set_process(request, meddle, &f);
                muster_request_set_options(request,
                        &(struct muster_request_options){ .process_inline = i == 0 });
                assert_int_equal(muster_submit(f.client, request, NULL), 0);
                result = next_result(&f);
                assert_null(muster_result_error(result));
                muster_result_free(result);
                fixture_stop(&f);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_null_client),
                cmocka_unit_test(test_null_request),
                cmocka_unit_test(test_null_result),
                cmocka_unit_test(test_submitted_requests_are_not_the_callers),
                cmocka_unit_test(test_client_from_a_process_function),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
