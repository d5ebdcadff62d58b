/* SPDX-License-Identifier: MIT */
/*
 * Findings about servers: each against a run that has it, and those that look
 * like it
 */
/*
 * Findings about servers: each against a run that has it, and those that look
 * like it
 */
/*
 * Findings about servers: each against a run that has it, and one that looks like it
 */
#include "causes.h"
#include "links.h"
#include "servers.h"

#include <explain/facts_measure.h>
#include <explain/measure/load.h>

#define MS NS_PER_MS

/*
 * 8 workers, each of which is slowed down by all that are there: what a request takes that finds
 * `slots` others, by a simulation of its own. Each request begins when another ends.
 */
struct crowd {
        uint64_t server_ns[400];
};

#define CROWD_WORKERS 8

static uint64_t crowd_service_ns(size_t n_there)
{
        return 5 * MS + (n_there - 1) * MS / 4;
}

static void crowd_simulate(struct crowd *crowd, size_t slots)
{
        uint64_t free_ns[CROWD_WORKERS] = { 0 };
        uint64_t entered_ns[LENGTH(crowd->server_ns)] = { 0 };
        size_t n = LENGTH(crowd->server_ns);

        for (size_t i = 0; i < n; i++) {
                size_t n_there = n - i < slots ? n - i : slots;
                size_t first = 0;

                for (size_t k = 1; k < CROWD_WORKERS; k++)
                        if (free_ns[k] < free_ns[first])
                                first = k;
                free_ns[first] += crowd_service_ns(n_there) + i;
                crowd->server_ns[i] = free_ns[first] - entered_ns[i];
                if (i + slots < n)
                        entered_ns[i + slots] = free_ns[first];
        }
}

static void as_in_crowd(struct record_maker_request *request, size_t i,
        const struct record_maker *maker)
{
        const struct crowd *crowd = maker->argument;

        request->submit_after_ns = i;
        request->server_ns = crowd->server_ns[i];
}

/* --- load ------------------------------------------------------------------------------------ */

/* --- slow, full ------------------------------------------------------------------------------ */

static void test_slow(void **state)
{
        struct record_maker far = flat, enough = flat;
        struct finding finding;

        (void)state;
        assert_true(cause_is_made(&flat, causes_server, "server-slow", &finding));
        assert_string_equal(finding.shown.option, "--concurrency 320");
        assert_string_equal(finding.shown.title,
                "The run waited for the server: a typical response took 200 ms");
        assert_predicted(&finding, 200 * MS);
        assert_false(cause_is_made(&flat, causes_server, "server-saturated", &finding));

        far.each = (struct record_maker_request){ .network_ns = 300 * MS, .tcp_ns = 300 * MS };
        assert_true(cause_is_made(&far, causes_server, "server-slow", &finding));
        assert_non_null(strstr(finding.shown.title, "far"));

        enough.slots = 400;
        assert_true(cause_is_made(&enough, causes_server, "server-slow", &finding));
        assert_null(finding.shown.option);
        assert_true(finding.explained_ns > 190 * MS);
}

/* The head comes at once, what is behind it when the work is done. */
static void test_slow_in_pieces(void **state)
{
        struct record_maker maker = flat;
        struct finding finding;

        (void)state;
        maker.n = 100;
        maker.slots = 8;
        maker.each = (struct record_maker_request){ .network_ns = 50 * NS_PER_US,
                .server_ns = MS,
                .receive_ns = 200 * MS,
                .wire_bytes = 1000 };
        assert_true(cause_is_made(&maker, causes_server, "server-slow", &finding));
        assert_string_equal(finding.shown.title,
                "The run waited for the server: a typical response took 201 ms");
        assert_non_null(strstr(finding.evidence[2], "complete 200 ms later"));
        assert_string_equal(finding.shown.option, "--concurrency 100");
        assert_predicted(&finding, 201 * MS);
        assert_true(finding.shown.wall_high_ns > 350 * MS); /* as the server may take longer */
}

static void second_twice(struct record_maker_request *request, size_t i,
        const struct record_maker *maker)
{
        (void)maker;
        if (i % 2 == 1)
                request->server_ns *= 2;
}

static void third_long(struct record_maker_request *request, size_t i,
        const struct record_maker *maker)
{
        size_t every = *(const size_t *)maker->argument;

        request->submit_after_ns = i;
        if (i % every == every - 1)
                request->server_ns = NS_PER_S;
}

/* What is typical is not all. */
static void test_slow_for_some(void **state)
{
        size_t every = 3;
        struct record_maker two = { .n = 2, .each.server_ns = 300 * MS, .vary = second_twice };
        struct record_maker third = {
                .n = 90, .each.server_ns = 25 * MS, .vary = third_long, .argument = &every
        };
        struct finding finding;

        (void)state;
        assert_true(cause_is_made(&two, causes_server, "server-slow", &finding));
        assert_string_equal(finding.shown.title,
                "The run waited for the server: a typical response took 300 ms, the slowest 600 ms");
        assert_true(cause_is_made(&third, causes_server, "server-slow", &finding));
        assert_string_equal(finding.shown.title,
                "The server was slow for 30 of 90 responses: up to 1 s, a typical one 25 ms");
        every = 45; /* two stragglers */
        assert_false(cause_is_made(&third, causes_server, "server-slow", &finding));
}

/*
 * The server closes after each answer; but that costs next to nothing beside what it takes to
 * answer.
 */
static void test_slow_and_closes(void **state)
{
        struct record_maker maker = flat;
        struct finding finding;

        (void)state;
        maker.no_reuse = true;
        maker.each.tcp_ns = 5 * MS;
        assert_true(cause_is_made(&maker, causes_server, "server-slow", &finding));
}

/* In tens, two of which take far longer than the others. */
static void some_far_longer(struct record_maker_request *request, size_t i,
        const struct record_maker *maker)
{
        const bool *waits = maker->argument;

        if (i % 10 < 2)
                request->server_ns = 200 * MS;
        if (*waits)
                request->submit_after_ns = i / 10 * 201 * MS;
}

/* Where the program waits for each batch it is this that the slow ones hold up. */
static void test_slow_in_batches(void **state)
{
        bool waits = false;
        struct record_maker maker = {
                .n = 200,
                .each.server_ns = 20 * MS,
                .vary = some_far_longer,
                .argument = &waits,
        };
        struct finding finding;

        (void)state;
        assert_true(cause_is_made(&maker, causes_server, "server-slow", &finding));
        waits = true;
        assert_false(cause_is_made(&maker, causes_server, "server-slow", &finding));
        assert_true(cause_is_made(&maker, causes_input, "batch-barrier", &finding));
}

static void third_much_later(struct record_maker_request *request, size_t i,
        const struct record_maker *maker)
{
        (void)maker;
        if (i % 3 == 0)
                request->server_ns = 300 * MS;
}

/* What packets that were lost held up is no time of the server's. */
static void test_slow_by_loss(void **state)
{
        struct record_maker maker = {
                .n = 60,
                .slots = 10,
                .rtt_ns = 40 * MS,
                .each = { .tcp_ns = 40 * MS, .network_ns = 40 * MS },
                .vary = third_much_later,
        };
        struct record record;

        (void)state;
        make(&record, &maker);
        assert_true(is_found(&record, causes_server, "server-slow"));
        record_deinit(&record);
        make_lossy(&record, &maker);
        assert_false(is_found(&record, causes_server, "server-slow"));
        assert_true(is_found(&record, causes_wire, "loss"));
        record_deinit(&record);
}

static void test_not_slow(void **state)
{
        struct record_maker limited = flat, connecting = flat, receiving = flat;
        struct finding finding;

        (void)state;
        limited.slots = 4; /* 80 turns: it is the limit */
        connecting.no_reuse = true;
        connecting.each.tcp_ns = 100 * MS;
        receiving.each.server_ns = 0;
        receiving.each.receive_ns = 200 * MS;
        receiving.each.wire_bytes = 500000; /* large: it may be the link */
        assert_false(cause_is_made(&limited, causes_server, "server-slow", &finding));
        assert_false(cause_is_made(&connecting, causes_server, "server-slow", &finding));
        assert_false(cause_is_made(&receiving, causes_server, "server-slow", &finding));
        assert_false(cause_is_made(&full, causes_server, "server-slow", &finding));
}

/*
 * It is said of the server or of the limit, and never of neither: few turns or many, a loop with
 * time left or with less.
 */
static void test_slow_or_limited(void **state)
{
        struct record_maker maker = flat;
        struct finding finding;

        (void)state;
        maker.slots = 10;
        for (maker.n = 140; maker.n <= 180; maker.n += 5) {
                bool is_limited = maker.n >= 160;

                assert_int_equal(cause_is_made(&maker, causes_slots, "concurrency-too-low",
                                         &finding),
                        is_limited);
                assert_int_equal(cause_is_made(&maker, causes_server, "server-slow", &finding),
                        !is_limited);
        }
        maker.loop_ns = 15 * MS; /* 50 a second: busy for three quarters of the time */
        assert_false(cause_is_made(&maker, causes_slots, "concurrency-too-low", &finding));
        assert_true(cause_is_made(&maker, causes_server, "server-slow", &finding));
        assert_null(finding.shown.option);
}

static void test_full(void **state)
{
        struct crowd crowd;
        struct record_maker knee = {
                .n = LENGTH(crowd.server_ns), .slots = 128, .vary = as_in_crowd, .argument = &crowd
        };
        struct finding finding;

        (void)state;
        crowd_simulate(&crowd, knee.slots);
        assert_true(cause_is_made(&full, causes_server, "server-saturated", &finding));
        assert_string_equal(finding.shown.option, "--concurrency 7");
        assert_predicted(&finding, 2000 * MS); /* as before */
        assert_true(cause_is_made(&knee, causes_server, "server-saturated", &finding));
        assert_true(finding.shown.has_prediction);
        assert_non_null(strstr(finding.shown.title, "too many"));
}

/*
 * 50 a second are let through, one by one; `debt_ns` of others wait already. With 16 at once each
 * waits for 16, or for the debt and those that began before.
 */
static void one_by_one(struct record_maker_request *request, size_t i,
        const struct record_maker *maker)
{
        uint64_t debt_ns = *(const uint64_t *)maker->argument;
        size_t n = i < maker->slots ? i + 1 : maker->slots;

        request->submit_after_ns = i;
        request->server_ns = n * 20 * MS + (i < maker->slots ? debt_ns : 0);
        if (i >= maker->slots) /* its way is part of the wait, as the others go on meanwhile */
                request->server_ns -= request->network_ns;
}

/* As long for the first ones as for the last: it is the pace that tells. */
static void test_paced(void **state)
{
        uint64_t debt_ns = 0;
        struct record_maker maker = { .n = 200,
                .slots = 16,
                .each.network_ns = 50 * NS_PER_US,
                .vary = one_by_one,
                .argument = &debt_ns };
        struct finding finding;
        struct load load;

        (void)state;
        for (; debt_ns <= 600 * MS; debt_ns += 100 * MS) {
                load = load_of(&maker);
                assert_int_equal(load.answer, LOAD_GROWS);
                assert_true(load.is_paced);
                assert_true(load_factor_when_raised(&load, 4) == 4);
                assert_in_range(load.alone_ns, 19 * MS, 21 * MS);
                assert_true(cause_is_made(&maker, causes_server, "server-saturated", &finding));
                assert_non_null(strstr(finding.evidence[0], "one by one, 20 ms apart"));
                assert_string_equal(finding.shown.option, "--concurrency 5");
                assert_false(cause_is_made(&maker, causes_server, "server-slow", &finding));
                assert_false(cause_is_made(&maker, causes_slots, "concurrency-too-low", &finding));
        }
        debt_ns = 0;
        maker.slots = 32;
        maker.each.network_ns = 200 * MS; /* ten more are on their way meanwhile */
        assert_true(cause_is_made(&maker, causes_server, "server-saturated", &finding));
        assert_string_equal(finding.shown.option, "--concurrency 13");
}

static void every_20_ms(struct record_maker_request *request, size_t i,
        const struct record_maker *maker)
{
        (void)maker;
        request->submit_after_ns = i * 20 * MS;
}

/* Asked for one by one, it answers one by one; what is asked for at once it answers at once. */
static void test_paced_not(void **state)
{
        struct record_maker maker = flat;

        (void)state;
        assert_false(load_of(&maker).is_paced);
        maker.slots = 10; /* begun 20 ms apart, they are answered as far apart for ever */
        maker.vary = every_20_ms;
        assert_false(load_of(&maker).is_paced);
        assert_int_not_equal(load_of(&maker).answer, LOAD_GROWS);
}

static void later_and_later(struct record_maker_request *request, size_t i,
        const struct record_maker *maker)
{
        (void)maker;
        request->submit_after_ns = i;
        request->server_ns = 40 * MS + i * 7 * MS;
}

/* 30 a second are asked for, 25 are given: each waits 7 ms longer than the one before. */
static void test_full_despite_rate(void **state)
{
        struct record_maker maker = { .n = 100, .rate_per_s = 30, .vary = later_and_later };
        struct finding finding;

        (void)state;
        assert_true(cause_is_made(&maker, causes_server, "server-saturated", &finding));
        maker.rate_per_s = 1;
        maker.n = 20;
        assert_false(cause_is_made(&maker, causes_server, "server-saturated", &finding));
}

/* Without the memory to tell how many are enough, no number is told. */
static void full_without_memory(void)
{
        const struct cause *cause = cause_named(causes_server, "server-saturated");
        static struct record record;
        static struct facts facts;
        struct finding finding = { 0 };

        if (record_make(&record, &full) < 0)
                return;
        if (facts_measure(&facts, &record) == 0) {
                if (cause->rule(&facts, &finding) && finding.shown.option)
                        assert_string_equal(finding.shown.option, "--concurrency 7");
                facts_deinit(&facts);
        }
        record_deinit(&record);
}

static void test_full_no_memory(void **state)
{
        (void)state;
        for_each_failing_allocation(full_without_memory);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_slow),
                cmocka_unit_test(test_slow_in_batches),
                cmocka_unit_test(test_slow_by_loss),
                cmocka_unit_test(test_not_slow),
                cmocka_unit_test(test_slow_in_pieces),
                cmocka_unit_test(test_slow_for_some),
                cmocka_unit_test(test_paced),
                cmocka_unit_test(test_paced_not),
                cmocka_unit_test(test_full_despite_rate),
                cmocka_unit_test(test_slow_and_closes),
                cmocka_unit_test(test_slow_or_limited),
                cmocka_unit_test(test_full),
                cmocka_unit_test(test_full_no_memory),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
