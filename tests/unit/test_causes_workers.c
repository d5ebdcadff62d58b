/* SPDX-License-Identifier: MIT */
/*
 * Findings about connections that the server does not serve: each against a run that has it, and
 * those that look like it
 */
#include "causes.h"
#include "connecting.h"

#include <errno.h>

#define WORKERS 4
#define SLOTS   12

static void assert_only(const struct record *record, const char *name)
{
        for (const struct cause *cause = causes_workers; cause->name; cause++)
                if (is_found(record, causes_workers, cause->name) !=
                        (name && strcmp(cause->name, name) == 0))
                        fail_msg("%s: not as expected (%s)", cause->name, name ? name : "none");
}

/*
 * Four connections are served; the work on them is done after 188 * 20 / 4 ms. The next four wait
 * until these are closed, and the last four until the next are.
 */
static void wait_for_a_worker(struct record_maker_request *request, size_t i,
        const struct record_maker *maker)
{
        const uint64_t *idle_ns = maker->argument;
        uint64_t work_ns = (maker->n - 2 * WORKERS) / WORKERS * 20 * MS;

        request->submit_after_ns = i;
        if (i >= WORKERS && i < 2 * WORKERS)
                request->server_ns = work_ns + *idle_ns + 20 * MS;
        if (i >= 2 * WORKERS && i < SLOTS)
                request->server_ns = work_ns + 2 * *idle_ns + 40 * MS;
}

static void end_conn(struct trace_conn *conn, uint64_t after_ns)
{
        conn->closer = TRACE_CLOSED_BY_SERVER;
        conn->closed_ns = RECORD_MAKER_START_NS + after_ns;
}

static void make_held(struct record *record, uint64_t idle_ns)
{
        uint64_t work_ns = (200 - 2 * WORKERS) / WORKERS * 20 * MS;

        make(record, &(struct record_maker){ .n = 200,
                             .slots = SLOTS,
                             .vary = wait_for_a_worker,
                             .argument = &idle_ns,
                             .each = { .tcp_ns = 100 * NS_PER_US, .server_ns = 20 * MS } });
        assert_int_equal(record->n_conns, SLOTS);
        for (size_t i = 0; i < WORKERS; i++) {
                end_conn(&record->conns[i], work_ns + idle_ns + MS);
                end_conn(&record->conns[WORKERS + i], work_ns + 2 * idle_ns + 21 * MS);
        }
}

static void test_workers_held(void **state)
{
        struct record record;
        struct finding finding;

        (void)state;
        make_held(&record, 2000 * MS);
        assert_only(&record, "workers-held");
        assert_false(is_found(&record, causes_herd, "slow-accept"));
        assert_false(is_found(&record, causes_slots, "stragglers"));
        assert_true(cause_is_found(&record, causes_workers, "workers-held", &finding));
        assert_string_equal(finding.option, "--per-host 4");
        assert_predicted(&finding, 200 / WORKERS * 20 * MS);
        assert_non_null(strstr(finding.evidence[1], "the server closed 8 of these"));
        record_deinit(&record);
}

/* One request on each connection, and this machine was away while they were opened. */
static void one_request_each(struct record_maker_request *request, size_t i,
        const struct record_maker *maker)
{
        (void)maker;
        request->submit_after_ns = i;
        request->tcp_ns = 520 * MS;
        if (i >= WORKERS)
                request->server_ns = i / WORKERS * 1010 * MS;
}

static void test_workers_held_by_one_request_each(void **state)
{
        struct record record;

        (void)state;
        make(&record, &(struct record_maker){ .n = SLOTS,
                              .slots = SLOTS,
                              .vary = one_request_each,
                              .each = { .server_ns = MS } });
        for (size_t i = 0; i < 2 * WORKERS; i++)
                end_conn(&record.conns[i], 520 * MS + (i / WORKERS + 1) * 1009 * MS);
        assert_only(&record, "workers-held");
        assert_false(is_found(&record, causes_server, "server-saturated"));
        record_deinit(&record);
}

/* On a busy machine a worker is ready for the next connection a while after the end of its last one. */
static void test_workers_held_on_a_busy_machine(void **state)
{
        struct record record;

        (void)state;
        make(&record, &(struct record_maker){ .n = SLOTS,
                              .slots = SLOTS,
                              .vary = one_request_each,
                              .each = { .server_ns = MS } });
        for (size_t i = 0; i < 2 * WORKERS; i++)
                end_conn(&record.conns[i],
                        520 * MS + (i / WORKERS + 1) * 1010 * MS - (40 - 7 * (i % WORKERS)) * MS);
        assert_only(&record, "workers-held");
        assert_false(is_found(&record, causes_server, "server-saturated"));
        record_deinit(&record);
}

/* Connections that are not opened are no work: a fifth of the loop's time for each is the request's. */
static void test_fewer_connections_are_less_work(void **state)
{
        struct finding finding;
        struct record record;

        (void)state;
        make(&record, &(struct record_maker){ .n = SLOTS,
                              .slots = SLOTS,
                              .loop_ns = 60 * MS,
                              .vary = one_request_each,
                              .each = { .server_ns = MS } });
        for (size_t i = 0; i < 2 * WORKERS; i++)
                end_conn(&record.conns[i], 520 * MS + (i / WORKERS + 1) * 1009 * MS);
        assert_true(cause_is_found(&record, causes_workers, "workers-held", &finding));
        assert_in_range(finding.shown.wall_ns, 520 * MS + 4 * 60 * MS,
                520 * MS + (4 * 60 + 8 * 10 + 20) * MS);
        record_deinit(&record);
}

/* They ended with a response: no idle connection held a worker. */
static void test_connection_limit(void **state)
{
        struct record record;
        struct finding finding;

        (void)state;
        make_held(&record, 0);
        assert_only(&record, "connection-limit");
        assert_false(is_found(&record, causes_slots, "concurrency-too-low"));
        assert_true(cause_is_found(&record, causes_workers, "connection-limit", &finding));
        assert_string_equal(finding.option, "--per-host 4");
        record_deinit(&record);
}

/* Nobody is idle for long enough: those that are not served give up. */
static void test_never_served(void **state)
{
        struct record record;
        struct finding finding;

        (void)state;
        make_held(&record, 2000 * MS);
        for (size_t i = 0; i < record.n_conns; i++) {
                record.conns[i].closer = TRACE_CLOSED_BY_END;
                record.conns[i].closed_ns = record.run.end_ns;
        }
        for (size_t i = WORKERS; i < SLOTS; i++) {
                record.attempts[i].status = 0;
                record.attempts[i].code = MUSTER_E_TIMEOUT;
                record.attempts[i].outcome = TRACE_FAILED;
                record.attempts[i].stamps.first_byte_kernel_ns = 0;
                record.attempts[i].stamps.first_byte_read_ns = 0;
        }
        assert_only(&record, "workers-held");
        assert_true(cause_is_found(&record, causes_workers, "workers-held", &finding));
        assert_string_equal(finding.option, "--per-host 4");
        assert_int_equal(finding.n_failed_by_it, 8);
        /* One on a connection that was served: requests hang there. */
        record.attempts[100].status = 0;
        record.attempts[100].code = MUSTER_E_TIMEOUT;
        record.attempts[100].stamps.first_byte_kernel_ns = 0;
        record.attempts[100].stamps.first_byte_read_ns = 0;
        assert_only(&record, NULL);
        record_deinit(&record);
}

/* What waited for no end: slow requests, and a server that does not serve in turn. */
static void test_late_without_an_end(void **state)
{
        struct record record;

        (void)state;
        make_held(&record, 2000 * MS);
        for (size_t i = 0; i < record.n_conns; i++) {
                record.conns[i].closer = TRACE_CLOSED_BY_END;
                record.conns[i].closed_ns = record.run.end_ns;
        }
        assert_only(&record, NULL);
        record_deinit(&record);
        /* Ends there are, at other times. */
        make_held(&record, 2000 * MS);
        for (size_t i = 0; i < 2 * WORKERS; i++)
                record.conns[i].closed_ns -= 700 * MS;
        assert_only(&record, NULL);
        record_deinit(&record);
}

static void one_after_the_other(struct record_maker_request *request, size_t i,
        const struct record_maker *maker)
{
        request->submit_after_ns = i;
        if (i < maker->slots)
                request->server_ns += i * 100 * MS;
}

static void in_a_row(struct record_maker_request *request, size_t i,
        const struct record_maker *maker)
{
        (void)maker;
        request->submit_after_ns = i;
        request->server_ns += i * 30 * MS + (i % 3) * 9 * MS;
}

/* A full server that ends each connection with its response: those that come next wait for it. */
static void test_full_server(void **state)
{
        struct record record;

        (void)state;
        make(&record, &(struct record_maker){ .n = 100,
                              .slots = 20,
                              .no_reuse = true,
                              .vary = one_after_the_other,
                              .each = { .tcp_ns = MS, .server_ns = 100 * MS } });
        for (size_t i = 0; i < record.n_conns; i++)
                record.conns[i].closer = TRACE_CLOSED_BY_SERVER;
        assert_only(&record, NULL);
        record_deinit(&record);
        /* Accepted one after the other, and kept. */
        make(&record, &(struct record_maker){ .n = 200,
                              .slots = 20,
                              .vary = one_after_the_other,
                              .each = { .tcp_ns = MS, .server_ns = MS } });
        assert_only(&record, NULL);
        record_deinit(&record);
        /* ... and each closed when it has been idle for a second: ends come all the time, too. */
        make(&record, &(struct record_maker){ .n = 200,
                              .slots = 200,
                              .vary = in_a_row,
                              .each = { .tcp_ns = MS, .server_ns = MS } });
        for (size_t i = 0; i < record.n_conns - 30; i++)
                end_conn(&record.conns[i], (i + 30) * 30 * MS);
        assert_only(&record, NULL);
        record_deinit(&record);
}

/* --- turned away ----------------------------------------------------------------------------- */

/* A request in three that opens a connection beyond eight is turned away. */
static void make_turned_away(struct record *record, size_t first)
{
        make(record,
                &(struct record_maker){
                        .n = 60, .slots = 20, .each = { .tcp_ns = MS, .server_ns = 10 * MS } });
        assert_int_equal(record->n_conns, 20);
        for (size_t i = 0; i < record->n_attempts; i++) {
                struct trace_attempt *attempt = &record->attempts[i];
                struct trace_conn *conn = &record->conns[attempt->conn - 1];

                if ((first ? attempt->conn <= first : attempt->conn % 2) != 0)
                        continue;
                attempt->is_reused = false;
                attempt->status = 0;
                attempt->code = MUSTER_E_CLOSED;
                attempt->sys = ECONNRESET;
                conn->closer = TRACE_CLOSED_BY_SERVER;
                conn->closed_ns = conn->opened_ns + 5 * MS;
        }
}

static void test_turned_away(void **state)
{
        struct record record;
        struct finding finding;

        (void)state;
        make_turned_away(&record, 8);
        assert_only(&record, "connection-limit");
        assert_true(cause_is_found(&record, causes_workers, "connection-limit", &finding));
        assert_string_equal(finding.option, "--per-host 8");
        assert_int_equal(finding.n_failed_by_it, 36);
        assert_false(is_found(&record, causes_conns, "server-closes"));
        record_deinit(&record);
}

/* However few are open, some are reset: a server in trouble. */
static void test_reset_at_any_time(void **state)
{
        struct record record;

        (void)state;
        make_turned_away(&record, 8);
        for (size_t i = 12; i < record.n_conns; i++) {
                record.conns[i].opened_ns = record.conns[i].closed_ns = RECORD_MAKER_START_NS + i;
                record.conns[i - 12].opened_ns += 2 * MS;
        }
        assert_only(&record, NULL);
        record_deinit(&record);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_workers_held),
                cmocka_unit_test(test_workers_held_by_one_request_each),
                cmocka_unit_test(test_workers_held_on_a_busy_machine),
                cmocka_unit_test(test_fewer_connections_are_less_work),
                cmocka_unit_test(test_connection_limit),
                cmocka_unit_test(test_never_served),
                cmocka_unit_test(test_late_without_an_end),
                cmocka_unit_test(test_full_server),
                cmocka_unit_test(test_turned_away),
                cmocka_unit_test(test_reset_at_any_time),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
