/* SPDX-License-Identifier: MIT */
/*
 * Load runs: the plan, lists that are repeated, the time line, the steps of a ramp, whose figures
 * they are, and bars
 */
#include "reading.h"

#include "input/repeat.h"
#include "load/chart.h"
#include "load/load.h"
#include "load/page.h"
#include <base/clock.h>
#include <math.h>
#include <stdlib.h>

#define MS NS_PER_MS
#define S  NS_PER_S

/* --- the plan -------------------------------------------------------------------------------- */

static const struct option ramp_option = { .name = "ramp" };

static int parse_ramp(const char *text, struct load_options *options)
{
        struct muster_error error = { 0 };

        *options = (struct load_options){ 0 };
        return load_set_ramp(options, &ramp_option, text, &error);
}

static void test_ramps(void **state)
{
        static const char *const bad[] = { "", "10/s", "10/s..500/s", "10..500:", "..500/s:60s",
                "10/s..:60s", "10/s..500/s:0", "10/s..500/s:-1s", "10/s-500/s:60s",
                "10/x..500/s:60s", "500/s..10/s:60s", "10/s..10/s:60s", "10/s..2000001/s:60s",
                "1/s..2/s:200h", "10/s:60s..500/s" };
        struct load_options options;

        (void)state;
        assert_int_equal(parse_ramp("10/s..500/s:60s", &options), 0);
        assert_true(options.ramp_from_per_s == 10 && options.ramp_to_per_s == 500);
        assert_int_equal(options.ramp_ms, 60000);
        assert_int_equal(parse_ramp("0..30/m:500ms", &options), 0);
        assert_true(options.ramp_from_per_s == 0 && options.ramp_to_per_s == 0.5);
        assert_int_equal(options.ramp_ms, 500);
        for (size_t i = 0; i < LENGTH(bad); i++)
                assert_int_equal(parse_ramp(bad[i], &options), MUSTER_E_INVALID);
}

static struct load_plan plan_of(struct load_options options, double rate_per_s)
{
        struct muster_client_options client = { .rate_per_s = rate_per_s };
        struct muster_error error = { 0 };

        assert_int_equal(load_options_finish(&options, &client, &error), 0);
        assert_true(client.rate_per_s == (options.ramp_ms ? options.ramp_to_per_s : rate_per_s));
        return options.plan;
}

static void test_plans(void **state)
{
        const struct load_options ramp = {
                .ramp_to_per_s = 500, .ramp_from_per_s = 10, .ramp_ms = 60000
        };
        struct load_options longer = ramp, shorter = ramp;
        struct muster_client_options client = { 0 };
        struct muster_error error = { 0 };
        struct load_plan plan;

        (void)state;
        plan = plan_of((struct load_options){ .duration_ms = 10000 }, 200);
        assert_int_equal(load_plan_most(&plan), 2000);
        plan = plan_of((struct load_options){ .duration_ms = 10000, .n_requests = 300 }, 200);
        assert_int_equal(load_plan_most(&plan), 300);
        plan = plan_of((struct load_options){ .duration_ms = 10000 }, 0);
        assert_int_equal(load_plan_most(&plan), 0);
        plan = plan_of((struct load_options){ .duration_ms = 10000 }, 0.01);
        assert_int_equal(load_plan_most(&plan), 1); /* the one at once */

        plan = plan_of(ramp, 0);
        assert_int_equal(plan.duration_ns, 60 * S);
        assert_int_equal(load_plan_most(&plan), 15300);
        assert_true(load_plan_rate(&plan, 30 * S) == 255 && load_plan_rate(&plan, 90 * S) == 500);
        longer.duration_ms = 70000;
        plan = plan_of(longer, 0);
        assert_int_equal(load_plan_most(&plan), 20300);

        shorter.duration_ms = 1000;
        assert_int_equal(load_options_finish(&shorter, &client, &error), MUSTER_E_INVALID);
        assert_non_null(strstr(error.text, "--duration"));
        client.rate_per_s = 5;
        error = (struct muster_error){ 0 };
        assert_int_equal(load_options_finish(&longer, &client, &error), MUSTER_E_INVALID);
        assert_non_null(strstr(error.text, "--rate"));
}

/* --- lists ----------------------------------------------------------------------------------- */

static void test_lists_are_repeated(void **state)
{
        static const char text[] =
                "{\"url\":\"http://a/\",\"id\":1}\n{no json\n"
                "{\"url\":\"http://b/\",\"id\":2,\"method\":\"POST\",\"body\":\"x\"}\n";
        struct reading r;

        (void)state;
        open_text(&r, text, sizeof(text) - 1);
        r.input.is_repeated = true;
        r.input.n_most = 8;
        for (int i = 0; i < 8; i++) {
                assert_int_equal(next(&r), 0);
                if (i == 1) { /* it fails where it is read, and only there */
                        assert_int_equal(r.item.error.code, MUSTER_E_INPUT);
                        continue;
                }
                bool is_second = i > 1 && i % 2 == 0;

                assert_int_equal(r.item.error.code, 0);
                assert_non_null(r.item.request);
                assert_int_equal(r.item.line, is_second ? 3 : 1);
                assert_true(str_is(buf_str(&r.item.id), is_second ? "2" : "1"));
                r.item.request = muster_request_free(r.item.request);
        }
        assert_int_equal(r.input.n_items, 8);
        assert_int_equal(next(&r), INPUT_END);
        close_text(&r);
}

/* A list in which there is no request ends. */
static void test_nothing_to_repeat(void **state)
{
        struct reading r;

        (void)state;
        open_text(&r, "{\"url\":1}\n", 10);
        r.input.is_repeated = true;
        assert_int_equal(next(&r), 0);
        assert_int_equal(r.item.error.code, MUSTER_E_INPUT);
        assert_int_equal(next(&r), INPUT_END);
        close_text(&r);

        open_text(&r, "# nothing\n", 10);
        r.input.is_repeated = true;
        assert_int_equal(next(&r), INPUT_END);
        close_text(&r);
}

static void test_list_that_is_too_long(void **state)
{
        struct repeat repeat = { .is_too_long = true };
        struct muster_error error = { 0 };
        struct input_item item = { 0 };
        struct buf scratch = { 0 };

        (void)state;
        assert_int_equal(repeat_next(&repeat, &scratch, &item, &error), MUSTER_E_INPUT);
        assert_non_null(strstr(error.text, "--requests"));
}

/* --- over time ------------------------------------------------------------------------------- */

static struct timed timed(uint64_t planned_ns, uint64_t late_ns, uint64_t service_ns)
{
        return (struct timed){ planned_ns, planned_ns + late_ns, planned_ns + late_ns + service_ns,
                false, false };
}

static void test_timeline_folds(void **state)
{
        struct timeline timeline;
        uint64_t n = 0;

        (void)state;
        assert_int_equal(timeline_init(&timeline, S, 0), 0);
        for (uint64_t at = 0; at < 3600 * S; at += 500 * MS) {
                struct timed one = timed(S + at, 0, at < 1800 * S ? MS : 9 * MS);

                timeline_add(&timeline, &one);
        }
        assert_int_equal(timeline.width_ns, 51200 * MS); /* 100 ms doubled nine times */
        assert_in_range(timeline.n, 70, TIMELINE_SPANS_MAX);
        for (unsigned i = 0; i < timeline.n; i++) {
                uint64_t from_ns = i * timeline.width_ns;

                n += timeline.spans[i].n;
                assert_int_equal(timeline.spans[i].latency.n, timeline.spans[i].n);
                if (from_ns + timeline.width_ns <= 1800 * S)
                        assert_int_equal(timeline.spans[i].latency.max, MS);
                if (from_ns >= 1800 * S)
                        assert_int_equal(timeline.spans[i].latency.min, 9 * MS);
        }
        assert_int_equal(n, 7200);
        timeline_deinit(&timeline);

        assert_int_equal(timeline_init(&timeline, S, 60 * S), 0);
        assert_int_equal(timeline.width_ns, S);
        timeline_deinit(&timeline);
}

static double needed_by(struct timed (*each)(uint64_t k))
{
        struct timeline timeline;
        double needed;

        assert_int_equal(timeline_init(&timeline, S, 10 * S), 0);
        for (uint64_t k = 0; k < 1000; k++) { /* 100 a second */
                struct timed one = each(k);

                timeline_add(&timeline, &one);
        }
        needed = timeline_slots_needed(&timeline);
        timeline_deinit(&timeline);
        return needed;
}

static struct timed slow_at_the_end(uint64_t k)
{
        return timed(S + k * 10 * MS, 0, k < 500 ? MS : 500 * MS);
}

/* Few have slots while the server stands still; the others wait for these. */
static struct timed pause_with_few_slots(uint64_t k)
{
        if (k < 500 || k >= 550)
                return timed(S + k * 10 * MS, 0, MS);
        return k % 10 < 4 ? timed(S + k * 10 * MS, 0, 500 * MS)
                          : timed(S + k * 10 * MS, 490 * MS, 10 * MS);
}

/* One slot for 50 a second: the backlog grows, and two would have been enough. */
static struct timed too_few_for_long(uint64_t k)
{
        return timed(S + k * 10 * MS, k * 10 * MS, 20 * MS);
}

static void test_littles_law(void **state)
{
        (void)state;
        assert_true(fabs(needed_by(slow_at_the_end) - 50) < 0.1);
        assert_true(fabs(needed_by(pause_with_few_slots) - 50) < 0.1);
        assert_true(fabs(needed_by(too_few_for_long) - 2) < 0.1);
}

/* --- steps ----------------------------------------------------------------------------------- */

/* A ramp from 0 to 100/s in 20 s; requests of a time since its beginning go as `how` says. */
static void make_steps(struct load_steps *steps, const struct load_plan *plan, uint64_t end_ns,
        bool (*how)(uint64_t at_ns, struct timed *timed))
{
        uint64_t n = (uint64_t)load_plan_count(plan, end_ns);

        assert_int_equal(steps_init(steps, plan), 0);
        for (uint64_t k = 0; k < n; k++) {
                uint64_t at_ns = (uint64_t)(sqrt((double)k / 2.5) * 1e9);
                struct timed one = timed(S + at_ns, 0, 2 * MS);

                if (how(at_ns, &one))
                        steps_add(steps, plan, at_ns, &one);
        }
        steps_finish(steps, plan, end_ns);
}

static const struct load_plan to_100 = {
        .per_s = 100, .ramp_ns = 20 * S, .duration_ns = 20 * S, .is_exact = true
};

static bool goes_well(uint64_t at_ns, struct timed *timed)
{
        (void)at_ns;
        (void)timed;
        return true;
}

/* From 60/s on the queue grows in the server. */
static bool is_overloaded(uint64_t at_ns, struct timed *timed)
{
        if (at_ns > 12 * S)
                timed->end_ns += (at_ns - 12 * S) / 10;
        return true;
}

/* The same, but it grows here. */
static bool has_no_slot(uint64_t at_ns, struct timed *timed)
{
        uint64_t late_ns = at_ns > 12 * S ? (at_ns - 12 * S) / 10 : 0;

        timed->start_ns += late_ns;
        timed->end_ns += late_ns;
        return true;
}

static bool pauses_once(uint64_t at_ns, struct timed *timed)
{
        if (at_ns > 12 * S && at_ns < 14 * S)
                timed->end_ns += S;
        return true;
}

static bool fails_late(uint64_t at_ns, struct timed *timed)
{
        timed->is_refused = at_ns > 15 * S && at_ns / MS % 10 == 0;
        return true;
}

static bool stops_starting(uint64_t at_ns, struct timed *timed)
{
        (void)timed;
        return at_ns < 17 * S;
}

static bool always_fails(uint64_t at_ns, struct timed *timed)
{
        (void)at_ns;
        timed->has_failed = true;
        return true;
}

static void check_kept_up_to(bool (*how)(uint64_t, struct timed *), double least, double most,
        enum step_fault fault, bool is_our_limit)
{
        struct load_steps steps;

        make_steps(&steps, &to_100, 20 * S, how);
        assert_true(steps.is_known && !steps.kept_up);
        assert_true(steps.kept_up_to >= least && steps.kept_up_to <= most);
        assert_int_equal(steps.list[steps.first_bad].fault, fault);
        assert_int_equal(steps.is_our_limit, is_our_limit);
        steps_deinit(&steps);
}

static void test_how_far_it_kept_up(void **state)
{
        struct load_steps steps;

        (void)state;
        check_kept_up_to(is_overloaded, 60, 65, STEP_SLOW, false);
        check_kept_up_to(has_no_slot, 60, 65, STEP_SLOW, true);
        check_kept_up_to(fails_late, 75, 80, STEP_ERRORS, false);
        check_kept_up_to(stops_starting, 85, 85, STEP_UNSTARTED, true);

        make_steps(&steps, &to_100, 20 * S, goes_well);
        assert_true(steps.is_known && steps.kept_up);
        assert_int_equal(steps.n, 20);
        steps_deinit(&steps);
        make_steps(&steps, &to_100, 20 * S, pauses_once); /* it recovered */
        assert_true(steps.is_known && steps.kept_up);
        steps_deinit(&steps);
        make_steps(&steps, &to_100, 20 * S, always_fails);
        assert_false(steps.is_known);
        steps_deinit(&steps);
        make_steps(&steps, &to_100, 9 * S,
                goes_well); /* interrupted: what was not planned is not missed */
        assert_true(steps.is_known && steps.kept_up);
        assert_int_equal(steps.n, 9);
        steps_deinit(&steps);
}

/* --- whose figures --------------------------------------------------------------------------- */

static void test_whose_figures(void **state)
{
        const struct machine fine = { .n_loops = 1,
                .wall_ns = 10 * S,
                .time = { 5 * S, 100 * MS },
                .longest_turn_ns = 5 * MS,
                .lag_ns = S,
                .request_ns = 100 * S,
                .n_started = 10000,
                .n_late_with_slots = 20 };
        struct machine machine = fine;

        (void)state;
        assert_int_equal(machine_limit(&fine), MACHINE_FINE);
        machine.time.used_ns = 9 * S;
        assert_int_equal(machine_limit(&machine), MACHINE_LIMIT_BUSY);
        machine.n_loops = 2;
        assert_int_equal(machine_limit(&machine), MACHINE_FINE);
        machine = fine;
        machine.time.delayed_ns = S;
        assert_int_equal(machine_limit(&machine), MACHINE_LIMIT_DELAYED);
        machine = fine;
        machine.lag_ns = 20 * S;
        assert_int_equal(machine_limit(&machine), MACHINE_LIMIT_LAG);
        machine = fine;
        machine.n_late_with_slots = 200;
        assert_int_equal(machine_limit(&machine), MACHINE_LIMIT_LATE);
        machine = fine;
        machine.longest_turn_ns = 30 * MS;
        assert_int_equal(machine_limit(&machine), MACHINE_LIMIT_AWAY);
        machine = (struct machine){ .n_loops = 1 }; /* nothing was done */
        assert_int_equal(machine_limit(&machine), MACHINE_FINE);
}

/* --- bars ------------------------------------------------------------------------------------ */

static void test_bars(void **state)
{
        char bar[CHART_BAR_BYTES];

        (void)state;
        chart_bar(5, 10, 10, false, bar);
        assert_string_equal(bar, "#####");
        chart_bar(0, 10, 10, false, bar);
        assert_string_equal(bar, "");
        chart_bar(0.0001, 10, 10, false, bar); /* it is seen */
        assert_string_equal(bar, "#");
        chart_bar(20, 10, 4, false, bar);
        assert_string_equal(bar, "####");
        chart_bar(1, 0, 4, false, bar);
        assert_string_equal(bar, "");
        chart_bar(25, 100, 10, true, bar);
        assert_string_equal(bar, "██▌");
        chart_bar(1e9, 1e9, 100, true, bar);
        assert_int_equal(strlen(bar), 300);
}

static void set_locale(const char *all, const char *ctype, const char *lang)
{
        setenv("LC_ALL", all, 1);
        setenv("LC_CTYPE", ctype, 1);
        setenv("LANG", lang, 1);
}

static void test_blocks_where_the_locale_has_them(void **state)
{
        (void)state;
        set_locale("", "", "en_GB.UTF-8");
        assert_true(chart_has_blocks());
        set_locale("", "C.utf8", "C");
        assert_true(chart_has_blocks());
        set_locale("C", "en_GB.UTF-8", "en_GB.UTF-8");
        assert_false(chart_has_blocks());
        set_locale("", "", "");
        assert_false(chart_has_blocks());
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_ramps),
                cmocka_unit_test(test_plans),
                cmocka_unit_test(test_lists_are_repeated),
                cmocka_unit_test(test_nothing_to_repeat),
                cmocka_unit_test(test_list_that_is_too_long),
                cmocka_unit_test(test_timeline_folds),
                cmocka_unit_test(test_littles_law),
                cmocka_unit_test(test_how_far_it_kept_up),
                cmocka_unit_test(test_whose_figures),
                cmocka_unit_test(test_bars),
                cmocka_unit_test(test_blocks_where_the_locale_has_them),
        };

        return cmocka_run_group_tests_name("cli_load", tests, NULL, NULL);
}
