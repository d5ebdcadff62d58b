/* SPDX-License-Identifier: MIT */
/*
 * The curve of a sweep: its knee, what it is blamed on, and in which words
 */
#include "measured.h"

#include "measure/curve.h"
#include "measure/usl.h"
#include "sweep/page.h"
#include <unistd.h>

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
        assert_true(says(&remarks,
                "throughput peaks at about 14 at once. Measured, it peaked at 16"));
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
        assert_false(says(&remarks, "throughput peaks at about"));
        remarks_deinit(&remarks);
        mem_free(curve);
}

static void test_words_of_curves(void **state)
{
        struct curve *curve = make_curve(workers_4, LENGTH(workers_4));
        struct remarks remarks;

        (void)state;
        explain(curve, &remarks);
        assert_true(strncmp(remarks.list[0], "Use --concurrency 4.", 20) == 0);
        assert_true(says(&remarks, "The server, or a proxy in front of it, is the limit"));
        assert_false(says(&remarks, "Universal")); /* a law that does not fit is not told */
        assert_false(says(&remarks, "sigma"));
        remarks_deinit(&remarks);

        curve->steps[3].busy = 0.97;
        curve->steps[3].cpu = 0.96;
        explain(curve, &remarks);
        assert_true(strncmp(remarks.list[0], "THIS MACHINE WAS THE LIMIT: with 8", 32) == 0);
        remarks_deinit(&remarks);
        mem_free(curve);

        curve = make_curve(growing, LENGTH(growing));
        explain(curve, &remarks);
        assert_true(says(&remarks, "No limit was reached: throughput still grew up to 32 at once"));
        assert_true(says(&remarks, "try --max 128"));
        remarks_deinit(&remarks);
        mem_free(curve);

        curve = make_curve(growing, 1);
        explain(curve, &remarks);
        assert_false(says(&remarks, "still grew"));
        assert_true(says(&remarks, "Only one step was measured"));
        remarks_deinit(&remarks);
        /* What the first step could not do is no limit to use. */
        curve->end = CURVE_END_BAD;
        curve->steps[0].n_failed = curve->steps[0].n_done / 2;
        explain(curve, &remarks);
        assert_false(curve_has_knee(curve));
        assert_false(says(&remarks, "Use --concurrency"));
        assert_true(says(&remarks, "That was the first step"));
        remarks_deinit(&remarks);
        mem_free(curve);

        curve = make_curve(growing, 3);
        for (size_t i = 0; i < 3; i++)
                curve->steps[i].throughput = 0;
        explain(curve, &remarks);
        assert_int_equal(remarks.n, 1);
        assert_true(says(&remarks, "Not one response was good"));
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
        assert_true(strncmp(remarks.list[0], "THE SERVER OR THE PATH TO IT BROKE DOWN", 31) == 0);
        assert_true(says(&remarks,
                "8 at once worked at first; measured again, 100 % of "
                "the requests failed or were answered 429 or 5xx; first: http://a/"));
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
        assert_true(says(&remarks, "Use --concurrency 4. It has the highest throughput of the "
                                   "steps that went well"));
        assert_true(says(&remarks, "Stopped with 8 at once: 90 % of the requests were bad"));
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
        assert_true(says(&remarks, "more than 2 at once was not tried"));
        assert_true(says(&remarks, "2 at once was best so far: 100 requests per second"));
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
        assert_true(strncmp(remarks.list[1], "Use --concurrency 4.", 20) == 0);
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
        assert_true(says(&remarks, "Use --concurrency 4.") && says(&remarks, "Stopped with 8"));
        assert_int_equal(curve->limit, CURVE_LIMIT_ERRORS);
        remarks_deinit(&remarks);
        mem_free(curve);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
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
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
