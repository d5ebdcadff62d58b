/* SPDX-License-Identifier: MIT */
/*
 * Facts of runs that are known
 */
#include "record_maker.h"
#include "facts_case.h"
#include "unit.h"

#include <explain/facts_measure.h>
#include <explain/facts/intake.h>

#define MS NS_PER_MS

/* --- facts ----------------------------------------------------------------------------------- */

static void test_facts_of_a_plain_run(void **state)
{
        struct case_of it;
        const struct facts *facts = &it.facts;

        (void)state;
        /* 8 requests of 50 ms, 4 at a time: two rounds. */
        begin(&it, &(struct record_maker){
                           .n = 8,
                           .slots = 4,
                           .each = { .server_ns = 49 * MS, .network_ns = 1 * MS },
                   });
        assert_int_equal(facts->wall_ns, 100 * MS);
        assert_int_equal(facts->n_requests, 8);
        assert_int_equal(facts->n_failed, 0);
        assert_int_equal(facts->n_attempts, 8);
        assert_int_equal(facts->n_on_new_conn, 4);
        assert_int_equal(facts->n_on_reused, 4);
        assert_int_equal(facts->n_codes[0], 8);
        assert_int_equal(facts->n_waits[TRACE_WAIT_SLOT], 4);
        assert_int_equal(facts->n_waits[TRACE_WAIT_NONE], 4);
        assert_int_equal(facts->slots, 4);
        assert_int_equal(facts->max_in_flight, 4);
        assert_true(facts->mean_in_flight > 3.999 && facts->mean_in_flight < 4.001);
        assert_int_equal(facts->full_ns, 50 * MS);
        assert_int_equal(facts->starved_ns, 0);
        assert_int_equal(facts->tail_ns, 0);
        assert_int_equal(facts->service.n, 8);
        assert_int_equal(facts->service.p50, 50 * MS);
        assert_int_equal(facts->server.max, 49 * MS);
        assert_int_equal(facts->network.min, 1 * MS);
        assert_int_equal(facts->phase[MUSTER_PHASE_QUEUE].max, 50 * MS);
        assert_int_equal(facts->latency.p99, 50 * MS);
        assert_int_equal(facts->n_hosts, 1);
        assert_int_equal(facts->hosts[0].n_attempts, 8);
        assert_int_equal(facts->chain_ns[PART_SERVER], 98 * MS);
        assert_int_equal(facts->chain_ns[PART_NETWORK], 2 * MS);
        assert_int_equal(facts->share_ns[PART_SERVER], 98 * MS);
        end(&it);
}

static void make_first_fail(struct record_maker_request *request, size_t i,
        const struct record_maker *maker)
{
        (void)maker;
        if (i == 0)
                request->code = MUSTER_E_TIMEOUT;
        if (i == 1)
                request->n_retries = 2;
}

static void test_facts_of_attempts(void **state)
{
        struct case_of it;
        const struct facts *facts = &it.facts;
        size_t to;

        (void)state;
        /*
         * Three at once, of 10 ms: one fails, one needs three tries with 20 ms between them, one is
         * worked on.
         */
        begin(&it, &(struct record_maker){
                           .n = 3,
                           .each = { .server_ns = 10 * MS,
                                   .backoff_ns = 20 * MS,
                                   .process_ns = 5 * MS,
                                   .deliver_ns = 1 * MS,
                                   .wire_bytes = 1000 },
                           .vary = make_first_fail,
                   });
        assert_int_equal(facts->n_requests, 3);
        assert_int_equal(facts->n_failed, 1);
        assert_int_equal(facts->n_codes[-MUSTER_E_TIMEOUT], 1);
        assert_int_equal(facts->n_attempts, 5);
        assert_int_equal(facts->n_outcomes[TRACE_RETRIED], 2);
        assert_int_equal(facts->wall_ns, 76 * MS);
        assert_int_equal(facts->latency.max, 30 * MS);
        assert_int_equal(facts->latency.n, 2); /* those that succeeded */
        assert_int_equal(facts->phase[MUSTER_PHASE_BACKOFF].max, 40 * MS);
        assert_int_equal(facts->phase[MUSTER_PHASE_BACKOFF].p50, 0);
        assert_int_equal(facts->phase[MUSTER_PHASE_PROCESS].min, 5 * MS);
        assert_int_equal(facts->phase[MUSTER_PHASE_DELIVER].sum, 3 * MS);
        assert_int_equal(facts->server.n, 4); /* those that were answered */
        assert_int_equal(facts->chain_ns[PART_SERVER], 30 * MS);
        assert_int_equal(facts->chain_ns[PART_BACKOFF], 40 * MS);
        assert_int_equal(facts->chain_ns[PART_PROCESS], 5 * MS);
        assert_int_equal(facts->chain_ns[PART_DELIVER], 1 * MS);
        /* The second request's attempts are together, though others came between. */
        assert_int_equal(it.record.attempts[facts->by_request[1]].request, 2);
        to = facts_request_end(facts, 1);
        assert_int_equal(to, 4);
        assert_int_equal(facts_backoff_ns(facts, 1, to), 40 * MS);
        end(&it);
}

static void make_second_host_slow(struct record_maker_request *request, size_t i,
        const struct record_maker *maker)
{
        (void)i;
        (void)maker;
        if (request->host == 1)
                request->server_ns *= 10;
}

static void test_facts_of_hosts(void **state)
{
        struct case_of it;
        const struct host_facts *hosts;

        (void)state;
        begin(&it, &(struct record_maker){ .n = 30,
                           .n_hosts = 3,
                           .each.server_ns = 10 * MS,
                           .vary = make_second_host_slow });
        hosts = it.facts.hosts;
        assert_int_equal(it.facts.n_hosts, 3);
        for (size_t i = 0; i < 3; i++) {
                bool is_slow = hosts[i].origin == 2;

                assert_int_equal(hosts[i].n_attempts, 10);
                assert_int_equal(hosts[i].server.p50, is_slow ? 100 * MS : 10 * MS);
                assert_true(hosts[i].mean_in_flight > (is_slow ? 9.9 : 0.99) &&
                            hosts[i].mean_in_flight < (is_slow ? 10.1 : 1.01));
        }
        /* An attempt whose origin nobody explained, and one without: they are nobody's. */
        it.record.attempts[0].origin = 99;
        it.record.attempts[1].origin = 0;
        look_again(&it);
        assert_int_equal(it.facts.hosts[0].n_attempts + it.facts.hosts[1].n_attempts +
                                 it.facts.hosts[2].n_attempts,
                28);
        end(&it);
}

static void come_late(struct record_maker_request *request, size_t i,
        const struct record_maker *maker)
{
        (void)maker;
        request->submit_after_ns = i / 4 * 100 * MS;
}

static void take_long_at_last(struct record_maker_request *request, size_t i,
        const struct record_maker *maker)
{
        if (i == maker->n - 1)
                request->server_ns *= 10;
}

static void test_facts_of_idleness(void **state)
{
        struct case_of it;

        (void)state;
        /* Four bursts of four, 100 ms apart, each over in 10 ms. */
        begin(&it, &(struct record_maker){
                           .n = 16, .slots = 8, .each.server_ns = 10 * MS, .vary = come_late });
        assert_int_equal(it.facts.wall_ns, 310 * MS);
        assert_int_equal(it.facts.starved_ns, 300 * MS);
        assert_int_equal(it.facts.full_ns, 0);
        assert_int_equal(it.facts.share_ns[PART_INPUT], 270 * MS);
        assert_int_equal(it.facts.share_ns[PART_SERVER], 40 * MS);
        assert_false(it.facts.intake->follows);
        assert_int_equal(it.facts.chain_ns[PART_INPUT], 300 * MS);
        assert_int_equal(it.facts.chain_ns[PART_SERVER], 10 * MS);
        end(&it);

        /* All at once, and the last one takes ten times as long. */
        begin(&it,
                &(struct record_maker){
                        .n = 8, .slots = 8, .each.server_ns = 10 * MS, .vary = take_long_at_last });
        assert_int_equal(it.facts.tail_ns, 90 * MS);
        assert_int_equal(it.facts.tail_from_ns, RECORD_MAKER_START_NS + 10 * MS);
        end(&it);
}

static void test_facts_of_the_loop(void **state)
{
        struct case_of it;

        (void)state;
        begin(&it, &(struct record_maker){
                           .n = 100, .slots = 4, .each.server_ns = 10 * MS, .loop_ns = 1 * MS });
        assert_int_equal(it.facts.loop_ns[TRACE_WORK_IO], 100 * MS);
        assert_int_equal(it.facts.loop_busy_ns, 100 * MS);
        assert_int_equal(it.facts.thread_cpu_ns, 100 * MS);
        assert_int_equal(record_make_turn(&it.record,
                                 &(struct trace_turn){ .start_ns = 5 * MS, .end_ns = 12 * MS }),
                0);
        look_again(&it);
        assert_int_equal(it.facts.longest_turn_ns, 7 * MS);
        end(&it);
}

/* A program that was watched computes from its start to its first request. */
static void test_facts_of_a_loop_that_was_busy_before(void **state)
{
        struct trace_sample *samples;
        struct case_of it;
        uint64_t most_ns;
        size_t n;

        (void)state;
        begin(&it, &(struct record_maker){ .n = 100,
                           .slots = 4,
                           .each = { .submit_after_ns = 205 * MS, .server_ns = 10 * MS },
                           .loop_ns = 1 * MS });
        samples = it.record.samples;
        for (n = 0; samples[n].at_ns <= it.facts.start_ns; n++)
                samples[n] = samples[0]; /* none between its start and its first request */
        most_ns = 100 * MS + (samples[n].at_ns - it.facts.start_ns);
        for (size_t i = n; i < it.record.n_samples; i++) {
                samples[i].work_ns[TRACE_WORK_CALLER] += 200 * MS;
                samples[i].thread_cpu_ns += 200 * MS;
        }
        look_again(&it);
        assert_in_range(it.facts.loop_busy_ns, 100 * MS, most_ns);
        assert_in_range(it.facts.thread_cpu_ns, 100 * MS, most_ns);
        end(&it);
}

static void test_nothing_to_explain(void **state)
{
        struct record record = { 0 };
        struct facts facts;

        (void)state;
        assert_int_equal(facts_measure(&facts, &record), MUSTER_E_INPUT);
        assert_int_equal(record_make(&record, &(struct record_maker){ .n = 3 }), 0);
        for (size_t i = 0; i < 3; i++)
                record.attempts[i].is_last = false;
        assert_int_equal(facts_measure(&facts, &record), MUSTER_E_INPUT);
        facts_deinit(&facts);
        /* Requests that took no time at all are a run of 1 ns: nobody has to fear a division. */
        record.attempts[2].is_last = true;
        assert_int_equal(facts_measure(&facts, &record), 0);
        assert_int_equal(facts.wall_ns, 1);
        assert_sums(&facts);
        facts_deinit(&facts);
        record_deinit(&record);
}

/* A program that is watched has no input of ours, and nobody takes results from it. */
static void test_parts_in_words(void **state)
{
        (void)state;
        assert_string_equal(part_meaning(PART_INPUT, false), "waiting for the input");
        assert_string_equal(part_meaning(PART_INPUT, true), "the program between its requests");
        assert_string_not_equal(part_meaning(PART_DELIVER, false),
                part_meaning(PART_DELIVER, true));
        for (int i = 0; i < PART_N; i++)
                assert_true(*part_meaning((enum part)i, true) && *part_name((enum part)i));
}

int main(void)
{
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_facts_of_a_plain_run),
                cmocka_unit_test(test_facts_of_attempts),
                cmocka_unit_test(test_facts_of_hosts),
                cmocka_unit_test(test_facts_of_idleness),
                cmocka_unit_test(test_facts_of_the_loop),
                cmocka_unit_test(test_facts_of_a_loop_that_was_busy_before),
                cmocka_unit_test(test_nothing_to_explain),
                cmocka_unit_test(test_parts_in_words),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
