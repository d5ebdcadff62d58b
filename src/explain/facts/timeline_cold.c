/* SPDX-License-Identifier: MIT */
/*
 * A cold start: one change, from slow answers to steady ones
 *
 * Answers in the order in which they were asked for are slow or not, beside the middle one of the
 * second half. The change is where cutting them in two puts most of the slow ones before it and most
 * of the others behind it. It is a cold start if nearly all before it are slow, next to none behind
 * it, and no fewer were under way then: a server that is full gets faster too when less is asked of
 * it. Others that are answered quickly meanwhile would show a straggler beside a warm server.
 */
#include "timeline_parts.h"

#include <assert.h>
#include <base/mem.h>

struct halves {
        size_t n_before, n_slow_before, n_slow_behind;
};

static uint64_t middle_of_rest(const struct answers *answers, size_t from, uint64_t *scratch)
{
        size_t n = answers->n - from;

        for (size_t i = 0; i < n; i++)
                scratch[i] = answers->waits[from + i];
        sort_numbers(scratch, n);
        return quantile_of(scratch, n, 0.5);
}

static struct halves cut(const struct answers *answers, uint64_t slow_ns)
{
        struct halves best = { 0 };
        size_t n_slow = 0, n_all = 0;
        long score = 0, most = 0;

        for (size_t i = 0; i < answers->n; i++)
                n_all += answers->waits[i] >= slow_ns;
        for (size_t i = 0; i < answers->n; i++) {
                bool is_slow = answers->waits[i] >= slow_ns;

                n_slow += is_slow;
                score += is_slow ? 1 : -1;
                if (score <= most)
                        continue;
                most = score;
                best = (struct halves){ i + 1, n_slow, n_all - n_slow };
        }
        return best;
}

static bool is_one_change(const struct halves *halves, size_t n)
{
        size_t n_behind = n - halves->n_before;

        return halves->n_before && n_behind >= PACE_LEAST && n_behind >= halves->n_before &&
               (double)halves->n_slow_before >= (double)halves->n_before * COLD_NEARLY_ALL &&
               (double)halves->n_slow_behind <= (double)n_behind * EXCEPTIONS_MOST;
}

/* From the first ones on: where answers get faster bit by bit there is no one change. */
static bool is_steady(const struct answers *answers, size_t n_cold, uint64_t *scratch)
{
        size_t n = (answers->n - n_cold) / 4;
        uint64_t rest_ns = middle_of_rest(answers, n_cold, scratch);

        for (size_t i = 0; i < n; i++)
                scratch[i] = answers->waits[n_cold + i];
        sort_numbers(scratch, n);
        return (double)quantile_of(scratch, n, 0.5) <= (double)rest_ns * MUCH_LONGER;
}

/* Hardly any other had been answered when half of the cold ones were. */
static bool were_first(const struct answers *answers, size_t n_cold, uint64_t *scratch)
{
        size_t n_before = 0;
        uint64_t middle_ns;

        for (size_t i = 0; i < n_cold; i++)
                scratch[i] = answers_at(answers, i)->stamps.first_byte_kernel_ns;
        sort_numbers(scratch, n_cold);
        middle_ns = quantile_of(scratch, n_cold, 0.5);
        for (size_t i = n_cold; i < answers->n; i++)
                n_before += answers_at(answers, i)->stamps.first_byte_kernel_ns < middle_ns;
        return n_before <= n_cold;
}

/* As many were under way at the middle one of the rest as at most of the cold ones. */
static bool is_same_load(const struct answers *answers, size_t n_cold, uint64_t *scratch)
{
        size_t n = answers->n - n_cold;
        uint64_t most = 0;

        for (size_t i = 0; i < n_cold; i++)
                if (answers_at(answers, i)->host_in_flight > most)
                        most = answers_at(answers, i)->host_in_flight;
        for (size_t i = 0; i < n; i++)
                scratch[i] = answers_at(answers, n_cold + i)->host_in_flight;
        sort_numbers(scratch, n);
        return (double)quantile_of(scratch, n, 0.5) >= (double)most * MOST_OF_THEM;
}

static void fill(struct timeline_cold *cold, const struct answers *answers, size_t n_cold,
        uint64_t *scratch)
{
        cold->n = n_cold;
        cold->n_rest = answers->n - n_cold;
        cold->rest_p50_ns = middle_of_rest(answers, n_cold, scratch);
        for (size_t i = 0; i < n_cold; i++) {
                const struct trace_attempt *attempt = answers_at(answers, i);

                scratch[i] = answers->waits[i];
                if (attempt->stamps.first_byte_kernel_ns > cold->until_ns)
                        cold->until_ns = attempt->stamps.first_byte_kernel_ns;
                if (attempt->stamps.slot_ns > cold->last_slot_ns)
                        cold->last_slot_ns = attempt->stamps.slot_ns;
        }
        sort_numbers(scratch, n_cold);
        cold->p50_ns = quantile_of(scratch, n_cold, 0.5);
        cold->cost_ns = cold->until_ns - answers->order[0].key;
        cold->cost_ns -= cold->rest_p50_ns < cold->cost_ns ? cold->rest_p50_ns : cold->cost_ns;
        for (size_t i = n_cold; i < answers->n; i++)
                cold->n_new_later += !answers_at(answers, i)->is_reused;
}

/* A scheduler delays the first answers for less, each of them and all together. */
static void dismiss_scheduler(struct timeline_cold *cold)
{
        if (cold->cost_ns < PAUSE_LEAST_NS ||
                (cold->cost_ns < PAUSE_BY_SCHEDULER_NS &&
                        cold->p50_ns - cold->rest_p50_ns < PAUSE_LEAST_NS))
                *cold = (struct timeline_cold){ 0 };
}

int timeline_find_cold(struct timeline *timeline, const struct answers *answers)
{
        uint64_t *scratch;
        struct halves halves;
        double slow_ns;

        if (answers->n < 2)
                return 0;
        scratch = mem_array(answers->n, sizeof(*scratch));
        if (!scratch)
                return MUSTER_E_RESOURCE;
        slow_ns = (double)middle_of_rest(answers, answers->n / 2, scratch) * SLOWER_THAN_OTHERS;
        halves = cut(answers, whole_of(slow_ns));
        if (slow_ns >= 1 && is_one_change(&halves, answers->n) &&
                is_steady(answers, halves.n_before, scratch) &&
                were_first(answers, halves.n_before, scratch) &&
                is_same_load(answers, halves.n_before, scratch)) {
                fill(&timeline->cold, answers, halves.n_before, scratch);
                dismiss_scheduler(&timeline->cold);
        }
        mem_free(scratch);
        return 0;
}
