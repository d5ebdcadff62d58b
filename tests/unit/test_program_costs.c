/* SPDX-License-Identifier: MIT */
/*
 * What requests and connections of a watched program cost, and what of that is left with a remedy
 */
#include "watched.h"

#include <explain/model/bounds.h>

#define MS NS_PER_MS

static void measure(struct facts *facts, const struct record *record)
{
        assert_int_equal(facts_measure(facts, record), 0);
        assert_non_null(facts->program);
}

static void make_watched(struct record *record, const struct record_maker *maker, const char *loop)
{
        make(record, maker);
        watched_await(record);
        watch(record, "aiohttp 3.9", loop);
}

/* --- the loop -------------------------------------------------------------------------------- */

/* The time of a handshake that the loop was at work is among what the loop did anyway. */
static void test_handshakes_are_counted_once(void **state)
{
        struct record record;
        struct facts facts;

        (void)state;
        make_watched(&record,
                &(struct record_maker){ .n = 60,
                        .slots = 6,
                        .no_reuse = true,
                        .each = { .tls_ns = 40 * MS, .server_ns = 20 * MS },
                        .loop_ns = 1 * MS },
                "asyncio");
        for (size_t i = 0; i < record.n_conns; i++)
                record.conns[i].tls_work_ns = 10 * MS;
        measure(&facts, &record);
        assert_in_range(facts.replayed_ns, facts.wall_ns * 8 / 10, facts.wall_ns * 12 / 10);
        facts_deinit(&facts);
        record_deinit(&record);
}

/* --- threads --------------------------------------------------------------------------------- */

static void with_pauses(struct record_maker_request *request, size_t i,
        const struct record_maker *maker)
{
        (void)maker;
        request->submit_after_ns = i / 20 * 120 * MS;
}

/* 20 threads, each of which makes a pause of 40 ms between two requests; it makes that all the same. */
static void test_threads_keep_their_pauses(void **state)
{
        struct record record;
        struct finding finding;

        (void)state;
        make_watched(&record,
                &(struct record_maker){ .n = 100,
                        .slots = 20,
                        .no_reuse = true,
                        .each = { .tcp_ns = 40 * MS, .network_ns = 40 * MS },
                        .vary = with_pauses },
                "");
        for (size_t i = 0; i < record.n_attempts; i++)
                record.attempts[i].engine = (uint8_t)(i % 20 + 1);
        for (size_t i = 0; i < record.n_conns; i++)
                record.conns[i].closer = TRACE_CLOSED_BY_CLIENT;
        watched_client(&record, 0);
        record.programs.clients[0].kept = 10;
        assert_true(watched_is_found(&record, causes_program_conns, "pool-limit", &finding));
        assert_predicted(&finding, 400 * MS);
        record_deinit(&record);
}

/* A program with one thread that sleeps between its requests is not at work meanwhile. */
static void test_sleep_is_no_work(void **state)
{
        struct record record;
        struct facts facts;
        struct bound bounds[BOUNDS_MAX];
        struct trace_sample *last;
        size_t n;

        (void)state;
        make_watched(&record,
                &(struct record_maker){ .n = 60, .slots = 1, .each.server_ns = 20 * MS }, "");
        record.programs.processes[0].n_threads = 1;
        last = &record.samples[record.n_samples - 1];
        last->work_ns[TRACE_WORK_CALLER] = 600 * MS;
        last->thread_cpu_ns = last->process_cpu_ns = 30 * MS;
        measure(&facts, &record);
        assert_int_equal(facts.loop_busy_ns, 30 * MS);
        n = bounds_of(&facts, bounds);
        for (size_t i = 0; i < n; i++)
                if (strcmp(bounds[i].name, "loop") == 0) {
                        assert_int_equal(bounds[i].ns, 30 * MS);
                        assert_non_null(strstr(bounds[i].formula, "threads computed"));
                }
        facts_deinit(&facts);
        record_deinit(&record);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_handshakes_are_counted_once),
                cmocka_unit_test(test_threads_keep_their_pauses),
                cmocka_unit_test(test_sleep_is_no_work),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
