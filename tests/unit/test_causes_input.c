/* SPDX-License-Identifier: MIT */
/*
 * Findings about input and rates: each against a run that has it, and those that look
 * like it
 */
#include "causes.h"

#define MS NS_PER_MS

/* --- input ----------------------------------------------------------------------------------- */

static void in_bursts(struct record_maker_request *request, size_t i,
        const struct record_maker *maker)
{
        (void)maker;
        request->submit_after_ns = i / 50 * 500 * MS;
}

static void now_and_then(struct record_maker_request *request, size_t i,
        const struct record_maker *maker)
{
        (void)maker;
        request->submit_after_ns = i * 130 * MS;
}

static void steadily(struct record_maker_request *request, size_t i,
        const struct record_maker *maker)
{
        (void)maker;
        request->submit_after_ns = i * 12 * MS;
}

static void test_input_slow(void **state)
{
        struct record_maker maker = { .n = 200, .each.server_ns = 20 * MS, .vary = in_bursts };
        struct finding finding;

        (void)state;
        assert_true(cause_is_made(&maker, causes_input, "input-slow", &finding));
        assert_predicted(&finding, 80 * MS);
        assert_false(cause_is_made(&maker, causes_input, "batch-barrier", &finding));
        maker.vary = steadily; /* two at a time are under way, never none */
        assert_true(cause_is_made(&maker, causes_input, "input-slow", &finding));
        maker.vary = NULL;
        assert_false(cause_is_made(&maker, causes_input, "input-slow", &finding));
        maker.vary = now_and_then;
        assert_true(cause_is_made(&maker, causes_input, "input-slow", &finding));
        maker.n = 15; /* somebody's own pace */
        assert_false(cause_is_made(&maker, causes_input, "input-slow", &finding));
        assert_false(cause_is_made(&maker, causes_input, "one-at-a-time", &finding));
}

static void after_pauses(struct record_maker_request *request, size_t i,
        const struct record_maker *maker)
{
        const uint64_t *moments = maker->argument;

        request->submit_after_ns = moments[i];
}

/* A list that a command reads, of three lines: one pause is somebody's, two are the list's. */
static void test_one_pause(void **state)
{
        static char command[] = "[\"muster\",\"fetch\"]";
        uint64_t once[] = { 0, 4000 * MS, 4025 * MS }, again[] = { 0, 2000 * MS, 4000 * MS };
        struct record_maker maker = { .n = 3, .each.server_ns = 20 * MS, .vary = after_pauses };
        struct finding finding;
        struct record record;

        (void)state;
        for (int is_again = 0; is_again < 2; is_again++) {
                maker.argument = is_again ? again : once;
                assert_int_equal(record_make(&record, &maker), 0);
                record.run.command = command;
                assert_int_equal(cause_is_found(&record, causes_input, "input-slow", &finding),
                        is_again);
                /* Of a list that somebody else gives, every pause is one. */
                record.run.options.input = MUSTER_INPUT_PIPE;
                assert_true(cause_is_found(&record, causes_input, "input-slow", &finding));
                assert_non_null(strstr(finding.shown.remedy, "into a pipe"));
                record.run.options.input = MUSTER_INPUT_ARGUMENTS;
                assert_int_equal(is_found(&record, causes_input, "input-slow"), is_again);
                record.run.command = NULL;
                record_deinit(&record);
        }
}

/* The program made no requests while its own workers were busy: that is no slow list. */
static void test_while_own_workers_are_busy(void **state)
{
        struct record_maker maker = { .n = 200, .each.server_ns = 20 * MS, .vary = in_bursts };
        struct finding finding;
        struct record record;

        (void)state;
        assert_int_equal(record_make(&record, &maker), 0);
        assert_true(cause_is_found(&record, causes_input, "input-slow", &finding));
        assert_int_equal(record_make_counter(&record, "workers.full_us", 0,
                                 (int64_t)((record.run.end_ns - RECORD_MAKER_START_NS) /
                                           NS_PER_US)),
                0);
        assert_false(cause_is_found(&record, causes_input, "input-slow", &finding));
        record_deinit(&record);
}

/* In tens, each of which lasts as long as its slowest. */
static void in_batches(struct record_maker_request *request, size_t i,
        const struct record_maker *maker)
{
        (void)maker;
        request->submit_after_ns = i / 10 * 101 * MS;
        if (i % 10 == 0)
                request->server_ns = 100 * MS;
}

static void test_batch_barrier(void **state)
{
        struct record_maker maker = { .n = 200, .each.server_ns = 20 * MS, .vary = in_batches };
        struct finding finding;

        (void)state;
        assert_true(cause_is_made(&maker, causes_input, "batch-barrier", &finding));
        /* 200 of 28 ms on average with the 64 that are allowed, not with ten; instead of 2 s. */
        assert_in_range(finding.shown.wall_ns, 88 * MS, 200 * MS);
        assert_non_null(strstr(finding.remedy, "64 in flight"));
        assert_true(finding.shown.wall_low_ns <= finding.shown.wall_ns);
        assert_false(cause_is_made(&maker, causes_input, "input-slow", &finding));
        maker.vary = NULL;
        assert_false(cause_is_made(&maker, causes_input, "batch-barrier", &finding));
}

/* By the clock, and every other one takes longer than that. */
static void by_the_clock(struct record_maker_request *request, size_t i,
        const struct record_maker *maker)
{
        (void)maker;
        request->submit_after_ns = i * 100 * MS;
        request->server_ns = i % 3 < 2 ? 150 * MS : 90 * MS;
}

/* Requests that overlap make rounds of several, but no batch: they were not submitted together. */
static void test_overlapping_is_no_batch(void **state)
{
        struct record_maker maker = { .n = 60, .vary = by_the_clock };
        struct finding finding;

        (void)state;
        assert_false(cause_is_made(&maker, causes_input, "batch-barrier", &finding));
}

static void in_even_batches(struct record_maker_request *request, size_t i,
        const struct record_maker *maker)
{
        (void)maker;
        request->submit_after_ns = i / 10 * 51 * MS;
}

/*
 * Where all of a batch take the same nobody waits for the last one. But more than a batch were
 * allowed.
 */
static void test_even_batches(void **state)
{
        struct record_maker maker = {
                .n = 640, .each.server_ns = 50 * MS, .vary = in_even_batches
        };
        struct finding finding;

        (void)state;
        assert_true(cause_is_made(&maker, causes_input, "batch-barrier", &finding));
        assert_predicted(&finding, 500 * MS);
        maker.slots = 10;
        assert_false(cause_is_made(&maker, causes_input, "batch-barrier", &finding));
}

static void one_by_one(struct record_maker_request *request, size_t i,
        const struct record_maker *maker)
{
        (void)maker;
        request->submit_after_ns = i * 201 * MS / 10;
}

static void test_one_at_a_time(void **state)
{
        struct record_maker maker = { .n = 200, .each.server_ns = 20 * MS, .vary = one_by_one };
        struct finding finding;

        (void)state;
        assert_true(cause_is_made(&maker, causes_input, "one-at-a-time", &finding));
        assert_predicted(&finding, 80 * MS); /* 200 of 20 ms, 64 at a time */
        assert_false(cause_is_made(&maker, causes_input, "input-slow", &finding));
        assert_false(cause_is_made(&maker, causes_input, "batch-barrier", &finding));
        maker.slots = 1; /* as it was told to */
        assert_false(cause_is_made(&maker, causes_input, "one-at-a-time", &finding));
}

/* --- rates ----------------------------------------------------------------------------------- */

static void test_rates(void **state)
{
        struct record_maker maker = {
                .n = 80, .slots = 16, .rate_per_s = 40, .each.server_ns = 10 * MS
        };
        struct finding finding;

        (void)state;
        assert_true(cause_is_made(&maker, causes_input, "rate-too-low", &finding));
        assert_string_equal(finding.shown.title,
                "The rate that you asked for, 40 per second, set the time; latency at that rate: "
                "p50 10 ms, p99 10 ms");
        /* To spare a server, or to measure it: it is no mistake. */
        assert_null(finding.shown.option);
        assert_false(finding.shown.has_prediction);
        assert_null(strstr(finding.shown.remedy, "leave out"));
        assert_false(cause_is_made(&maker, causes_input, "coordinated", &finding));
        maker.each.server_ns = 2 * NS_PER_S; /* 16 slots give 8 a second */
        assert_true(cause_is_made(&maker, causes_input, "coordinated", &finding));
        /* The last ones began 8 s after the first, and should have after less than 2. */
        assert_in_range(finding.explained_ns, 6000 * MS, 6500 * MS);
        assert_false(cause_is_made(&maker, causes_input, "rate-too-low", &finding));
        maker.rate_per_s = 0;
        assert_false(cause_is_made(&maker, causes_input, "rate-too-low", &finding));
        assert_false(cause_is_made(&maker, causes_input, "coordinated", &finding));
}

/* A load run is as long as it is to be; and on a ramp there is no one rate. */
static void test_rate_of_a_load_run(void **state)
{
        static char commands[][60] = { "[\"muster\",\"fetch\",\"--duration\",\"2s\"]",
                "[\"muster\",\"fetch\",\"--requests\",\"80\"]",
                "[\"muster\",\"fetch\",\"--ramp\",\"1/s..40/s:2s\"]",
                "[\"muster\",\"fetch\",\"--\",\"http://a/--duration\"]" };
        struct record_maker maker = {
                .n = 80, .slots = 16, .rate_per_s = 40, .each.server_ns = 10 * MS
        };
        struct finding finding;
        struct record record;

        (void)state;
        assert_int_equal(record_make(&record, &maker), 0);
        for (size_t i = 0; i < LENGTH(commands); i++) {
                record.run.command = commands[i];
                assert_true(cause_is_found(&record, causes_input, "rate-too-low", &finding));
                assert_int_equal(strstr(finding.shown.remedy, "finish sooner") != NULL, i == 3);
        }
        record.run.command = NULL; /* a program that uses the library */
        record.run.options.rate_ramp_ns = 2 * NS_PER_S;
        assert_false(cause_is_found(&record, causes_input, "rate-too-low", &finding));
        record_deinit(&record);
}

/* Quick ones, then longer ones: as many as come while one is answered are under way. */
static void answers_in_turn(struct record_maker_request *request, size_t i,
        const struct record_maker *maker)
{
        const uint64_t *busy_ns = maker->argument;

        request->submit_after_ns = i;
        request->server_ns = i < 8 ? busy_ns[0] : busy_ns[1];
}

/*
 * Held back by the rate, and the server takes it: as well with many, less well, or nobody knows as
 * there never were many.
 */
static void test_rate_and_load(void **state)
{
        uint64_t server_ns[2] = { 200 * MS, 200 * MS };
        struct record_maker maker = { .n = 200,
                .slots = 64,
                .rate_per_s = 40,
                .vary = answers_in_turn,
                .argument = server_ns };
        struct finding finding;

        (void)state;
        assert_true(cause_is_made(&maker, causes_input, "rate-too-low", &finding));
        assert_non_null(strstr(finding.evidence[2], "were not at their limit"));
        assert_null(finding.shown.option);
        server_ns[0] = 30 * MS; /* then it is the server that held the run back */
        assert_false(cause_is_made(&maker, causes_input, "rate-too-low", &finding));
        server_ns[0] = server_ns[1] = 10 * MS;
        assert_true(cause_is_made(&maker, causes_input, "rate-too-low", &finding));
        assert_string_equal(finding.evidence[2], "a response took 10 ms");
        assert_null(finding.shown.option);
        maker.n = 20000;
        maker.rate_per_s = 2500;
        assert_true(cause_is_made(&maker, causes_input, "rate-too-low", &finding));
        assert_non_null(strstr(finding.shown.title,
                "that you asked for, 2,500 per second, set the time"));
}

static void quick_then_slow(struct record_maker_request *request, size_t i,
        const struct record_maker *maker)
{
        (void)maker;
        request->submit_after_ns = i;
        request->server_ns = i < 140 ? 10 * MS : 100 * MS;
}

/* Of the first 140 it is true, but the others came later than they were to. */
static void test_rate_that_was_not_kept(void **state)
{
        struct record_maker maker = {
                .n = 140, .slots = 1, .rate_per_s = 40, .vary = quick_then_slow
        };
        struct finding finding;

        (void)state;
        assert_true(cause_is_made(&maker, causes_input, "rate-too-low", &finding));
        maker.n = 200;
        assert_false(cause_is_made(&maker, causes_input, "rate-too-low", &finding));
}

static void one_a_second(struct record_maker_request *request, size_t i,
        const struct record_maker *maker)
{
        (void)maker;
        request->submit_after_ns = i * NS_PER_S;
}

/*
 * A few lines, one a second: a list that comes slowly; of a program we do not know that there is
 * one.
 */
static void test_few_slow_lines(void **state)
{
        static char command[] = "[\"muster\",\"fetch\"]";
        struct record_maker maker = { .n = 6, .each.server_ns = 20 * MS, .vary = one_a_second };
        struct finding finding;
        struct record record;

        (void)state;
        assert_int_equal(record_make(&record, &maker), 0);
        assert_false(cause_is_found(&record, causes_input, "input-slow", &finding));
        record.run.command = command;
        assert_true(cause_is_found(&record, causes_input, "input-slow", &finding));
        assert_string_equal(finding.shown.title,
                "The list of requests came too slowly, at 1 per second");
        assert_non_null(strstr(finding.evidence[2], "waited for 4.9 s in total"));
        record.run.command = NULL;
        record_deinit(&record);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_input_slow),
                cmocka_unit_test(test_one_pause),
                cmocka_unit_test(test_while_own_workers_are_busy),
                cmocka_unit_test(test_batch_barrier),
                cmocka_unit_test(test_overlapping_is_no_batch),
                cmocka_unit_test(test_even_batches),
                cmocka_unit_test(test_one_at_a_time),
                cmocka_unit_test(test_rates),
                cmocka_unit_test(test_rate_of_a_load_run),
                cmocka_unit_test(test_rate_and_load),
                cmocka_unit_test(test_rate_that_was_not_kept),
                cmocka_unit_test(test_few_slow_lines),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
