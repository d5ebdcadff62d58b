/* SPDX-License-Identifier: MIT */
/*
 * Bounds of runs whose resources are known
 */
#include "record_maker.h"
#include "replay_case.h"
#include "unit.h"

#include <explain/model/bounds.h>
#include <string.h>

#define MS NS_PER_MS

/* --- bounds ---------------------------------------------------------------------------------- */

static const struct bound *bound_of(const struct bound *bounds, size_t n, const char *name)
{
        for (size_t i = 0; i < n; i++)
                if (strcmp(bounds[i].name, name) == 0)
                        return &bounds[i];
        return NULL;
}

static void test_bounds(void **state)
{
        struct case_of it;
        struct bound bounds[BOUNDS_MAX];
        size_t n;

        (void)state;
        begin(&it, &(struct record_maker){ .n = 200,
                           .slots = 4,
                           .each.server_ns = 50 * MS,
                           .loop_ns = 1 * MS,
                           .rate_per_s = 1000 });
        assert_int_equal(record_make_counter(&it.record, "machine.processors", 4, 4), 0);
        n = bounds_of(&it.facts, bounds);
        assert_true(n > 0);
        assert_string_equal(bounds[0].name, "slots");
        assert_int_equal(bounds[0].ns, 2500 * MS);
        assert_string_equal(bounds[0].formula, "200 requests x 50 ms / 4 at a time");
        for (size_t i = 1; i < n; i++)
                assert_true(bounds[i].ns <= bounds[i - 1].ns);
        assert_int_equal(bound_of(bounds, n, "loop")->ns, 200 * MS);
        assert_int_equal(bound_of(bounds, n, "processor")->ns, 50 * MS);
        assert_int_equal(bound_of(bounds, n, "rate")->ns, 199 * MS);
        assert_int_equal(bound_of(bounds, n, "longest")->ns, 50 * MS);
        assert_null(bound_of(bounds, n, "link"));
        assert_null(bound_of(bounds, n, "workers"));
        /* One that failed was waited for as well. */
        it.record.attempts[7].code = MUSTER_E_TIMEOUT;
        it.record.attempts[7].stamps.slot_ns -= 30 * MS;
        n = bounds_of(&it.facts, bounds);
        assert_int_equal(bound_of(bounds, n, "longest")->ns, 80 * MS);
        end(&it);
}

/* From a machine elsewhere: to this one there is no link. */
static void begin_away(struct case_of *it, const struct record_maker *maker)
{
        begin(it, maker);
        for (size_t i = 0; i < it->record.n_conns; i++)
                it->record.conns[i].remote = str_of("192.0.2.1:80");
}

static void test_bound_of_the_link(void **state)
{
        const struct record_maker pausing = {
                .n = 100,
                .slots = 1,
                .each = { .network_ns = MS, .receive_ns = 200 * MS, .wire_bytes = 1000 },
        };
        struct case_of it;
        struct bound bounds[BOUNDS_MAX];
        const struct bound *link;
        size_t n;

        (void)state;
        begin_away(&it, &(struct record_maker){ .n = 100,
                                .slots = 1,
                                .each = { .network_ns = MS,
                                        .receive_ns = 40 * MS,
                                        .wire_bytes = 100 * 1024 } });
        n = bounds_of(&it.facts, bounds);
        link = bound_of(bounds, n, "link");
        assert_non_null(link);
        assert_true(link->ns > 3800 * MS && link->ns <= 4100 * MS);
        end(&it);
        /* A server that makes a pause; one elsewhere, and one on this machine. */
        begin_away(&it, &pausing);
        assert_null(bound_of(bounds, bounds_of(&it.facts, bounds), "link"));
        end(&it);
        begin(&it, &pausing);
        assert_null(bound_of(bounds, bounds_of(&it.facts, bounds), "link"));
        end(&it);
        /* A gigabyte came evenly, and not when it was complete. */
        begin_away(&it, &(struct record_maker){ .n = 3,
                                .each = { .network_ns = MS,
                                        .receive_ns = 10 * NS_PER_S,
                                        .wire_bytes = 1000000000 } });
        n = bounds_of(&it.facts, bounds);
        link = bound_of(bounds, n, "link");
        assert_non_null(link);
        assert_near(link->ns, 10 * NS_PER_S);
        end(&it);
}

int main(void)
{
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_bounds),
                cmocka_unit_test(test_bound_of_the_link),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
