/* SPDX-License-Identifier: MIT */
#include "load_answers.h"

#include <assert.h>
#include <base/clock.h>
#include <explain/judgement.h>

static double per_s(const uint64_t *ends, size_t from, size_t to)
{
        uint64_t took_ns = ends[to] - ends[from];

        return took_ns ? (double)(to - from) * (double)NS_PER_S / (double)took_ns : 0;
}

/*
 * The pace from one answer to another. 0: it is the pace of one answer, and would depend on where
 * it is cut.
 */
static double pace_of(const struct answers *answers, size_t from, size_t to)
{
        if (answers->ends[to] - answers->ends[from] < answers->load->alone_ns)
                return 0;
        return per_s(answers->ends, from, to);
}

/* The pace from `n_left` before the end to half of that; 0: too few to tell. */
static double pace_of_half(const struct answers *answers, size_t n_left)
{
        size_t from = answers->n_ends - n_left, to = answers->n_ends - n_left / 2;

        return n_left / 2 < AVERAGE_LEAST || !from ? 0 : pace_of(answers, from - 1, to - 1);
}

/*
 * The best pace of as many in a row before that. Where answers differ some come quickly by
 * accident.
 */
static double pace_by_accident(const struct answers *answers, size_t n_full, size_t n)
{
        double best = 0;

        for (size_t i = 0; i + n < n_full; i += n) {
                double pace = pace_of(answers, i, i + n);

                if (pace > best)
                        best = pace;
        }
        return best;
}

/*
 * The pace with best_n out. Answers that ended while fewer were left had been begun when `n_left`
 * and more were out, and were slowed down by as many. Between there and all of them the pace is
 * taken to fall as the Universal Scalability Law has it beyond its peak, with 1 / (1 + k (n - 1)).
 */
static double pace_at(const struct load *load, double pace, double n_left)
{
        double ratio = pace / load->full_per_s;
        double rest = (double)(load->most - 1) - ratio * (n_left - 1);
        double k = rest > 0 ? (ratio - 1) / rest : 0;

        return pace * (1 + k * (n_left - 1)) / (1 + k * (load->best_n - 1));
}

/*
 * The pace is no accident of a few answers: it is higher than any before, and so is that of all up
 * to there.
 */
static bool is_peak(const struct answers *answers, size_t n_full, size_t n_left, double pace)
{
        double worth_it = answers->load->full_per_s * BETTER_PACE;

        return pace > worth_it &&
               pace > pace_by_accident(answers, n_full, n_left - n_left / 2) * BEYOND_SCATTER &&
               pace_of(answers, n_full - 1, answers->n_ends - n_left / 2 - 1) > worth_it;
}

/*
 * Until the last request begins all slots are in use; then fewer and fewer are. That time is looked
 * at in halves: from all to half of them, to a quarter, and so on. Where answers come faster with
 * fewer out, more at once had slowed the server down. A server that is merely full keeps its pace.
 */
void load_watch_the_end(struct answers *answers)
{
        struct load *load = answers->load;
        double best = 0;
        size_t n_full = 0;

        while (n_full < answers->n_ends && answers->ends[n_full] <= answers->last_slot_ns)
                n_full++;
        if (n_full < answers->n_ends / 2)
                n_full = answers->n_ends / 2; /* all began at once: the pace of the first half */
        if (n_full < 2)
                return;
        assert(n_full <= answers->n_ends);
        load->full_per_s = per_s(answers->ends, 0, n_full - 1);
        for (size_t n_left = answers->n_ends - n_full; n_left; n_left /= 2) {
                double pace = pace_of_half(answers, n_left);

                if (pace <= best || !is_peak(answers, n_full, n_left, pace))
                        continue;
                best = pace;
                load->best_n = (double)n_left * 3 / 4;
                load->best_per_s = pace_at(load, pace, (double)n_left);
        }
}
