/* SPDX-License-Identifier: MIT */
/*
 * Requests of a watched program that are all made at once, where that does harm and where it does not
 */
#include "watched.h"

#include <errno.h>

#define MS NS_PER_MS

static bool is_flow(const struct record *record, const char *name, struct finding *finding)
{
        return watched_is_found(record, causes_program_flow, name, finding);
}

/* Connections wait for each other's handshakes. */
static void in_a_herd(struct record_maker_request *request, size_t i,
        const struct record_maker *maker)
{
        (void)maker;
        request->tls_ns = (i + 1) * MS;
}

static void in_a_slow_herd(struct record_maker_request *request, size_t i,
        const struct record_maker *maker)
{
        (void)maker;
        request->tls_ns = (i + 1) * 2 * MS;
}

/* The processor computes handshakes all the time: why there are so many at once is the cause. */
static void test_unbounded_is_what_computes(void **state)
{
        struct record_maker maker = { .n = 800,
                .slots = 800,
                .vary = in_a_slow_herd,
                .each = { .tcp_ns = MS, .server_ns = 5 * MS } };
        struct record record;
        struct finding finding;

        (void)state;
        make(&record, &maker);
        watch(&record, "aiohttp 3.9", "asyncio");
        watched_client(&record, 0);
        for (size_t i = 0; i < record.n_samples; i++)
                record.samples[i].process_cpu_ns = record.samples[i].at_ns;
        assert_true(is_flow(&record, "gather-unbounded", &finding));
        assert_false(watched_is_found(&record, causes_program_loop, "processor-bound", &finding));
        /* One that opens few has other work. */
        for (size_t i = 40; i < record.n_attempts; i++) {
                record.attempts[i].conn = record.attempts[i % 40].conn;
                record.attempts[i].is_reused = true;
        }
        record.n_conns = 40;
        assert_false(is_flow(&record, "gather-unbounded", &finding));
        assert_true(watched_is_found(&record, causes_program_loop, "processor-bound", &finding));
        record_deinit(&record);
}

static void test_gather_unbounded(void **state)
{
        struct record_maker maker = { .n = 800,
                .slots = 800,
                .vary = in_a_herd,
                .each = { .tcp_ns = MS, .server_ns = 5 * MS } };
        struct record record;
        struct finding finding;

        (void)state;
        make(&record, &maker);
        watch(&record, "aiohttp 3.9", "asyncio");
        watched_client(&record, 0);
        ADD_ROW(record.programs.bounds, record.programs.n_bounds,
                (struct program_bound){ .process = 1,
                        .site = watched_site(&record, 17, "main"),
                        .kind = PROGRAM_GATHER,
                        .start_ns = MS,
                        .end_ns = 800 * MS,
                        .value = 800 });
        assert_true(is_flow(&record, "gather-unbounded", &finding));
        assert_line(&finding, 17);
        assert_non_null(strstr(finding.remedy, "asyncio.Semaphore("));
        assert_true(finding.shown.wall_ns < 600 * MS);
        record_deinit(&record);
        /* All at once, and no harm in it. */
        maker.vary = NULL;
        maker.each.server_ns = 500 * MS;
        make(&record, &maker);
        watch(&record, "aiohttp 3.9", "asyncio");
        watched_client(&record, 0);
        assert_false(is_flow(&record, "gather-unbounded", &finding));
        /* There were not descriptors for all. */
        for (size_t i = 700; i < 800; i++) {
                record.attempts[i].code = MUSTER_E_CONNECT;
                record.attempts[i].sys = EMFILE;
        }
        assert_true(is_flow(&record, "gather-unbounded", &finding));
        assert_int_equal(finding.n_failed_by_it, 100);
        record_deinit(&record);
}

static void beside_a_busy_loop(struct record_maker_request *request, size_t i,
        const struct record_maker *maker)
{
        (void)maker;
        request->tls_ns = (500 + i * 3 / 8) * MS;
}

/*
 * Even the quickest waited for the loop, which has 1 ms to do for each: in the handshake, and to send.
 * With fewer at once it still has that to do, less what connections cost, and nobody waits besides.
 */
static void test_unbounded_beside_a_busy_loop(void **state)
{
        struct record_maker maker = { .n = 800,
                .slots = 800,
                .vary = beside_a_busy_loop,
                .rtt_ns = MS,
                .loop_ns = MS,
                .each = { .tcp_ns = MS, .send_ns = 50 * MS, .server_ns = 5 * MS } };
        struct record record;
        struct finding finding;

        (void)state;
        make(&record, &maker);
        watch(&record, "aiohttp 3.9", "asyncio");
        watched_client(&record, 0);
        assert_true(is_flow(&record, "gather-unbounded", &finding));
        assert_in_range(finding.shown.wall_ns, 400 * MS, 600 * MS);
        record_deinit(&record);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_gather_unbounded),
                cmocka_unit_test(test_unbounded_is_what_computes),
                cmocka_unit_test(test_unbounded_beside_a_busy_loop),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
