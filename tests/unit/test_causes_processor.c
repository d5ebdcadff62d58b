/* SPDX-License-Identifier: MIT */
/*
 * Findings about the machine that this program ran on: each against a run that has it, and those
 * that look like it
 */
#include "causes.h"
#include "working.h"

#define MS NS_PER_MS

static const struct record_maker quick = {
        .n = 1000,
        .slots = 16,
        .each = { .server_ns = MS, .lag_ns = 15 * MS },
};

/* --- the processor --------------------------------------------------------------------------- */

static void test_throttled(void **state)
{
        struct finding finding;
        struct record record;

        (void)state;
        assert_int_equal(record_make(&record, &quick), 0);
        assert_false(cause_is_found(&record, causes_processor, "processor-throttled", &finding));
        assert_int_equal(record_make_counter(&record, "cgroup.throttled", 2, 9), 0);
        assert_int_equal(record_make_counter(&record, "cgroup.throttled_us", 1000, 500000), 0);
        assert_true(cause_is_found(&record, causes_processor, "processor-throttled", &finding));
        assert_predicted(&finding, wall_ns(&record) - 499 * MS);
        record.counters[1].after = 1010;
        assert_false(cause_is_found(&record, causes_processor, "processor-throttled", &finding));
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
        assert_true(cause_is_found(&record, causes_processor, "processor-throttled", &finding));
        assert_predicted(&finding, wall_ns(&record) * 300 / 5300);
        assert_null(strstr(finding.evidence[0], "100 %"));
        record.samples[record.n_samples - 1].process_cpu_ns = 0; /* nothing to tell by */
        assert_true(cause_is_found(&record, causes_processor, "processor-throttled", &finding));
        assert_false(finding.shown.has_prediction);
        record_deinit(&record);
}

/* The thread was ready for so much of the time, and had no processor. */
static void keep_off(struct record *record, double share)
{
        int64_t ns = (int64_t)((double)wall_ns(record) * share);

        record->turns[0].run_delay_ns = record->samples[record->n_samples - 1].run_delay_ns = ns;
}

static void test_processor_busy(void **state)
{
        struct finding finding;
        struct record record;

        (void)state;
        assert_int_equal(record_make(&record, &quick), 0);
        do_work(&record, (struct work){ TRACE_WORK_IO, 0.9, 0.2 });
        assert_false(cause_is_found(&record, causes_processor, "processor-busy", &finding));
        keep_off(&record, 0.6);
        assert_true(cause_is_found(&record, causes_processor, "processor-busy", &finding));
        assert_true(finding.shown.is_client);
        assert_non_null(strstr(finding.evidence[0], "for 60 % of the time"));
        keep_off(&record, 0.1); /* it had one, mostly */
        assert_false(cause_is_found(&record, causes_processor, "processor-busy", &finding));
        record.samples[record.n_samples - 1].run_delay_ns = -1; /* nobody knows */
        assert_false(cause_is_found(&record, causes_processor, "processor-busy", &finding));
        record_deinit(&record);
}

/* Servers beside it use the same processors: "other programs" would be half of the truth. */
static void test_processors_shared_with_servers(void **state)
{
        struct finding finding;
        struct record record;

        (void)state;
        assert_int_equal(record_make(&record, &quick), 0);
        do_work(&record, (struct work){ TRACE_WORK_IO, 0.9, 0.2 });
        keep_off(&record, 0.6);
        assert_int_equal(record_make_counter(&record, "machine.busy_us", 0, 60000000), 0);
        for (size_t i = 0; i < record.n_conns; i++)
                record.conns[i].remote = str_of("192.0.2.1:80");
        assert_true(cause_is_found(&record, causes_processor, "processor-busy", &finding));
        assert_non_null(strstr(finding.shown.title, "Other programs"));
        assert_non_null(strstr(finding.evidence[1], "other programs used the rest"));
        for (size_t i = 0; i < record.n_conns; i++)
                record.conns[i].remote = str_of("127.0.0.1:80");
        assert_true(cause_is_found(&record, causes_processor, "processor-busy", &finding));
        assert_null(strstr(finding.shown.title, "Other programs"));
        assert_non_null(strstr(finding.evidence[1], "the servers, which run on this machine"));
        record_deinit(&record);
}

/* A quota keeps the thread from running as well, and is called by its name. */
static void test_quota_is_not_others(void **state)
{
        struct finding finding;
        struct record record;

        (void)state;
        assert_int_equal(record_make(&record, &quick), 0);
        do_work(&record, (struct work){ TRACE_WORK_IO, 0.9, 0.2 });
        keep_off(&record, 0.6);
        assert_int_equal(record_make_counter(&record, "cgroup.throttled", 2, 90), 0);
        assert_int_equal(record_make_counter(&record, "cgroup.throttled_us", 0,
                                 (int64_t)(wall_ns(&record) / NS_PER_US * 6 / 10)),
                0);
        assert_true(cause_is_found(&record, causes_processor, "processor-throttled", &finding));
        assert_false(cause_is_found(&record, causes_processor, "processor-busy", &finding));
        record_deinit(&record);
}

/* --- stopped --------------------------------------------------------------------------------- */

/* Answers were there, and the turn that reads them began late. */
static void begin_late(struct record *record, uint64_t late_ns)
{
        do_work(record, (struct work){ TRACE_WORK_IO, 0.9, 0.3 });
        record->turns[0].start_ns += late_ns;
        record->turns[0].work_ns[TRACE_WORK_IO] -= late_ns;
        record->turns[0].late_ns = late_ns;
}

static void test_stopped(void **state)
{
        struct finding finding;
        struct record record;

        (void)state;
        assert_int_equal(record_make(&record, &quick), 0);
        begin_late(&record, wall_ns(&record) / 4);
        assert_int_equal(record_make_counter(&record, "process.stops", 0, 1), 0);
        assert_true(cause_is_found(&record, causes_processor, "process-stopped", &finding));
        assert_int_equal(finding.shown.grade, MUSTER_GRADE_A);
        assert_non_null(strstr(finding.evidence[0], "stopped 1 time"));
        record.counters[0].after = -1; /* a program that does not count */
        assert_true(cause_is_found(&record, causes_processor, "process-stopped", &finding));
        assert_int_equal(finding.shown.grade, MUSTER_GRADE_B);
        /* Others had the processor; or nobody knows; or a disk was waited for. */
        keep_off(&record, 0.6);
        assert_false(cause_is_found(&record, causes_processor, "process-stopped", &finding));
        record.turns[0].run_delay_ns = -1;
        assert_false(cause_is_found(&record, causes_processor, "process-stopped", &finding));
        keep_off(&record, 0);
        record.turns[0].n_major_faults = 3;
        assert_false(cause_is_found(&record, causes_processor, "process-stopped", &finding));
        record_deinit(&record);
}

/* A caller may block as it likes; without SIGCONT nobody stopped it. */
static void test_blocked_is_not_stopped(void **state)
{
        struct finding finding;
        struct record record;

        (void)state;
        assert_int_equal(record_make(&record, &quick), 0);
        do_work(&record, (struct work){ TRACE_WORK_CALLER, 0.95, 0.02 });
        assert_false(cause_is_found(&record, causes_processor, "process-stopped", &finding));
        assert_int_equal(record_make_counter(&record, "process.stops", 0, 0), 0);
        assert_false(cause_is_found(&record, causes_processor, "process-stopped", &finding));
        record_deinit(&record);
}

/* The host took its processors: no stop, though neither the thread nor its kernel ran. */
static void test_steal_is_not_a_stop(void **state)
{
        struct finding finding;
        struct record record;

        (void)state;
        assert_int_equal(record_make(&record, &quick), 0);
        begin_late(&record, wall_ns(&record) / 4);
        assert_true(cause_is_found(&record, causes_processor, "process-stopped", &finding));
        assert_int_equal(record_make_counter(&record, "machine.steal_us", 0,
                                 (int64_t)(wall_ns(&record) / NS_PER_US)),
                0);
        assert_false(cause_is_found(&record, causes_processor, "process-stopped", &finding));
        record_deinit(&record);
}

static void test_machine_slept(void **state)
{
        struct finding finding;
        struct record record;

        (void)state;
        assert_int_equal(record_make(&record, &quick), 0);
        assert_int_equal(record_make_counter(&record, "machine.suspended_us", 5, 6), 0);
        assert_false(cause_is_found(&record, causes_processor, "process-stopped", &finding));
        record.counters[0].after = 60 * 1000000;
        assert_true(cause_is_found(&record, causes_processor, "process-stopped", &finding));
        assert_non_null(strstr(finding.shown.title, "slept"));
        assert_false(finding.shown.has_prediction);
        record_deinit(&record);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_throttled),
                cmocka_unit_test(test_throttled_on_many_processors),
                cmocka_unit_test(test_processor_busy),
                cmocka_unit_test(test_processors_shared_with_servers),
                cmocka_unit_test(test_quota_is_not_others),
                cmocka_unit_test(test_stopped),
                cmocka_unit_test(test_blocked_is_not_stopped),
                cmocka_unit_test(test_steal_is_not_a_stop),
                cmocka_unit_test(test_machine_slept),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
