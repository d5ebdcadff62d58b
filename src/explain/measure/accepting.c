/* SPDX-License-Identifier: MIT */
#include "accepting.h"

#include "conns.h"
#include "dialling.h"
#include "serving.h"
#include <assert.h>
#include <base/mem.h>
#include <explain/judgement.h>

static bool measure_wait(const struct facts *facts, const struct trace_attempt *attempt,
        uint64_t *ret_value)
{
        *ret_value = attempt_network_ns(facts->record, attempt) +
                     attempt_server_ns(facts->record, attempt);
        return trace_is_answered(attempt) && attempt->stamps.slot_ns && facts->n_hosts &&
               attempt->origin == facts->hosts[0].origin;
}

static bool measure_first(const struct facts *facts, const struct trace_attempt *attempt,
        uint64_t *ret_value)
{
        const struct trace_conn *conn = conn_of_attempt(facts->record, attempt);

        return measure_wait(facts, attempt, ret_value) && !attempt->is_reused && conn &&
               !conn->is_tls;
}

static bool measure_kept(const struct facts *facts, const struct trace_attempt *attempt,
        uint64_t *ret_value)
{
        return measure_wait(facts, attempt, ret_value) && attempt->is_reused;
}

static bool measure_slot(const struct facts *facts, const struct trace_attempt *attempt,
        uint64_t *ret_value)
{
        bool is_first = measure_first(facts, attempt, ret_value);

        *ret_value = attempt->stamps.slot_ns;
        return is_first;
}

/*
 * The first waits that began together with the very first one: within BEGAN_TOGETHER of the
 * longest.
 */
static void measure_together(struct accepting *accepting, const struct facts *facts,
        const struct spread *all)
{
        const struct record *record = facts->record;
        uint64_t *values = mem_array(record->n_attempts, sizeof(*values));
        struct spread slots;

        if (!values)
                return;
        measure_attempts(&slots, facts, measure_slot);
        for (size_t i = 0; i < record->n_attempts; i++)
                accepting->n += measure_first(facts, &record->attempts[i], &values[accepting->n]) &&
                                (double)(record->attempts[i].stamps.slot_ns - slots.min) <=
                                        (double)all->max * BEGAN_TOGETHER;
        spread_of(&accepting->first_ns, values, accepting->n);
        mem_free(values);
}

static bool wait_for_each_other(struct accepting *accepting, const struct facts *facts)
{
        struct spread all;

        measure_attempts(&all, facts, measure_first);
        if (all.n < ROW_LEAST)
                return false;
        measure_together(accepting, facts, &all);
        return accepting->n >= ROW_LEAST && (double)accepting->n >= ROW_OF_ALL * (double)all.n &&
               spread_is_ramp(&accepting->first_ns);
}

static bool had_no_room(const struct facts *facts)
{
        struct dialling dialling;

        dialling_of(&dialling, facts);
        return dialling.n_syns_again >= HABIT_LEAST;
}

void accepting_of(struct accepting *accepting, const struct facts *facts)
{
        *accepting = (struct accepting){ .had_no_room = had_no_room(facts),
                .is_limited = serving_is_limited(facts) };
        if (accepting->had_no_room || accepting->is_limited ||
                !wait_for_each_other(accepting, facts))
                return;
        assert(accepting->n >= 2); /* a row */
        measure_attempts(&accepting->kept_ns, facts, measure_kept);
        accepting->each_ns = (double)(accepting->first_ns.max - accepting->first_ns.min) /
                             (double)(accepting->n - 1);
        accepting->is_slow = accepting->kept_ns.n >= SAMPLE_LEAST &&
                             accepting->first_ns.max >= WAITED_LEAST_NS &&
                             (double)accepting->first_ns.p50 >=
                                     FIRST_FAR_LONGER * (double)accepting->kept_ns.p90;
}

bool accepting_held_up(const struct facts *facts)
{
        struct accepting accepting;

        accepting_of(&accepting, facts);
        return accepting.is_slow || accepting.had_no_room || accepting.is_limited;
}

bool accepting_is_first(const struct facts *facts, const struct trace_attempt *attempt)
{
        uint64_t wait_ns;

        return measure_first(facts, attempt, &wait_ns);
}
