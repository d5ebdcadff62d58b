/* SPDX-License-Identifier: MIT */
/*
 * Explain: facts against what can be added up by hand, and the two accounts of the wall time, to
 * the nanosecond, on whatever is in a record
 */
#include "record_maker.h"
#include "unit.h"

#include <base/mem.h>
#include <base/rand.h>
#include <explain/facts_measure.h>
#include <explain/facts/chain.h>
#include <explain/facts/intake.h>
#include <explain/facts/life.h>
#include <explain/facts/share.h>
#include <explain/facts/sort.h>
#include <explain/facts/turns.h>
#include <string.h>
#include <unistd.h>

#define MS NS_PER_MS

struct case_of {
        struct record record;
        struct facts facts;
};

static uint64_t sum_of(const uint64_t part_ns[PART_N])
{
        uint64_t sum = 0;

        for (size_t i = 0; i < PART_N; i++)
                sum += part_ns[i];
        return sum;
}

static void assert_sums(const struct facts *facts)
{
        assert_int_equal(sum_of(facts->chain_ns), facts->wall_ns);
        assert_int_equal(sum_of(facts->share_ns), facts->wall_ns);
}

static void end(struct case_of *it)
{
        facts_deinit(&it->facts);
        record_deinit(&it->record);
}

static void begin(struct case_of *it, const struct record_maker *maker)
{
        assert_int_equal(record_make(&it->record, maker), 0);
        assert_int_equal(facts_measure(&it->facts, &it->record), 0);
        assert_sums(&it->facts);
}

/* After the record was changed by hand. */
static void look_again(struct case_of *it)
{
        facts_deinit(&it->facts);
        assert_int_equal(facts_measure(&it->facts, &it->record), 0);
        assert_sums(&it->facts);
}

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

/* --- one attempt ----------------------------------------------------------------------------- */

static uint64_t piece_of(const struct life *life, enum part part)
{
        uint64_t at_ns = life->start_ns, sum = 0;

        for (size_t i = 0; i < life->n; i++) {
                if (life->pieces[i].part == part)
                        sum += life->pieces[i].end_ns - at_ns;
                at_ns = life->pieces[i].end_ns;
        }
        return sum;
}

static void test_a_life_in_pieces(void **state)
{
        struct case_of it;
        struct life life;

        (void)state;
        begin(&it, &(struct record_maker){ .n = 1,
                           .each = { .dns_ns = 1 * MS,
                                   .tcp_ns = 2 * MS,
                                   .tls_ns = 8 * MS,
                                   .send_ns = 3 * MS,
                                   .network_ns = 4 * MS,
                                   .server_ns = 50 * MS,
                                   .lag_ns = 6 * MS,
                                   .receive_ns = 7 * MS,
                                   .decode_ns = 9 * MS } });
        it.record.conns[0].tls_work_ns = 5 * MS;
        life_of(&life, &it.facts, &it.record.attempts[0]);
        assert_int_equal(life.start_ns, RECORD_MAKER_START_NS);
        assert_int_equal(life.end_ns, RECORD_MAKER_START_NS + 90 * MS);
        assert_int_equal(piece_of(&life, PART_DNS), 1 * MS);
        assert_int_equal(piece_of(&life, PART_TCP), 2 * MS);
        assert_int_equal(piece_of(&life, PART_LOOP_TLS), 5 * MS);
        assert_int_equal(piece_of(&life, PART_TLS), 3 * MS);
        assert_int_equal(piece_of(&life, PART_SEND), 3 * MS);
        assert_int_equal(piece_of(&life, PART_NETWORK), 4 * MS);
        assert_int_equal(piece_of(&life, PART_SERVER), 50 * MS);
        assert_int_equal(piece_of(&life, PART_LOOP_IO), 6 * MS);
        assert_int_equal(piece_of(&life, PART_RECEIVE), 7 * MS);
        assert_int_equal(piece_of(&life, PART_LOOP_DECODE), 9 * MS);
        end(&it);
}

/* Without samples nothing is known of the loop's part, and nothing is read of them. */
static void test_processing_without_samples(void **state)
{
        const struct record record = { 0 };

        (void)state;
        assert_int_equal(life_process_part(&record), PART_PROCESS);
}

static void test_a_lag_of_the_way(void **state)
{
        struct case_of it;
        struct life life;

        (void)state;
        begin(&it, &(struct record_maker){
                           .n = 1, .each = { .server_ns = 10 * MS, .lag_ns = 30 * MS } });
        /* The loop slept; that is its own affair unless something had been lost. */
        life_of(&life, &it.facts, &it.record.attempts[0]);
        assert_int_equal(piece_of(&life, PART_LOOP_IO), 30 * MS);
        it.record.conns[0].n_out_of_order = 1;
        life_of(&life, &it.facts, &it.record.attempts[0]);
        assert_int_equal(piece_of(&life, PART_NETWORK), 29 * MS);
        assert_int_equal(piece_of(&life, PART_LOOP_IO), 1 * MS);
        /* And when it was busy for 20 ms of it. */
        assert_int_equal(record_make_turn(&it.record,
                                 &(struct trace_turn){ .start_ns = RECORD_MAKER_START_NS + 20 * MS,
                                         .end_ns = RECORD_MAKER_START_NS + 40 * MS,
                                         .work_ns = { [TRACE_WORK_DECODE] = 20 * MS } }),
                0);
        look_again(&it);
        life_of(&life, &it.facts, &it.record.attempts[0]);
        assert_int_equal(piece_of(&life, PART_NETWORK), 9 * MS);
        assert_int_equal(piece_of(&life, PART_LOOP_IO), 1 * MS);
        assert_int_equal(piece_of(&life, PART_LOOP_DECODE), 20 * MS);
        end(&it);
}

static void test_the_way_and_the_server(void **state)
{
        static const struct {
                uint64_t acked_after_ns;
                uint32_t min_rtt_us, n_retransmits;
                uint64_t network_ns;
        } cases[] = {
                { 0, 0, 0, 0 },           /* nothing is known of the way */
                { 0, 10000, 0, 10 * MS }, /* the least round trip */
                { 10 * MS, 10000, 0, 10 * MS },
                { 50 * MS, 10000, 0, 10 * MS },   /* acknowledged late: a habit of receivers */
                { 50 * MS, 10000, 1, 10 * MS },   /* nor was what was lost this */
                { 220 * MS, 10000, 1, 220 * MS }, /* sent again */
                { 220 * MS, 10000, 0, 10 * MS },
                { 0, 4000000, 0, 300 * MS }, /* not more than there was */
        };
        struct case_of it;
        struct trace_attempt *attempt;

        (void)state;
        begin(&it, &(struct record_maker){ .n = 1, .each.server_ns = 300 * MS });
        attempt = &it.record.attempts[0];
        for (size_t i = 0; i < LENGTH(cases); i++) {
                attempt->stamps.acked_ns = cases[i].acked_after_ns ? attempt->stamps.send_end_ns +
                                                                             cases[i].acked_after_ns
                                                                   : 0;
                it.record.conns[0].min_rtt_us = cases[i].min_rtt_us;
                it.record.conns[0].n_retransmits = cases[i].n_retransmits;
                assert_int_equal(attempt_network_ns(&it.record, attempt), cases[i].network_ns);
                assert_int_equal(attempt_server_ns(&it.record, attempt),
                        300 * MS - cases[i].network_ns);
        }
        end(&it);
}

static void test_whose_lag_it_is(void **state)
{
        struct trace_turn turns_told[] = {
                { .start_ns = 100, .end_ns = 200, .work_ns = { [TRACE_WORK_DECODE] = 100 } },
                { .start_ns = 300,
                        .end_ns = 500,
                        .work_ns = { [TRACE_WORK_PROCESS] = 150, [TRACE_WORK_CALLER] = 50 } },
        };
        struct trace_sample samples[] = {
                { .at_ns = 1000 },
                { .at_ns = 2000, .work_ns = { [TRACE_WORK_IO] = 30, [TRACE_WORK_TLS] = 10 } },
        };
        struct record record = {
                .turns = turns_told, .n_turns = 2, .samples = samples, .n_samples = 2
        };
        struct turns *turns;
        uint64_t part_ns[PART_N] = { 0 };

        (void)state;
        /* What no long turn covers is the loop's own work. */
        assert_int_equal(turns_new(&turns, &record), 0);
        turns_parts(turns, 50, 450, part_ns);
        assert_int_equal(sum_of(part_ns), 400);
        assert_int_equal(part_ns[PART_LOOP_IO], 151); /* with what rounding leaves */
        assert_int_equal(part_ns[PART_LOOP_DECODE], 100);
        assert_int_equal(part_ns[PART_LOOP_PROCESS], 112);
        assert_int_equal(part_ns[PART_LOOP_CALLER], 37);
        /* Where the loop's work was counted around that time, as it was divided then. */
        memset(part_ns, 0, sizeof(part_ns));
        turns_parts(turns, 1200, 1600, part_ns);
        assert_int_equal(part_ns[PART_LOOP_IO], 300);
        assert_int_equal(part_ns[PART_LOOP_TLS], 100);
        turns_free(turns);
}

#define N_TURNS 500

/* One turn after the other, without sums. */
static uint64_t busy_ns(const struct record *record, uint64_t from_ns, uint64_t to_ns)
{
        uint64_t sum_ns = 0, over_ns = 0;

        for (size_t i = 0; i < record->n_turns; i++) {
                const struct trace_turn *turn = &record->turns[i];
                uint64_t start_ns = turn->start_ns > over_ns ? turn->start_ns : over_ns;
                uint64_t end_ns = turn->end_ns;

                over_ns = end_ns > over_ns ? end_ns : over_ns;
                start_ns = start_ns > from_ns ? start_ns : from_ns;
                end_ns = end_ns < to_ns ? end_ns : to_ns;
                sum_ns += end_ns > start_ns ? end_ns - start_ns : 0;
        }
        return sum_ns;
}

/*
 * Wherever the two moments are; every other time turns overlap and are out of order, as in no run.
 */
static void test_sums_of_turns(void **state)
{
        static struct trace_turn told[N_TURNS];
        struct record record = { .turns = told };
        struct rand rand;

        (void)state;
        rand_init(&rand, 5);
        for (int round = 0; round < 300; round++) {
                uint64_t at_ns = 1, from_ns, to_ns, part_ns[PART_N] = { 0 };
                struct turns *turns;

                record.n_turns = (size_t)rand_up_to(&rand, round % 3 ? 70 : N_TURNS);
                for (size_t i = 0; i < record.n_turns; i++) {
                        told[i].start_ns =
                                round % 2 ? rand_up_to(&rand, 5000) : at_ns + rand_up_to(&rand, 9);
                        told[i].end_ns = told[i].start_ns + rand_up_to(&rand, 20);
                        told[i].work_ns[rand_up_to(&rand, TRACE_N_WORKS - 1)] =
                                rand_up_to(&rand, 30);
                        at_ns = told[i].end_ns;
                }
                assert_int_equal(turns_new(&turns, &record), 0);
                from_ns = rand_up_to(&rand, 5000);
                to_ns = from_ns + rand_up_to(&rand, 5000);
                assert_int_equal(turns_busy_ns(turns, from_ns, to_ns),
                        busy_ns(&record, from_ns, to_ns));
                assert_true(turns_tls_ns(turns, from_ns, to_ns) <=
                            turns_busy_ns(turns, from_ns, to_ns));
                turns_parts(turns, from_ns, to_ns, part_ns);
                assert_int_equal(sum_of(part_ns), to_ns - from_ns);
                turns_free(turns);
        }
}

static void last_for_ever(struct record_maker_request *request, size_t i,
        const struct record_maker *maker)
{
        (void)i;
        (void)maker;
        request->tls_ns = request->lag_ns = 50 * NS_PER_S;
}

/*
 * A storm: each of very many handshakes spans very many turns. Each of them looked at for each
 * attempt would be hours.
 */
static void test_many_turns_in_many_lives(void **state)
{
        struct record_maker maker = {
                .n = 50000, .slots = 50000, .no_reuse = true, .vary = last_for_ever
        };
        struct case_of it;

        (void)state;
        assert_int_equal(record_make(&it.record, &maker), 0);
        it.record.turns = mem_array(50000, sizeof(*it.record.turns));
        for (; it.record.n_turns < 50000; it.record.n_turns++)
                it.record.turns[it.record.n_turns] = (struct trace_turn){
                        .start_ns = RECORD_MAKER_START_NS + it.record.n_turns * 2 * MS,
                        .end_ns = RECORD_MAKER_START_NS + it.record.n_turns * 2 * MS + MS,
                        .work_ns = { [TRACE_WORK_TLS] = MS }
                };
        alarm(60);
        assert_int_equal(facts_measure(&it.facts, &it.record), 0);
        alarm(0);
        assert_sums(&it.facts);
        assert_true(it.facts.share_ns[PART_LOOP_TLS] > 25 * NS_PER_S);
        end(&it);
}

/* --- the chain ------------------------------------------------------------------------------- */

/* All of it from when it had its slot, so much later. */
static void delay_slot(struct trace_attempt *attempt, uint64_t ns)
{
        struct attempt *stamps = &attempt->stamps;
        uint64_t *moments[] = { &stamps->slot_ns, &stamps->send_start_ns, &stamps->send_end_ns,
                &stamps->first_byte_kernel_ns, &stamps->first_byte_read_ns,
                &stamps->last_byte_kernel_ns, &stamps->last_byte_read_ns, &stamps->end_ns,
                &attempt->process_end_ns, &attempt->finished_ns, &attempt->taken_ns };

        for (size_t i = 0; i < LENGTH(moments); i++)
                *moments[i] += *moments[i] ? ns : 0;
}

/* Each is taken, and 50 us later the next one is there. */
static void go_one_by_one(struct record *record, uint64_t each_ns)
{
        uint64_t ns = 0;

        for (size_t i = 0; i < record->n_attempts; i++) {
                record->attempts[i].submitted_ns += ns;
                record->attempts[i].stamps.start_ns += ns;
                delay_slot(&record->attempts[i], ns);
                ns += each_ns + 50 * NS_PER_US;
        }
}

static void test_chain_of_a_program_that_waits(void **state)
{
        struct case_of it;

        (void)state;
        begin(&it, &(struct record_maker){ .n = 20, .each.server_ns = 10 * MS });
        go_one_by_one(&it.record, 10 * MS);
        look_again(&it);
        assert_true(it.facts.intake->follows);
        assert_int_equal(it.facts.chain_ns[PART_SERVER], 200 * MS);
        assert_int_equal(it.facts.chain_ns[PART_INPUT], 19 * 50 * NS_PER_US);
        assert_int_equal(it.facts.share_ns[PART_SERVER], 200 * MS);
        end(&it);
}

static void test_chain_of_a_full_client(void **state)
{
        struct case_of it;

        (void)state;
        /*
         * The same, but the client has room for one only: then it is the room that is waited for.
         */
        begin(&it, &(struct record_maker){ .n = 20, .each.server_ns = 10 * MS });
        go_one_by_one(&it.record, 10 * MS);
        it.record.run.options.queue_size = 1;
        look_again(&it);
        assert_false(it.facts.intake->follows);
        assert_int_equal(intake_why(&it.facts, &it.record.attempts[0]), INTAKE_INPUT);
        for (size_t i = 1; i < 20; i++)
                assert_int_equal(intake_why(&it.facts, &it.record.attempts[i]), INTAKE_ROOM);
        assert_int_equal(it.facts.chain_ns[PART_SERVER], 200 * MS);
        end(&it);

        begin(&it, &(struct record_maker){ .n = 20, .slots = 2, .each.server_ns = 10 * MS });
        it.record.run.options.queue_size = 4;
        for (size_t i = 4; i < 20; i++) {
                it.record.attempts[i].submitted_ns = it.record.attempts[i - 4].taken_ns;
                it.record.attempts[i].stamps.start_ns = it.record.attempts[i - 4].taken_ns;
        }
        look_again(&it);
        assert_int_equal(intake_why(&it.facts, &it.record.attempts[3]), INTAKE_INPUT);
        for (size_t i = 4; i < 20; i++)
                assert_int_equal(intake_why(&it.facts, &it.record.attempts[i]), INTAKE_ROOM);
        assert_int_equal(it.facts.chain_ns[PART_SERVER], 100 * MS);
        end(&it);
}

static void test_chain_of_a_rate(void **state)
{
        struct case_of it;

        (void)state;
        begin(&it, &(struct record_maker){ .n = 11, .rate_per_s = 100, .each.server_ns = 5 * MS });
        assert_int_equal(it.facts.wall_ns, 105 * MS);
        assert_int_equal(it.facts.chain_ns[PART_RATE], 100 * MS);
        assert_int_equal(it.facts.chain_ns[PART_SERVER], 5 * MS);
        assert_int_equal(it.facts.share_ns[PART_RATE], 50 * MS);
        assert_int_equal(it.facts.share_ns[PART_SERVER], 55 * MS);
        end(&it);
}

static void test_chain_of_busy_workers(void **state)
{
        struct case_of it;

        (void)state;
        /*
         * One slot; it is free at once, but for 30 ms nothing new is begun as the workers have
         * enough.
         */
        begin(&it, &(struct record_maker){ .n = 2,
                           .slots = 1,
                           .each = { .server_ns = 10 * MS, .process_ns = 40 * MS } });
        it.record.attempts[1].wait = TRACE_WAIT_WORKERS;
        delay_slot(&it.record.attempts[1], 30 * MS);
        look_again(&it);
        assert_int_equal(it.facts.wall_ns, 90 * MS);
        assert_int_equal(it.facts.chain_ns[PART_PROCESS], 70 * MS);
        assert_int_equal(it.facts.chain_ns[PART_SERVER], 20 * MS);
        /* The same wait without a known giver. */
        it.record.attempts[1].slot_from = 0;
        look_again(&it);
        assert_int_equal(it.facts.chain_ns[PART_PROCESS], 80 * MS);
        end(&it);
}

static void test_chain_follows_the_slow_one(void **state)
{
        struct case_of it;

        (void)state;
        /*
         * Two slots; the first request takes 100 ms, the other nine 10 ms each: the end depended on
         * those, not on the first.
         */
        begin(&it, &(struct record_maker){ .n = 10,
                           .slots = 2,
                           .each.server_ns = 10 * MS,
                           .each.network_ns = 1 * MS });
        assert_int_equal(it.facts.chain_ns[PART_SERVER], 50 * MS);
        assert_int_equal(it.facts.chain_ns[PART_NETWORK], 5 * MS);
        /* Edges that nobody can have: to itself, to the future, to nowhere, to long before. */
        for (size_t i = 2; i < 10; i++)
                it.record.attempts[i].slot_from = (const uint64_t[]){ i + 1, 10, 4711, 1 }[i % 4];
        look_again(&it);
        assert_true(it.facts.chain_ns[PART_QUEUE] > 0);
        end(&it);
}

/*
 * Nobody in it had the slot that he is said to have given away: none of them is gone through once
 * more for each pause.
 */
static void test_chain_of_those_without_a_slot(void **state)
{
        struct case_of it;
        size_t half = 50000;

        (void)state;
        alarm(60); /* for ever is too long */
        begin(&it, &(struct record_maker){ .n = 1 });
        it.record.attempts =
                mem_realloc(it.record.attempts, 2 * half * sizeof(*it.record.attempts));
        for (size_t i = 0; i < 2 * half; i++) {
                struct trace_attempt *attempt = &it.record.attempts[i];
                uint64_t at_ns = i < half ? i + 1 : i * 1000;

                *attempt = (struct trace_attempt){ .number = i + 1,
                        .request = i + 1,
                        .slot_from = i < half ? i : half,
                        .n = 1,
                        .wait = TRACE_WAIT_SLOT,
                        .is_last = true,
                        .submitted_ns = 1,
                        .stamps.start_ns = half + 1,
                        .stamps.slot_ns = at_ns,
                        .stamps.end_ns = at_ns + 10,
                        .taken_ns = at_ns + 10 };
                if (i >= half)
                        continue;
                attempt->stamps.start_ns = at_ns;
                attempt->stamps.slot_ns = 0;
                attempt->stamps.end_ns = attempt->taken_ns = 3 * half * 1000;
        }
        it.record.n_attempts = 2 * half;
        look_again(&it);
        end(&it);
        alarm(0);
}

/* --- sums ------------------------------------------------------------------------------------ */

static void vary_all(struct record_maker_request *request, size_t i,
        const struct record_maker *maker)
{
        struct rand *rand = maker->argument;

        (void)i;
        request->submit_after_ns = rand_up_to(rand, 3) ? rand_up_to(rand, 100 * MS) : 0;
        request->dns_ns = rand_up_to(rand, MS);
        request->tcp_ns = rand_up_to(rand, MS);
        request->tls_ns = rand_up_to(rand, 3) ? 0 : rand_up_to(rand, 9 * MS);
        request->send_ns = rand_up_to(rand, 1000);
        request->network_ns = rand_up_to(rand, MS);
        request->server_ns = rand_up_to(rand, 50 * MS);
        request->lag_ns = rand_up_to(rand, 2 * MS);
        request->receive_ns = rand_up_to(rand, 5 * MS);
        request->decode_ns = rand_up_to(rand, 3) ? 0 : rand_up_to(rand, MS);
        request->process_ns = rand_up_to(rand, 3) ? 0 : rand_up_to(rand, 10 * MS);
        request->deliver_ns = rand_up_to(rand, MS);
        request->n_retries = rand_up_to(rand, 9) ? 0 : (unsigned)rand_up_to(rand, 3);
        request->backoff_ns = rand_up_to(rand, 30 * MS);
        request->code = rand_up_to(rand, 9) ? MUSTER_OK : MUSTER_E_TIMEOUT;
}

static void make_random(struct record *record, struct rand *rand)
{
        struct record_maker maker = {
                .n = 1 + rand_up_to(rand, 80),
                .slots = 1 + rand_up_to(rand, 9),
                .per_host = rand_up_to(rand, 2) ? 0 : 1 + rand_up_to(rand, 3),
                .n_hosts = 1 + (uint32_t)rand_up_to(rand, 3),
                .rate_per_s = rand_up_to(rand, 2) ? 0 : 500,
                .loop_ns = rand_up_to(rand, 100000),
                .no_reuse = rand_up_to(rand, 1),
                .vary = vary_all,
                .argument = rand,
        };

        assert_int_equal(record_make(record, &maker), 0);
}

static void add_turns(struct record *record, struct rand *rand)
{
        uint64_t at_ns = RECORD_MAKER_START_NS;

        for (int i = 0; i < 10; i++) {
                struct trace_turn turn = { .start_ns = at_ns + rand_up_to(rand, 20 * MS) };

                for (size_t k = 0; k < TRACE_N_WORKS; k++)
                        turn.work_ns[k] = rand_up_to(rand, 3 * MS);
                turn.end_ns = turn.start_ns + turn.work_ns[0] + turn.work_ns[1] + turn.work_ns[2] +
                              turn.work_ns[3] + turn.work_ns[4];
                at_ns = turn.end_ns;
                assert_int_equal(record_make_turn(record, &turn), 0);
        }
}

static void test_sums_of_good_records(void **state)
{
        struct rand rand;

        (void)state;
        rand_init(&rand, 17);
        for (int i = 0; i < 200; i++) {
                struct case_of it;

                make_random(&it.record, &rand);
                add_turns(&it.record, &rand);
                assert_int_equal(facts_measure(&it.facts, &it.record), 0);
                assert_sums(&it.facts);
                end(&it);
        }
}

/* A moment as a broken disk or a malicious hand may have it. */
static void spoil(uint64_t *moment, struct rand *rand)
{
        switch (rand_up_to(rand, 40)) {
        case 0:
                *moment = 0;
                return;
        case 1:
                *moment = rand_up_to(rand, 200 * MS);
                return;
        case 2:
                *moment += rand_up_to(rand, 50 * MS);
                return;
        case 3:
                *moment = rand_up_to(rand, 30) ? *moment : rand_next(rand) >> 1;
                return;
        }
}

static void spoil_attempt(struct trace_attempt *attempt, struct rand *rand)
{
        struct attempt *stamps = &attempt->stamps;
        uint64_t *moments[] = {
                &attempt->process_end_ns,
                &attempt->worker_decode_ns,
                &attempt->finished_ns,
                &attempt->taken_ns,
                &attempt->submitted_ns,
                &attempt->planned_ns,
                &stamps->start_ns,
                &stamps->slot_ns,
                &stamps->dns_end_ns,
                &stamps->tcp_end_ns,
                &stamps->tls_end_ns,
                &stamps->send_start_ns,
                &stamps->send_end_ns,
                &stamps->acked_ns,
                &stamps->first_byte_kernel_ns,
                &stamps->first_byte_read_ns,
                &stamps->last_byte_kernel_ns,
                &stamps->last_byte_read_ns,
                &stamps->end_ns,
                &stamps->decode_ns,
        };

        for (size_t i = 0; i < LENGTH(moments); i++)
                spoil(moments[i], rand);
        if (!rand_up_to(rand, 5))
                attempt->slot_from = rand_up_to(rand, 90);
        if (!rand_up_to(rand, 10))
                attempt->request = rand_up_to(rand, 90);
        if (!rand_up_to(rand, 10))
                attempt->conn = rand_up_to(rand, 90);
        if (!rand_up_to(rand, 10))
                attempt->wait = (uint8_t)rand_next(rand);
        if (!rand_up_to(rand, 10))
                attempt->n = (uint16_t)rand_up_to(rand, 4);
        if (!rand_up_to(rand, 20))
                attempt->outcome = (uint8_t)rand_next(rand);
        if (!rand_up_to(rand, 20))
                attempt->status = (int16_t)rand_next(rand);
        if (!rand_up_to(rand, 20))
                attempt->code = (int8_t)rand_next(rand);
        if (!rand_up_to(rand, 20))
                attempt->origin = (uint32_t)rand_next(rand);
        if (!rand_up_to(rand, 20))
                stamps->stage = (enum muster_phase)rand_up_to(rand, 20);
        if (!rand_up_to(rand, 10))
                attempt->is_last = !attempt->is_last;
}

static void spoil_rest(struct record *record, struct rand *rand)
{
        for (size_t i = 0; i < record->n_turns; i++) {
                spoil(&record->turns[i].start_ns, rand);
                spoil(&record->turns[i].end_ns, rand);
        }
        for (size_t i = 0; i < record->n_samples; i++)
                for (size_t k = 0; k < TRACE_N_WORKS; k++)
                        spoil(&record->samples[i].work_ns[k], rand);
        if (rand_up_to(rand, 1))
                record->n_samples = rand_up_to(rand, record->n_samples);
        if (rand_up_to(rand, 1))
                record->n_conns = rand_up_to(rand, record->n_conns);
        record->run.options.concurrency = rand_up_to(rand, 5);
        record->run.options.workers = rand_up_to(rand, 3);
        record->run.options.queue_size = rand_up_to(rand, 20);
}

/* As a ring that let rows go, or a writer that could not keep up. */
static void drop_some(struct record *record, struct rand *rand)
{
        size_t n = 0;

        for (size_t i = 0; i < record->n_attempts; i++)
                if (rand_up_to(rand, 9))
                        record->attempts[n++] = record->attempts[i];
        record->n_attempts = n;
}

static void test_sums_of_broken_records(void **state)
{
        struct rand rand;
        int n_explained = 0;

        (void)state;
        rand_init(&rand, 4711);
        for (int i = 0; i < 2000; i++) {
                struct case_of it;
                int r;

                make_random(&it.record, &rand);
                add_turns(&it.record, &rand);
                for (size_t k = 0; k < it.record.n_attempts; k++)
                        spoil_attempt(&it.record.attempts[k], &rand);
                spoil_rest(&it.record, &rand);
                if (rand_up_to(&rand, 1))
                        drop_some(&it.record, &rand);
                r = facts_measure(&it.facts, &it.record);
                assert_true(r == 0 || r == MUSTER_E_INPUT);
                if (r == 0)
                        assert_sums(&it.facts);
                n_explained += r == 0;
                end(&it);
        }
        assert_true(n_explained > 1800);
}

static void test_shares_are_fair(void **state)
{
        struct case_of it;
        uint64_t *stamp;

        (void)state;
        /* Three overlap for 10 ns: the nanosecond that cannot be divided goes round. */
        begin(&it, &(struct record_maker){ .n = 3, .each.server_ns = 10 });
        stamp = &it.record.attempts[0].stamps.send_end_ns;
        *stamp += 10;
        it.record.attempts[0].stamps.first_byte_kernel_ns = 0;
        look_again(&it);
        assert_int_equal(it.facts.wall_ns, 10);
        assert_int_equal(it.facts.share_ns[PART_SEND], 3);
        assert_int_equal(it.facts.share_ns[PART_SERVER], 7);
        end(&it);
}

/* --- sorting --------------------------------------------------------------------------------- */

static void test_sorting(void **state)
{
        static uint64_t values[5000];
        struct rand rand;

        (void)state;
        rand_init(&rand, 3);
        for (unsigned shift = 0; shift < 64; shift += 7) {
                for (size_t n = 0; n < LENGTH(values); n = n * 3 + 1) {
                        uint64_t before = 0, after = 0;

                        for (size_t i = 0; i < n; i++)
                                before += values[i] = rand_next(&rand) >> shift;
                        sort_numbers(values, n);
                        for (size_t i = 0; i < n; i++) {
                                after += values[i];
                                assert_true(i == 0 || values[i - 1] <= values[i]);
                        }
                        assert_true(before == after);
                }
        }
}

static void test_spreads(void **state)
{
        uint64_t hundred[100], three[] = { 30, 10, 20 };
        struct spread spread;

        (void)state;
        for (size_t i = 0; i < 100; i++)
                hundred[i] = 100 - i;
        spread_of(&spread, hundred, 100);
        assert_int_equal(spread.n, 100);
        assert_int_equal(spread.sum, 5050);
        assert_int_equal(spread.min, 1);
        assert_int_equal(spread.p10, 10);
        assert_int_equal(spread.p50, 50);
        assert_int_equal(spread.p90, 90);
        assert_int_equal(quantile_of(hundred, 100, 0.95), 95);
        assert_int_equal(quantile_of(hundred, 100, 0.07), 7);
        assert_int_equal(quantile_of(hundred, 100, 0), 1);
        assert_int_equal(quantile_of(hundred, 100, 1.5), 100);
        assert_int_equal(quantile_of(hundred, 0, 0.5), 0);
        assert_int_equal(spread.p99, 99);
        assert_int_equal(spread.max, 100);
        spread_of(&spread, three, 3);
        assert_int_equal(spread.p10, 10);
        assert_int_equal(spread.p50, 20);
        assert_int_equal(spread.p90, 30);
        spread_of(&spread, three, 0);
        assert_int_equal(spread.n, 0);
        assert_int_equal(spread.max, 0);
}

/* --- memory ---------------------------------------------------------------------------------- */

static void explain_or_not(void)
{
        struct case_of it;
        int r = record_make(&it.record,
                &(struct record_maker){
                        .n = 10, .slots = 3, .each = { .server_ns = MS, .process_ns = MS } });

        if (r == 0) {
                r = facts_measure(&it.facts, &it.record);
                if (r == 0)
                        assert_sums(&it.facts);
                facts_deinit(&it.facts);
        }
        assert_true(r == 0 || (r == MUSTER_E_RESOURCE && mem_has_failed()));
        record_deinit(&it.record);
}

static void test_every_allocation_fails(void **state)
{
        (void)state;
        for_each_failing_allocation(explain_or_not);
}

int main(void)
{
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_facts_of_a_plain_run),
                cmocka_unit_test(test_facts_of_attempts),
                cmocka_unit_test(test_facts_of_hosts),
                cmocka_unit_test(test_facts_of_idleness),
                cmocka_unit_test(test_facts_of_the_loop),
                cmocka_unit_test(test_nothing_to_explain),
                cmocka_unit_test(test_a_life_in_pieces),
                cmocka_unit_test(test_processing_without_samples),
                cmocka_unit_test(test_a_lag_of_the_way),
                cmocka_unit_test(test_the_way_and_the_server),
                cmocka_unit_test(test_whose_lag_it_is),
                cmocka_unit_test(test_sums_of_turns),
                cmocka_unit_test(test_many_turns_in_many_lives),
                cmocka_unit_test(test_chain_of_a_program_that_waits),
                cmocka_unit_test(test_chain_of_a_full_client),
                cmocka_unit_test(test_chain_of_a_rate),
                cmocka_unit_test(test_chain_of_busy_workers),
                cmocka_unit_test(test_chain_follows_the_slow_one),
                cmocka_unit_test(test_chain_of_those_without_a_slot),
                cmocka_unit_test(test_sums_of_good_records),
                cmocka_unit_test(test_sums_of_broken_records),
                cmocka_unit_test(test_shares_are_fair),
                cmocka_unit_test(test_sorting),
                cmocka_unit_test(test_spreads),
                cmocka_unit_test(test_every_allocation_fails),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
