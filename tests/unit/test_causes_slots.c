/* SPDX-License-Identifier: MIT */
/*
 * Findings about slots and input: each against a run that has it, and one that looks like it
 */
#include "causes.h"

#define MS NS_PER_MS

/* --- concurrency-too-low ------------------------------------------------------------------------------------------ */

static const struct record_maker four_slots = {
        .n = 200,
        .slots = 4,
        .loop_ns = 20 * NS_PER_US,
        .each = { .network_ns = 50 * NS_PER_US, .server_ns = 50 * MS, .send_ns = NS_PER_US },
};

/* 4 workers: as many as are there wait for each other. */
static void queue_in_server(struct record_maker_request *request, size_t i,
                            const struct record_maker *maker)
{
        size_t n = i < maker->slots ? i + 1 : maker->slots;

        request->submit_after_ns = i; /* in this order */
        request->server_ns = (n + 3) / 4 * 20 * MS;
}

static const struct record_maker full_server = {
        .n = 2000,
        .slots = 64,
        .each = { .network_ns = 50 * NS_PER_US },
        .vary = queue_in_server,
};

static void test_limit_too_low(void **state)
{
        struct finding finding;

        (void)state;
        assert_true(cause_is_made(&four_slots, causes_slots, "concurrency-too-low", &finding));
        assert_string_equal(finding.shown.option, "--concurrency 64");
        assert_string_equal(finding.shown.title, "4 requests at a time were too few");
        assert_int_equal(finding.shown.grade, MUSTER_GRADE_A);
        assert_predicted(&finding, 200 * MS);
}

static void test_limit_not_too_low(void **state)
{
        struct record_maker nobody_waits = four_slots, few_turns = four_slots, busy = four_slots;
        struct finding finding;

        (void)state;
        nobody_waits.slots = 200;
        few_turns.n = 40;
        busy.each.server_ns = 0;
        busy.each.receive_ns = 50 * MS; /* it is not answers that slots wait for */
        assert_false(cause_is_made(&full_server, causes_slots, "concurrency-too-low", &finding));
        assert_false(cause_is_made(&nobody_waits, causes_slots, "concurrency-too-low", &finding));
        assert_false(cause_is_made(&few_turns, causes_slots, "concurrency-too-low", &finding));
        assert_false(cause_is_made(&busy, causes_slots, "concurrency-too-low", &finding));
}

/* With 64 at once 64 connections are opened: their handshakes are computed one after the other, and each is work for the loop as well. */
static void test_limit_opens_connections(void **state)
{
        struct record_maker handshakes = four_slots, opening = four_slots;
        struct finding plain, finding;

        (void)state;
        assert_true(cause_is_made(&four_slots, causes_slots, "concurrency-too-low", &plain));
        handshakes.each.tls_ns = 5 * MS;
        assert_true(cause_is_made(&handshakes, causes_slots, "concurrency-too-low", &finding));
        assert_true(finding.shown.wall_ns >= plain.shown.wall_ns + 60 * MS);
        opening.loop_ns = 300 * NS_PER_US; /* of which five times as much for who opens one */
        assert_true(cause_is_made(&opening, causes_slots, "concurrency-too-low", &finding));
        assert_true(finding.shown.wall_ns >= plain.shown.wall_ns + 45 * MS);
}

/* --- per-host-limit ----------------------------------------------------------------------------------------------- */

static const struct record_maker two_each = {
        .n = 100,
        .slots = 64,
        .per_host = 2,
        .n_hosts = 2,
        .each = { .network_ns = 50 * NS_PER_US, .server_ns = 50 * MS },
};

static void test_host_limit(void **state)
{
        struct record_maker no_limit = two_each;
        struct finding finding;

        (void)state;
        assert_true(cause_is_made(&two_each, causes_slots, "per-host-limit", &finding));
        assert_string_equal(finding.shown.option, "--per-host 32");
        assert_predicted(&finding, 100 * MS);
        assert_false(cause_is_made(&two_each, causes_slots, "concurrency-too-low", &finding));
        no_limit.per_host = 0;
        assert_false(cause_is_made(&no_limit, causes_slots, "per-host-limit", &finding));
}

/* --- queue-timeout ------------------------------------------------------------------------------------------------ */

/* Those that get no slot within a second give up. */
static void give_up(struct record *record)
{
        for (size_t i = 0; i < record->n_attempts; i++) {
                struct trace_attempt *attempt = &record->attempts[i];

                if (attempt->stamps.slot_ns - attempt->stamps.start_ns <= NS_PER_S)
                        continue;
                attempt->stamps = (struct attempt){ .start_ns = attempt->stamps.start_ns,
                                                    .end_ns = attempt->stamps.start_ns + NS_PER_S,
                                                    .stage = MUSTER_PHASE_QUEUE };
                attempt->finished_ns = attempt->taken_ns = attempt->stamps.end_ns;
                attempt->code = MUSTER_E_TIMEOUT;
                attempt->outcome = TRACE_FAILED;
                attempt->status = 0;
                attempt->conn = attempt->slot_from = attempt->in_flight = 0;
        }
        record->run.options.queue_timeout_ns = NS_PER_S;
}

static void test_queue_timeout(void **state)
{
        struct record_maker maker = { .n = 60, .slots = 4, .each.server_ns = 200 * MS };
        struct finding finding;
        struct record record;

        (void)state;
        assert_int_equal(record_make(&record, &maker), 0);
        assert_false(cause_is_found(&record, causes_slots, "queue-timeout", &finding));
        give_up(&record);
        assert_true(cause_is_found(&record, causes_slots, "queue-timeout", &finding));
        assert_int_equal(finding.n_failed_by_it, 36);
        assert_string_equal(finding.shown.option, "--concurrency 60");
        assert_predicted(&finding, 200 * MS);
        record_deinit(&record);
}

/* --- stragglers --------------------------------------------------------------------------------------------------- */

static void last_two_slow(struct record_maker_request *request, size_t i,
                          const struct record_maker *maker)
{
        if (i + 2 >= maker->n)
                request->server_ns = 2 * NS_PER_S;
}

static void first_two_slow(struct record_maker_request *request, size_t i,
                           const struct record_maker *maker)
{
        (void)maker;
        if (i < 2)
                request->server_ns = 200 * MS;
}

static void half_slow(struct record_maker_request *request, size_t i,
                      const struct record_maker *maker)
{
        (void)maker;
        if (i % 2)
                request->server_ns = 2 * NS_PER_S;
}

static void last_connect_slow(struct record_maker_request *request, size_t i,
                              const struct record_maker *maker)
{
        if (i + 2 >= maker->n)
                request->tcp_ns = 2 * NS_PER_S;
}

static void test_stragglers(void **state)
{
        struct record_maker maker = {
                .n = 202, .slots = 32, .each.server_ns = 10 * MS, .vary = last_two_slow
        };
        struct finding finding;

        (void)state;
        assert_true(cause_is_made(&maker, causes_slots, "stragglers", &finding));
        assert_string_equal(finding.shown.option, "--max-time 100ms");
        assert_predicted(&finding, 160 * MS);
        maker.vary = half_slow;
        assert_false(cause_is_made(&maker, causes_slots, "stragglers", &finding));
        maker.vary = last_connect_slow; /* it was not the answer that took long */
        maker.no_reuse = true;
        assert_false(cause_is_made(&maker, causes_slots, "stragglers", &finding));
        maker.vary = first_two_slow; /* others were done meanwhile, and after */
        maker.n = 2000;
        assert_false(cause_is_made(&maker, causes_slots, "stragglers", &finding));
}

static void some_retried(struct record_maker_request *request, size_t i,
                         const struct record_maker *maker)
{
        last_two_slow(request, i, maker);
        if (i % 40 == 0) {
                request->n_retries = 2;
                request->backoff_ns = 150 * MS;
        }
}

/* What had to be tried again took 330 ms, and is not to fail for that. */
static void test_stragglers_give_up_but_no_others(void **state)
{
        struct record_maker maker = {
                .n = 202, .slots = 32, .each.server_ns = 10 * MS, .vary = some_retried
        };
        struct finding finding;

        (void)state;
        assert_true(cause_is_made(&maker, causes_slots, "stragglers", &finding));
        assert_string_equal(finding.shown.option, "--max-time 500ms");
}

static void last_two_late(struct record_maker_request *request, size_t i,
                          const struct record_maker *maker)
{
        if (i + 2 >= maker->n)
                request->server_ns = *(const uint64_t *)maker->argument;
}

/* On connections that lost something: answers are late by it, but not by any time. */
static void test_stragglers_or_loss(void **state)
{
        uint64_t late_ns = 2 * NS_PER_S;
        struct record_maker maker = { .n = 202,
                                      .slots = 32,
                                      .each.server_ns = 10 * MS,
                                      .vary = last_two_late,
                                      .argument = &late_ns };
        struct finding finding;
        struct record record;

        (void)state;
        for (; late_ns; late_ns = late_ns > NS_PER_S ? 400 * MS : 0) {
                assert_int_equal(record_make(&record, &maker), 0);
                for (size_t i = 0; i < record.n_conns; i++)
                        record.conns[i].n_out_of_order = 1;
                assert_int_equal(cause_is_found(&record, causes_slots, "stragglers", &finding),
                                 late_ns > NS_PER_S);
                record_deinit(&record);
        }
}

/* --- input -------------------------------------------------------------------------------------------------------- */

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
        assert_true(finding.shown.wall_ns < 1000 * MS); /* instead of 2 s */
        assert_true(finding.shown.wall_low_ns < finding.shown.wall_ns);
        assert_false(cause_is_made(&maker, causes_input, "input-slow", &finding));
        maker.vary = NULL;
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

/* --- rates -------------------------------------------------------------------------------------------------------- */

static void test_rates(void **state)
{
        struct record_maker maker = {
                .n = 80, .slots = 16, .rate_per_s = 40, .each.server_ns = 10 * MS
        };
        struct finding finding;

        (void)state;
        assert_true(cause_is_made(&maker, causes_input, "rate-too-low", &finding));
        assert_string_equal(finding.shown.option, "without --rate");
        assert_predicted(&finding, 50 * MS);
        assert_false(cause_is_made(&maker, causes_input, "coordinated", &finding));
        maker.each.server_ns = 2 * NS_PER_S; /* 16 slots give 8 a second */
        assert_true(cause_is_made(&maker, causes_input, "coordinated", &finding));
        assert_false(cause_is_made(&maker, causes_input, "rate-too-low", &finding));
        maker.rate_per_s = 0;
        assert_false(cause_is_made(&maker, causes_input, "rate-too-low", &finding));
        assert_false(cause_is_made(&maker, causes_input, "coordinated", &finding));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_limit_too_low),
                cmocka_unit_test(test_limit_not_too_low),
                cmocka_unit_test(test_limit_opens_connections),
                cmocka_unit_test(test_host_limit),
                cmocka_unit_test(test_queue_timeout),
                cmocka_unit_test(test_stragglers),
                cmocka_unit_test(test_stragglers_give_up_but_no_others),
                cmocka_unit_test(test_stragglers_or_loss),
                cmocka_unit_test(test_input_slow),
                cmocka_unit_test(test_batch_barrier),
                cmocka_unit_test(test_one_at_a_time),
                cmocka_unit_test(test_rates),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
