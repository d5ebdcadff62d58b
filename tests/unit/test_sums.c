/* SPDX-License-Identifier: MIT */
/*
 * Chain and shares add up to the wall time, whatever is in a record
 */
#include "record_maker.h"
#include "facts_case.h"
#include "unit.h"

#include <base/rand.h>
#include <explain/facts_measure.h>

#define MS NS_PER_MS

/* --- sums ------------------------------------------------------------------------------------ */

static void vary_all(struct record_maker_request *request, size_t i,
        const struct record_maker *maker)
{
        struct rand *rand = maker->argument;

        (void)i;
        request->submit_after_ns = rand_up_to(rand, 3) ? rand_up_to(rand, 100 * MS) : 0;
        request->dns_ns = rand_up_to(rand, MS);
        request->tcp_ns = rand_up_to(rand, MS);
        request->tunnel_ns = rand_up_to(rand, 3) ? 0 : rand_up_to(rand, 4 * MS);
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
                &stamps->tunnel_end_ns,
                &stamps->tls_end_ns,
                &stamps->expect_start_ns,
                &stamps->expect_end_ns,
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
                cmocka_unit_test(test_sums_of_good_records),
                cmocka_unit_test(test_sums_of_broken_records),
                cmocka_unit_test(test_shares_are_fair),
                cmocka_unit_test(test_every_allocation_fails),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
