/* SPDX-License-Identifier: MIT */
/*
 * Findings about work on bodies: each against a run that has it, and those that look
 * like it
 */
#include "causes.h"
#include "working.h"

#define MS NS_PER_MS

/* --- workers --------------------------------------------------------------------------------- */

static const struct record_maker decoding = {
        .n = 60,
        .slots = 16,
        .each = { .server_ns = 100 * NS_PER_US, .decode_ns = 300 * MS },
};

struct decoded {
        uint64_t wire_bytes, body_bytes; /* of each */
        uint64_t threshold_bytes;
        double pressure; /* the part of the wall time in which somebody waited for a processor */
};

static bool finds_decoding(struct decoded decoded, struct work work, const char *name,
        struct finding *finding)
{
        struct record record;
        bool is_found;

        assert_int_equal(record_make(&record, &decoding), 0);
        for (size_t i = 0; i < record.n_attempts; i++) {
                record.attempts[i].wire_bytes = decoded.wire_bytes;
                record.attempts[i].body_bytes = decoded.body_bytes;
        }
        record.run.options.decode_threshold_bytes = decoded.threshold_bytes;
        do_work(&record, work);
        assert_int_equal(record_make_counter(&record, "machine.processors", 2, 2), 0);
        assert_int_equal(record_make_counter(&record, "pressure.cpu_us", 0,
                                 (int64_t)((double)wall_ns(&record) * decoded.pressure /
                                           (double)NS_PER_US)),
                0);
        is_found = cause_is_found(&record, causes_work, name, finding);
        if (is_found)
                assert_true(finding->shown.is_client);
        record_deinit(&record);
        return is_found;
}

static void test_on_loop(void **state)
{
        struct work decode = { TRACE_WORK_DECODE, 0.95, 0.9 }, io = { TRACE_WORK_IO, 0.95, 0.9 };
        struct decoded large = { 30 * 1024, 8 * 1024 * 1024, 0, 0 };
        struct finding finding;

        (void)state;
        assert_true(finds_decoding(large, decode, "decode-on-loop", &finding));
        assert_string_equal(finding.shown.option, "without --process-inline");
        assert_false(finds_decoding(large, io, "decode-on-loop", &finding));
        assert_false(finds_decoding(large, decode, "process-on-loop", &finding));
}

/* Where others have the processors as well it takes longer than with all of them. */
static void test_on_loop_of_busy_machine(void **state)
{
        struct work decode = { TRACE_WORK_DECODE, 0.95, 0.9 };
        struct decoded large = { 30 * 1024, 8 * 1024 * 1024, 0, 0 }, busy = large;
        struct finding alone, among_others;

        (void)state;
        busy.pressure = 0.4;
        assert_true(finds_decoding(large, decode, "decode-on-loop", &alone));
        assert_true(finds_decoding(busy, decode, "decode-on-loop", &among_others));
        assert_true(among_others.shown.wall_ns > alone.shown.wall_ns * 6 / 5);
        assert_true(among_others.shown.wall_low_ns == alone.shown.wall_low_ns);
}

/* No option moves it: the workers have what they can have, or each body comes out of one piece. */
static void test_on_loop_for_good(void **state)
{
        struct work decode = { TRACE_WORK_DECODE, 0.95, 0.9 };
        struct decoded moved = { 30 * 1024, 60 * 1024, 64 * 1024, 0 };
        struct decoded one_piece = { 60, 1024 * 1024, 0, 0 };
        struct finding finding;

        (void)state;
        assert_true(finds_decoding(moved, decode, "decode-on-loop", &finding));
        assert_null(finding.shown.option);
        assert_true(finds_decoding(one_piece, decode, "decode-on-loop", &finding));
        assert_null(finding.shown.option);
        assert_false(finding.shown.has_prediction);
}

/* Two workers, 20 ms each: one pair after the other. */
static void wait_for_worker(struct record_maker_request *request, size_t i,
        const struct record_maker *maker)
{
        (void)maker;
        request->submit_after_ns = i;
        request->process_ns = (i / 2 + 1) * 20 * MS;
}

static const struct record_maker working = {
        .n = 60,
        .each.server_ns = 100 * NS_PER_US,
        .vary = wait_for_worker,
};

struct crew_work {
        int64_t processors;
        double used,
                /* of all processors: by the workers, by programs that they started */
                children_used;
        double pressure; /* of the wall time: somebody waited for a processor */
};

static int64_t us_of_wall(const struct record *record, double times)
{
        return (int64_t)((double)wall_ns(record) * times / (double)NS_PER_US);
}

/* The loop's thread has little to do. */
static bool finds_in_crew(struct crew_work work, const char *name, struct finding *finding)
{
        struct trace_sample *last;
        struct record record;
        bool is_found;

        assert_int_equal(record_make(&record, &working), 0);
        do_work(&record, (struct work){ TRACE_WORK_IO, 0.05, 0.05 });
        last = &record.samples[record.n_samples - 1];
        last->process_cpu_ns =
                (uint64_t)((double)wall_ns(&record) * work.used * (double)work.processors);
        assert_int_equal(record_make_counter(&record, "machine.processors", work.processors,
                                 work.processors),
                0);
        assert_int_equal(record_make_counter(&record, "pressure.cpu_us", 0,
                                 us_of_wall(&record, work.pressure)),
                0);
        assert_int_equal(record_make_counter(&record, "children.cpu_us", 0,
                                 us_of_wall(&record, work.children_used * (double)work.processors)),
                0);
        is_found = cause_is_found(&record, causes_work, name, finding);
        record_deinit(&record);
        return is_found;
}

/* 400 workers, 20 ms each. */
static void wait_for_many(struct record_maker_request *request, size_t i,
        const struct record_maker *maker)
{
        (void)maker;
        request->submit_after_ns = i;
        request->process_ns = (i / 400 + 1) * 20 * MS;
}

/* Not more than a client may have. */
static void test_many_workers(void **state)
{
        const struct record_maker maker = { .n = 4000, .slots = 4000, .vary = wait_for_many };
        struct finding finding;
        struct record record;

        (void)state;
        assert_true(finds_in_crew((struct crew_work){ 4096, 0.25, 0, 0 }, "workers-too-few",
                &finding));
        assert_string_equal(finding.shown.option, "--process-workers 1024");
        assert_int_equal(record_make(&record, &maker), 0);
        do_work(&record, (struct work){ TRACE_WORK_IO, 0.05, 0.05 });
        record.run.options.workers = 400;
        assert_int_equal(record_make_counter(&record, "machine.processors", 2, 2), 0);
        assert_int_equal(record_make_counter(&record, "children.cpu_us", 0, 0), 0);
        assert_int_equal(record_make_counter(&record, "pressure.cpu_us", 0, 0), 0);
        assert_true(cause_is_found(&record, causes_work, "workers-too-few", &finding));
        assert_string_equal(finding.shown.option, "--process-workers 1024");
        record_deinit(&record);
}

static void test_workers(void **state)
{
        struct finding finding;

        (void)state;
        assert_true(finds_in_crew((struct crew_work){ 2, 0.9, 0, 0.15 }, "client-saturated",
                &finding));
        assert_false(finds_in_crew((struct crew_work){ 2, 0.9, 0, 0.15 }, "workers-too-few",
                &finding));
        /* There are more processors. */
        assert_true(finds_in_crew((struct crew_work){ 8, 0.25, 0, 0 }, "workers-too-few",
                &finding));
        assert_string_equal(finding.shown.option, "--process-workers 8");
        assert_predicted(&finding, 160 * MS);
        assert_false(finds_in_crew((struct crew_work){ 8, 0.25, 0, 0 }, "client-saturated",
                &finding));
        /* The work waits itself: more can be under way than there are processors. */
        assert_true(finds_in_crew((struct crew_work){ 2, 0.1, 0, 0 }, "workers-too-few", &finding));
        assert_string_equal(finding.shown.option, "--process-workers 32");
        assert_false(finds_in_crew((struct crew_work){ 2, 0.1, 0, 0 }, "client-saturated",
                &finding));
        /* So it does where others want the processors. */
        assert_true(finds_in_crew((struct crew_work){ 2, 0.05, 0, 0.4 }, "workers-too-few",
                &finding));
        /* It computes, in other programs; nobody else is there. */
        assert_true(finds_in_crew((struct crew_work){ 2, 0.05, 0.85, 0 }, "client-saturated",
                &finding));
}

/* --- workers of the program's own ------------------------------------------------------------ */

/* Only what the program told tells them from a slow reader of results. */
static void test_own_workers(void **state)
{
        const struct record_maker maker = {
                .n = 1000, .slots = 16, .each = { .server_ns = MS, .lag_ns = 15 * MS }
        };
        struct finding finding;
        struct record record;
        int64_t wall_us;

        (void)state;
        assert_int_equal(record_make(&record, &maker), 0);
        do_work(&record, (struct work){ TRACE_WORK_CALLER, 0.95, 0.02 });
        wall_us = (int64_t)(wall_ns(&record) / NS_PER_US);
        assert_false(cause_is_found(&record, causes_work, "workers-busy", &finding));
        assert_true(cause_is_found(&record, causes_client, "slow-consumer", &finding));
        assert_int_equal(record_make_counter(&record, "workers.full_us", 0, wall_us * 9 / 10), 0);
        assert_int_equal(record_make_counter(&record, "workers.number", 0, 2), 0);
        assert_int_equal(record_make_counter(&record, "workers.bodies", 0, 1000), 0);
        assert_int_equal(record_make_counter(&record, "workers.busy_us", 0, 2000000), 0);
        assert_true(cause_is_found(&record, causes_work, "workers-busy", &finding));
        assert_true(finding.shown.is_client);
        assert_true(finding.explained_ns <= wall_ns(&record) && !finding.shown.has_prediction);
        assert_string_equal(finding.shown.evidence[0],
                "for 90 % of the time all workers (2) had bodies, and no more was taken in");
        assert_string_equal(finding.shown.evidence[1],
                "a body took 2 ms on average, 1,000 bodies 2 s in total");
        assert_false(cause_is_found(&record, causes_client, "slow-consumer", &finding));
        /* The same for a moment only, or not known. */
        record.counters[0].after = wall_us * 4 / 10;
        assert_false(cause_is_found(&record, causes_work, "workers-busy", &finding));
        assert_true(cause_is_found(&record, causes_client, "slow-consumer", &finding));
        record.counters[0].after = -1;
        assert_false(cause_is_found(&record, causes_work, "workers-busy", &finding));
        /* A file that somebody made up. */
        record.counters[0].after = INT64_MAX;
        assert_true(cause_is_found(&record, causes_work, "workers-busy", &finding));
        /* The requests were done long before. */
        record.counters[0].after = wall_us * 3;
        assert_true(cause_is_found(&record, causes_work, "workers-busy", &finding));
        assert_int_equal(finding.explained_ns, (uint64_t)wall_us * 3 * NS_PER_US);
        assert_non_null(strstr(finding.shown.evidence[0],
                " all workers (2) had bodies; the requests themselves took "));
        record_deinit(&record);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_on_loop),
                cmocka_unit_test(test_on_loop_of_busy_machine),
                cmocka_unit_test(test_on_loop_for_good),
                cmocka_unit_test(test_workers),
                cmocka_unit_test(test_many_workers),
                cmocka_unit_test(test_own_workers),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
