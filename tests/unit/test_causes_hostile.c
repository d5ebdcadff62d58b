/* SPDX-License-Identifier: MIT */
/*
 * Causes asked about records that no run makes, and without memory
 */
#include "causes.h"
#include "connecting.h"

#include <explain/facts_measure.h>

#define MS NS_PER_MS

/* --- hostile records ------------------------------------------------------------------------- */

/* Rows that do not fit together: whatever is said of them, nothing breaks. */
static void test_nonsense(void **state)
{
        const struct cause *tables[] = { causes_conns, causes_connect, causes_herd, causes_names,
                causes_tls, causes_wire, causes_window };
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
        for (size_t t = 0; t < LENGTH(tables); t++)
                for (const struct cause *cause = tables[t]; cause->name; cause++)
                        (void)cause_is_found(&record, tables[t], cause->name, &finding);
        record_deinit(&record);
}

static void run_without_memory(void)
{
        const struct cause *tables[] = { causes_conns, causes_connect, causes_herd, causes_names,
                causes_tls, causes_wire, causes_window };
        static struct record record;
        static struct facts facts;
        struct finding finding = { 0 };

        if (record_make(&record, &closing) < 0)
                return;
        if (facts_measure(&facts, &record) == 0) {
                for (size_t t = 0; t < LENGTH(tables); t++)
                        for (const struct cause *cause = tables[t]; cause->name; cause++)
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
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
