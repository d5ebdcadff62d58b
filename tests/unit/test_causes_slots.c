/* SPDX-License-Identifier: MIT */
/*
 * Findings about slots: each against a run that has it, and those that look
 * like it
 */
#include "causes.h"

#define MS NS_PER_MS

/* --- concurrency-too-low --------------------------------------------------------------------- */

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
        assert_string_equal(finding.shown.title, "The limit of 4 at a time held the run back");
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
        busy.each.wire_bytes = 500000;
        assert_false(cause_is_made(&full_server, causes_slots, "concurrency-too-low", &finding));
        assert_false(cause_is_made(&nobody_waits, causes_slots, "concurrency-too-low", &finding));
        assert_false(cause_is_made(&few_turns, causes_slots, "concurrency-too-low", &finding));
        assert_false(cause_is_made(&busy, causes_slots, "concurrency-too-low", &finding));
}

/* Neither as fast with many as with few, nor so much slower that it is full. */
static void a_little_slower_with_many(struct record_maker_request *request, size_t i,
        const struct record_maker *maker)
{
        (void)maker;
        request->submit_after_ns = i;
        request->server_ns = i < 3 ? MS : MS * 7 / 5;
}

static void some_fail(struct record_maker_request *request, size_t i,
        const struct record_maker *maker)
{
        if (i % 8 == 7)
                request->status = *(const int16_t *)maker->argument;
}

/* A server that fails is not asked for more at once. */
static void test_limit_of_a_server_that_fails(void **state)
{
        struct record_maker maker = four_slots;
        struct finding finding;
        int16_t status = 404;

        (void)state;
        maker.vary = some_fail;
        maker.argument = &status;
        assert_true(cause_is_made(&maker, causes_slots, "concurrency-too-low", &finding));
        for (size_t i = 0; i < 3; i++) {
                status = (int16_t[]){ 429, 500, 503 }[i];
                assert_false(cause_is_made(&maker, causes_slots, "concurrency-too-low", &finding));
                if (cause_is_made(&maker, causes_server, "server-slow", &finding))
                        assert_null(finding.shown.option);
        }
}

static bool is_told(const struct record *record, const struct cause *causes, const char *name)
{
        struct finding finding;

        return cause_is_found(record, causes, name, &finding);
}

/* A server here whose answers are hardly more than work for a processor that is full with it. */
static void test_limit_and_processors(void **state)
{
        struct record_maker maker = four_slots;
        struct record record;

        (void)state;
        maker.n = 400;
        maker.slots = 8;
        maker.vary = a_little_slower_with_many;
        make(&record, &maker);
        assert_int_equal(record_make_counter(&record, "machine.processors", 2, 2), 0);
        assert_int_equal(record_make_counter(&record, "machine.idle_us", 0, 70000), 0);
        assert_int_equal(record_make_counter(&record, "machine.busy_us", 0, 10000), 0);
        assert_true(is_told(&record, causes_slots, "concurrency-too-low"));
        record.counters[2].after = 110000;
        assert_false(is_told(&record, causes_slots, "concurrency-too-low"));
        assert_false(is_told(&record, causes_server, "server-slow"));
        /* Others have all of them, or nobody could see how it takes more: a limit of one at a time. */
        record.counters[1].after = 0;
        assert_true(is_told(&record, causes_slots, "concurrency-too-low"));
        record_deinit(&record);
        maker.slots = 1;
        maker.vary = NULL;
        maker.each.server_ns = 30 * MS;
        make(&record, &maker);
        assert_int_equal(record_make_counter(&record, "machine.processors", 2, 2), 0);
        assert_int_equal(record_make_counter(&record, "machine.idle_us", 0, 10000000), 0);
        assert_int_equal(record_make_counter(&record, "machine.busy_us", 0, 14000000), 0);
        assert_true(is_told(&record, causes_slots, "concurrency-too-low"));
        record_deinit(&record);
        /* Where it shows that it takes more, that is so, whoever has the processors. */
        make(&record, &four_slots);
        assert_int_equal(record_make_counter(&record, "machine.processors", 2, 2), 0);
        assert_int_equal(record_make_counter(&record, "machine.idle_us", 0, 0), 0);
        assert_int_equal(record_make_counter(&record, "machine.busy_us", 0, 5000000), 0);
        assert_true(is_told(&record, causes_slots, "concurrency-too-low"));
        record_deinit(&record);
}

/*
 * What is small and comes late was not made sooner: then that is told, with the limit beside it;
 * unless it was lost, or waited for an acknowledgement.
 */
static void test_limit_and_pieces(void **state)
{
        struct record_maker maker = four_slots;
        struct finding finding;
        struct record record;

        (void)state;
        maker.each.server_ns = 0;
        maker.each.receive_ns = 55 * MS;
        maker.each.wire_bytes = 1000;
        assert_false(cause_is_made(&maker, causes_slots, "concurrency-too-low", &finding));
        assert_true(cause_is_made(&maker, causes_pieces, "pause-in-body", &finding));
        assert_non_null(strstr(finding.shown.remedy, "until then allow 64 at once"));
        assert_int_equal(record_make(&record, &maker), 0);
        for (size_t i = 0; i < record.n_conns; i++)
                record.conns[i].n_retransmits = 1;
        assert_false(cause_is_found(&record, causes_slots, "concurrency-too-low", &finding));
        record_deinit(&record);
        maker.each.receive_ns = 42 * MS;
        assert_int_equal(record_make(&record, &maker), 0);
        for (size_t i = 0; i < record.n_attempts; i++) {
                struct trace_attempt *attempt = &record.attempts[i];

                attempt->n_receives = 2;
                attempt->is_acked_at_once = i % 4 == 3;
                if (attempt->is_acked_at_once)
                        attempt->stamps.last_byte_kernel_ns = attempt->stamps.first_byte_kernel_ns;
        }
        assert_false(cause_is_found(&record, causes_slots, "concurrency-too-low", &finding));
        record_deinit(&record);
}

/*
 * With 64 at once 64 connections are opened: their handshakes are computed one after the other, and
 * each is work for the loop as well.
 */
static void test_limit_opens_connections(void **state)
{
        struct record_maker handshakes = four_slots, opening = four_slots;
        struct finding plain, finding;

        (void)state;
        assert_true(cause_is_made(&four_slots, causes_slots, "concurrency-too-low", &plain));
        handshakes.each.tcp_ns = NS_PER_US; /* a handshake begins when TCP is there */
        handshakes.each.tls_ns = 5 * MS;
        assert_true(cause_is_made(&handshakes, causes_slots, "concurrency-too-low", &finding));
        assert_true(finding.shown.wall_ns >= plain.shown.wall_ns + 60 * MS);
        opening.loop_ns = 300 * NS_PER_US; /* of which five times as much for who opens one */
        assert_true(cause_is_made(&opening, causes_slots, "concurrency-too-low", &finding));
        assert_true(finding.shown.wall_ns >= plain.shown.wall_ns + 45 * MS);
}

static void first_slow(struct record_maker_request *request, size_t i,
        const struct record_maker *maker)
{
        (void)maker;
        request->submit_after_ns = i < 4 ? i * 75 * MS : 300 * MS + i; /* in this order */
        if (i == 0)
                request->server_ns = 5 * NS_PER_S;
}

/*
 * Of the few that came first one is an exception: it is the middle of both that stand side by side.
 */
static void test_limit_in_figures(void **state)
{
        struct record_maker maker = {
                .n = 1000, .slots = 8, .each.server_ns = 70 * MS, .vary = first_slow
        };
        struct finding finding;

        (void)state;
        assert_true(cause_is_made(&maker, causes_slots, "concurrency-too-low", &finding));
        assert_non_null(strstr(finding.evidence[1], "a response took 70 ms with 8"));
        assert_non_null(strstr(finding.evidence[1], "and 70 ms with only a few"));
}

/* --- per-host-limit -------------------------------------------------------------------------- */

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

/* --- queue-timeout --------------------------------------------------------------------------- */

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

/* --- stragglers ------------------------------------------------------------------------------ */

/* The others are answered. */
static void last_two_slow(struct record_maker_request *request, size_t i,
        const struct record_maker *maker)
{
        if (i + 2 >= maker->n)
                request->server_ns = 2 * NS_PER_S;
        else
                request->code = 0;
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

static void last_two_slow_and_some_less(struct record_maker_request *request, size_t i,
        const struct record_maker *maker)
{
        last_two_slow(request, i, maker);
        if (i + 14 >= maker->n && i + 2 < maker->n)
                request->server_ns = 65 * MS;
}

static void test_stragglers(void **state)
{
        struct record_maker maker = {
                .n = 202, .slots = 32, .each.server_ns = 10 * MS, .vary = last_two_slow
        };
        struct finding finding;

        (void)state;
        /* They were answered, and as soon as they were asked: to give up would lose that. */
        assert_true(cause_is_made(&maker, causes_slots, "stragglers", &finding));
        assert_null(finding.shown.option);
        assert_non_null(strstr(finding.shown.remedy, "why they take so long; "));
        assert_non_null(strstr(finding.shown.remedy, "100 ms, and 2 requests would fail"));
        assert_non_null(strstr(finding.evidence[3], "--max-time 100ms 2 of 202 requests"));
        assert_predicted(&finding, 70 * MS);
        maker.each.code = MUSTER_E_TIMEOUT; /* of these two only: see last_two_slow() */
        assert_true(cause_is_made(&maker, causes_slots, "stragglers", &finding));
        assert_string_equal(finding.shown.option, "--max-time 100ms");
        assert_predicted(&finding, 160 * MS);
        assert_non_null(strstr(finding.title, "had no response for up to 2 s"));
        maker.vary = last_two_slow_and_some_less; /* too many to be stragglers, if all were */
        assert_true(cause_is_made(&maker, causes_slots, "stragglers", &finding));
        assert_non_null(strstr(finding.title, "2 slow requests of 202"));
        maker.each.code = 0;
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
        struct record_maker maker = { .n = 202,
                .slots = 32,
                .each = { .server_ns = 10 * MS, .code = MUSTER_E_TIMEOUT },
                .vary = some_retried };
        struct finding finding;

        (void)state;
        assert_true(cause_is_made(&maker, causes_slots, "stragglers", &finding));
        assert_string_equal(finding.shown.option, "--max-time 500ms");
}

static void one_hangs_another_is_slow(struct record_maker_request *request, size_t i,
        const struct record_maker *maker)
{
        last_two_slow(request, i, maker);
        if (i + 1 == maker->n) {
                request->server_ns = 30 * NS_PER_S;
                request->code = MUSTER_E_TIMEOUT;
        }
}

/* 100 ms would be enough for all others; but another one that was answered took 2 s. */
static void test_stragglers_lose_no_answer(void **state)
{
        struct record_maker maker = {
                .n = 202, .slots = 32, .each.server_ns = 10 * MS, .vary = one_hangs_another_is_slow
        };
        struct finding finding;

        (void)state;
        assert_true(cause_is_made(&maker, causes_slots, "stragglers", &finding));
        assert_string_equal(finding.shown.option, "--max-time 5s");
        assert_predicted(&finding, 5 * NS_PER_S);
}

static void some_slow_in_turn(struct record_maker_request *request, size_t i,
        const struct record_maker *maker)
{
        (void)maker;
        request->submit_after_ns = i; /* in this order */
        if (i % 97 == 96)
                request->server_ns = 2 * NS_PER_S;
}

/* They begin when it is their turn: sooner with more at once. */
static void test_stragglers_begin_sooner(void **state)
{
        struct record_maker maker = {
                .n = 400, .slots = 16, .each.server_ns = 20 * MS, .vary = some_slow_in_turn
        };
        struct finding finding;

        (void)state;
        assert_true(cause_is_made(&maker, causes_slots, "stragglers", &finding));
        assert_string_equal(finding.shown.option, "--concurrency 32");
        assert_non_null(strstr(finding.shown.remedy, "first, or allow more at once"));
        assert_non_null(strstr(finding.shown.remedy, "4 requests would fail"));
}

static void last_slow(struct record_maker_request *request, size_t i,
        const struct record_maker *maker)
{
        if (i + 1 == maker->n)
                request->server_ns = 600 * MS;
}

/* Two are enough, where one takes many times as long as the other. */
static void test_straggler_of_few(void **state)
{
        struct record_maker maker = { .each.server_ns = 20 * MS, .vary = last_slow };
        struct finding finding;

        (void)state;
        for (maker.n = 2; maker.n <= 5; maker.n++) {
                assert_true(cause_is_made(&maker, causes_slots, "stragglers", &finding));
                assert_non_null(strstr(finding.shown.title, "One slow request of "));
        }
        maker.n = 1;
        assert_false(cause_is_made(&maker, causes_slots, "stragglers", &finding));
        maker.n = 2;
        maker.each.server_ns = 300 * MS;
        assert_false(cause_is_made(&maker, causes_slots, "stragglers", &finding));
}

static void scattered_one_slow(struct record_maker_request *request, size_t i,
        const struct record_maker *maker)
{
        if (i % 7 == 0)
                request->server_ns = 110 * MS;
        if (i + 1 == maker->n)
                request->server_ns = 2000 * MS;
}

/* Where one of seven takes over five times as long as the middle one that is ordinary. */
static void test_straggler_beside_scatter(void **state)
{
        struct record_maker maker = {
                .n = 210, .slots = 32, .each.server_ns = 20 * MS, .vary = scattered_one_slow
        };
        struct finding finding;

        (void)state;
        assert_true(cause_is_made(&maker, causes_slots, "stragglers", &finding));
        assert_non_null(strstr(finding.shown.title, "One slow request of "));
}

static void one_early_one_last(struct record_maker_request *request, size_t i,
        const struct record_maker *maker)
{
        request->submit_after_ns = i; /* in this order */
        if (i == 20)
                request->server_ns = NS_PER_S;
        if (i + 1 == maker->n)
                request->server_ns = 600 * MS;
}

/*
 * The longest of all was over long before the end, which another one kept from coming; one that is
 * refused is none of these.
 */
static void test_stragglers_of_the_end(void **state)
{
        struct record_maker maker = {
                .n = 1400, .slots = 16, .each.server_ns = 12 * MS, .vary = one_early_one_last
        };
        struct finding finding;
        struct record record;

        (void)state;
        assert_int_equal(record_make(&record, &maker), 0);
        assert_true(cause_is_found(&record, causes_slots, "stragglers", &finding));
        assert_string_equal(finding.shown.title,
                "One slow request of 1,400 set the end of the run: it took 600 ms");
        record.attempts[record.n_attempts - 1].status = 503;
        assert_false(cause_is_found(&record, causes_slots, "stragglers", &finding));
        record_deinit(&record);
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

static void eight_then_one_by_one(struct record_maker_request *request, size_t i,
        const struct record_maker *maker)
{
        request->submit_after_ns = i < 8 ? 0 : (i - 7) * 20 * MS;
        if (i + 1 == maker->n)
                request->server_ns = 2 * MS;
}

/* Requests that go out one by one: the end waits for their pace, not for one that took longer. */
static void test_straggler_is_most_of_the_tail(void **state)
{
        struct record_maker maker = { .n = 100,
                .slots = 8,
                .each.server_ns = 100 * NS_PER_US,
                .vary = eight_then_one_by_one };
        struct finding finding;

        (void)state;
        assert_false(cause_is_made(&maker, causes_slots, "stragglers", &finding));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_limit_too_low),
                cmocka_unit_test(test_limit_not_too_low),
                cmocka_unit_test(test_limit_of_a_server_that_fails),
                cmocka_unit_test(test_limit_and_processors),
                cmocka_unit_test(test_limit_and_pieces),
                cmocka_unit_test(test_limit_opens_connections),
                cmocka_unit_test(test_limit_in_figures),
                cmocka_unit_test(test_host_limit),
                cmocka_unit_test(test_queue_timeout),
                cmocka_unit_test(test_stragglers),
                cmocka_unit_test(test_stragglers_give_up_but_no_others),
                cmocka_unit_test(test_stragglers_lose_no_answer),
                cmocka_unit_test(test_stragglers_begin_sooner),
                cmocka_unit_test(test_straggler_of_few),
                cmocka_unit_test(test_straggler_beside_scatter),
                cmocka_unit_test(test_stragglers_of_the_end),
                cmocka_unit_test(test_stragglers_or_loss),
                cmocka_unit_test(test_straggler_is_most_of_the_tail),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
