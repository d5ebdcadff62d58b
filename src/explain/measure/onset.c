/* SPDX-License-Identifier: MIT */
#include "onset.h"

#include <base/mem.h>
#include <explain/facts/sort.h>
#include <explain/judgement.h>

#define N_STEPS 3 /* from an eighth of all that are there to a quarter, a half, all */

static size_t list_ends(const struct load *load, const struct facts *facts, uint64_t *ends)
{
        size_t n = 0;

        for (size_t i = 0; i < facts->record->n_attempts; i++) {
                const struct trace_attempt *attempt = &facts->record->attempts[i];

                if (load_is_answer(load, attempt))
                        ends[n++] = attempt->stamps.end_ns;
        }
        sort_numbers(ends, n);
        return n;
}

static double pace(const uint64_t *ends, size_t from, size_t to)
{
        uint64_t took_ns = ends[to] - ends[from];

        return (double)(to - from) * (double)NS_PER_S / (double)(took_ns ? took_ns : 1);
}

/* Each step is slower than the one before, and the rest is not faster than the last. */
static bool is_falling(const uint64_t *ends, size_t n, size_t most)
{
        double before = pace(ends, 0, most >> N_STEPS);

        for (size_t step = N_STEPS; step > 0; step--) {
                double now = pace(ends, most >> step, most >> (step - 1));

                if (now * BEYOND_SCATTER > before)
                        return false;
                before = now;
        }
        return pace(ends, most, n - 1) <= before * BEYOND_SCATTER;
}

static void judge(struct onset *onset, const uint64_t *ends, size_t n, size_t most)
{
        size_t few = most >> N_STEPS;

        if (few < AVERAGE_LEAST || n < 2 * most || !is_falling(ends, n, most))
                return;
        onset->few_per_s = pace(ends, 0, few);
        onset->least_per_s = pace(ends, 0, 2 * few);
        onset->later_per_s = pace(ends, most, n - 1);
        onset->all_per_s = pace(ends, 0, n - 1);
        onset->is_falling = onset->least_per_s >= onset->later_per_s * FULL_GROWTH;
}

void onset_of(struct onset *onset, const struct load *load, const struct facts *facts)
{
        uint64_t *ends = mem_array(facts->record->n_attempts, sizeof(*ends));

        *onset = (struct onset){ 0 };
        if (ends)
                judge(onset, ends, list_ends(load, facts, ends), load->most);
        mem_free(ends);
}
