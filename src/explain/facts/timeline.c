/* SPDX-License-Identifier: MIT */
/*
 * The answers of a host are laid out in the order in which they were asked for; the moments at which
 * anything of it came, in the order of time. What a rule asks of them is in timeline_pauses.c and
 * timeline_cold.c.
 */
#include "timeline_parts.h"

#include "sort.h"
#include <assert.h>
#include <base/mem.h>

static bool is_answer(const struct trace_attempt *attempt, uint32_t origin)
{
        const struct attempt *stamps = &attempt->stamps;

        return attempt->origin == origin && stamps->slot_ns && trace_is_answered(attempt) &&
               stamps->send_end_ns && stamps->first_byte_kernel_ns;
}

static uint64_t wait_ns(const struct trace_attempt *attempt)
{
        const struct attempt *stamps = &attempt->stamps;

        return stamps->first_byte_kernel_ns > stamps->send_end_ns
                       ? stamps->first_byte_kernel_ns - stamps->send_end_ns
                       : 0;
}

static size_t count_answers(const struct record *record, uint32_t origin)
{
        size_t n = 0;

        for (size_t i = 0; i < record->n_attempts; i++)
                n += is_answer(&record->attempts[i], origin);
        return n;
}

static void answers_deinit(struct answers *answers)
{
        mem_free(answers->order);
        mem_free(answers->waits);
        mem_free(answers->sorted);
        mem_free(answers->moments);
        mem_free(answers->n_quick);
}

static int answers_init(struct answers *answers, const struct facts *facts, uint32_t origin)
{
        size_t n = count_answers(facts->record, origin);

        *answers = (struct answers){ .facts = facts,
                .record = facts->record,
                .origin = origin,
                .order = mem_array(n + 1, sizeof(*answers->order)),
                .waits = mem_array(n + 1, sizeof(*answers->waits)),
                .sorted = mem_array(n + 1, sizeof(*answers->sorted)),
                .moments = mem_array(2 * n + 1, sizeof(*answers->moments)),
                .n_quick = mem_array(facts->record->n_paths + 1, sizeof(*answers->n_quick)) };
        return answers->order && answers->waits && answers->sorted && answers->moments &&
                               answers->n_quick
                       ? 0
                       : MUSTER_E_RESOURCE;
}

static void count_quick(struct answers *answers)
{
        uint64_t most_ns = quantile_of(answers->sorted, answers->n, SLOW_OF_FEW);

        for (size_t i = 0; i < answers->n; i++) {
                uint32_t path = answers_at(answers, i)->path;

                if (answers->waits[i] <= most_ns && path <= answers->record->n_paths)
                        answers->n_quick[path]++;
        }
}

static void lay_out(struct answers *answers)
{
        const struct record *record = answers->record;

        for (size_t i = 0; i < record->n_attempts; i++) {
                const struct trace_attempt *attempt = &record->attempts[i];
                const struct attempt *stamps = &attempt->stamps;

                if (!is_answer(attempt, answers->origin))
                        continue;
                answers->order[answers->n++] = (struct sort_pair){ stamps->send_end_ns, i };
                answers->moments[answers->n_moments++] = stamps->first_byte_kernel_ns;
                if (stamps->last_byte_kernel_ns > stamps->first_byte_kernel_ns)
                        answers->moments[answers->n_moments++] = stamps->last_byte_kernel_ns;
        }
        sort_pairs(answers->order, answers->n);
        sort_numbers(answers->moments, answers->n_moments);
        for (size_t i = 0; i < answers->n; i++) {
                answers->waits[i] = wait_ns(answers_at(answers, i));
                answers->sorted[i] = answers->waits[i];
        }
        sort_numbers(answers->sorted, answers->n);
        count_quick(answers);
}

static int measure(struct timeline *timeline, const struct facts *facts, uint32_t origin)
{
        struct answers answers;
        int r = answers_init(&answers, facts, origin);

        *timeline = (struct timeline){ .origin = origin };
        if (r == 0) {
                lay_out(&answers);
                timeline->n = answers.n;
                timeline->p50_ns = quantile_of(answers.sorted, answers.n, 0.5);
                timeline_find_pauses(timeline, &answers);
                r = timeline_find_cold(timeline, &answers);
        }
        answers_deinit(&answers);
        return r;
}

int timelines_new(struct timelines **ret_timelines, const struct facts *facts)
{
        struct timelines *timelines = mem_zalloc(sizeof(*timelines));
        size_t n = facts->n_hosts < TIMELINE_HOSTS_MAX ? facts->n_hosts : TIMELINE_HOSTS_MAX;
        int r = 0;

        if (!timelines)
                return MUSTER_E_RESOURCE;
        timelines->hosts = mem_array(n + 1, sizeof(*timelines->hosts));
        if (!timelines->hosts)
                r = MUSTER_E_RESOURCE;
        for (size_t i = 0; r == 0 && i < n; i++) {
                r = measure(&timelines->hosts[i], facts, facts->hosts[i].origin);
                timelines->n += r == 0;
        }
        if (r < 0)
                timelines = timelines_free(timelines);
        else
                *ret_timelines = timelines;
        return r;
}

struct timelines *timelines_free(struct timelines *timelines)
{
        if (timelines)
                mem_free(timelines->hosts);
        return mem_free(timelines);
}

uint64_t timelines_unsteady_ns(const struct facts *facts)
{
        uint64_t most_ns = 0;

        for (size_t i = 0; i < facts->timelines->n; i++) {
                const struct timeline *timeline = &facts->timelines->hosts[i];
                uint64_t ns = timeline->paused_ns + timeline->cold.cost_ns;

                if (ns > most_ns)
                        most_ns = ns;
        }
        return most_ns;
}

bool timelines_are_unsteady(const struct facts *facts)
{
        return (double)timelines_unsteady_ns(facts) >= (double)facts->wall_ns * GAIN_NOTICED;
}

/* --- asked of one attempt -------------------------------------------------------------------- */

const struct timeline *timeline_of(const struct facts *facts, const struct trace_attempt *attempt)
{
        for (size_t i = 0; i < facts->timelines->n; i++)
                if (facts->timelines->hosts[i].origin == attempt->origin)
                        return &facts->timelines->hosts[i];
        return NULL;
}

uint64_t timeline_paused_ns(const struct facts *facts, const struct trace_attempt *attempt)
{
        const struct timeline *timeline = timeline_of(facts, attempt);
        const struct attempt *stamps = &attempt->stamps;
        uint64_t paused_ns = 0;

        if (!timeline || !is_answer(attempt, timeline->origin))
                return 0;
        for (size_t i = 0; i < timeline->n_pauses; i++) {
                const struct timeline_pause *pause = &timeline->pauses[i];
                uint64_t from_ns = pause->begin_ns > stamps->send_end_ns ? pause->begin_ns
                                                                         : stamps->send_end_ns;
                uint64_t to_ns = pause->end_ns < stamps->first_byte_kernel_ns
                                         ? pause->end_ns
                                         : stamps->first_byte_kernel_ns;

                if (to_ns > from_ns)
                        paused_ns += to_ns - from_ns;
        }
        return paused_ns;
}

bool timeline_is_cold(const struct facts *facts, const struct trace_attempt *attempt)
{
        const struct timeline *timeline = timeline_of(facts, attempt);

        return timeline && timeline->cold.n && is_answer(attempt, timeline->origin) &&
               attempt->stamps.slot_ns <= timeline->cold.last_slot_ns &&
               (double)wait_ns(attempt) >= (double)timeline->cold.rest_p50_ns * SLOWER_THAN_OTHERS;
}
