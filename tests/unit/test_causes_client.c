/* SPDX-License-Identifier: MIT */
/*
 * Findings about this program: each against a run that has it, and those that look
 * like it
 */
#include "causes.h"
#include "working.h"

#define MS NS_PER_MS

static const struct record_maker quick = {
        .n = 1000,
        .slots = 16,
        .each = { .server_ns = MS, .lag_ns = 15 * MS },
};

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

/* With processors to spare there may be more loops than the one that is saturated. */
static void test_saturated_with_processors_to_spare(void **state)
{
        static char command[] = "[\"muster\",\"fetch\"]";
        struct record_counter processors = {
                .name = "machine.processors", .before = 4, .after = 4
        };
        struct finding finding;
        struct record record;

        (void)state;
        assert_int_equal(record_make(&record, &quick), 0);
        do_work(&record, (struct work){ TRACE_WORK_IO, 0.95, 0.9 });
        record.run.command = command;
        record.run.options.concurrency = 64;
        record.counters = &processors;
        record.n_counters = 1;
        assert_true(cause_is_found(&record, causes_client, "client-saturated", &finding));
        assert_string_equal(finding.shown.option, "--threads 4");
        record.run.options.concurrency = 1; /* none would have anything to do */
        assert_true(cause_is_found(&record, causes_client, "client-saturated", &finding));
        assert_null(finding.shown.option);
        record.run.command = NULL;
        record.counters = NULL;
        record.n_counters = 0;
        record_deinit(&record);
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
 * A reader was slow where the output had no room. Results that go to a file or nowhere have no
 * reader, and who writes to a file already is not told to do that.
 */
static void test_blocked_command(void **state)
{
        static char plain[] = "[\"muster\",\"fetch\",\"--summary\"]";
        static char bodies[] = "[\"muster\",\"fetch\",\"--body\",\"out/\"]";
        static const struct {
                char *command;
                enum muster_output output;
                const char *remedy; /* NULL: nobody is to blame */
                bool has_stalls;
        } cases[] = {
                { NULL, MUSTER_OUTPUT_UNKNOWN, "Move the blocking work", false },
                { plain, MUSTER_OUTPUT_PIPE, "Write the results to a file (--output)", true },
                { plain, MUSTER_OUTPUT_TERMINAL, "Write the results to a file (--output)", true },
                { plain, MUSTER_OUTPUT_PIPE, NULL, false },
                { plain, MUSTER_OUTPUT_FILE, "to a faster disk", false },
                { plain, MUSTER_OUTPUT_NONE, NULL, false },
                { bodies, MUSTER_OUTPUT_NONE, "to a faster disk", false },
                { plain, MUSTER_OUTPUT_UNKNOWN, NULL, false }, /* of before it was recorded */
        };
        struct finding finding;
        struct record record;

        (void)state;
        assert_int_equal(record_make(&record, &quick), 0);
        do_work(&record, (struct work){ TRACE_WORK_CALLER, 0.95, 0.02 });
        assert_int_equal(record_make_counter(&record, "output.stalled_us", 0, 0), 0);
        for (size_t i = 0; i < LENGTH(cases); i++) {
                record.run.command = cases[i].command;
                record.run.options.output = cases[i].output;
                record.counters[0].after =
                        cases[i].has_stalls ? (int64_t)(wall_ns(&record) / NS_PER_US * 9 / 10) : 0;
                assert_int_equal(cause_is_found(&record, causes_client, "slow-consumer", &finding),
                        cases[i].remedy != NULL);
                if (cases[i].remedy)
                        assert_non_null(strstr(finding.shown.remedy, cases[i].remedy));
        }
        record.run.command = NULL;
        record_deinit(&record);
}

/* A run that was blocked nearly all the time; for so many tenths of it its output had no room. */
static void make_with_reader(struct record *record, unsigned tenths)
{
        static char plain[] = "[\"muster\",\"fetch\",\"--summary\"]";

        assert_int_equal(record_make(record, &quick), 0);
        do_work(record, (struct work){ TRACE_WORK_CALLER, 0.95, 0.02 });
        record->run.command = plain;
        record->run.options.output = MUSTER_OUTPUT_PIPE;
        assert_int_equal(record_make_counter(record, "output.stalled_us", 0,
                                 (int64_t)(wall_ns(record) / NS_PER_US * tenths / 10)),
                0);
}

/*
 * What is left are the requests, and of the thread's time what it ran. That the end waited for more
 * than the blocks is possible.
 */
static void test_without_the_reader(void **state)
{
        struct finding finding;
        struct record record;

        (void)state;
        make_with_reader(&record, 8);
        assert_true(cause_is_found(&record, causes_client, "slow-consumer", &finding));
        /* 1000 of 1 ms by 16; it ran for less than that */
        assert_predicted(&finding, 63 * MS);
        assert_in_range(finding.shown.wall_high_ns, wall_ns(&record) * 19 / 100,
                wall_ns(&record) * 21 / 100);
        record.samples[record.n_samples - 1].thread_cpu_ns = 100 * MS; /* one after the other */
        assert_true(cause_is_found(&record, causes_client, "slow-consumer", &finding));
        assert_predicted(&finding, 101 * MS);
        record.run.command = NULL;
        record_deinit(&record);
}

/* A reader had to wait for a processor as this program had: so much is not its fault. */
static void test_reader_without_a_processor(void **state)
{
        struct trace_sample *last;
        struct finding finding;
        struct record record;

        (void)state;
        make_with_reader(&record, 5);
        last = &record.samples[record.n_samples - 1];
        last->run_delay_ns = (int64_t)(wall_ns(&record) / 10);
        assert_true(cause_is_found(&record, causes_client, "slow-consumer", &finding));
        last->run_delay_ns = (int64_t)(wall_ns(&record) * 4 / 10);
        assert_false(cause_is_found(&record, causes_client, "slow-consumer", &finding));
        last->run_delay_ns = -1; /* nobody knows */
        assert_false(cause_is_found(&record, causes_client, "slow-consumer", &finding));
        record.run.command = NULL;
        record_deinit(&record);
}

/* Ready to run and without a processor is neither blocked nor at work. */
static void test_no_processor_is_no_fault_of_the_caller(void **state)
{
        struct trace_turn *turn;
        struct finding finding;
        struct record record;

        (void)state;
        assert_int_equal(record_make(&record, &quick), 0);
        do_work(&record, (struct work){ TRACE_WORK_CALLER, 0.95, 0.15 });
        turn = &record.turns[0];
        assert_true(cause_is_found(&record, causes_client, "slow-consumer", &finding));
        turn->run_delay_ns = -1; /* nobody knows */
        assert_false(cause_is_found(&record, causes_client, "slow-consumer", &finding));
        turn->run_delay_ns = (int64_t)(wall_ns(&record) * 75 / 100);
        record.samples[record.n_samples - 1].run_delay_ns = turn->run_delay_ns;
        assert_false(cause_is_found(&record, causes_client, "slow-consumer", &finding));
        assert_false(cause_is_found(&record, causes_client, "caller-busy", &finding));
        assert_false(cause_is_found(&record, causes_client, "client-saturated", &finding));
        record_deinit(&record);
}

/* What looks like blocking may have been a stop. */
static void test_stopped_is_not_blocked(void **state)
{
        struct finding finding;
        struct record record;

        (void)state;
        assert_int_equal(record_make(&record, &quick), 0);
        do_work(&record, (struct work){ TRACE_WORK_CALLER, 0.95, 0.02 });
        assert_int_equal(record_make_counter(&record, "process.stops", 0, 1), 0);
        assert_false(cause_is_found(&record, causes_client, "slow-consumer", &finding));
        record.counters[0].after = 0;
        assert_true(cause_is_found(&record, causes_client, "slow-consumer", &finding));
        record.counters[0].after = INT64_MAX; /* of a file that somebody made up */
        assert_false(cause_is_found(&record, causes_client, "slow-consumer", &finding));
        record_deinit(&record);
}

/* Busy for 90 % of the time is no saturation where half of that was without a processor. */
static void test_saturation_is_own_work(void **state)
{
        struct finding finding;
        struct record record;

        (void)state;
        assert_int_equal(record_make(&record, &quick), 0);
        do_work(&record, (struct work){ TRACE_WORK_IO, 0.97, 0.45 });
        assert_true(cause_is_found(&record, causes_client, "client-saturated", &finding));
        record.turns[0].run_delay_ns = (int64_t)(wall_ns(&record) / 2);
        record.samples[record.n_samples - 1].run_delay_ns = record.turns[0].run_delay_ns;
        assert_false(cause_is_found(&record, causes_client, "client-saturated", &finding));
        record_deinit(&record);
}

/*
 * The command itself can leave out what keeps it busy; of a program it is not known what that is.
 */
static void test_busy_command(void **state)
{
        static char plain[] = "[\"muster\",\"fetch\",\"--summary\"]";
        static char files[] = "[\"muster\",\"fetch\",\"--body\",\"out/\"]";
        static char named[] = "[\"muster\",\"fetch\",\"--remote-name\"]";
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
                { named, 20000, false, false },
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
        assert_non_null(strstr(finding.evidence[0], "91 % of the time results were ready"));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_saturated),
                cmocka_unit_test(test_saturated_with_processors_to_spare),
                cmocka_unit_test(test_saturated_while_receiving),
                cmocka_unit_test(test_caller),
                cmocka_unit_test(test_blocked_command),
                cmocka_unit_test(test_without_the_reader),
                cmocka_unit_test(test_reader_without_a_processor),
                cmocka_unit_test(test_no_processor_is_no_fault_of_the_caller),
                cmocka_unit_test(test_stopped_is_not_blocked),
                cmocka_unit_test(test_saturation_is_own_work),
                cmocka_unit_test(test_busy_command),
                cmocka_unit_test(test_results_not_taken),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
