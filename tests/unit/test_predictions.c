/* SPDX-License-Identifier: MIT */
/*
 * Do predictions come true?
 *
 * Of a few hundred set-ups, whose servers have laws that the model is not told
 * (simulated_ground.h), each is run and explained. What the first finding that can be carried out
 * here proposes is carried out, the same server is run again, and how long that took is held
 * against what was predicted. With SHOW in the environment each is shown.
 */
#include "simulated_ground.h"
#include "unit.h"

#include <base/mem.h>
#include <base/rand.h>
#include <explain/facts/sort.h>
#include <explain/facts_measure.h>
#include <explain/ranking.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MS      NS_PER_MS
#define N_SEEDS 40 /* of each family */

/* --- set-ups --------------------------------------------------------------------------------- */

static uint64_t between(struct rand *rand, uint64_t low, uint64_t high)
{
        return low + rand_up_to(rand, high - low);
}

static uint64_t one_of(struct rand *rand, const uint64_t *values, size_t n)
{
        return values[rand_up_to(rand, n - 1)];
}

/* A server that answers all alike, however many there are. */
static void has_room(struct ground *ground, struct rand *rand)
{
        static const uint64_t slots[] = { 2, 4, 8, 16 };

        *ground = (struct ground){
                .n = between(rand, 100, 600),
                .slots = one_of(rand, slots, LENGTH(slots)),
                .rtt_ns = between(rand, MS / 10, 20 * MS),
                .think_ns = between(rand, 10 * MS, 100 * MS),
                .think = (enum think)rand_up_to(rand, THINK_SKEWED),
                .pace_scatter = 0.02,
        };
}

/* A server with so many workers; there may be fewer of them than will be asked for. */
static void has_workers(struct ground *ground, struct rand *rand)
{
        has_room(ground, rand);
        ground->n_workers = ground->slots * between(rand, 3, 24);
}

/* A server whose processors have something to do for each answer. */
static void computes(struct ground *ground, struct rand *rand)
{
        has_room(ground, rand);
        ground->n_processors = between(rand, 1, 4);
        ground->cpu_ns = ground->think_ns / between(rand, 20, 200);
}

static void closes_connections(struct ground *ground, struct rand *rand)
{
        has_room(ground, rand);
        ground->no_reuse = true;
        ground->rtt_ns = between(rand, 5 * MS, 40 * MS);
        ground->think_ns = between(rand, MS, 20 * MS);
        ground->slots = between(rand, 4, 32);
}

static void shakes_hands(struct ground *ground, struct rand *rand)
{
        has_room(ground, rand);
        ground->no_reuse = true;
        ground->rtt_ns = between(rand, MS / 10, MS);
        ground->think_ns = between(rand, MS / 2, 5 * MS);
        ground->handshake_ns = between(rand, 3 * MS, 10 * MS);
        ground->n_handshakers = between(rand, 1, 2);
        ground->slots = between(rand, 4, 32);
        ground->n = between(rand, 200, 600);
}

/* The same processors shake hands and answer: answers wait for handshakes of others. */
static void shares_processors(struct ground *ground, struct rand *rand)
{
        shakes_hands(ground, rand);
        ground->n_handshakers = 0;
        ground->n_processors = between(rand, 1, 2);
        ground->think_ns = between(rand, 0, 2 * MS);
        ground->cpu_ns = between(rand, MS / 10, MS);
}

/* Connections are kept; more at a time are more handshakes at the start. */
static void keeps_and_shakes(struct ground *ground, struct rand *rand)
{
        has_room(ground, rand);
        ground->handshake_ns = between(rand, MS, 8 * MS);
        ground->n_handshakers = between(rand, 1, 2);
}

/* All connections at once. */
static void has_a_herd(struct ground *ground, struct rand *rand)
{
        has_room(ground, rand);
        ground->slots = between(rand, 40, 200);
        ground->n = ground->slots * between(rand, 2, 4);
        ground->rtt_ns = between(rand, MS / 10, MS);
        ground->think_ns = between(rand, MS / 5, 5 * MS);
        ground->handshake_ns = between(rand, 3 * MS, 8 * MS);
        ground->n_handshakers = 1;
}

static void lets_in(struct ground *ground, struct rand *rand)
{
        has_room(ground, rand);
        ground->slots = between(rand, 16, 64);
        ground->think_ns = between(rand, 5 * MS, 20 * MS);
        ground->allowed_per_s = (double)between(rand, 80, 300);
}

static void is_narrow(struct ground *ground, struct rand *rand)
{
        has_room(ground, rand);
        ground->body_bytes = between(rand, 5000, 50000);
        ground->link_bytes_per_s = (double)between(rand, 20, 400) * 1e6;
}

static const struct {
        const char *name;
        void (*set_up)(struct ground *, struct rand *);
} families[] = {
        { "has room", has_room },
        { "has workers", has_workers },
        { "computes", computes },
        { "closes connections", closes_connections },
        { "shakes hands", shakes_hands },
        { "shares processors", shares_processors },
        { "keeps and shakes", keeps_and_shakes },
        { "has a herd", has_a_herd },
        { "lets in", lets_in },
        { "is narrow", is_narrow },
};

/* --- remedies -------------------------------------------------------------------------------- */

static bool is_cause(const struct muster_finding *finding, const char *name)
{
        return strcmp(finding->cause, name) == 0;
}

/* Does what the finding says; false: that cannot be done here. */
static bool carry_out(const struct muster_finding *finding, struct ground *ground)
{
        static const char limit[] = "--concurrency ";
        const char *option = finding->option ? finding->option : "";

        if (!finding->has_prediction)
                return false;
        if (strncmp(option, limit, strlen(limit)) == 0) {
                ground->slots = strtoull(option + strlen(limit), NULL, 10);
                return ground->slots <= GROUND_SLOTS_MOST;
        }
        if (is_cause(finding, "server-closes") || is_cause(finding, "handshake-cpu")) {
                ground->no_reuse = false;
                return true;
        }
        return false;
}

/* --- what came of it ------------------------------------------------------------------------- */

struct tally {
        /* logarithms of predicted over measured */
        double errors[LENGTH(families) * N_SEEDS], signed_errors[LENGTH(families) * N_SEEDS];
        size_t n, n_within, n_hopeful;
        double width; /* of all ranges, in their predictions */
};

static void try_it(struct tally *tally, const struct muster_finding *finding,
        const struct ground *ground, uint64_t seed)
{
        double truth = (double)ground_run(ground, seed, NULL);
        double error = log((double)finding->wall_ns / truth);

        if (getenv("SHOW"))
                print_message("%s %s: %g (%g to %g) truth %g\n", finding->cause,
                        finding->option ? finding->option : "", (double)finding->wall_ns / 1e6,
                        (double)finding->wall_low_ns / 1e6, (double)finding->wall_high_ns / 1e6,
                        truth / 1e6);
        assert_true(finding->wall_low_ns < finding->wall_high_ns);
        tally->errors[tally->n] = fabs(error);
        tally->signed_errors[tally->n] = error;
        tally->n++;
        tally->n_hopeful += error < 0;
        tally->n_within +=
                truth >= (double)finding->wall_low_ns && truth <= (double)finding->wall_high_ns;
        tally->width +=
                (double)(finding->wall_high_ns - finding->wall_low_ns) / (double)finding->wall_ns;
}

static void explain_it(struct tally *tally, struct ground *ground, uint64_t seed)
{
        struct record record;
        struct facts facts;
        struct ranking ranking;

        ground_run(ground, seed * 2, &record);
        assert_int_equal(facts_measure(&facts, &record), 0);
        assert_int_equal(ranking_make(&ranking, &facts), 0);
        for (size_t i = 0; i < ranking.n; i++) {
                if (!carry_out(&ranking.findings[i]->shown, ground))
                        continue;
                try_it(tally, &ranking.findings[i]->shown, ground, seed * 2 + 1);
                break;
        }
        ranking_deinit(&ranking);
        facts_deinit(&facts);
        record_deinit(&record);
}

static int compare(const void *one, const void *other)
{
        double a = *(const double *)one, b = *(const double *)other;

        return (a > b) - (a < b);
}

static double median(double *values, size_t n)
{
        qsort(values, n, sizeof(*values), compare);
        return n ? values[n / 2] : 0;
}

static void tell(const char *name, struct tally *tally)
{
        assert_true(tally->n > 0);
        print_message(
                "%-20s %3zu tried: median error %.1f %%, bias %+.1f %%, within %.0f %%, too hopeful %.0f %%, width %.0f %%\n",
                name, tally->n, 100 * median(tally->errors, tally->n),
                100 * median(tally->signed_errors, tally->n),
                100.0 * (double)tally->n_within / (double)tally->n,
                100.0 * (double)tally->n_hopeful / (double)tally->n,
                100 * tally->width / (double)tally->n);
}

static void add(struct tally *all, const struct tally *some)
{
        for (size_t i = 0; i < some->n; i++) {
                all->errors[all->n + i] = some->errors[i];
                all->signed_errors[all->n + i] = some->signed_errors[i];
        }
        all->n += some->n;
        all->n_within += some->n_within;
        all->n_hopeful += some->n_hopeful;
        all->width += some->width;
}

static void test_predictions(void **state)
{
        struct tally all = { 0 };

        (void)state;
        for (size_t i = 0; i < LENGTH(families); i++) {
                struct tally tally = { 0 };

                for (uint64_t seed = 1; seed <= N_SEEDS; seed++) {
                        struct ground ground;
                        struct rand rand;

                        rand_init(&rand, seed * 1000 + i);
                        families[i].set_up(&ground, &rand);
                        explain_it(&tally, &ground, seed * 1000 + i);
                }
                tell(families[i].name, &tally);
                add(&all, &tally);
        }
        tell("all", &all);
        assert_true(all.n >= 300);
        assert_true(median(all.errors, all.n) <= 0.10);
        assert_true(all.n_within * 10 >= all.n * 9);
        assert_true(fabs(median(all.signed_errors, all.n)) <= 0.03);
        assert_in_range(100 * all.n_hopeful / all.n, 40, 60);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_predictions),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
