/* SPDX-License-Identifier: MIT */
/*
 * Findings about this program and its machine: each against a run that has it, and one that looks
 * like it
 */
#include "causes.h"

#define MS NS_PER_MS

static const struct record_maker quick = {
        .n = 1000,
        .slots = 16,
        .each = { .server_ns = MS, .lag_ns = 15 * MS },
};

/*
 * What the loop's thread did, of `share` of the wall time, and how much processor time it had for
 * it.
 */
struct work {
        enum trace_work most;
        double share, cpu_share;
};

static uint64_t wall_ns(const struct record *record)
{
        return record->run.end_ns - RECORD_MAKER_START_NS;
}

/* One long turn that holds all of it, so that what waited is known to have waited for that. */
static void do_work(struct record *record, struct work work)
{
        struct trace_sample *last = &record->samples[record->n_samples - 1];
        uint64_t busy_ns = (uint64_t)((double)wall_ns(record) * work.share);
        uint64_t cpu_ns = (uint64_t)((double)wall_ns(record) * work.cpu_share);
        struct trace_turn turn = { .start_ns = RECORD_MAKER_START_NS,
                .end_ns = RECORD_MAKER_START_NS + busy_ns,
                .thread_cpu_ns = cpu_ns };

        turn.work_ns[work.most] = busy_ns;
        assert_int_equal(record_make_turn(record, &turn), 0);
        for (size_t i = 0; i < TRACE_N_WORKS; i++)
                last->work_ns[i] = 0;
        last->work_ns[work.most] = busy_ns;
        last->thread_cpu_ns = last->process_cpu_ns = cpu_ns;
}

static bool finds(const struct record_maker *maker, struct work work, const struct cause *causes,
        const char *name, struct finding *finding)
{
        struct record record;
        bool is_found;

        assert_int_equal(record_make(&record, maker), 0);
        do_work(&record, work);
        assert_int_equal(record_make_counter(&record, "machine.processors", 2, 2), 0);
        is_found = cause_is_found(&record, causes, name, finding);
        if (is_found)
                assert_true(finding->shown.is_client);
        record_deinit(&record);
        return is_found;
}

/* --- the thread ------------------------------------------------------------------------------ */

static void test_saturated(void **state)
{
        struct work io = { TRACE_WORK_IO, 0.95, 0.9 }, little = { TRACE_WORK_IO, 0.3, 0.3 };
        struct work decode = { TRACE_WORK_DECODE, 0.95, 0.9 };
        struct work caller = { TRACE_WORK_CALLER, 0.95, 0.9 };
        struct record_maker waiting = quick;
        struct finding finding;

        (void)state;
        waiting.each.lag_ns = 0;
        waiting.each.server_ns = 16 * MS;
        assert_true(finds(&quick, io, causes_client, "client-saturated", &finding));
        assert_false(finds(&quick, decode, causes_client, "client-saturated", &finding));
        assert_false(finds(&quick, caller, causes_client, "client-saturated", &finding));
        assert_false(finds(&waiting, little, causes_client, "client-saturated", &finding));
}

/*
 * Large answers are always on their way while it reads others: it is what takes the time, though
 * the end waits for these.
 */
static void test_saturated_while_receiving(void **state)
{
        static char command[] = "[\"muster\",\"fetch\"]";
        const struct record_maker large = {
                .n = 50, .slots = 8, .each = { .server_ns = MS, .receive_ns = 30 * MS }
        };
        struct finding finding;
        struct record record;

        (void)state;
        assert_true(finds(&large, (struct work){ TRACE_WORK_IO, 1, 0.98 }, causes_client,
                "client-saturated", &finding));
        assert_null(finding.shown.option);
        assert_false(finds(&large, (struct work){ TRACE_WORK_IO, 0.7, 0.7 }, causes_client,
                "client-saturated", &finding));
        /* A part of it was writing what the command can leave out. */
        assert_int_equal(record_make(&record, &large), 0);
        do_work(&record, (struct work){ TRACE_WORK_IO, 1, 0.98 });
        record.samples[record.n_samples - 1].work_ns[TRACE_WORK_IO] = wall_ns(&record) * 3 / 5;
        record.samples[record.n_samples - 1].work_ns[TRACE_WORK_CALLER] = wall_ns(&record) * 2 / 5;
        record.run.command = command;
        record.attempts[0].body_bytes = 50 * 5000000;
        assert_true(cause_is_found(&record, causes_client, "client-saturated", &finding));
        assert_string_equal(finding.shown.option, "--body none");
        assert_predicted(&finding, wall_ns(&record) * 3 / 5);
        record.run.command = NULL;
        record_deinit(&record);
}

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

/* --- the program around it ------------------------------------------------------------------- */

static void test_caller(void **state)
{
        struct work blocked = { TRACE_WORK_CALLER, 0.95, 0.02 };
        struct work busy = { TRACE_WORK_CALLER, 0.95, 0.93 };
        struct record_maker not_waiting = quick;
        struct finding finding;

        (void)state;
        assert_true(finds(&quick, blocked, causes_client, "slow-consumer", &finding));
        assert_false(finds(&quick, blocked, causes_client, "caller-busy", &finding));
        assert_true(finds(&quick, busy, causes_client, "caller-busy", &finding));
        assert_false(finds(&quick, busy, causes_client, "slow-consumer", &finding));
        not_waiting.each.lag_ns = 0; /* it waits in a loop of its own */
        not_waiting.each.server_ns = 16 * MS;
        assert_false(finds(&not_waiting, blocked, causes_client, "slow-consumer", &finding));
}

/*
 * The command itself can leave out what keeps it busy; of a program it is not known what that is.
 */
static void test_busy_command(void **state)
{
        static char plain[] = "[\"muster\",\"fetch\",\"--summary\"]";
        static char files[] = "[\"muster\",\"fetch\",\"--body\",\"out/\"]";
        static char in_lines[] = "[\"muster\",\"fetch\",\"--body\",\"inline\"]";
        static const struct {
                char *command;
                uint64_t body_bytes;
                bool discards, has_option;
        } cases[] = {
                { NULL, 20000, false, false },
                { plain, 20000, false, true },
                { plain, 20000, true, false },
                { plain, 100, false, false },
                { files, 20000, false, false },
                { in_lines, 20000, false, true },
        };
        struct finding finding;
        struct record record;

        (void)state;
        assert_int_equal(record_make(&record, &quick), 0);
        do_work(&record, (struct work){ TRACE_WORK_CALLER, 0.9, 0.88 });
        for (size_t i = 0; i < LENGTH(cases); i++) {
                record.run.command = cases[i].command;
                record.run.options.discard_body = cases[i].discards;
                for (size_t k = 0; k < record.n_attempts; k++)
                        record.attempts[k].body_bytes = cases[i].body_bytes;
                assert_true(cause_is_found(&record, causes_client, "caller-busy", &finding));
                assert_int_equal(finding.shown.option != NULL, cases[i].has_option);
                assert_true(finding.shown.has_prediction);
                if (cases[i].has_option)
                        assert_string_equal(finding.shown.option, "--body none");
                assert_int_equal(strstr(finding.shown.remedy, "process function") != NULL,
                        cases[i].command == NULL);
        }
        record.run.command = NULL;
        record_deinit(&record);
}

/* Results that wait to be taken are somebody's fault only where he is known to have been away. */
static void test_results_not_taken(void **state)
{
        static const struct record_maker untaken = {
                .n = 16, .slots = 16, .each = { .server_ns = 5 * MS, .deliver_ns = 50 * MS }
        };
        struct work little = { TRACE_WORK_IO, 0.01, 0.01 };
        struct work blocked = { TRACE_WORK_CALLER, 0.95, 0.02 };
        struct finding finding;

        (void)state;
        assert_false(finds(&untaken, little, causes_client, "slow-consumer", &finding));
        assert_true(finds(&untaken, blocked, causes_client, "slow-consumer", &finding));
        assert_non_null(strstr(finding.evidence[0], "91 % of the time results were there"));
}

/* --- the processor --------------------------------------------------------------------------- */

static void test_throttled(void **state)
{
        struct finding finding;
        struct record record;

        (void)state;
        assert_int_equal(record_make(&record, &quick), 0);
        assert_false(cause_is_found(&record, causes_client, "processor-throttled", &finding));
        assert_int_equal(record_make_counter(&record, "cgroup.throttled", 2, 9), 0);
        assert_int_equal(record_make_counter(&record, "cgroup.throttled_us", 1000, 500000), 0);
        assert_true(cause_is_found(&record, causes_client, "processor-throttled", &finding));
        assert_predicted(&finding, wall_ns(&record) - 499 * MS);
        record.counters[1].after = 1010;
        assert_false(cause_is_found(&record, causes_client, "processor-throttled", &finding));
        record_deinit(&record);
}

/*
 * Kept from several processors at once: what is counted on each is more than the time that went by.
 */
static void test_throttled_on_many_processors(void **state)
{
        struct finding finding;
        struct record record;

        (void)state;
        assert_int_equal(record_make(&record, &quick), 0);
        assert_int_equal(record_make_counter(&record, "cgroup.throttled", 2, 9), 0);
        assert_int_equal(record_make_counter(&record, "cgroup.throttled_us", 0, 5000000), 0);
        record.samples[record.n_samples - 1].process_cpu_ns = 300 * MS;
        assert_true(cause_is_found(&record, causes_client, "processor-throttled", &finding));
        assert_predicted(&finding, wall_ns(&record) * 300 / 5300);
        assert_null(strstr(finding.evidence[0], "100 %"));
        record.samples[record.n_samples - 1].process_cpu_ns = 0; /* nothing to tell by */
        assert_true(cause_is_found(&record, causes_client, "processor-throttled", &finding));
        assert_false(finding.shown.has_prediction);
        record_deinit(&record);
}

static void test_processor_busy(void **state)
{
        struct finding finding;
        struct record record;

        (void)state;
        assert_int_equal(record_make(&record, &quick), 0);
        do_work(&record, (struct work){ TRACE_WORK_IO, 0.9, 0.2 });
        assert_int_equal(record_make_counter(&record, "process.switches_forced", 0, 900), 0);
        assert_true(cause_is_found(&record, causes_client, "processor-busy", &finding));
        assert_false(cause_is_found(&record, causes_client, "client-saturated", &finding));
        record.counters[0].after = 1; /* it was blocked, not pushed aside */
        assert_false(cause_is_found(&record, causes_client, "processor-busy", &finding));
        record_deinit(&record);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_saturated),
                cmocka_unit_test(test_saturated_while_receiving),
                cmocka_unit_test(test_on_loop),
                cmocka_unit_test(test_on_loop_of_busy_machine),
                cmocka_unit_test(test_on_loop_for_good),
                cmocka_unit_test(test_workers),
                cmocka_unit_test(test_many_workers),
                cmocka_unit_test(test_caller),
                cmocka_unit_test(test_busy_command),
                cmocka_unit_test(test_results_not_taken),
                cmocka_unit_test(test_throttled),
                cmocka_unit_test(test_throttled_on_many_processors),
                cmocka_unit_test(test_processor_busy),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
