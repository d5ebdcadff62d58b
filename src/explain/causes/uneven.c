/* SPDX-License-Identifier: MIT */
#include "uneven.h"

#include "duration.h"
#include <assert.h>
#include <base/mem.h>
#include <base/minmax.h>
#include <explain/facts/life.h>
#include <explain/facts/sort.h>
#include <explain/judgement.h>

static uint32_t number_of(const struct trace_attempt *attempt, enum uneven_by by)
{
        return by == UNEVEN_BY_HOST ? attempt->origin : attempt->path;
}

bool uneven_has(const struct uneven *uneven, const struct trace_attempt *attempt)
{
        return number_of(attempt, uneven->by) == uneven->which;
}

/* But for the time in which its name was looked up: that is no host's doing (causes_names.c). */
static uint64_t service_ns(const struct trace_attempt *attempt)
{
        uint64_t phase_ns[MUSTER_N_PHASES], ns = life_end_ns(attempt) - attempt->stamps.slot_ns;

        attempt_phases(attempt, phase_ns);
        return ns - min_u64(ns, phase_ns[MUSTER_PHASE_DNS]);
}

/* It has some of the attempts: more than an exception has, and not nearly all. */
static bool is_some(size_t n, size_t n_all)
{
        return n >= UNEVEN_LEAST && (double)n >= (double)n_all * EXCEPTIONS_MOST;
}

/* --- the one that takes most ----------------------------------------------------------------- */

static uint32_t most_of(const uint64_t *sums, size_t n)
{
        size_t most = 0;

        for (size_t i = 1; i < n; i++)
                if (sums[i] > sums[most])
                        most = i;
        return (uint32_t)most;
}

/* Number 0 stands for attempts that have none, and cannot be blamed. */
static bool find_largest(struct uneven *uneven, const struct record *record)
{
        size_t n = (uneven->by == UNEVEN_BY_HOST ? record->n_origins : record->n_paths) + 1;
        uint64_t *sums = mem_array(n, sizeof(*sums));

        for (size_t i = 0; sums && i < record->n_attempts; i++) {
                const struct trace_attempt *attempt = &record->attempts[i];
                uint32_t number = number_of(attempt, uneven->by);

                if (!attempt->stamps.slot_ns || number >= n)
                        continue;
                sums[number] += service_ns(attempt);
                uneven->all_ns += service_ns(attempt);
        }
        if (sums) {
                uneven->which = most_of(sums, n);
                uneven->sum_ns = sums[uneven->which];
        }
        mem_free(sums);
        return uneven->which && (double)uneven->sum_ns >= (double)uneven->all_ns * MUCH_OF_TIME;
}

/* --- against the others ---------------------------------------------------------------------- */

static uint32_t origin_of_path(const struct record *record, uint32_t path)
{
        for (size_t i = 0; i < record->n_attempts; i++)
                if (record->attempts[i].path == path)
                        return record->attempts[i].origin;
        return 0;
}

/* Apart: nearly all of its own are slower than nearly all of the others. */
static bool is_slower(const struct uneven *uneven, bool is_apart)
{
        if ((double)uneven->sum_ns < (double)uneven->all_ns * MOST_OF_TIME && !is_apart)
                return false;
        return (double)uneven->p50_ns >=
               (double)uneven->rest_p50_ns * (is_apart ? SLOWER_APART : SLOWER_THAN_OTHERS);
}

static bool compare(struct uneven *uneven, const struct record *record, uint64_t *own,
        uint64_t *rest)
{
        uint32_t origin = uneven->by == UNEVEN_BY_PATH ? origin_of_path(record, uneven->which) : 0;

        for (size_t i = 0; i < record->n_attempts; i++) {
                const struct trace_attempt *attempt = &record->attempts[i];

                if (!attempt->stamps.slot_ns || (origin && attempt->origin != origin))
                        continue;
                if (uneven_has(uneven, attempt)) {
                        own[uneven->n++] = service_ns(attempt);
                        uneven->n_unanswered += !trace_is_answered(attempt);
                } else if (trace_is_answered(attempt)) { /* what failed at once was not quick */
                        rest[uneven->n_rest++] = service_ns(attempt);
                }
        }
        if (!is_some(uneven->n, uneven->n + uneven->n_rest) ||
                !is_some(uneven->n_rest, uneven->n + uneven->n_rest))
                return false;
        sort_numbers(own, uneven->n);
        sort_numbers(rest, uneven->n_rest);
        assert(uneven->n > 0 && uneven->n_rest > 0);
        uneven->p50_ns = quantile_of(own, uneven->n, 0.5);
        uneven->rest_p50_ns = quantile_of(rest, uneven->n_rest, 0.5);
        uneven->rest_p90_ns = quantile_of(rest, uneven->n_rest, 0.9);
        return is_slower(uneven, quantile_of(own, uneven->n, 0.1) > uneven->rest_p90_ns);
}

static bool find_by(struct uneven *uneven, const struct facts *facts, enum uneven_by by)
{
        const struct record *record = facts->record;
        uint64_t *own, *rest;
        bool is_there = false;

        *uneven = (struct uneven){ .by = by };
        if (!find_largest(uneven, record))
                return false;
        own = mem_array(record->n_attempts, sizeof(*own));
        rest = mem_array(record->n_attempts, sizeof(*rest));
        if (own && rest)
                is_there = compare(uneven, record, own, rest);
        mem_free(own);
        mem_free(rest);
        return is_there;
}

bool uneven_find(struct uneven *uneven, const struct facts *facts)
{
        const struct record *record = facts->record;

        if (find_by(uneven, facts, UNEVEN_BY_PATH)) {
                uneven->name = record->paths[uneven->which - 1];
                return true;
        }
        if (!find_by(uneven, facts, UNEVEN_BY_HOST))
                return false;
        uneven->name = record->origins[uneven->which - 1].key;
        return true;
}

bool uneven_is_there(const struct facts *facts)
{
        struct uneven uneven;

        return uneven_find(&uneven, facts);
}

/* --- what it costs --------------------------------------------------------------------------- */

static void be_like_the_others(struct replay_request *request, const struct facts *facts,
        void *argument)
{
        const struct uneven *uneven = argument;

        (void)facts;
        if (request->last && uneven_has(uneven, request->last))
                duration_cut_off(request, uneven->rest_p50_ns + request->slot_ns[PART_DNS]);
}

uint64_t uneven_cost_ns(const struct uneven *uneven, const struct facts *facts)
{
        struct uneven copy = *uneven;
        struct replay replay;
        uint64_t wall_ns;

        replay_init(&replay, facts);
        replay.change = be_like_the_others;
        replay.argument = &copy;
        wall_ns = replay_wall_ns(&replay, facts);
        return wall_ns < facts->wall_ns ? facts->wall_ns - wall_ns : 0;
}

bool uneven_goes_first(const struct facts *facts, const struct raise *raise)
{
        struct uneven uneven;

        return uneven_find(&uneven, facts) &&
               uneven_cost_ns(&uneven, facts) + raise->wall_ns >= facts->wall_ns;
}
