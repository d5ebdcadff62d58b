/* SPDX-License-Identifier: MIT */
/*
 * An attempt cut into parts, and the turns of the loop that it is cut by
 */
#include "record_maker.h"
#include "facts_case.h"
#include "unit.h"

#include <base/rand.h>
#include <explain/facts_measure.h>
#include <explain/facts/life.h>
#include <explain/facts/turns.h>
#include <string.h>
#include <unistd.h>

#define MS NS_PER_MS

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
                                   .tunnel_ns = 10 * MS,
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
        assert_int_equal(life.end_ns, RECORD_MAKER_START_NS + 100 * MS);
        assert_int_equal(piece_of(&life, PART_DNS), 1 * MS);
        assert_int_equal(piece_of(&life, PART_TCP), 2 * MS);
        assert_int_equal(piece_of(&life, PART_TUNNEL), 10 * MS);
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

/*
 * A thread without a processor, or one that is stopped, does not work: that time is nobody's work.
 * Each row: a turn of 100, what the kernel told of it, and what it is divided into.
 */
static void test_a_turn_without_a_processor(void **state)
{
        static const struct {
                uint64_t cpu_ns, late_ns;
                int64_t run_delay_ns;
                uint64_t caller_ns, processor_ns, stopped_ns;
        } cases[] = {
                { 20, 0, 60, 40, 60, 0 },
                { 20, 0, -1, 100, 0, 0 },
                { 100, 0, 100, 50, 50, 0 }, /* both of a longer time */
                { 20, 50, 0, 100, 0, 50 },  /* it should have begun earlier */
                { 20, 50, 110, 20, 110, 20 },
                { 20, 50, -1, 150, 0, 0 },
        };

        (void)state;
        for (size_t i = 0; i < LENGTH(cases); i++) {
                struct trace_turn turn = { .start_ns = 100,
                        .end_ns = 200,
                        .work_ns = { [TRACE_WORK_CALLER] = 100 },
                        .thread_cpu_ns = cases[i].cpu_ns,
                        .run_delay_ns = cases[i].run_delay_ns,
                        .late_ns = cases[i].late_ns };
                struct record record = { .turns = &turn, .n_turns = 1 };
                struct all_turns *turns;
                uint64_t part_ns[PART_N] = { 0 };

                assert_int_equal(turns_new(&turns, &record), 0);
                turns_parts(turns, 1, 100 - cases[i].late_ns, 200, part_ns);
                assert_int_equal(sum_of(part_ns), 100 + cases[i].late_ns);
                assert_int_equal(part_ns[PART_LOOP_CALLER], cases[i].caller_ns);
                assert_int_equal(part_ns[PART_PROCESSOR], cases[i].processor_ns);
                assert_int_equal(part_ns[PART_STOPPED], cases[i].stopped_ns);
                turns_free(turns);
        }
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
        struct all_turns *turns;
        uint64_t part_ns[PART_N] = { 0 };

        (void)state;
        /* What no long turn covers is the loop's own work. */
        assert_int_equal(turns_new(&turns, &record), 0);
        turns_parts(turns, 1, 50, 450, part_ns);
        assert_int_equal(sum_of(part_ns), 400);
        assert_int_equal(part_ns[PART_LOOP_IO], 151); /* with what rounding leaves */
        assert_int_equal(part_ns[PART_LOOP_DECODE], 100);
        assert_int_equal(part_ns[PART_LOOP_PROCESS], 112);
        assert_int_equal(part_ns[PART_LOOP_CALLER], 37);
        /* Where the loop's work was counted around that time, as it was divided then. */
        memset(part_ns, 0, sizeof(part_ns));
        turns_parts(turns, 1, 1200, 1600, part_ns);
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
                struct all_turns *turns;

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
                assert_int_equal(turns_busy_ns(turns, 1, from_ns, to_ns),
                        busy_ns(&record, from_ns, to_ns));
                assert_true(turns_tls_ns(turns, 1, from_ns, to_ns) <=
                            turns_busy_ns(turns, 1, from_ns, to_ns));
                turns_parts(turns, 1, from_ns, to_ns, part_ns);
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

/* Loops run beside each other: what one does is nothing that another's requests wait for. */
static void test_each_loop_has_its_turns(void **state)
{
        struct trace_turn told[] = {
                { .start_ns = 100,
                        .end_ns = 300,
                        .work_ns = { [TRACE_WORK_TLS] = 200 },
                        .engine = 1 },
                { .start_ns = 150,
                        .end_ns = 400,
                        .work_ns = { [TRACE_WORK_IO] = 250 },
                        .engine = 2 },
        };
        struct record record = { .turns = told, .n_turns = 2 };
        struct all_turns *turns;
        uint64_t part_ns[PART_N] = { 0 };

        (void)state;
        assert_int_equal(turns_new(&turns, &record), 0);
        assert_int_equal(turns_busy_ns(turns, 1, 0, 1000), 200);
        assert_int_equal(turns_busy_ns(turns, 2, 0, 1000), 250);
        assert_int_equal(turns_tls_ns(turns, 1, 0, 1000), 200);
        assert_int_equal(turns_tls_ns(turns, 2, 0, 1000), 0);
        turns_parts(turns, 2, 100, 300, part_ns);
        assert_int_equal(part_ns[PART_LOOP_IO], 200);
        assert_int_equal(turns_busy_ns(turns, 9, 0, 1000), 200); /* one that told nothing */
        turns_free(turns);
}

int main(void)
{
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_a_life_in_pieces),
                cmocka_unit_test(test_a_turn_without_a_processor),
                cmocka_unit_test(test_processing_without_samples),
                cmocka_unit_test(test_a_lag_of_the_way),
                cmocka_unit_test(test_the_way_and_the_server),
                cmocka_unit_test(test_whose_lag_it_is),
                cmocka_unit_test(test_sums_of_turns),
                cmocka_unit_test(test_many_turns_in_many_lives),
                cmocka_unit_test(test_each_loop_has_its_turns),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
