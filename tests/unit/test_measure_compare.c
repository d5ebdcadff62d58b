/* SPDX-License-Identifier: MIT */
/*
 * What is said of a comparison
 */
#include "measured.h"

#include "compare/comparison.h"
#include <math.h>

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
        assert_true(says(&remarks,
                "Fastest: the event loop with 64 at once, with 85.2 ms for 200"));
        assert_true(says(&remarks, "A single request takes longer in the event loop, 24 ms on "
                                   "average instead of 20 ms"));
        assert_true(says(&remarks, "16 blocking threads take as long as the event loop with 16"));
        assert_true(says(&remarks, "A limit of 8 at once is too low: with 64"));
        assert_false(says(&remarks, "really is slower"));
        remarks_deinit(&remarks);

        /* Decoding on the loop: threads have two processors for it. */
        memcpy(shapes, delay, sizeof(shapes));
        shapes[2] = (struct shape){ 260, 20, 16, 1.9 / 16, FIGURE_DECODE };
        shapes[4] = (struct shape){ 510, 40, 16, 0.99, FIGURE_LAG };
        explain_shapes(c, shapes, &remarks);
        assert_true(says(&remarks,
                "Here the event loop with 16 at once really is slower than 16 blocking "
                "threads: 511 ms instead of 261 ms, 97 % more. The event loop is one thread, and "
                "it was busy for 99 % of the time"));
        remarks_deinit(&remarks);

        /* The server has a limit, which more at once does not raise. */
        memcpy(shapes, delay, sizeof(shapes));
        shapes[4] = (struct shape){ 505, 40, 16, 0.1, FIGURE_WAIT };
        shapes[5] = (struct shape){ 500, 150, 64, 0.1, FIGURE_WAIT };
        explain_shapes(c, shapes, &remarks);
        assert_true(says(&remarks, "16 at once is no faster than 8, and a request takes 40 ms "
                                   "instead of 20 ms. Most of the increase is time waiting for "
                                   "the server, so the limit is the server, or the path to it"));
        assert_true(says(&remarks, "--concurrency 8 is enough"));
        remarks_deinit(&remarks);

        make_comparison(c, delay);
        c->modes[3].n_different = 4;
        comparison_explain(c, &remarks);
        assert_true(says(&remarks, "THE WORK DIFFERED: with the event loop with 8 at once 4 "
                                   "of 1200 responses"));
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
        assert_true(says(&remarks, "A limit of 8 at once is too low: with 64 the list is done in"));
        assert_true(says(&remarks, "More than 64 at once may be faster still"));
        assert_false(says(&remarks, "no faster") || says(&remarks, "is enough"));
        assert_true(says(&remarks, "Not clear which is faster, the event loop with 16 at once or "
                                   "16 blocking threads: they took"));
        remarks_deinit(&remarks);

        make_comparison(c, shapes);
        disturb(c, 5, 9);
        comparison_explain(c, &remarks);
        assert_true(says(&remarks, "A limit of 8 at once is too low: with 16 the list is done in"));
        assert_true(says(&remarks,
                "Not clear which is faster, the event loop with 64 at once or the event "
                "loop with 16 at once: they took 201 ms and 652 ms, but the first takes "
                "between 0.31 and"));
        assert_false(says(&remarks, "no faster") || says(&remarks, "is enough"));
        remarks_deinit(&remarks);

        /* The loops gain a fifth over one by one, or nothing. */
        for (size_t i = 2; i < 6; i++)
                shapes[i].wall_ms = 3200;
        make_comparison(c, shapes);
        for (size_t i = 2; i < 6; i++)
                disturb(c, i, 3);
        comparison_explain(c, &remarks);
        assert_false(says(&remarks, "gains nothing here") || says(&remarks, "A single request"));
        assert_true(says(&remarks, "or one by one with keep-alive: they took"));
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
                "16 at once is no faster than 8, because hardly more requests are in "
                "flight: 7.84 on average instead of 7.84. --concurrency 8 is enough."));
        assert_false(says(&remarks, "Most of the increase") || says(&remarks, "the limit is"));
        remarks_deinit(&remarks);

        c->n_requests = c->n_listed = 8;
        comparison_explain(c, &remarks);
        assert_true(says(&remarks,
                "The list is too short to compare 16 at once with 8: with either limit all 8 "
                "requests are in flight."));
        assert_false(says(&remarks, "is enough"));
        remarks_deinit(&remarks);

        /* With 10 requests 16 and 64 at once are the same, and what they differ by is noise. */
        shapes[4].wall_ms = 250;
        shapes[5].wall_ms = 200;
        make_comparison(c, shapes);
        c->n_requests = c->n_listed = 10;
        comparison_explain(c, &remarks);
        assert_true(says(&remarks, "Fastest: the event loop with 16 at once"));
        assert_true(says(&remarks, "A limit of 8 at once is too low: with 16 the list"));
        assert_true(says(&remarks,
                "The list is too short to compare 64 at once with 16: with either limit all "
                "10 requests are in flight."));
        assert_false(says(&remarks, "with 64 the list"));
        remarks_deinit(&remarks);

        /* The highest limit is the best, and more than that there is not to ask for. */
        make_comparison(c, delay);
        c->n_requests = c->n_listed = 64;
        comparison_explain(c, &remarks);
        assert_true(says(&remarks, "A limit of 8 at once is too low: with 64"));
        assert_false(says(&remarks, "may be faster still"));
        remarks_deinit(&remarks);

        for (size_t i = 2; i < 6; i++)
                shapes[i].wall_ms = shapes[1].wall_ms;
        explain_shapes(c, shapes, &remarks);
        assert_true(says(&remarks, "Concurrency gains nothing here, because there "
                                   "is hardly ever more than one request to make: 1 in flight on "
                                   "average."));
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
        assert_true(says(&remarks, "Most of the increase is time sending the request"));
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
        assert_true(says(&remarks,
                "the path to it, and the event loop's one thread was fully busy. "
                "--concurrency 8 is enough"));
        remarks_deinit(&remarks);

        shapes[4].wall_ms = 600;
        explain_shapes(c, shapes, &remarks);
        assert_true(says(&remarks, "16 at once is slower than 8"));
        remarks_deinit(&remarks);

        /* A later limit helps, though the next one does not. */
        shapes[5].wall_ms = 200;
        explain_shapes(c, shapes, &remarks);
        assert_true(says(&remarks, "A limit of 8 at once is too low: with 64"));
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
                        "Keep-alive has no effect: 200 connections for 200 requests, because the "
                        "server closes them (or uses HTTP/1.0). Every" },
                { 1, 150, 4200,
                        "Keep-alive has little effect: 150 connections for 200 requests, because the" },
                { 90, 200, 4200,
                        "HTTP/1.0, or there are too many hosts to keep a connection to each)" },
                { 200, 200, 4200,
                        "Keep-alive has little effect here: the 200 requests go to 200 "
                        "hosts, and each host needs its own connection" },
                { 120, 120, 3000,
                        "Keep-alive saves 29 % of the time even one by one: it opens 120 connections "
                        "instead of 200, at" },
                { 1, 1, 3000, "it opens 1 connection instead of 200, at" },
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

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_words_of_comparisons),
                cmocka_unit_test(test_words_of_what_is_unclear),
                cmocka_unit_test(test_words_where_nothing_grew),
                cmocka_unit_test(test_words_of_a_limit),
                cmocka_unit_test(test_words_of_connections),
                cmocka_unit_test(test_room_for_idle_connections),
                cmocka_unit_test(test_interrupted_round),
                cmocka_unit_test(test_no_round),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
