/* SPDX-License-Identifier: MIT */
#include "facts_measure.h"

#include <assert.h>
#include <base/mem.h>
#include <explain/facts/chain.h>
#include <explain/facts/flight.h>
#include <explain/facts/hosts.h>
#include <explain/facts/intake.h>
#include <explain/facts/program.h>
#include <explain/facts/run.h>
#include <explain/facts/share.h>
#include <explain/facts/spreads.h>
#include <explain/facts/timeline.h>
#include <explain/facts/turns.h>
#include <explain/measure/load.h>
#include <explain/model/raise.h>
#include <explain/model/rehearsal.h>
#include <explain/model/replay.h>

static void add_around(uint64_t part_ns[PART_N], const struct facts *facts)
{
        part_ns[PART_STARTUP] = facts->startup_ns;
        part_ns[PART_ENDING] = facts->ending_ns;
}

/*
 * Each step fills one part of the facts. It needs the record, and the parts that are named on its
 * right.
 */
static int measure(struct facts *facts)
{
        int r;

        run_measure_wall(facts);
        run_count_attempts(facts);
        r = run_count_requests(facts);
        if (r == 0)
                r = program_measure(&facts->program, facts); /* requests */
        if (r == 0 && facts->program)
                facts->slots = facts->program->limit.value;
        if (r == 0)
                run_measure_loop(facts); /* wall */
        if (r == 0)
                r = flight_measure(facts); /* wall */
        if (r == 0)
                r = spreads_measure(facts); /* requests */
        if (r == 0)
                r = hosts_measure(facts); /* wall */
        if (r == 0)
                r = intake_init(&facts->intake, facts); /* wall, requests */
        if (r == 0)
                r = turns_new(&facts->turns, facts->record);
        if (r == 0)
                r = timelines_new(&facts->timelines, facts); /* hosts, turns */
        if (r == 0)
                r = share_sweep(facts, facts->share_ns); /* wall, intake, turns */
        if (r == 0)
                chain_walk(facts, facts->chain_ns); /* wall, requests, flight, intake, turns */
        if (r == 0)
                r = load_new(&facts->load, facts); /* hosts */
        if (r == 0)
                r = rehearsal_new(&facts->rehearsal, facts); /* all of the above */
        if (r == 0)
                facts->replayed_ns = replay_unchanged_ns(facts); /* rehearsal */
        if (facts->replayed_ns == UINT64_MAX)
                return MUSTER_E_RESOURCE;
        if (r == 0)
                r = raise_measure(&facts->raise, facts); /* all of the above */
        add_around(facts->chain_ns, facts);
        add_around(facts->share_ns, facts);
        return r;
}

int facts_measure(struct facts *facts, const struct record *record)
{
        int r;

        *facts = (struct facts){ .record = record, .slots = record->run.options.concurrency };
        if (record->n_attempts == 0 || record->n_attempts > UINT32_MAX)
                return MUSTER_E_INPUT;
        r = measure(facts);
        assert(r < 0 || (facts->wall_ns > 0 && facts->n_requests > 0));
        if (r < 0)
                facts_deinit(facts);
        return r;
}

void facts_deinit(struct facts *facts)
{
        mem_free(facts->hosts);
        mem_free(facts->by_request);
        mem_free(facts->raise);
        mem_free(facts->load);
        program_free(facts->program);
        intake_free(facts->intake);
        turns_free(facts->turns);
        timelines_free(facts->timelines);
        rehearsal_free(facts->rehearsal);
        *facts = (struct facts){ 0 };
}
