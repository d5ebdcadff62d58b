/* SPDX-License-Identifier: MIT */
/*
 * Replays of runs with one thing changed
 */
#include "record_maker.h"
#include "replay_case.h"
#include "unit.h"

#include <explain/facts_measure.h>
#include <explain/model/replay.h>
#include <explain/model/together.h>

#define MS NS_PER_MS

/* --- resources ------------------------------------------------------------------------------- */

/* N x S / K, whatever K was and is. */
static void test_slots(void **state)
{
        static const struct {
                uint64_t before, after, wall_ms;
        } cases[] = {
                { 4, 4, 2500 },
                { 4, 8, 1250 },
                { 4, 64, 200 },
                { 64, 4, 2500 },
                { 1, 200, 50 },
                { 4, 1000, 50 },
                { 200, 1, 10000 },
        };

        (void)state;
        for (size_t i = 0; i < LENGTH(cases); i++) {
                struct case_of it;

                begin(&it, &(struct record_maker){
                                   .n = 200, .slots = cases[i].before, .each.server_ns = 50 * MS });
                it.replay.concurrency = cases[i].after;
                assert_wall(&it, cases[i].wall_ms * MS);
                end(&it);
        }
}

static void test_slots_of_a_host(void **state)
{
        struct case_of it;

        (void)state;
        /* 120 requests to 3 hosts, 2 at a time to each: 20 rounds of 10 ms. */
        begin(&it, &(struct record_maker){
                           .n = 120, .n_hosts = 3, .per_host = 2, .each.server_ns = 10 * MS });
        assert_int_equal(it.facts.wall_ns, 200 * MS);
        assert_wall(&it, 200 * MS);
        it.replay.per_host = 10;
        assert_wall(&it, 40 * MS);
        it.replay.per_host = 0;
        it.replay.concurrency = 12;
        assert_wall(&it, 100 * MS);
        end(&it);
}

static void host_by_host(struct record_maker_request *request, size_t i,
        const struct record_maker *maker)
{
        (void)maker;
        request->submit_after_ns = i * NS_PER_US;
        request->host = (uint32_t)(i / 8);
}

/*
 * All were submitted before the loop looked at any. Then each of three hosts has its share of the
 * eight slots, and there are four rounds; not all for who was first, and three.
 */
static void test_one_turn_finds_all(void **state)
{
        struct case_of it;

        (void)state;
        begin(&it, &(struct record_maker){ .n = 24,
                           .slots = 8,
                           .n_hosts = 3,
                           .vary = host_by_host,
                           .each.server_ns = 10 * MS });
        for (size_t i = 0; i < it.record.n_attempts; i++)
                if (it.record.attempts[i].stamps.slot_ns < RECORD_MAKER_START_NS + MS)
                        it.record.attempts[i].stamps.slot_ns = RECORD_MAKER_START_NS + MS / 20;
        facts_deinit(&it.facts);
        assert_int_equal(facts_measure(&it.facts, &it.record), 0);
        assert_in_range(it.facts.replayed_ns, 39 * MS, 42 * MS);
        end(&it);
}

static void test_rates(void **state)
{
        struct case_of it;

        (void)state;
        begin(&it,
                &(struct record_maker){ .n = 101, .rate_per_s = 100, .each.server_ns = 10 * MS });
        assert_wall(&it, 1010 * MS);
        it.replay.rate_per_s = 1000;
        assert_wall(&it, 110 * MS);
        it.replay.rate_per_s = 0;
        it.replay.rate_per_host_per_s = 200;
        assert_wall(&it, 510 * MS);
        it.replay.rate_per_host_per_s = 0;
        assert_wall(&it, 20 * MS); /* 101 in 64 slots: two rounds */
        end(&it);
}

static void ask_one_host_first(struct record_maker_request *request, size_t i,
        const struct record_maker *maker)
{
        request->host = i * 2 >= maker->n;
}

/* A moment of all is not used up by a host whose own is still to come. */
static void test_both_rates(void **state)
{
        struct case_of it;

        (void)state;
        begin(&it, &(struct record_maker){ .n = 40,
                           .n_hosts = 2,
                           .vary = ask_one_host_first,
                           .each.server_ns = 10 * MS });
        it.replay.rate_per_s = 2;
        it.replay.rate_per_host_per_s = 1;
        assert_wall(&it, 19510 * MS);
        /* The others' moments do not bring a host's own ones together. */
        it.replay.rate_per_s = 100;
        assert_wall(&it, 19020 * MS);
        it.replay.rate_per_s = 1;
        it.replay.rate_per_host_per_s = 10;
        assert_wall(&it, 39010 * MS);
        end(&it);
}

static void test_workers(void **state)
{
        struct case_of it;

        (void)state;
        /*
         * What a worker takes for a response follows from when it was free for it: 2 workers, 10 ms
         * each.
         */
        begin(&it, &(struct record_maker){ .n = 40, .slots = 64, .each.server_ns = 5 * MS });
        for (size_t i = 0; i < 40; i++) {
                struct trace_attempt *attempt = &it.record.attempts[i];

                attempt->process_end_ns = attempt->stamps.end_ns + (i / 2 + 1) * 10 * MS;
                attempt->finished_ns = attempt->taken_ns = attempt->process_end_ns;
        }
        facts_deinit(&it.facts);
        assert_int_equal(facts_measure(&it.facts, &it.record), 0);
        assert_int_equal(it.facts.wall_ns, 205 * MS);
        replay_init(&it.replay, &it.facts);
        assert_wall(&it, 205 * MS);
        it.replay.workers = 8;
        assert_wall(&it, 55 * MS);
        end(&it);
}

static void test_the_server(void **state)
{
        struct case_of it;

        (void)state;
        begin(&it, &(struct record_maker){ .n = 400, .slots = 100, .each.server_ns = 10 * MS });
        it.replay.server_per_s = 1000;
        assert_wall(&it, 409 * MS); /* the first after 10 ms, then one every millisecond */
        end(&it);
}

static void test_the_link(void **state)
{
        struct case_of it;

        (void)state;
        begin(&it, &(struct record_maker){ .n = 100,
                           .slots = 10,
                           .each = { .server_ns = 10 * MS,
                                   .receive_ns = 10 * MS,
                                   .wire_bytes = 100000 } });
        assert_wall(&it, 200 * MS);
        it.replay.link_bytes_per_s =
                10e6; /* 10 ms each, one after the other: instead of what was measured */
        assert_wall(&it, 1010 * MS);
        end(&it);
}

static void test_the_loop(void **state)
{
        struct case_of it;

        (void)state;
        /*
         * 100 in flight of 10 ms, with 1 ms of work each: the loop's thread cannot do more than
         * 1,000 a second.
         */
        begin(&it, &(struct record_maker){
                           .n = 1000, .slots = 100, .each.server_ns = 10 * MS, .loop_ns = 1 * MS });
        assert_int_equal(it.facts.wall_ns,
                100 * MS); /* such a record cannot be: the work is not in it */
        assert_near(it.facts.replayed_ns, 1010 * MS);
        assert_wall(&it,
                100 * MS); /* unchanged it is what was measured, whatever the simulation says */
        it.replay.concurrency = 1000;
        assert_wall(&it, 100 * MS);
        end(&it);
}

/* --- what requests take ---------------------------------------------------------------------- */

static void without_handshake(struct replay_request *request, const struct facts *facts,
        void *argument)
{
        unsigned *n = argument;

        (void)facts;
        assert_int_equal(request->n_conns, 1);
        assert_int_equal(request->last->request, *n + 1);
        request->slot_ns[PART_TCP] = request->slot_ns[PART_TLS] = 0;
        (*n)++;
}

/* What a loop does for each of a few is mostly waking up; of large answers it is work. */
static void test_work_together(void **state)
{
        struct facts facts = { .n_attempts = 100,
                .wire_bytes = 100 * 1000,
                .loop_ns = {
                        [TRACE_WORK_IO] = 10 * NS_PER_MS, [TRACE_WORK_CALLER] = 5 * NS_PER_MS } };

        (void)state;
        assert_true(together_factor(&facts, 1) == 1);
        assert_true(together_factor(&facts, 2) < 0.6 && together_factor(&facts, 2) > 0.5);
        assert_true(together_factor(&facts, 1000) > (double)ENGINE_WORK_NS / (150. * NS_PER_US) &&
                    together_factor(&facts, 1000) < 0.1);
        facts.wire_bytes = UINT64_C(100) * 100000;
        assert_true(together_factor(&facts, 16) == 1);
        facts.wire_bytes = 0;
        facts.loop_ns[TRACE_WORK_IO] = 100 * NS_PER_US;
        facts.loop_ns[TRACE_WORK_CALLER] = 0;
        assert_true(together_factor(&facts, 16) == 1);
}

static void test_a_change(void **state)
{
        struct case_of it;
        unsigned n = 0;

        (void)state;
        begin(&it,
                &(struct record_maker){ .n = 100,
                        .slots = 10,
                        .no_reuse = true,
                        .each = { .tcp_ns = 10 * MS, .tls_ns = 20 * MS, .server_ns = 10 * MS } });
        assert_wall(&it, 400 * MS);
        it.replay.change = without_handshake;
        it.replay.argument = &n;
        assert_wall(&it, 100 * MS);
        assert_int_equal(n, 100);
        end(&it);
}

static void back_off(struct record_maker_request *request, size_t i,
        const struct record_maker *maker)
{
        (void)maker;
        request->n_retries = i == 0 ? 2 : 0;
        request->backoff_ns = 100 * MS;
}

static void without_backoff(struct replay_request *request, const struct facts *facts,
        void *argument)
{
        (void)facts;
        (void)argument;
        request->backoff_ns = 0;
}

static void test_back_off_holds_no_slot(void **state)
{
        struct case_of it;

        (void)state;
        begin(&it, &(struct record_maker){
                           .n = 20, .slots = 20, .each.server_ns = 10 * MS, .vary = back_off });
        assert_int_equal(it.facts.wall_ns, 230 * MS);
        assert_wall(&it, 230 * MS);
        /*
         * One at a time: while the first one waits the others go on, and it goes before them when
         * it has waited.
         */
        it.replay.concurrency = 1;
        assert_wall(&it, 230 * MS);
        it.replay.concurrency = 20;
        it.replay.change = without_backoff;
        assert_wall(&it, 30 * MS);
        end(&it);
}

/* --- when requests come ---------------------------------------------------------------------- */

static void test_input_comes_when_it_comes(void **state)
{
        struct case_of it;
        uint64_t gap_ns = 500 * MS;

        (void)state;
        begin(&it, &(struct record_maker){ .n = 40,
                           .each.server_ns = 20 * MS,
                           .vary = come_in_bursts,
                           .argument = &gap_ns });
        it.replay.concurrency = 1000;
        assert_wall(&it, 1520 * MS);
        it.replay.all_at_once = true;
        assert_wall(&it, 20 * MS);
        end(&it);
}

static void test_a_program_that_waits_goes_on_sooner(void **state)
{
        struct case_of it;
        uint64_t gap_ns = 20 * MS + 100000;

        (void)state;
        /*
         * Ten, and when these are there the next ten: a faster server brings all of them forward.
         */
        begin(&it, &(struct record_maker){ .n = 40,
                           .each.server_ns = 20 * MS,
                           .vary = come_in_bursts,
                           .argument = &gap_ns });
        it.replay.concurrency = 1000;
        assert_wall(&it, 80 * MS + 300000);
        it.replay.change = twice_as_fast;
        assert_wall(&it, 40 * MS + 300000);
        it.replay.all_at_once = true;
        assert_wall(&it, 10 * MS);
        end(&it);
}

static void test_a_full_client_held_up_its_input(void **state)
{
        struct case_of it;

        (void)state;
        /*
         * Four outstanding at most: that others came late was for want of room, which more slots
         * make.
         */
        begin(&it, &(struct record_maker){ .n = 100, .slots = 2, .each.server_ns = 10 * MS });
        it.record.run.options.queue_size = 4;
        for (size_t i = 4; i < 100; i++) {
                struct trace_attempt *attempt = &it.record.attempts[i];

                attempt->submitted_ns = it.record.attempts[i - 4].taken_ns;
                attempt->stamps.start_ns = attempt->submitted_ns;
        }
        facts_deinit(&it.facts);
        assert_int_equal(facts_measure(&it.facts, &it.record), 0);
        it.replay.concurrency = 100;
        assert_wall(&it, 10 * MS);
        end(&it);
}

/* --- much and nothing ------------------------------------------------------------------------ */

static void replay_or_not(void)
{
        struct record record;
        struct facts facts;
        struct replay replay;

        if (record_make(&record, &(struct record_maker){ .n = 10,
                                         .slots = 2,
                                         .each = { .server_ns = MS, .process_ns = MS } }) < 0)
                return;
        if (facts_measure(&facts, &record) == 0) {
                uint64_t ns;

                replay_init(&replay, &facts);
                ns = replay_wall_ns(&replay, &facts);
                if (ns == UINT64_MAX)
                        assert_true(mem_has_failed());
                else
                        assert_near(ns, facts.wall_ns);
        }
        facts_deinit(&facts);
        record_deinit(&record);
}

static void test_every_allocation_fails(void **state)
{
        (void)state;
        for_each_failing_allocation(replay_or_not);
}

int main(void)
{
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_slots),
                cmocka_unit_test(test_slots_of_a_host),
                cmocka_unit_test(test_one_turn_finds_all),
                cmocka_unit_test(test_rates),
                cmocka_unit_test(test_both_rates),
                cmocka_unit_test(test_workers),
                cmocka_unit_test(test_the_server),
                cmocka_unit_test(test_the_link),
                cmocka_unit_test(test_the_loop),
                cmocka_unit_test(test_work_together),
                cmocka_unit_test(test_a_change),
                cmocka_unit_test(test_back_off_holds_no_slot),
                cmocka_unit_test(test_input_comes_when_it_comes),
                cmocka_unit_test(test_a_program_that_waits_goes_on_sooner),
                cmocka_unit_test(test_a_full_client_held_up_its_input),
                cmocka_unit_test(test_every_allocation_fails),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
