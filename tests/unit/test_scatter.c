/* SPDX-License-Identifier: MIT */
/*
 * How wide a range is, and what that follows from
 */
#include "record_maker.h"
#include "replay_case.h"
#include "simulated_ground.h"
#include "unit.h"

#include <base/rand.h>
#include <explain/causes/finding.h>
#include <explain/measure/contention.h>
#include <explain/measure/processors.h>
#include <explain/model/scatter.h>

/* From next to nothing to 100 ms, the same for the same `i`. */
static void take_anything(struct record_maker_request *request, size_t i,
        const struct record_maker *maker)
{
        struct rand rand;

        (void)maker;
        rand_init(&rand, i);
        request->server_ns = rand_up_to(&rand, 100 * MS);
}

static double share_of(const struct record_maker *maker)
{
        struct scatter scatter;
        struct case_of it;

        begin(&it, maker);
        scatter_measure(&scatter, &it.facts);
        end(&it);
        return scatter.share;
}

static void test_what_takes_the_same_scatters_little(void **state)
{
        double share =
                share_of(&(struct record_maker){ .n = 200, .slots = 4, .each.server_ns = 50 * MS });

        (void)state;
        assert_true(share == RUNS_DIFFER);
}

static void test_few_requests_scatter_more(void **state)
{
        double few = share_of(&(struct record_maker){ .n = 20, .slots = 4, .vary = take_anything });
        double many =
                share_of(&(struct record_maker){ .n = 2000, .slots = 4, .vary = take_anything });

        (void)state;
        assert_true(few > 0.15 && few <= SCATTER_MOST);
        assert_true(many >= RUNS_DIFFER && many < 0.08);
}

static void take_longer_for_a_while(struct record_maker_request *request, size_t i,
        const struct record_maker *maker)
{
        request->server_ns = i >= maker->n / 2 && i < maker->n * 7 / 10 ? 60 * MS : 20 * MS;
}

/* Too many for drawing, and a while that was slower: the tenths show it. */
static void test_a_slower_while_scatters(void **state)
{
        double even = share_of(&(struct record_maker){
                .n = 5000, .slots = 4, .each.server_ns = 20 * MS });
        double slower = share_of(&(struct record_maker){
                .n = 5000, .slots = 4, .vary = take_longer_for_a_while });

        (void)state;
        assert_true(even == RUNS_DIFFER);
        assert_true(slower > 0.3);
}

/* Explain says the same of the same record. */
static void test_the_same_record_draws_the_same(void **state)
{
        const struct record_maker maker = { .n = 100, .slots = 8, .vary = take_anything };
        struct replay_range one, other;
        struct case_of it;

        (void)state;
        begin(&it, &maker);
        it.replay.concurrency = 32;
        replay_range_of(&one, &it.replay, &it.facts);
        end(&it);
        begin(&it, &maker);
        it.replay.concurrency = 32;
        replay_range_of(&other, &it.replay, &it.facts);
        end(&it);
        assert_memory_equal(&one, &other, sizeof(one));
        assert_true(one.low_ns < one.wall_ns && one.wall_ns < one.high_ns);
}

static void count(struct replay_request *request, const struct facts *facts, void *argument)
{
        (void)request;
        (void)facts;
        ++*(size_t *)argument;
}

/* A function that changes requests may number them. */
static void test_each_request_is_changed_once(void **state)
{
        struct replay_range range;
        struct case_of it;
        size_t n = 0;

        (void)state;
        begin(&it, &(struct record_maker){ .n = 100, .slots = 8, .vary = take_anything });
        it.replay.change = count;
        it.replay.argument = &n;
        replay_range_of(&range, &it.replay, &it.facts);
        assert_int_equal(n, 100);
        end(&it);
}

/* The thread waited for a processor; before that counter was there, nobody knows. */
static void test_others_had_the_processors(void **state)
{
        struct scatter scatter;
        struct case_of it;

        (void)state;
        begin(&it, &(struct record_maker){ .n = 200, .slots = 4, .each.server_ns = 50 * MS });
        it.record.samples[it.record.n_samples - 1].run_delay_ns = 20 * MS;
        scatter_measure(&scatter, &it.facts);
        assert_int_equal(scatter.others_ns, 20 * MS);
        assert_int_equal(scatter_high_ns(&scatter, 100 * MS, 200 * MS), 125 * MS);
        /* Others do not make it longer than it was. */
        assert_int_equal(scatter_high_ns(&scatter, 100 * MS, 110 * MS), 110 * MS);
        assert_int_equal(scatter_high_ns(&scatter, 100 * MS, 90 * MS), 105 * MS);
        assert_int_equal(scatter_low_ns(&scatter, 100 * MS), 75 * MS);
        assert_int_equal(scatter_low_ns(&scatter, 10 * MS), 5 * MS); /* half of it stays */
        for (size_t i = 0; i < it.record.n_samples; i++)
                it.record.samples[i].run_delay_ns = -1;
        scatter_measure(&scatter, &it.facts);
        assert_int_equal(scatter.others_ns, 0);
        end(&it);
}

/* --- what waited ----------------------------------------------------------------------------- */

static bool answers_waited(const struct ground *ground, struct contention *contention)
{
        struct record record;
        struct facts facts;

        ground_run(ground, 2, &record);
        assert_int_equal(facts_measure(&facts, &record), 0);
        contention_of(contention, &facts);
        facts_deinit(&facts);
        record_deinit(&record);
        return contention->is_there;
}

static void test_answers_beside_handshakes(void **state)
{
        struct ground ground = {
                .n = 300,
                .slots = 8,
                .rtt_ns = MS / 2,
                .think_ns = 2 * MS,
                .think = THINK_RANDOM,
                .handshake_ns = 5 * MS,
                .no_reuse = true,
                .n_processors = 1,
                .cpu_ns = MS / 2,
        };
        struct contention contention;

        (void)state;
        assert_true(answers_waited(&ground, &contention));
        assert_true(contention.alone_ns < 2 * MS);
        ground.n_handshakers = 1; /* on a processor of their own */
        assert_false(answers_waited(&ground, &contention));
        ground.handshake_ns = 0;
        assert_false(answers_waited(&ground, &contention));
}

static void test_processors(void **state)
{
        struct processors processors;
        struct case_of it;

        (void)state;
        begin(&it, &(struct record_maker){ .n = 200, .slots = 4, .each.server_ns = 50 * MS });
        processors_of(&processors, &it.facts);
        assert_false(processors.is_known);
        assert_int_equal(record_make_counter(&it.record, "machine.processors", 2, 2), 0);
        assert_int_equal(record_make_counter(&it.record, "machine.busy_us", 1000, 401000), 0);
        assert_int_equal(record_make_counter(&it.record, "machine.idle_us", 0, 1200000), 0);
        processors_of(&processors, &it.facts);
        assert_true(processors.is_known);
        assert_true(processors.busy == 0.25);
        assert_int_equal(processors.each_ns, 2 * MS);
        assert_true(processors.others > 0 && processors.others <= 0.5); /* without ours */
        assert_false(processors_are_full(&it.facts));
        it.record.conns[0].remote = str_of("192.0.2.1:80"); /* another machine's server */
        processors_of(&processors, &it.facts);
        assert_false(processors.is_known);
        end(&it);
}

/*
 * A program that loads for 100 ms and is at its end for 50 ms: of the former a tenth more or less is
 * in the range, and of the latter all, or as much again.
 */
static void test_around_the_requests(void **state)
{
        struct finding finding = { 0 };
        struct scatter scatter;
        struct case_of it;

        (void)state;
        begin(&it, &(struct record_maker){ .n = 100, .slots = 10, .each.server_ns = 10 * MS });
        it.facts.startup_ns = 100 * MS;
        it.facts.ending_ns = 50 * MS;
        scatter_measure(&scatter, &it.facts);
        finding_predict(&finding, 60 * MS, 55 * MS, 70 * MS);
        finding_surround(&finding, &scatter, &it.facts);
        assert_int_equal(finding.shown.wall_ns, 210 * MS);
        assert_int_equal(finding.shown.wall_low_ns, 145 * MS);
        assert_int_equal(finding.shown.wall_high_ns, 280 * MS);
        end(&it);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_what_takes_the_same_scatters_little),
                cmocka_unit_test(test_few_requests_scatter_more),
                cmocka_unit_test(test_a_slower_while_scatters),
                cmocka_unit_test(test_the_same_record_draws_the_same),
                cmocka_unit_test(test_each_request_is_changed_once),
                cmocka_unit_test(test_others_had_the_processors),
                cmocka_unit_test(test_answers_beside_handshakes),
                cmocka_unit_test(test_processors),
                cmocka_unit_test(test_around_the_requests),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
