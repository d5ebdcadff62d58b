/* SPDX-License-Identifier: MIT */
/*
 * Findings about what is not steady, a cold start and pauses: each against a run that has it, and those that look like it
 */
#include "causes.h"
#include "standstill.h"

#define MS NS_PER_MS

/* --- cold-start ------------------------------------------------------------------------------ */

/* The first ones of a limit of 16 take 1.5 s, all others 10 ms. */
static void first_ones(struct record_maker_request *request, size_t i,
        const struct record_maker *maker)
{
        request->submit_after_ns = i;
        request->server_ns = i < maker->slots ? 1500 * MS + i * MS : 10 * MS;
}

static const struct record_maker cold = {
        .n = 400,
        .slots = 16,
        .vary = first_ones,
        .each = { .tcp_ns = 50 * NS_PER_US, .network_ns = 50 * NS_PER_US },
};

static void test_cold_start(void **state)
{
        struct record record;
        struct finding finding;

        (void)state;
        make(&record, &cold);
        assert_true(cause_is_found(&record, causes_unsteady, "cold-start", &finding));
        assert_non_null(strstr(finding.title, "the first 16 responses took 1.51 s each"));
        assert_predicted(&finding, 25 * 10 * MS);
        /* Nobody can tell whether a new connection would be slow again. */
        assert_int_equal(finding.shown.grade, MUSTER_GRADE_B);
        record_deinit(&record);
}

/* One request at a time, and the first one is slow. */
static void test_one_cold_response(void **state)
{
        struct record_maker maker = cold;
        struct finding finding;

        (void)state;
        maker.slots = 1;
        maker.n = 50;
        assert_true(cause_is_made(&maker, causes_unsteady, "cold-start", &finding));
        if (!strstr(finding.title, "the first response took 1.5 s, a later one 10"))
                fail_msg("%s", finding.title);
        assert_int_equal(finding.shown.grade, MUSTER_GRADE_B);
}

/* It is a part of the run that nobody would notice. */
static void test_cold_start_that_does_not_matter(void **state)
{
        struct record_maker maker = cold;
        struct finding finding;

        (void)state;
        maker.n = 40000;
        assert_false(cause_is_made(&maker, causes_unsteady, "cold-start", &finding));
}

static void any_of_them(struct record_maker_request *request, size_t i,
        const struct record_maker *maker)
{
        (void)maker;
        request->submit_after_ns = i;
        request->server_ns = i % 25 < 3 ? 1500 * MS : 10 * MS;
}

/* As many slow ones, at any time. */
static void test_slow_now_and_then_is_not_cold(void **state)
{
        struct record_maker maker = cold;
        struct finding finding;

        (void)state;
        maker.vary = any_of_them;
        assert_false(cause_is_made(&maker, causes_unsteady, "cold-start", &finding));
        assert_false(cause_is_made(&maker, causes_unsteady, "server-pauses", &finding));
}

/* A server that takes one after the other: the first ones come at once, and few later. */
static void one_by_one(struct record_maker_request *request, size_t i,
        const struct record_maker *maker)
{
        (void)maker;
        request->submit_after_ns = i < 64 ? i : 700 * MS + i * 20 * MS;
        request->server_ns = i < 64 ? (i + 1) * 10 * MS : 10 * MS;
}

static void test_full_at_first_is_not_cold(void **state)
{
        struct record_maker maker = cold;
        struct finding finding;

        (void)state;
        maker.slots = 64;
        maker.vary = one_by_one;
        assert_false(cause_is_made(&maker, causes_unsteady, "cold-start", &finding));
}

/* Each new connection is slow, and there are none later: what opening takes is not looked at. */
static void slow_to_connect(struct record_maker_request *request, size_t i,
        const struct record_maker *maker)
{
        (void)maker;
        request->submit_after_ns = i;
        request->server_ns = 10 * MS;
        request->tcp_ns = 1500 * MS;
}

static void test_slow_connecting_is_not_cold(void **state)
{
        struct record_maker maker = cold;
        struct finding finding;

        (void)state;
        maker.vary = slow_to_connect;
        assert_false(cause_is_made(&maker, causes_unsteady, "cold-start", &finding));
}

/* --- server-pauses --------------------------------------------------------------------------- */

/* Eight at a time take 5 to 12 ms. */
static void scattered(struct record_maker_request *request, size_t i,
        const struct record_maker *maker)
{
        (void)maker;
        request->submit_after_ns = i;
        request->server_ns = 5 * MS + i * 7 % 8 * MS;
}

static const struct record_maker steady = {
        .n = 2000,
        .slots = 8,
        .vary = scattered,
        .each = { .tcp_ns = 50 * NS_PER_US, .network_ns = 50 * NS_PER_US },
};

static void stop_at(struct record *record, const uint64_t *at_ms, size_t n, uint64_t for_ms)
{
        for (size_t i = 0; i < n; i++)
                stop_server(record, RECORD_MAKER_START_NS + at_ms[i] * MS, for_ms * MS);
}

static void test_pauses(void **state)
{
        static const struct {
                uint64_t for_ms;
                const char *title;
        } cases[] = {
                { 60, "The server stopped 4 times, for 6" },
                { 200, "The server stopped 4 times, for 20" },
                { 1000, "The server stopped 4 times, for 1 s every 1.5 s" },
        };

        (void)state;
        for (size_t i = 0; i < LENGTH(cases); i++) {
                struct record record;
                struct finding finding;
                /* The first ones are earlier than the moments that follow are moved. */
                uint64_t step = 500 + cases[i].for_ms;
                uint64_t at_ms[] = { 200, 200 + step, 200 + 2 * step, 200 + 3 * step };

                make(&record, &steady);
                assert_false(is_found(&record, causes_unsteady, "server-pauses"));
                stop_at(&record, at_ms, LENGTH(at_ms), cases[i].for_ms);
                assert_true(cause_is_found(&record, causes_unsteady, "server-pauses", &finding));
                if (!strstr(finding.title, cases[i].title))
                        fail_msg("%s", finding.title);
                assert_int_equal(finding.shown.grade, MUSTER_GRADE_B);
                assert_non_null(strstr(finding.evidence[0], "8 requests were in flight"));
                assert_non_null(strstr(finding.evidence[1], "32 of 2,000"));
                assert_predicted(&finding, 2126 * MS);
                /* What stops all others is no straggler, and no cold start. */
                assert_false(is_found(&record, causes_unsteady, "cold-start"));
                record_deinit(&record);
        }
}

/* An event loop: eight are answered at a time, and the next eight find it standing still. */
static void at_a_time(struct record_maker_request *request, size_t i,
        const struct record_maker *maker)
{
        (void)maker;
        request->submit_after_ns = i;
        request->server_ns = i / 8 % 50 == 49 ? 410 * MS : 10 * MS;
}

static void test_pauses_between_batches(void **state)
{
        struct record_maker maker = steady;
        struct finding finding;

        (void)state;
        maker.n = 1200;
        maker.vary = at_a_time;
        assert_true(cause_is_made(&maker, causes_unsteady, "server-pauses", &finding));
        assert_non_null(strstr(finding.title, "stopped 2 times, for 41"));
        assert_false(cause_is_made(&maker, causes_slots, "concurrency-too-low", &finding));
        assert_false(cause_is_made(&maker, causes_server, "server-slow", &finding));
}

static void test_one_pause(void **state)
{
        static const uint64_t at_ms = 1200;
        struct record record;
        struct finding finding;

        (void)state;
        make(&record, &steady);
        stop_at(&record, &at_ms, 1, 3000);
        assert_true(cause_is_found(&record, causes_unsteady, "server-pauses", &finding));
        if (!strstr(finding.title, "stopped once, for 3.01 s: all 8 requests"))
                fail_msg("%s", finding.title);
        assert_int_equal(finding.shown.grade, MUSTER_GRADE_C);
        record_deinit(&record);
}

/* One of them stood still, and the others went on. */
static void one_is_slow(struct record_maker_request *request, size_t i,
        const struct record_maker *maker)
{
        scattered(request, i, maker);
        if (i % 500 == 100)
                request->server_ns = 1000 * MS;
}

static void test_straggler_is_no_pause(void **state)
{
        struct record_maker maker = steady;
        struct finding finding;

        (void)state;
        maker.vary = one_is_slow;
        assert_false(cause_is_made(&maker, causes_unsteady, "server-pauses", &finding));
}

/* One of fifty takes a second: at times all that are under way are such ones. */
static void some_are_slow(struct record_maker_request *request, size_t i,
        const struct record_maker *maker)
{
        scattered(request, i, maker);
        if (i * 2654435761 % 50 == 0)
                request->server_ns = 900 * MS + i * 13 % 200 * MS;
}

static void test_slots_full_of_slow_ones_are_no_pause(void **state)
{
        struct record_maker maker = steady;
        struct finding finding;

        (void)state;
        maker.vary = some_are_slow;
        assert_false(cause_is_made(&maker, causes_unsteady, "server-pauses", &finding));
}

/* All take as long, and are asked for at once: batches. */
static void in_step(struct record_maker_request *request, size_t i,
        const struct record_maker *maker)
{
        (void)maker;
        request->submit_after_ns = i;
        request->server_ns = 200 * MS;
}

static void test_batches_are_no_pauses(void **state)
{
        struct record_maker maker = steady;
        struct finding finding;

        (void)state;
        maker.n = 160;
        maker.vary = in_step;
        assert_false(cause_is_made(&maker, causes_unsteady, "server-pauses", &finding));
}

/* Nothing was asked for. */
static void asked_in_turns(struct record_maker_request *request, size_t i,
        const struct record_maker *maker)
{
        scattered(request, i, maker);
        request->submit_after_ns = i / 100 * 1000 * MS + i;
}

static void test_pauses_of_the_input_are_none_of_the_server(void **state)
{
        struct record_maker maker = steady;
        struct finding finding;

        (void)state;
        maker.vary = asked_in_turns;
        assert_false(cause_is_made(&maker, causes_unsteady, "server-pauses", &finding));
}

/* Everything stood still on connections that lost something, or while our own loop was away. */
static void test_pauses_of_others(void **state)
{
        static const uint64_t at_ms = 1200;
        struct record record;

        (void)state;
        make(&record, &steady);
        stop_at(&record, &at_ms, 1, 1000);
        assert_true(is_found(&record, causes_unsteady, "server-pauses"));
        for (size_t i = 0; i < record.n_conns; i++)
                record.conns[i].n_out_of_order = 3;
        assert_false(is_found(&record, causes_unsteady, "server-pauses"));
        for (size_t i = 0; i < record.n_conns; i++)
                record.conns[i].n_out_of_order = 0;
        assert_int_equal(record_make_turn(&record, &(struct trace_turn){ .start_ns = 1201 * MS,
                                                           .end_ns = 2100 * MS,
                                                           .work_ns[TRACE_WORK_CALLER] = 899 * MS,
                                                           .engine = 1 }),
                0);
        for (size_t i = 0; i < record.n_attempts; i++)
                record.attempts[i].engine = 1;
        assert_false(is_found(&record, causes_unsteady, "server-pauses"));
        record_deinit(&record);
}

/* Processors that others use, too: a server on this machine is kept from them. */
static void test_short_pauses_of_a_busy_machine(void **state)
{
        static const uint64_t at_ms[] = { 200, 400, 900, 1100, 1900 };
        static const uint64_t even_ms[] = { 200, 500, 800, 1100, 1400 };
        struct record record;

        (void)state;
        make(&record, &steady);
        stop_at(&record, at_ms, LENGTH(at_ms), 100);
        assert_true(is_found(&record, causes_unsteady, "server-pauses"));
        assert_int_equal(record_make_counter(&record, "pressure.cpu_us", 0, 2400 * 1000), 0);
        assert_false(is_found(&record, causes_unsteady, "server-pauses"));
        record_deinit(&record);
        /* A scheduler does not keep to a period. */
        make(&record, &steady);
        stop_at(&record, even_ms, LENGTH(even_ms), 100);
        assert_int_equal(record_make_counter(&record, "pressure.cpu_us", 0, 2400 * 1000), 0);
        assert_true(is_found(&record, causes_unsteady, "server-pauses"));
        record_deinit(&record);
}

/* All that waited were slow by what they are: no other request goes to their path. */
static void test_path_that_is_slow(void **state)
{
        static const uint64_t at_ms = 1200;
        struct muster_str paths[] = { { "/quick", 6 }, { "/slow", 5 } };
        struct record record;

        (void)state;
        make(&record, &steady);
        stop_at(&record, &at_ms, 1, 1000);
        for (size_t i = 0; i < record.n_attempts; i++) {
                const struct attempt *stamps = &record.attempts[i].stamps;
                bool is_slow = stamps->first_byte_kernel_ns - stamps->send_end_ns > 500 * MS;

                record.attempts[i].path = is_slow ? 2 : 1;
        }
        record.paths = paths;
        record.n_paths = 2;
        assert_false(is_found(&record, causes_unsteady, "server-pauses"));
        record.paths = NULL;
        record.n_paths = 0;
        record_deinit(&record);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_cold_start),
                cmocka_unit_test(test_one_cold_response),
                cmocka_unit_test(test_cold_start_that_does_not_matter),
                cmocka_unit_test(test_slow_now_and_then_is_not_cold),
                cmocka_unit_test(test_full_at_first_is_not_cold),
                cmocka_unit_test(test_slow_connecting_is_not_cold),
                cmocka_unit_test(test_pauses),
                cmocka_unit_test(test_pauses_between_batches),
                cmocka_unit_test(test_one_pause),
                cmocka_unit_test(test_straggler_is_no_pause),
                cmocka_unit_test(test_slots_full_of_slow_ones_are_no_pause),
                cmocka_unit_test(test_batches_are_no_pauses),
                cmocka_unit_test(test_pauses_of_the_input_are_none_of_the_server),
                cmocka_unit_test(test_pauses_of_others),
                cmocka_unit_test(test_short_pauses_of_a_busy_machine),
                cmocka_unit_test(test_path_that_is_slow),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
