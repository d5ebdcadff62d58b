/* SPDX-License-Identifier: MIT */
/*
 * Figures by name
 */
#include "record_maker.h"
#include "unit.h"

#include <explain/facts_measure.h>
#include <explain/figure.h>
#include <math.h>

#define MS NS_PER_MS

/* --- figures --------------------------------------------------------------------------------- */

static void scatter(struct record_maker_request *request, size_t i,
        const struct record_maker *maker)
{
        (void)maker;
        request->server_ns = (i + 1) * MS;
        request->code = i < 10 ? MUSTER_E_TIMEOUT : MUSTER_OK;
        request->n_retries = i == 999;
}

static void test_figures(void **state)
{
        static const struct {
                const char *name;
                double value;
        } cases[] = {
                { "wall", 2e9 },
                { "rate", 500 },
                { "error.rate", 0.01 },
                { "requests", 1000 },
                { "failed", 10 },
                { "retries", 1 },
                { "redirects", 0 },
                { "connects", 991 }, /* the ten that failed did not get one */
                { "concurrency.max", 1000 },
                { "latency.p50", 505e6 }, /* of the 990 without an error */
                { "latency.p99", 991e6 },
                { "latency.p99.8", 999e6 },
                { "latency.p100", 2e9 },
                { "latency.p0", 11e6 },
                { "latency.max", 2e9 },
                { "wait.max", 1e9 },
                { "wait.min", 1e6 },
                { "server.p10", 110e6 }, /* of those that were answered */
                { "queue.p95", 0 },
                { "backoff.mean", 0 },
                { "deliver.max", 0 },
        };
        static const char *const none[] = { "", "latency", "latency.", "latency.p", "latency.p101",
                "latency.px", "latency.p5x", "nothing.p50", "queue.p-1", ".p50", "latency.p50.",
                "rate.mean" };
        struct record record;
        struct facts facts;
        double value;

        (void)state;
        assert_int_equal(record_make(&record,
                                 &(struct record_maker){
                                         .n = 1000, .slots = 2000, .vary = scatter }),
                0);
        for (size_t i = 0; i < record.n_attempts; i++)
                if (record.attempts[i].code == 0)
                        record.attempts[i].stamps.tcp_end_ns = record.attempts[i].stamps.slot_ns;
        assert_int_equal(facts_measure(&facts, &record), 0);
        for (size_t i = 0; i < LENGTH(cases); i++) {
                assert_int_equal(figure_of(&facts, cases[i].name, &value), 0);
                if (value != cases[i].value)
                        fail_msg("%s is %g, not %g", cases[i].name, value, cases[i].value);
        }
        assert_int_equal(figure_of(&facts, "latency.mean", &value), 0);
        assert_true(value > 506.4e6 && value < 506.6e6);
        for (size_t i = 0; i < LENGTH(none); i++)
                if (figure_of(&facts, none[i], &value) != MUSTER_E_INVALID)
                        fail_msg("\"%s\" is no figure", none[i]);
        facts_deinit(&facts);
        record_deinit(&record);
}

static void fail_it(struct record_maker_request *request, size_t i,
        const struct record_maker *maker)
{
        (void)i;
        (void)maker;
        request->code = MUSTER_E_TIMEOUT;
}

/* What nothing has is no 0, which would hold any assertion. */
static void test_figures_of_nothing(void **state)
{
        static const char *const names[] = { "latency.p99", "latency.mean", "latency.min",
                "latency.max", "server.p50" };
        struct record record;
        struct facts facts;
        double value;

        (void)state;
        assert_int_equal(record_make(&record,
                                 &(struct record_maker){
                                         .n = 10, .each.server_ns = 100 * MS, .vary = fail_it }),
                0);
        assert_int_equal(facts_measure(&facts, &record), 0);
        for (size_t i = 0; i < LENGTH(names); i++) {
                assert_int_equal(figure_of(&facts, names[i], &value), 0);
                assert_true(isnan(value));
        }
        assert_int_equal(figure_of(&facts, "wait.p50", &value), 0);
        assert_true(value == 100e6);
        facts_deinit(&facts);
        record_deinit(&record);
}

int main(void)
{
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_figures),
                cmocka_unit_test(test_figures_of_nothing),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
