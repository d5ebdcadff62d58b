/* SPDX-License-Identifier: MIT */
/*
 * The chain of runs whose end is known to have waited for something
 */
#include "record_maker.h"
#include "facts_case.h"
#include "unit.h"

#include <explain/facts/intake.h>
#include <unistd.h>

#define MS NS_PER_MS

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

/* A thread that goes on after 30 ms is not seen to follow its results; its edges say that it does. */
static void test_chain_of_a_watched_thread(void **state)
{
        static struct program_process process = { .pid = 1 };
        struct case_of it;

        (void)state;
        begin(&it, &(struct record_maker){ .n = 20, .each.server_ns = 10 * MS });
        go_one_by_one(&it.record, 40 * MS);
        for (size_t i = 1; i < 20; i++)
                it.record.attempts[i].slot_from = i;
        look_again(&it);
        assert_true(it.facts.chain_ns[PART_SERVER] < 20 * MS);
        it.record.programs.processes = &process;
        it.record.programs.n_processes = 1;
        look_again(&it);
        assert_int_equal(it.facts.chain_ns[PART_SERVER], 200 * MS);
        assert_int_equal(it.facts.chain_ns[PART_INPUT], 19 * (30 * MS + 50 * NS_PER_US));
        it.record.programs = (struct programs){ 0 };
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

int main(void)
{
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_chain_of_a_program_that_waits),
                cmocka_unit_test(test_chain_of_a_watched_thread),
                cmocka_unit_test(test_chain_of_a_full_client),
                cmocka_unit_test(test_chain_of_a_rate),
                cmocka_unit_test(test_chain_of_busy_workers),
                cmocka_unit_test(test_chain_follows_the_slow_one),
                cmocka_unit_test(test_chain_of_those_without_a_slot),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
