/* SPDX-License-Identifier: MIT */
/*
 * Replays of more requests than are simulated, and of what had no slot
 */
#include "record_maker.h"
#include "replay_case.h"
#include "unit.h"

#include <explain/facts_measure.h>

#define MS NS_PER_MS

/* --- when requests come ---------------------------------------------------------------------- */

/* --- much and nothing ------------------------------------------------------------------------ */

static void scatter(struct record_maker_request *request, size_t i,
        const struct record_maker *maker)
{
        (void)maker;
        request->server_ns = MS + (i * 7919) % 1000 * 2000;
}

static void test_a_sample_of_many(void **state)
{
        struct case_of it;

        (void)state;
        begin(&it, &(struct record_maker){ .n = 250000, .slots = 16, .vary = scatter });
        it.replay.concurrency = 32;
        assert_near(it.facts.replayed_ns / 10, it.facts.wall_ns / 10);
        assert_wall(&it, it.facts.wall_ns / 2);
        end(&it);
}

static void go_on_after(struct record_maker_request *request, size_t i,
        const struct record_maker *maker)
{
        const uint64_t *gap_ns = maker->argument;

        request->submit_after_ns = i * *gap_ns;
}

/* One by one, and in tens: whose result is waited for is mostly in the sample. */
static void test_a_sample_of_a_program_that_waits(void **state)
{
        struct case_of it;
        uint64_t gap_ns = MS + 100000;

        (void)state;
        begin(&it, &(struct record_maker){ .n = 150000,
                           .slots = 1,
                           .each.server_ns = MS,
                           .vary = go_on_after,
                           .argument = &gap_ns });
        it.replay.change = twice_as_fast;
        assert_wall(&it, 90 * NS_PER_S);
        end(&it);
        gap_ns = 20 * MS + 100000;
        begin(&it, &(struct record_maker){ .n = 250000,
                           .slots = 16,
                           .each.server_ns = 20 * MS,
                           .vary = come_in_bursts,
                           .argument = &gap_ns });
        it.replay.change = twice_as_fast;
        assert_wall(&it, 252500 * MS);
        end(&it);
}

/* Half of a thousandth of a second behind a result: they come by the clock. */
static void test_a_sample_of_what_comes_when_it_comes(void **state)
{
        struct case_of it;
        uint64_t gap_ns = MS;

        (void)state;
        begin(&it, &(struct record_maker){ .n = 250000,
                           .slots = 16,
                           .each.server_ns = 5 * MS + 500000,
                           .vary = go_on_after,
                           .argument = &gap_ns });
        it.replay.change = twice_as_fast;
        assert_wall(&it, 250 * NS_PER_S);
        end(&it);
}

static void take_long_at_last(struct record_maker_request *request, size_t i,
        const struct record_maker *maker)
{
        request->submit_after_ns = i; /* the last one last */
        if (i == maker->n - 1)
                request->server_ns = 60 * NS_PER_S;
}

/* It is one, and stays one, however many a request of the sample stands for. */
static void test_a_long_one_in_a_sample(void **state)
{
        struct case_of it;

        (void)state;
        begin(&it, &(struct record_maker){ .n = 160000,
                           .slots = 16,
                           .each.server_ns = MS,
                           .vary = take_long_at_last });
        assert_int_equal(it.facts.wall_ns / MS, 69999);
        assert_near(it.facts.replayed_ns, it.facts.wall_ns);
        it.replay.concurrency = 32;
        assert_wall(&it, 65 * NS_PER_S);
        end(&it);
}

static void test_requests_without_a_slot(void **state)
{
        struct case_of it;

        (void)state;
        begin(&it, &(struct record_maker){ .n = 10, .each.server_ns = 10 * MS });
        for (size_t i = 5; i < 10; i++) {
                it.record.attempts[i].stamps.slot_ns = 0; /* gave up waiting for one */
                it.record.attempts[i].code = MUSTER_E_TIMEOUT;
        }
        facts_deinit(&it.facts);
        assert_int_equal(facts_measure(&it.facts, &it.record), 0);
        assert_int_equal(it.facts.n_attempts, 5);
        assert_wall(&it, 10 * MS);
        end(&it);
}

int main(void)
{
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_a_sample_of_many),
                cmocka_unit_test(test_a_sample_of_a_program_that_waits),
                cmocka_unit_test(test_a_sample_of_what_comes_when_it_comes),
                cmocka_unit_test(test_a_long_one_in_a_sample),
                cmocka_unit_test(test_requests_without_a_slot),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
