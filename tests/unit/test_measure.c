/* SPDX-License-Identifier: MIT */
/*
 * What compare and sweep measure with: statistics, the fit, the knee and what it is blamed on,
 * words, lists
 */
#include "unit.h"

#include "compare/comparison.h"
#include "measure/batch.h"
#include "measure/curve.h"
#include "measure/options.h"
#include "measure/remarks.h"
#include "measure/stat.h"
#include "text/table.h"
#include "measure/usl.h"
#include "sweep/page.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void assert_near(double value, double expected, double tolerance)
{
        if (!(fabs(value - expected) <= tolerance))
                fail_msg("%g instead of %g", value, expected);
}

/* --- statistics ------------------------------------------------------------------------------ */

static void test_median(void **state)
{
        const double odd[] = { 5, 1, 4, 2, 3 }, even[] = { 4, 1, 3, 2 }, one[] = { 7 };

        (void)state;
        assert_near(stat_median(odd, 5), 3, 0);
        assert_near(stat_median(even, 4), 2.5, 0);
        assert_near(stat_median(one, 1), 7, 0);
        assert_near(odd[0], 5, 0); /* they stay where they are */
}

static void test_interval(void **state)
{
        const double same[] = { 2, 2, 2, 2, 2 }, five[] = { 1, 2, 3, 4, 50 };
        double many[101];
        struct estimate estimate = stat_estimate(same, 5), again;

        (void)state;
        assert_near(estimate.median, 2, 0);
        assert_near(estimate.low, 2, 0);
        assert_near(estimate.high, 2, 0);

        /*
         * Of five values all of them are possible: 50 is the median of the draws in which it is
         * there three times, of which there are 5.8 %.
         */
        estimate = stat_estimate(five, 5);
        assert_near(estimate.median, 3, 0);
        assert_near(estimate.low, 1, 0);
        assert_near(estimate.high, 50, 0);

        /*
         * Of many the interval is that of the median of a uniform distribution: 50 +- 1.96 x 100 /
         * (2 sqrt(101)).
         */
        for (size_t i = 0; i < 101; i++)
                many[i] = (double)i;
        estimate = stat_estimate(many, 101);
        assert_near(estimate.median, 50, 0);
        assert_near(estimate.low, 40, 3);
        assert_near(estimate.high, 60, 3);
        again = stat_estimate(many, 101);
        assert_memory_equal(&estimate, &again, sizeof(again));
}

static void test_ratios(void **state)
{
        /* Rounds differ, the ratio within a round does not: that is why they are paired. */
        const double a[] = { 2, 4, 20, 6, 10 }, b[] = { 1, 2, 10, 3, 5 };
        struct estimate twice = stat_estimate_ratio(a, b, 5);
        struct estimate half = stat_estimate_ratio(b, a, 5);
        struct estimate unsure = { .median = 1.5, .low = 0.9, .high = 2 };

        (void)state;
        assert_near(twice.low, 2, 0);
        assert_near(twice.high, 2, 0);
        assert_true(stat_is_above_one(&twice, 0.05) && !stat_is_below_one(&twice, 0.05));
        assert_true(stat_is_below_one(&half, 0.05) && !stat_is_above_one(&half, 0.05));
        assert_false(stat_is_above_one(&twice, 1.5));
        assert_false(stat_is_above_one(&unsure, 0.05));
}

/* --- the fit --------------------------------------------------------------------------------- */

static size_t points_of(const struct usl *usl, struct usl_point *points)
{
        size_t n = 0;

        for (double at = 1; at <= 128; at *= 2)
                points[n++] = (struct usl_point){ at, usl_throughput(usl, at), 1000 };
        return n;
}

static void test_fit_finds_what_was_there(void **state)
{
        static const struct usl cases[] = {
                { .lambda = 50, .sigma = 0, .kappa = 0 },
                { .lambda = 50, .sigma = 0.02, .kappa = 0 },
                { .lambda = 3.5, .sigma = 0, .kappa = 0.001 },
                { .lambda = 995, .sigma = 0.0671, .kappa = 0.000152 },
                { .lambda = 200, .sigma = 0.3, .kappa = 0.02 },
        };

        (void)state;
        for (size_t i = 0; i < LENGTH(cases); i++) {
                struct usl_point points[10];
                struct usl usl;
                size_t n = points_of(&cases[i], points);

                assert_true(usl_fit(&usl, points, n));
                assert_near(usl.lambda, cases[i].lambda, 1e-9);
                assert_near(usl.sigma, cases[i].sigma, 1e-9);
                assert_near(usl.kappa, cases[i].kappa, 1e-9);
                assert_near(usl.deviation, 0, 1e-6);
        }
}

static void test_peak(void **state)
{
        struct usl usl = { .lambda = 1, .sigma = 0.1, .kappa = 0.001 };
        double peak = usl_peak(&usl);

        (void)state;
        assert_near(peak, 30, 1e-9);
        assert_true(usl_throughput(&usl, peak) > usl_throughput(&usl, peak - 1));
        assert_true(usl_throughput(&usl, peak) > usl_throughput(&usl, peak + 1));
        usl.kappa = 0;
        assert_true(isinf(usl_peak(&usl)));
}

/*
 * Four workers: a corner, which the law does not have. It says how badly it fits, and neither
 * parameter is negative.
 */
static void test_fit_tells_how_bad_it_is(void **state)
{
        struct usl_point points[8];
        struct usl usl;

        (void)state;
        for (size_t i = 0; i < LENGTH(points); i++) {
                double n = (double)(1 << i);

                points[i] = (struct usl_point){ n, fmin(n, 4) * 50, 100 };
        }
        assert_true(usl_fit(&usl, points, LENGTH(points)));
        assert_true(usl.deviation > 0.2);
        assert_true(usl.sigma >= 0 && usl.kappa >= 0);
}

/* A point with more behind it counts for more. */
static void test_fit_is_weighted(void **state)
{
        const struct usl truth = { .lambda = 100, .sigma = 0.05, .kappa = 0 };
        struct usl_point points[10];
        struct usl trusting, doubting;
        size_t n = points_of(&truth, points);

        (void)state;
        points[4].x *= 0.5; /* an outlier */
        assert_true(usl_fit(&trusting, points, n));
        points[4].weight = 1;
        assert_true(usl_fit(&doubting, points, n));
        assert_true(fabs(doubting.sigma - 0.05) < fabs(trusting.sigma - 0.05) / 10);
}

static void test_no_fit(void **state)
{
        const struct usl truth = { .lambda = 100, .sigma = 0.05, .kappa = 0 };
        struct usl_point points[10];
        struct usl usl;
        size_t n = points_of(&truth, points);

        (void)state;
        assert_false(usl_fit(&usl, points, 5));
        assert_false(usl_fit(&usl, points + 1, n - 1)); /* one at a time is not there */
        points[3].x = 0;
        assert_false(usl_fit(&usl, points, n));
}

/* --- the curve ------------------------------------------------------------------------------- */

/* A step of a closed loop with this throughput: the latency follows (Little), and is waited for. */
static void add_step(struct curve *curve, unsigned concurrency, double throughput)
{
        struct step *step = &curve->steps[curve->n_steps++];
        double latency_ns = 1e9 * concurrency / throughput;

        *step = (struct step){ .concurrency = concurrency,
                .wall_s = 1,
                .n_done = 1000,
                .throughput = throughput,
                .in_flight = concurrency,
                .bytes_per_s = throughput * 1000,
                .latency_mean_ns = latency_ns,
                .busy = 0.1,
                .is_complete = true };
        step->phases[MUSTER_PHASE_WAIT].mean_ns = latency_ns;
}

/* What is waited for is spent on something else. */
static void spend_on(struct curve *curve, enum muster_phase phase)
{
        for (size_t i = 0; i < curve->n_steps; i++) {
                struct step *step = &curve->steps[i];

                step->phases[MUSTER_PHASE_WAIT].mean_ns = 0;
                step->phases[phase].mean_ns = step->latency_mean_ns;
        }
}

static struct curve *make_curve(const double *throughputs, size_t n)
{
        struct curve *curve = mem_zalloc(sizeof(*curve));

        assert_non_null(curve);
        for (size_t i = 0; i < n; i++)
                add_step(curve, 1u << i, throughputs[i]);
        return curve;
}

static const double workers_4[] = { 50, 100, 199, 201, 200, 199, 200 };
static const double past_its_knee[] = { 100, 190, 340, 500, 420, 300 };
static const double growing[] = { 50, 100, 200, 400, 790, 1600 };

static void test_knee_and_limit(void **state)
{
        const struct {
                const double *throughputs;
                size_t n;
                enum muster_phase phase;
                double busy, bytes;
                size_t knee, best;
                enum curve_limit limit;
        } cases[] = {
                { workers_4, 7, MUSTER_PHASE_WAIT, 0.1, 1e3, 2, 3, CURVE_LIMIT_SERVER },
                { past_its_knee, 6, MUSTER_PHASE_WAIT, 0.1, 1e3, 3, 3, CURVE_LIMIT_SERVER },
                { growing, 6, MUSTER_PHASE_WAIT, 0.1, 1e3, 5, 5, CURVE_LIMIT_NONE },
                { growing, 6, MUSTER_PHASE_WAIT, 0.95, 1e3, 5, 5, CURVE_LIMIT_MACHINE },
                { workers_4, 7, MUSTER_PHASE_WAIT, 0.95, 1e3, 2, 3, CURVE_LIMIT_MACHINE },
                { workers_4, 7, MUSTER_PHASE_LAG, 0.5, 1e3, 2, 3, CURVE_LIMIT_MACHINE },
                { workers_4, 7, MUSTER_PHASE_RECEIVE, 0.1, 1e6, 2, 3, CURVE_LIMIT_BANDWIDTH },
                { workers_4, 7, MUSTER_PHASE_SEND, 0.1, 1e3, 2, 3, CURVE_LIMIT_BANDWIDTH },
        };

        (void)state;
        for (size_t i = 0; i < LENGTH(cases); i++) {
                struct curve *curve = make_curve(cases[i].throughputs, cases[i].n);

                spend_on(curve, cases[i].phase);
                for (size_t j = 0; j < curve->n_steps; j++) {
                        curve->steps[j].busy = cases[i].busy;
                        curve->steps[j].bytes_per_s = cases[i].bytes;
                }
                curve_finish(curve);
                assert_int_equal(curve->knee, cases[i].knee);
                assert_int_equal(curve->best, cases[i].best);
                if (curve->limit != cases[i].limit)
                        fail_msg("case %zu: limit %d instead of %d", i, curve->limit,
                                cases[i].limit);
                mem_free(curve);
        }
}

/* The wait grows, and what is to blame is told by the use of the link and by the round trip. */
static void test_full_link(void **state)
{
        static const struct {
                double receive_ms, rtt_ms; /* of one alone; of the last step */
                enum curve_limit limit;
        } cases[] = {
                { 5, 100, CURVE_LIMIT_BANDWIDTH },
                { 5, 1, CURVE_LIMIT_SERVER },     /* packets do not queue */
                { 0.1, 100, CURVE_LIMIT_SERVER }, /* the link is hardly used */
                { 20, 100, CURVE_LIMIT_SERVER },  /* bodies are not received one after the other */
        };

        (void)state;
        for (size_t i = 0; i < LENGTH(cases); i++) {
                struct curve *curve = make_curve(workers_4, LENGTH(workers_4));

                for (size_t j = 0; j < curve->n_steps; j++) {
                        curve->steps[j].bytes_per_s = 2e6;
                        curve->steps[j].rtt_mean_ns = 1e6;
                        curve->steps[j].phases[MUSTER_PHASE_RECEIVE].mean_ns =
                                cases[i].receive_ms * 1e6;
                }
                curve->steps[6].rtt_mean_ns = cases[i].rtt_ms * 1e6;
                curve_finish(curve);
                if (curve->limit != cases[i].limit)
                        fail_msg("case %zu: limit %d", i, curve->limit);
                mem_free(curve);
        }
}

static void test_connections_are_the_limit(void **state)
{
        struct curve *curve = make_curve(workers_4, LENGTH(workers_4));

        (void)state;
        for (size_t i = 0; i < curve->n_steps; i++) {
                curve->steps[i].phases[MUSTER_PHASE_WAIT].mean_ns = 1e6;
                curve->steps[i].connect.mean_ns = curve->steps[i].latency_mean_ns - 1e6;
        }
        curve_finish(curve);
        assert_int_equal(curve->limit, CURVE_LIMIT_CONNECTIONS);
        mem_free(curve);
}

static void test_when_to_stop(void **state)
{
        const double falling[] = { 100, 200, 180, 150 }, noisy[] = { 100, 200, 199, 198, 197 };
        const double dip[] = { 100, 200, 150, 210, 190 };
        struct curve *curve = make_curve(falling, 3);

        (void)state;
        assert_false(curve_has_ended(curve)); /* fell once */
        add_step(curve, 8, 150);
        assert_true(curve_has_ended(curve));
        assert_int_equal(curve->end, CURVE_END_FELL);
        mem_free(curve);
        curve = make_curve(noisy, LENGTH(noisy));
        assert_false(curve_has_ended(curve));
        mem_free(curve);
        curve = make_curve(dip, LENGTH(dip));
        assert_false(curve_has_ended(curve));
        curve->steps[4].n_failed = 30;
        curve->steps[4].n_turned_down = 20;
        assert_false(curve_has_ended(curve)); /* 5 % is allowed */
        curve->steps[4].n_turned_down = 21;
        assert_true(curve_has_ended(curve));
        assert_int_equal(curve->end, CURVE_END_BAD);
        mem_free(curve);
}

/* A server that turns requests down answers many: that is no throughput. */
static void test_bad_steps_are_not_the_best(void **state)
{
        const double turning_down[] = { 100, 200, 400, 5000 };
        struct curve *curve = make_curve(turning_down, LENGTH(turning_down));

        (void)state;
        curve->steps[3].n_turned_down = 900;
        assert_true(curve_has_ended(curve));
        curve_finish(curve);
        assert_int_equal(curve->best, 2);
        assert_int_equal(curve->knee, 2);
        assert_int_equal(curve->limit, CURVE_LIMIT_ERRORS);
        mem_free(curve);
}

static void test_second_looks(void **state)
{
        struct curve *curve = make_curve(workers_4, LENGTH(workers_4));
        size_t best[3];

        (void)state;
        assert_int_equal(curve_best_few(curve, best, 3), 3);
        assert_int_equal(best[0], 3);
        assert_true(best[1] == 4 || best[1] == 6);
        curve->again[3] = curve->steps[3];
        curve->again[3].throughput = 101;
        curve_finish(curve);
        assert_near(curve->throughput[3], 151, 1e-9);
        assert_near(curve->drift, 100.0 / 201, 1e-9);
        mem_free(curve);

        /*
         * What was too much for the server is not asked again, though two steps are all that is
         * left.
         */
        curve = make_curve(growing, 3);
        curve->steps[2].n_turned_down = 900;
        assert_true(curve_has_ended(curve));
        assert_int_equal(curve_best_few(curve, best, 3), 2);
        assert_int_equal(best[0], 1);
        assert_int_equal(best[1], 0);
        mem_free(curve);
}

/* --- what is said of a curve ----------------------------------------------------------------- */

static bool says(const struct remarks *remarks, const char *words)
{
        for (size_t i = 0; i < remarks->n; i++)
                if (strstr(remarks->list[i], words))
                        return true;
        return false;
}

static void explain(struct curve *curve, struct remarks *remarks)
{
        *remarks = (struct remarks){ 0 };
        curve_finish(curve);
        sweep_explain(curve, remarks);
}

static void test_peak_only_where_it_was_seen(void **state)
{
        struct usl truth = { .lambda = 100, .sigma = 0.02, .kappa = 0.005 }; /* its peak is at 14 */
        struct remarks remarks;
        struct curve *curve = mem_zalloc(sizeof(*curve));

        (void)state;
        for (unsigned n = 1; n <= 64; n *= 2)
                add_step(curve, n, usl_throughput(&truth, n));
        explain(curve, &remarks);
        assert_true(curve->has_fit && curve->has_peak);
        assert_true(says(&remarks, "greatest with about 14 at once; measured it was with 16"));
        assert_true(says(&remarks, "sigma 0.0200") && says(&remarks, "kappa 0.005000"));
        assert_false(says(&remarks, "off by up to"));
        remarks_deinit(&remarks);
        mem_free(curve);

        /* The same law, not followed past its peak. */
        truth.kappa = 0.0003; /* at 57 */
        curve = mem_zalloc(sizeof(*curve));
        for (unsigned n = 1; n <= 64; n *= 2)
                add_step(curve, n, usl_throughput(&truth, n));
        explain(curve, &remarks);
        assert_true(curve->has_fit && !curve->has_peak);
        assert_false(says(&remarks, "greatest with about"));
        remarks_deinit(&remarks);
        mem_free(curve);
}

static void test_words_of_curves(void **state)
{
        struct curve *curve = make_curve(workers_4, LENGTH(workers_4));
        struct remarks remarks;

        (void)state;
        explain(curve, &remarks);
        assert_true(strncmp(remarks.list[0], "Use --concurrency 4:", 20) == 0);
        assert_true(says(&remarks, "The server, or what stands before it, is the limit"));
        assert_false(says(&remarks, "Universal")); /* a law that does not fit is not told */
        assert_false(says(&remarks, "sigma"));
        remarks_deinit(&remarks);

        curve->steps[3].busy = 0.97;
        curve->steps[3].cpu = 0.96;
        explain(curve, &remarks);
        assert_true(strncmp(remarks.list[0], "THIS MACHINE WAS THE LIMIT: at 8", 32) == 0);
        remarks_deinit(&remarks);
        mem_free(curve);

        curve = make_curve(growing, LENGTH(growing));
        explain(curve, &remarks);
        assert_true(says(&remarks, "No limit was reached: with 32 at once"));
        assert_true(says(&remarks, "try --max 128"));
        remarks_deinit(&remarks);
        mem_free(curve);

        curve = make_curve(growing, 1);
        explain(curve, &remarks);
        assert_false(says(&remarks, "still grew"));
        assert_true(says(&remarks, "Only one step was made"));
        remarks_deinit(&remarks);
        /* What the first step could not do is no limit to use. */
        curve->end = CURVE_END_BAD;
        curve->steps[0].n_failed = curve->steps[0].n_done / 2;
        explain(curve, &remarks);
        assert_false(curve_has_knee(curve));
        assert_false(says(&remarks, "Use --concurrency"));
        assert_true(says(&remarks, "from the first step on"));
        remarks_deinit(&remarks);
        mem_free(curve);

        curve = make_curve(growing, 3);
        for (size_t i = 0; i < 3; i++)
                curve->steps[i].throughput = 0;
        explain(curve, &remarks);
        assert_int_equal(remarks.n, 1);
        assert_true(says(&remarks, "not one good answer"));
        remarks_deinit(&remarks);
        mem_free(curve);
}

/* The second look at step `i` finds a server that is gone. */
static void break_down(struct curve *curve, size_t i)
{
        curve->again[i] = (struct step){ .concurrency = curve->steps[i].concurrency,
                .n_done = 100000,
                .n_failed = 100000,
                .example = "http://a/: connection refused" };
}

/* It is told, and no throughput, no difference and no weight follows from it. */
static void test_second_look_that_failed(void **state)
{
        struct curve *curve = make_curve(past_its_knee, LENGTH(past_its_knee));
        struct curve *once = make_curve(past_its_knee, LENGTH(past_its_knee));
        struct remarks remarks;

        (void)state;
        curve_finish(once);
        break_down(curve, 3);
        explain(curve, &remarks);
        assert_near(curve->throughput[3], 500, 1e-9);
        assert_near(curve->drift, 0, 1e-9);
        assert_int_equal(curve->knee, 3);
        assert_true(once->has_fit && curve->has_fit);
        assert_near(curve->usl.lambda, once->usl.lambda, 1e-9);
        assert_true(strncmp(remarks.list[0], "THE SERVER BROKE DOWN MEANWHILE", 31) == 0);
        assert_true(says(&remarks,
                "8 at once went well, and when that was measured again 100 % of "
                "the requests failed or were turned down; the first: http://a/"));
        remarks_deinit(&remarks);
        mem_free(curve);
        mem_free(once);
}

/*
 * The last step of a ladder has no other after it that would have been left out. What is refused at
 * once keeps this machine busy.
 */
static void test_last_step_that_failed(void **state)
{
        struct curve *curve = make_curve(growing, 4);
        struct remarks remarks;

        (void)state;
        curve->steps[3].n_failed = 900;
        curve->steps[3].busy = 1;
        explain(curve, &remarks);
        assert_int_equal(curve->end, CURVE_END_BAD);
        assert_int_equal(curve->limit, CURVE_LIMIT_ERRORS);
        assert_true(says(&remarks, "Use --concurrency 4: it has the greatest throughput of the "
                                   "steps that went well"));
        assert_true(says(&remarks, "Stopped at 8 at once: 90 % of the requests failed"));
        assert_false(says(&remarks, "THIS MACHINE"));
        remarks_deinit(&remarks);
        mem_free(curve);
}

/* --- what is said of a sweep that the user ended --------------------------------------------- */

static void explain_interrupted(struct curve *curve, enum curve_end end, struct remarks *remarks)
{
        curve->n_planned = 9;
        curve->end = end;
        curve->was_interrupted = true;
        explain(curve, remarks);
}

/* Nothing is recommended that the next step could have outdone, and nothing beyond. */
static void test_words_of_a_climb_that_was_ended(void **state)
{
        struct curve *curve = make_curve(growing, 2);
        struct remarks remarks;

        (void)state;
        explain_interrupted(curve, CURVE_END_INTERRUPTED, &remarks);
        assert_true(strncmp(remarks.list[0], "INTERRUPTED after 2 of 9 steps", 30) == 0);
        assert_true(says(&remarks, "of more than 2 at once nothing is known"));
        assert_true(says(&remarks, "2 at once did best so far, 100 requests a second"));
        assert_false(curve_has_knee(curve));
        assert_false(says(&remarks, "--concurrency") || says(&remarks, "--max"));
        assert_false(says(&remarks, "No limit was reached"));
        remarks_deinit(&remarks);
        mem_free(curve);

        /* It had bent already. */
        curve = make_curve(workers_4, 5);
        explain_interrupted(curve, CURVE_END_INTERRUPTED, &remarks);
        assert_true(curve_has_knee(curve));
        assert_true(strncmp(remarks.list[0], "INTERRUPTED after 5 of 9 steps", 30) == 0);
        assert_true(strncmp(remarks.list[1], "Use --concurrency 4:", 20) == 0);
        remarks_deinit(&remarks);
        mem_free(curve);

        curve = make_curve(growing, 0);
        explain_interrupted(curve, CURVE_END_INTERRUPTED, &remarks);
        assert_int_equal(remarks.n, 1);
        assert_true(says(&remarks, "INTERRUPTED before the first of 9 steps was complete"));
        assert_false(curve_has_knee(curve));
        remarks_deinit(&remarks);
        mem_free(curve);
}

/* All that the climb told stands; so does why it ended. */
static void test_words_of_second_looks_that_were_ended(void **state)
{
        struct curve *curve = make_curve(growing, 4);
        struct remarks remarks;

        (void)state;
        curve->steps[3].n_turned_down = 900;
        explain_interrupted(curve, CURVE_END_BAD, &remarks);
        assert_true(says(&remarks, "INTERRUPTED while the best steps were measured again"));
        assert_true(says(&remarks, "Use --concurrency 4:") && says(&remarks, "Stopped at 8"));
        assert_int_equal(curve->limit, CURVE_LIMIT_ERRORS);
        remarks_deinit(&remarks);
        mem_free(curve);
}

/* --- what is said of a comparison ------------------------------------------------------------ */

/* Of a mode in all rounds; the last ones in ms. */
struct shape {
        double wall_ms, latency_ms, conns, busy;
        enum figure spent_on;
};

/* One by one new and kept, 16 threads, loops of 8, 16 and 64. */
static void make_comparison(struct comparison *c, const struct shape shapes[6])
{
        static const unsigned limits[] = { 8, 16, 64 };

        comparison_init(c, 16, limits, LENGTH(limits));
        assert_int_equal(c->n_modes, 6);
        c->n_requests = c->n_listed = 200;
        c->n_hosts = 1;
        c->n_rounds = ROUNDS_MIN;
        for (unsigned i = 0; i < 6; i++)
                for (unsigned round = 0; round < ROUNDS_MIN; round++) {
                        double(*figures)[ROUNDS_MAX] = c->modes[i].figures;
                        double noise = 1 + 0.001 * ((round * 5 + i) % 6); /* of each another */

                        figures[FIGURE_WALL][round] = shapes[i].wall_ms * 1e6 * noise;
                        figures[FIGURE_LATENCY][round] = shapes[i].latency_ms * 1e6;
                        figures[shapes[i].spent_on][round] = shapes[i].latency_ms * 1e6;
                        figures[FIGURE_IN_FLIGHT][round] =
                                200 * shapes[i].latency_ms / shapes[i].wall_ms;
                        figures[FIGURE_CONNS][round] = shapes[i].conns;
                        figures[FIGURE_BUSY][round] = shapes[i].busy;
                        figures[FIGURE_CPU][round] = shapes[i].busy * shapes[i].wall_ms * 1e6;
                }
        comparison_finish(c);
}

/* In one round something else is done on this machine while a mode has its turn. */
static void disturb(struct comparison *c, size_t mode, double times)
{
        c->modes[mode].figures[FIGURE_WALL][2] *= times;
        comparison_finish(c);
}

static const struct shape delay[6] = {
        { 4200, 21, 200, 0.02, FIGURE_WAIT },
        { 4000, 20, 1, 0.02, FIGURE_WAIT },
        { 260, 20.5, 16, 0.1, FIGURE_WAIT },
        { 510, 20, 8, 0.1, FIGURE_WAIT },
        { 260, 20.5, 16, 0.1, FIGURE_WAIT },
        { 85, 24, 64, 0.3, FIGURE_WAIT },
};

static void explain_shapes(struct comparison *c, const struct shape *shapes,
        struct remarks *remarks)
{
        *remarks = (struct remarks){ 0 };
        make_comparison(c, shapes);
        comparison_explain(c, remarks);
}

static void test_words_of_comparisons(void **state)
{
        struct comparison *c = mem_zalloc(sizeof(*c));
        struct remarks remarks;
        struct shape shapes[6];

        (void)state;
        explain_shapes(c, delay, &remarks);
        assert_true(says(&remarks, "Fastest: the event loop with 64 at once, 85.2 ms for 200"));
        assert_true(says(&remarks, "A single request takes longer in the event loop, 24 ms on "
                                   "average instead of 20 ms"));
        assert_true(says(&remarks, "16 blocking threads take as long as the event loop with 16"));
        assert_true(says(&remarks, "8 at once is too low a limit: with 64"));
        assert_false(says(&remarks, "really is slower"));
        remarks_deinit(&remarks);

        /* Decoding on the loop: threads have two processors for it. */
        memcpy(shapes, delay, sizeof(shapes));
        shapes[2] = (struct shape){ 260, 20, 16, 1.9 / 16, FIGURE_DECODE };
        shapes[4] = (struct shape){ 510, 40, 16, 0.99, FIGURE_LAG };
        explain_shapes(c, shapes, &remarks);
        assert_true(says(&remarks,
                "Here the event loop with 16 at once really is slower than 16 blocking "
                "threads, 511 ms instead of 261 ms: 97 % more. The loop is one thread, and "
                "it had work for 99 % of the time"));
        remarks_deinit(&remarks);

        /* The server has a limit, which more at once does not raise. */
        memcpy(shapes, delay, sizeof(shapes));
        shapes[4] = (struct shape){ 505, 40, 16, 0.1, FIGURE_WAIT };
        shapes[5] = (struct shape){ 500, 150, 64, 0.1, FIGURE_WAIT };
        explain_shapes(c, shapes, &remarks);
        assert_true(says(&remarks, "16 at once is no faster than 8, and a request takes 40 ms "
                                   "instead of 20 ms. What grew most is the time it takes to wait "
                                   "for the server's answer"));
        assert_true(says(&remarks, "--concurrency 8 is enough"));
        remarks_deinit(&remarks);

        make_comparison(c, delay);
        c->modes[3].n_different = 4;
        comparison_explain(c, &remarks);
        assert_true(says(&remarks,
                "THE WORK WAS NOT THE SAME: with the event loop with 8 at once 4 "
                "of 1200 answers"));
        remarks_deinit(&remarks);

        make_comparison(c, delay);
        c->modes[0].n_failed = 1200;
        comparison_explain(c, &remarks);
        assert_int_equal(remarks.n, 1); /* and nothing about times */
        assert_true(says(&remarks, "REQUESTS FAILED"));
        remarks_deinit(&remarks);
        mem_free(c);
}

/* Between two bounds that both matter nothing is known, and that is no "no". */
static void test_words_of_what_is_unclear(void **state)
{
        struct comparison *c = mem_zalloc(sizeof(*c));
        struct remarks remarks = { 0 };
        struct shape shapes[6];

        (void)state;
        memcpy(shapes, delay, sizeof(shapes));
        shapes[3].wall_ms = 1250;
        shapes[2].wall_ms = shapes[4].wall_ms = 650;
        shapes[5].wall_ms = 200;
        make_comparison(c, shapes);
        disturb(c, 4, 5);
        comparison_explain(c, &remarks);
        assert_true(says(&remarks, "8 at once is too low a limit: with 64 the list is done in"));
        assert_true(says(&remarks, "More than 64 at once may help still further"));
        assert_false(says(&remarks, "no faster") || says(&remarks, "is enough"));
        assert_true(says(&remarks, "Whether the event loop with 16 at once or 16 blocking threads "
                                   "is faster, and by how much, cannot be told"));
        remarks_deinit(&remarks);

        make_comparison(c, shapes);
        disturb(c, 5, 9);
        comparison_explain(c, &remarks);
        assert_true(says(&remarks, "8 at once is too low a limit: with 16 the list is done in"));
        assert_true(says(&remarks,
                "Whether the event loop with 64 at once or the event loop with 16 at "
                "once is faster, and by how much, cannot be told from these rounds: 201 "
                "ms and 652 ms, but the first takes between 0.31 and"));
        assert_false(says(&remarks, "no faster") || says(&remarks, "is enough"));
        remarks_deinit(&remarks);

        /* The loops gain a fifth over one by one, or nothing. */
        for (size_t i = 2; i < 6; i++)
                shapes[i].wall_ms = 3200;
        make_comparison(c, shapes);
        for (size_t i = 2; i < 6; i++)
                disturb(c, i, 3);
        comparison_explain(c, &remarks);
        assert_false(says(&remarks, "brings nothing here") || says(&remarks, "A single request"));
        assert_true(says(&remarks, "or one by one with keep-alive is faster, and by how much"));
        remarks_deinit(&remarks);
        mem_free(c);
}

/* Of what did not grow it is not said that it is the limit. */
static void test_words_where_nothing_grew(void **state)
{
        struct comparison *c = mem_zalloc(sizeof(*c));
        struct remarks remarks = { 0 };
        struct shape shapes[6];

        (void)state;
        memcpy(shapes, delay, sizeof(shapes));
        shapes[4] = shapes[5] = shapes[3];
        make_comparison(c, shapes);
        comparison_explain(c, &remarks);
        assert_true(says(&remarks,
                "16 at once is no faster than 8, as it has hardly more in flight, "
                "7.84 on average instead of 7.84. --concurrency 8 is enough."));
        assert_false(says(&remarks, "What grew most") || says(&remarks, "the limit is"));
        remarks_deinit(&remarks);

        c->n_requests = c->n_listed = 8;
        comparison_explain(c, &remarks);
        assert_true(says(&remarks, "The list is too short to tell 16 at once from 8: all of its 8 "
                                   "requests are in flight with either."));
        assert_false(says(&remarks, "is enough"));
        remarks_deinit(&remarks);

        /* With 10 requests 16 and 64 at once are the same, and what they differ by is noise. */
        shapes[4].wall_ms = 250;
        shapes[5].wall_ms = 200;
        make_comparison(c, shapes);
        c->n_requests = c->n_listed = 10;
        comparison_explain(c, &remarks);
        assert_true(says(&remarks, "Fastest: the event loop with 16 at once"));
        assert_true(says(&remarks, "8 at once is too low a limit: with 16 the list"));
        assert_true(says(&remarks, "The list is too short to tell 64 at once from 16: all of its "
                                   "10 requests are in flight with either."));
        assert_false(says(&remarks, "with 64 the list"));
        remarks_deinit(&remarks);

        /* The highest limit is the best, and more than that there is not to ask for. */
        make_comparison(c, delay);
        c->n_requests = c->n_listed = 64;
        comparison_explain(c, &remarks);
        assert_true(says(&remarks, "8 at once is too low a limit: with 64"));
        assert_false(says(&remarks, "may help still further"));
        remarks_deinit(&remarks);

        for (size_t i = 2; i < 6; i++)
                shapes[i].wall_ms = shapes[1].wall_ms;
        explain_shapes(c, shapes, &remarks);
        assert_true(says(&remarks, "Asking for several at once brings nothing here, as there "
                                   "hardly ever are several: 1 in flight on average."));
        remarks_deinit(&remarks);

        memcpy(shapes, delay, sizeof(shapes));
        shapes[4].wall_ms = 285;
        explain_shapes(c, shapes, &remarks);
        assert_true(says(&remarks, "10 % more. It had fewer requests in flight, 14.4 on average "
                                   "instead of 15.8"));
        remarks_deinit(&remarks);

        memcpy(shapes, delay, sizeof(shapes));
        shapes[4] = shapes[5] = (struct shape){ 510, 40, 16, 0.1, FIGURE_SEND };
        explain_shapes(c, shapes, &remarks);
        assert_true(says(&remarks, "What grew most is the time it takes to send the request"));
        remarks_deinit(&remarks);
        mem_free(c);
}

static void test_words_of_a_limit(void **state)
{
        struct comparison *c = mem_zalloc(sizeof(*c));
        struct remarks remarks;
        struct shape shapes[6];

        (void)state;
        memcpy(shapes, delay, sizeof(shapes));
        shapes[4] = (struct shape){ 475, 40, 16, 0.99, FIGURE_WAIT };
        shapes[5] = (struct shape){ 600, 150, 64, 0.1, FIGURE_WAIT };
        explain_shapes(c, shapes, &remarks);
        assert_true(says(&remarks, "16 at once is hardly faster than 8"));
        assert_true(says(&remarks, "the way to it, and the loop's one thread had no time left. "
                                   "--concurrency 8 is enough"));
        remarks_deinit(&remarks);

        shapes[4].wall_ms = 600;
        explain_shapes(c, shapes, &remarks);
        assert_true(says(&remarks, "16 at once is slower than 8"));
        remarks_deinit(&remarks);

        /* A later limit helps, though the next one does not. */
        shapes[5].wall_ms = 200;
        explain_shapes(c, shapes, &remarks);
        assert_true(says(&remarks, "8 at once is too low a limit: with 64"));
        assert_false(says(&remarks, "is enough"));
        remarks_deinit(&remarks);
        mem_free(c);
}

static void test_words_of_connections(void **state)
{
        static const struct {
                size_t n_hosts;
                double conns, wall_ms; /* with keep-alive; 4200 ms without */
                const char *says;
        } cases[] = {
                { 1, 200, 4200,
                        "Keep-alive kept nothing: 200 connections for 200 requests, as the "
                        "server closes them (or HTTP/1.0 is spoken). Every" },
                { 1, 150, 4200,
                        "Keep-alive kept little: 150 connections for 200 requests, as the" },
                { 90, 200, 4200, "spoken, or the hosts are too many to keep one to each)" },
                { 200, 200, 4200,
                        "Keep-alive has little to keep here: the 200 requests go to 200 "
                        "hosts, and each host needs a connection of its own" },
                { 120, 120, 3000,
                        "Keeping connections saves 29 % of the time already one by one: "
                        "120 instead of 200 are opened" },
        };
        struct comparison *c = mem_zalloc(sizeof(*c));
        struct remarks remarks;
        struct shape shapes[6];

        (void)state;
        for (size_t i = 0; i < LENGTH(cases); i++) {
                memcpy(shapes, delay, sizeof(shapes));
                shapes[1].conns = cases[i].conns;
                shapes[1].wall_ms = cases[i].wall_ms;
                remarks = (struct remarks){ 0 };
                make_comparison(c, shapes);
                c->n_hosts = cases[i].n_hosts;
                comparison_explain(c, &remarks);
                if (!says(&remarks, cases[i].says))
                        fail_msg("case %zu", i);
                if (i >= 3)
                        assert_false(says(&remarks, "closes"));
                remarks_deinit(&remarks);
        }
        mem_free(c);
}

/* One by one and threads can keep what the loop with the highest limit can. */
static void test_room_for_idle_connections(void **state)
{
        struct comparison *c = mem_zalloc(sizeof(*c));

        (void)state;
        make_comparison(c, delay);
        assert_int_equal(c->modes[1].way.room, 64);
        assert_int_equal(c->modes[c->threads].way.room * 16, 64);
        mem_free(c);
}

/* Of a round that was interrupted nothing counts, as it is none of those that are told of. */
static void test_interrupted_round(void **state)
{
        struct comparison *c = mem_zalloc(sizeof(*c));
        struct run *run = mem_zalloc(sizeof(*run));

        (void)state;
        make_comparison(c, delay);
        run->wall_ns = 1;
        run->tally.n = run->tally.n_failed = 200;
        comparison_add(c, 0, 1, run, 3);
        comparison_add(c, 0, c->n_rounds, run, 4);
        comparison_finish(c);
        assert_int_equal(c->modes[0].n_failed, 200);
        assert_int_equal(c->modes[0].n_different, 3);
        mem_free(run);
        mem_free(c);
}

static void test_no_round(void **state)
{
        static const unsigned limits[] = { 8, 64 };
        struct comparison *c = mem_zalloc(sizeof(*c));
        struct remarks remarks = { 0 };

        (void)state;
        comparison_init(c, 16, limits, LENGTH(limits));
        comparison_finish(c);
        comparison_explain(c, &remarks);
        assert_int_equal(remarks.n, 1);
        assert_true(says(&remarks, "INTERRUPTED before the first round was complete"));
        remarks_deinit(&remarks);
        mem_free(c);
}

/* --- lists, tables --------------------------------------------------------------------------- */

static void test_list_option(void **state)
{
        static const struct {
                const char *text;
                size_t n;
                unsigned first, last;
        } good[] = { { "4", 1, 4, 4 }, { "64,1,8", 3, 1, 64 }, { "8,8,2", 2, 2, 8 } };
        static const char too_many[] = "1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,"
                                       "23,24,25,26,27,28,29,30,31,32,33";
        static const char *const bad[] = {
                "",
                ",",
                "4,",
                "0",
                "1,x",
                "-1",
                "1.5",
                "1000001",
                too_many,
        };
        const struct option option = { 0 };
        struct muster_error error;
        struct measure_list list = { 0 };

        (void)state;
        for (size_t i = 0; i < LENGTH(good); i++) {
                assert_int_equal(measure_set_list(&list, &option, good[i].text, &error), 0);
                assert_int_equal(list.n, good[i].n);
                assert_int_equal(list.values[0], good[i].first);
                assert_int_equal(list.values[list.n - 1], good[i].last);
        }
        for (size_t i = 0; i < LENGTH(bad); i++) {
                error = (struct muster_error){ 0 };
                if (measure_set_list(&list, &option, bad[i], &error) != MUSTER_E_INVALID)
                        fail_msg("\"%s\" was accepted", bad[i]);
                assert_true(error.text[0]);
        }
}

static void print_to(char *text, size_t size, const struct table *table, const struct remarks *r,
        unsigned terminal)
{
        FILE *file = fmemopen(text, size, "w");
        struct page page = { .to = file, .width = 20, .terminal = terminal };

        assert_non_null(file);
        if (table)
                table_print(table, &page);
        else
                remarks_print(r, &page);
        fclose(file);
}

static void test_table(void **state)
{
        struct table *table = mem_zalloc(sizeof(*table));
        char text[200];

        (void)state;
        table_row(table);
        table_cell(table, "%s", "name");
        table_cell(table, "%s", "n");
        table_cell(table, "%s", "");
        table_row(table);
        table_cell(table, "%s", "a");
        table_cell(table, "%d", 100);
        table_cell(table, "%s", "x");
        table_note(table, "<- here");
        print_to(text, sizeof(text), table, NULL, 0);
        assert_string_equal(text, "name    n\n"
                                  "a     100  x  <- here\n");
        /* A narrow terminal has no more columns than fit. */
        table_spare(table, 2);
        table_spare(table, 1);
        print_to(text, sizeof(text), table, NULL, 21);
        assert_string_equal(text, "name    n\n"
                                  "a     100  x  <- here\n");
        print_to(text, sizeof(text), table, NULL, 20);
        assert_string_equal(text, "name    n\n"
                                  "a     100  <- here\n");
        print_to(text, sizeof(text), table, NULL, 1);
        assert_string_equal(text, "name\n"
                                  "a     <- here\n");
        mem_free(table);
}

static void test_remarks_are_wrapped(void **state)
{
        struct remarks remarks = { 0 };
        char text[200];

        (void)state;
        remarks_add(&remarks, "%s", "one two three four five six");
        remarks_add(&remarks, "%s", "averyveryverylongwordindeed");
        print_to(text, sizeof(text), NULL, &remarks, 0);
        assert_string_equal(text, "- one two three four\n"
                                  "  five six\n"
                                  "- averyveryverylongwordindeed\n");
        remarks_deinit(&remarks);
}

/* --- batches --------------------------------------------------------------------------------- */

static int read_text(struct batch *batch, struct request_options *options, const char *text,
        bool allows_unsafe, struct muster_error *error)
{
        char path[] = "/tmp/muster-measure-XXXXXX";
        const char *files[] = { path, NULL };
        int fd = mkstemp(path), r;

        assert_true(fd >= 0);
        assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
        close(fd);
        options->files = (struct texts){ files, 1 };
        *error = (struct muster_error){ 0 };
        r = batch_read(batch, options, allows_unsafe, error);
        unlink(path);
        return r;
}

static void test_unsafe_methods(void **state)
{
        static const char jsonl[] = "{\"url\":\"http://a/\",\"method\":\"HEAD\"}\n"
                                    "{\"url\":\"http://b/\",\"method\":\"POST\"}\n";
        struct request_options options = { 0 };
        struct muster_error error;
        struct batch batch;

        (void)state;
        assert_int_equal(read_text(&batch, &options, jsonl, false, &error), MUSTER_E_INVALID);
        assert_non_null(strstr(error.text, "the method in line 2 may change something"));
        batch_deinit(&batch);
        assert_int_equal(read_text(&batch, &options, jsonl, true, &error), 0);
        assert_int_equal(batch.n, 2);
        batch_deinit(&batch);
        options.has_data = true; /* so POST is meant */
        assert_int_equal(read_text(&batch, &options, "http://a/\n", false, &error),
                MUSTER_E_INVALID);
        assert_non_null(strstr(error.text, "POST may change something"));
        batch_deinit(&batch);
}

static void test_batch_sizes(void **state)
{
        struct request_options options = { 0 };
        struct muster_error error;
        struct batch batch;

        (void)state;
        assert_int_equal(read_text(&batch, &options, "http://a/\nhttp://c/\n\nhttp://b/\n", false,
                                 &error),
                0);
        assert_int_equal(batch.n, 3);
        assert_int_equal(batch_resize(&batch, 5000), 0);
        assert_int_equal(batch.n, 5000);
        assert_int_equal(batch_resize(&batch, 2), 0);
        assert_int_equal(batch.n, 2);
        batch_deinit(&batch);

        /* In JSON Lines what is no request is left out, and told. */
        assert_int_equal(read_text(&batch, &options, "{\"url\":\"http://a/\"}\n{}\n{\n", false,
                                 &error),
                0);
        assert_int_equal(batch.n, 1);
        assert_int_equal(batch.n_left_out, 2);
        assert_non_null(strstr(batch.left_out.text, "line 2: url is missing"));
        batch_deinit(&batch);
        assert_int_equal(read_text(&batch, &options, "{}\n", false, &error), MUSTER_E_INVALID);
        batch_deinit(&batch);
        assert_int_equal(read_text(&batch, &options, "# nothing\n", false, &error),
                MUSTER_E_INVALID);
        batch_deinit(&batch);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_median),
                cmocka_unit_test(test_interval),
                cmocka_unit_test(test_ratios),
                cmocka_unit_test(test_fit_finds_what_was_there),
                cmocka_unit_test(test_peak),
                cmocka_unit_test(test_fit_tells_how_bad_it_is),
                cmocka_unit_test(test_fit_is_weighted),
                cmocka_unit_test(test_no_fit),
                cmocka_unit_test(test_knee_and_limit),
                cmocka_unit_test(test_full_link),
                cmocka_unit_test(test_connections_are_the_limit),
                cmocka_unit_test(test_when_to_stop),
                cmocka_unit_test(test_bad_steps_are_not_the_best),
                cmocka_unit_test(test_second_looks),
                cmocka_unit_test(test_second_look_that_failed),
                cmocka_unit_test(test_last_step_that_failed),
                cmocka_unit_test(test_words_of_a_climb_that_was_ended),
                cmocka_unit_test(test_words_of_second_looks_that_were_ended),
                cmocka_unit_test(test_peak_only_where_it_was_seen),
                cmocka_unit_test(test_words_of_curves),
                cmocka_unit_test(test_words_of_comparisons),
                cmocka_unit_test(test_words_of_what_is_unclear),
                cmocka_unit_test(test_words_where_nothing_grew),
                cmocka_unit_test(test_words_of_a_limit),
                cmocka_unit_test(test_words_of_connections),
                cmocka_unit_test(test_room_for_idle_connections),
                cmocka_unit_test(test_interrupted_round),
                cmocka_unit_test(test_no_round),
                cmocka_unit_test(test_list_option),
                cmocka_unit_test(test_table),
                cmocka_unit_test(test_remarks_are_wrapped),
                cmocka_unit_test(test_unsafe_methods),
                cmocka_unit_test(test_batch_sizes),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
