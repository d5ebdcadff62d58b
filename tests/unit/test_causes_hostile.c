/* SPDX-License-Identifier: MIT */
/*
 * Causes asked about records that no run makes, and without memory
 */
#include "causes.h"
#include "connecting.h"
#include "watched.h"

#include <explain/facts_measure.h>

#define MS NS_PER_MS

/* --- hostile records ------------------------------------------------------------------------- */

/* Rows that do not fit together: whatever is said of them, nothing breaks. */
static void test_nonsense(void **state)
{
        const struct cause *tables[] = { causes_conns, causes_connect, causes_herd, causes_names,
                causes_proxy, causes_workers, causes_addresses, causes_tls, causes_wire,
                causes_window, causes_bodies, causes_duplicates, causes_failed, cause_failures,
                causes_pieces, causes_unsteady };
        struct record record;
        struct finding finding;

        (void)state;
        make(&record, &closing);
        for (size_t i = 0; i < record.n_attempts; i++) {
                record.attempts[i].origin = i % 2 ? 999 : 0;
                record.attempts[i].conn = i % 3 ? i * 1000 : 0;
                record.attempts[i].wire_bytes = UINT64_MAX / 4;
                record.attempts[i].n_receives = 9;
        }
        for (size_t i = 0; i < record.n_conns; i++) {
                record.conns[i].origin = (uint32_t)(i * 77);
                record.conns[i].tls_end_ns = i % 2 ? 1 : UINT64_MAX;
                record.conns[i].is_tls = true;
                record.conns[i].min_rtt_us = UINT32_MAX;
                record.conns[i].n_addresses = UINT32_MAX;
                record.conns[i].n_out_of_order = 1;
        }
        for (uint64_t i = 0; i < 60; i++) {
                struct trace_try try = { .conn = 1 + i / 2,
                        .start_ns = i % 7 * NS_PER_S,
                        .end_ns = i % 5 * NS_PER_S,
                        .fate = (uint8_t)(i * 5 % TRACE_N_FATES),
                        .address = str_of(i % 3 ? "[" : "") };

                assert_int_equal(record_make_try(&record, &try), 0);
        }
        for (size_t t = 0; t < LENGTH(tables); t++)
                for (const struct cause *cause = tables[t]; cause->name; cause++)
                        (void)cause_is_found(&record, tables[t], cause->name, &finding);
        record_deinit(&record);
}

/* --- of programs that were watched ----------------------------------------------------------- */

static const struct cause *const of_programs[] = { causes_program_flow, causes_program_conns,
        causes_program_loop, causes_names };

/* Numbers of rows that are not there, and times that no clock gives. */
static void watch_nonsense(struct record *record)
{
        struct programs *programs = &record->programs;

        watch(record, ",, aiohttp", "asyncio");
        watched_client(record, UINT32_MAX);
        for (uint64_t i = 0; i < 60; i++) {
                struct program_call *call = &programs->calls[i];

                *call = (struct program_call){ .attempt = i % 5 ? i + 1 : UINT64_MAX,
                        .process = (uint32_t)(i % 3 * 1000),
                        .client = (uint32_t)(i % 4 * 77),
                        .site = i % 2 ? UINT32_MAX : 1,
                        .queued_ns = UINT64_MAX / 2,
                        .held_ns = UINT64_MAX / 2,
                        .is_timeout = i % 2,
                        .is_unread = true,
                        .is_split = true };
                watched_hold(record, i % 7 * NS_PER_S, UINT64_MAX / 4,
                        (enum program_hold_kind)(i % 4), i % 2 ? "" : "time.sleep",
                        (uint32_t)(i % 3 * 999));
                ADD_ROW(programs->bounds, programs->n_bounds,
                        (struct program_bound){ .process = 99,
                                .site = (uint32_t)(i % 3 * 999),
                                .kind = (uint8_t)(i % 6),
                                .value = i % 2 ? UINT64_MAX : i,
                                .n_waited = i,
                                .waited_ns = UINT64_MAX / 60 });
                ADD_ROW(programs->contexts, programs->n_contexts,
                        (struct program_chore){
                                .site = (uint32_t)i * 100, .took_ns = UINT64_MAX / 60 });
        }
}

static void test_nonsense_of_programs(void **state)
{
        struct record record;
        struct finding finding;
        struct ranking ranking;
        struct facts facts;

        (void)state;
        make(&record, &closing);
        watch_nonsense(&record);
        for (size_t t = 0; t < LENGTH(of_programs); t++)
                for (const struct cause *cause = of_programs[t]; cause->name; cause++)
                        (void)watched_is_found(&record, of_programs[t], cause->name, &finding);
        assert_int_equal(facts_measure(&facts, &record), 0);
        assert_int_equal(ranking_make(&ranking, &facts), 0);
        ranking_deinit(&ranking);
        facts_deinit(&facts);
        record_deinit(&record);
}

static struct record watched; /* made with memory */

static void run_watched_without_memory(void)
{
        static struct facts facts;
        struct finding finding = { 0 };

        if (facts_measure(&facts, &watched) < 0)
                return;
        for (size_t t = 0; t < LENGTH(of_programs); t++)
                for (const struct cause *cause = of_programs[t]; cause->name; cause++)
                        if (cause_is_about(cause, &facts))
                                (void)cause->rule(&facts, &finding);
        facts_deinit(&facts);
}

static void test_no_memory_for_programs(void **state)
{
        (void)state;
        make(&watched, &closing);
        watched_await(&watched);
        watch(&watched, "aiohttp 3.9", "asyncio");
        watched_client(&watched, 5);
        for_each_failing_allocation(run_watched_without_memory);
        record_deinit(&watched);
}

/* --- without memory -------------------------------------------------------------------------- */

static void run_without_memory(void)
{
        const struct cause *tables[] = { causes_conns, causes_connect, causes_herd, causes_names,
                causes_proxy, causes_workers, causes_addresses, causes_tls, causes_wire,
                causes_window, causes_bodies, causes_duplicates, causes_failed, cause_failures,
                causes_pieces, causes_unsteady };
        static struct record record;
        static struct facts facts;
        struct finding finding = { 0 };

        if (record_make(&record, &closing) < 0)
                return;
        if (facts_measure(&facts, &record) == 0) {
                for (size_t t = 0; t < LENGTH(tables); t++)
                        for (const struct cause *cause = tables[t]; cause->name; cause++)
                                if (cause_is_about(cause, &facts))
                                        (void)cause->rule(&facts, &finding);
                facts_deinit(&facts);
        }
        record_deinit(&record);
}

static void test_no_memory(void **state)
{
        (void)state;
        for_each_failing_allocation(run_without_memory);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_nonsense),
                cmocka_unit_test(test_no_memory),
                cmocka_unit_test(test_nonsense_of_programs),
                cmocka_unit_test(test_no_memory_for_programs),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
