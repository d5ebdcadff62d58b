/* SPDX-License-Identifier: MIT */
#include "program_served.h"

#include <base/mem.h>
#include <base/minmax.h>
#include <explain/facts/life.h>
#include <explain/facts/program.h>
#include <explain/facts/sort.h>
#include <explain/judgement.h>

uint32_t served_times(const struct facts *facts)
{
        const struct program_process *process =
                programs_process(&facts->record->programs, facts->program->process);

        return process && process->n_served >= HABIT_LEAST ? process->n_served : 0;
}

static uint64_t gap_ns(const struct facts *facts, size_t at)
{
        return facts->program->gap_ns[facts->by_request[at]];
}

/*
 * From one that asks to the next there is more time than from a request to the next for the same: of
 * all pauses those are the longest, one less than it was asked. So long they are at least; 0: that
 * tells none from the others, as all are alike.
 */
static uint64_t shortest_between(const struct facts *facts, uint64_t *gaps)
{
        size_t n = 0, n_between = served_times(facts) - 1, first;

        for (size_t at = 0; at < facts->record->n_attempts; at++)
                if (gap_ns(facts, at) != PROGRAM_NOT_ALONE)
                        gaps[n++] = gap_ns(facts, at);
        if (n_between >= n)
                return 0;
        sort_numbers(gaps, n);
        for (first = n - n_between; first > 0 && gaps[first - 1] == gaps[n - n_between]; first--)
                ;
        return n - first <= 2 * n_between ? gaps[n - n_between] : 0;
}

struct asked {
        uint64_t span_ns, longest_ns; /* of what is asked for one, so far */
        uint64_t spared_ns;           /* by all before */
        uint64_t between_ns;
        size_t n;
};

static void end_one(struct asked *asked)
{
        asked->spared_ns += asked->span_ns - asked->longest_ns;
        asked->span_ns = asked->longest_ns = 0;
}

static bool is_for_next(const struct asked *asked, const struct facts *facts, size_t at)
{
        size_t each = facts->program->n_alone / served_times(facts);

        return asked->between_ns ? gap_ns(facts, at) >= asked->between_ns
                                 : asked->n % max_u64(each, 1) == 0;
}

static void add(struct asked *asked, const struct facts *facts, size_t at)
{
        const struct trace_attempt *attempt = &facts->record->attempts[facts->by_request[at]];
        uint64_t life_ns = life_last_ns(attempt) - life_submit_ns(attempt);

        if (is_for_next(asked, facts, at))
                end_one(asked);
        else
                asked->span_ns += gap_ns(facts, at);
        asked->span_ns += life_ns;
        asked->longest_ns = max_u64(asked->longest_ns, life_ns);
        asked->n++;
}

uint64_t served_together_ns(const struct facts *facts)
{
        uint64_t *gaps = mem_array(facts->record->n_attempts, sizeof(*gaps));
        struct asked asked = { 0 };

        if (!gaps)
                return UINT64_MAX;
        asked.between_ns = shortest_between(facts, gaps);
        mem_free(gaps);
        for (size_t at = 0; at < facts->record->n_attempts; at++)
                if (gap_ns(facts, at) != PROGRAM_NOT_ALONE)
                        add(&asked, facts, at);
        end_one(&asked);
        return facts->wall_ns - min_u64(asked.spared_ns, facts->wall_ns - 1);
}
