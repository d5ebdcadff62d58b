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

/*
 * The head comes at once, what is behind it when the work is done: that has a name of its own. It is
 * told here where most of the work is done before.
 */
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
        assert_false(cause_is_made(&maker, causes_server, "server-slow", &finding));
        assert_true(cause_is_made(&maker, causes_pieces, "pause-in-body", &finding));
        assert_null(finding.shown.option);
        assert_predicted(&finding, 14 * MS); /* and as now, if it makes the body in that time */
        assert_true(finding.shown.wall_high_ns > 2600 * MS);
        maker.each.server_ns = 300 * MS;
        assert_true(cause_is_made(&maker, causes_server, "server-slow", &finding));
        assert_string_equal(finding.shown.title,
                "The run waited for the server: a typical response took 500 ms");
        assert_non_null(strstr(finding.evidence[2], "complete 200 ms later"));
}

/* One request alone says nothing of what is usual; a long one is told all the same, without advice. */
static void test_few_requests(void **state)
{
        struct record_maker maker = { .n = 1, .slots = 8, .each.server_ns = 42 * MS };
        struct finding finding;

        (void)state;
        assert_false(cause_is_made(&maker, causes_server, "server-slow", &finding));
        maker.each.server_ns = 4 * NS_PER_S;
        assert_true(cause_is_made(&maker, causes_server, "server-slow", &finding));
        assert_non_null(strstr(finding.shown.remedy, "1 request tells little of a server"));
        assert_null(finding.shown.option);
        maker.n = 3;
        maker.each.server_ns = 42 * MS;
        assert_false(cause_is_made(&maker, causes_server, "server-slow", &finding));
        maker.n = 4;
        assert_true(cause_is_made(&maker, causes_server, "server-slow", &finding));
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
        struct record_maker four = { .n = 4, .each.server_ns = 300 * MS, .vary = second_twice };
        struct record_maker third = {
                .n = 90, .each.server_ns = 25 * MS, .vary = third_long, .argument = &every
        };
        struct finding finding;

        (void)state;
        assert_true(cause_is_made(&four, causes_server, "server-slow", &finding));
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

#define TAKEN_IN 96

/* When a server has given so many answers: the argument tells, for one of these. */
static void in_turn(struct record_maker_request *request, size_t i,
        const struct record_maker *maker)
{
        const uint64_t *given_ns = maker->argument;

        request->submit_after_ns = i;
        request->server_ns = given_ns[i] - (i < TAKEN_IN ? 0 : given_ns[i - TAKEN_IN]);
}

/* From 1 ms between two answers to six, the longer the more of the first ones it has taken in. */
static uint64_t slowing_ns(size_t i)
{
        return NS_PER_MS + (i < TAKEN_IN ? i : TAKEN_IN) * 50 * NS_PER_US;
}

/* It lets a burst through, and 200 a second of the others. */
static uint64_t burst_ns(size_t i)
{
        return i < 20 ? NS_PER_MS / 4 : 5 * NS_PER_MS;
}

static void give(uint64_t given_ns[256], uint64_t (*gap_ns)(size_t i))
{
        uint64_t at_ns = 5 * NS_PER_MS;

        for (size_t i = 0; i < 256; i++)
                given_ns[i] = at_ns += gap_ns(i);
}

/* The beginning shows how fast a server is with few, where the end does not. */
static void test_slows_down_at_the_beginning(void **state)
{
        uint64_t given_ns[256];
        struct record_maker maker = {
                .n = 256, .slots = TAKEN_IN, .vary = in_turn, .argument = given_ns
        };
        struct finding finding;

        (void)state;
        give(given_ns, slowing_ns);
        assert_true(cause_is_made(&maker, causes_server, "server-saturated", &finding));
        assert_non_null(strstr(finding.shown.title, "too many"));
        assert_int_equal(finding.shown.grade, MUSTER_GRADE_B);
        assert_predicted(&finding, 256 * NS_PER_S / 700); /* 770 a second at first, then 526 */
        assert_true(finding.shown.wall_high_ns >= given_ns[255]);
        give(given_ns, burst_ns);
        assert_true(cause_is_made(&maker, causes_server, "server-saturated", &finding));
        assert_null(strstr(finding.shown.title, "too many"));
        assert_predicted(&finding, given_ns[255]);
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

static void only_first_opens(struct record_maker_request *request, size_t i,
        const struct record_maker *maker)
{
        (void)maker;
        request->submit_after_ns = i;
        if (i > 0)
                request->tcp_ns = request->tls_ns = 0;
}

/* More requests share the connection of HTTP/2 that is there: they need no handshakes of their own. */
static void test_slow_on_one_connection(void **state)
{
        struct record_maker maker = { .n = 600,
                .slots = 64,
                .loop_ns = 80 * NS_PER_US,
                .vary = only_first_opens,
                .each = { .tcp_ns = MS, .tls_ns = 60 * MS, .server_ns = 50 * MS } };
        struct finding finding;
        struct record record;

        (void)state;
        make(&record, &maker);
        for (size_t i = 0; i < record.n_attempts; i++) {
                record.attempts[i].conn = 1;
                record.attempts[i].is_reused = i > 0;
                record.attempts[i].n_sharing = i < 64 ? (uint32_t)i + 1 : 64;
                record.attempts[i].http_version = 20;
        }
        record.n_conns = 1;
        assert_true(cause_is_found(&record, causes_server, "server-slow", &finding));
        assert_non_null(finding.shown.option);
        assert_in_range(finding.shown.wall_ns, 100 * MS, 190 * MS);
        record_deinit(&record);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_slow),
                cmocka_unit_test(test_slow_in_batches),
                cmocka_unit_test(test_slow_by_loss),
                cmocka_unit_test(test_not_slow),
                cmocka_unit_test(test_slow_in_pieces),
                cmocka_unit_test(test_few_requests),
                cmocka_unit_test(test_slow_for_some),
                cmocka_unit_test(test_paced),
                cmocka_unit_test(test_paced_not),
                cmocka_unit_test(test_full_despite_rate),
                cmocka_unit_test(test_slow_and_closes),
                cmocka_unit_test(test_slow_or_limited),
                cmocka_unit_test(test_full),
                cmocka_unit_test(test_slows_down_at_the_beginning),
                cmocka_unit_test(test_full_no_memory),
                cmocka_unit_test(test_slow_on_one_connection),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
