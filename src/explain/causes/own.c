/* SPDX-License-Identifier: MIT */
#include "own.h"

#include <base/clock.h>
#include <base/minmax.h>
#include <explain/judgement.h>
#include <explain/model/crew.h>

enum trace_work own_main_work(const struct facts *facts)
{
        enum trace_work most = TRACE_WORK_IO;

        for (int i = 0; i < TRACE_N_WORKS; i++)
                if (facts->loop_ns[i] > facts->loop_ns[most])
                        most = (enum trace_work)i;
        return most;
}

uint64_t own_processors(const struct facts *facts)
{
        int64_t n = record_counter_after(facts->record, "machine.processors");

        if (n <= 0)
                return 0;
        return n < CREW_MOST ? (uint64_t)n : CREW_MOST;
}

double own_free_processors(const struct facts *facts)
{
        double n =
                own_processors(facts) ? (double)own_processors(facts) : (double)PROCESSORS_LIKELY;
        int64_t us = record_counter_growth(facts->record, "pressure.cpu_us");
        double waited = us > 0 ? (double)us * (double)NS_PER_US / (double)facts->wall_ns : 0;

        return n - (n - 1) * (waited < 1 ? waited : 1);
}

uint64_t own_running_ns(const struct facts *facts)
{
        uint64_t delay_ns = facts->run_delay_ns > 0 ? (uint64_t)facts->run_delay_ns : 0;
        uint64_t ns = facts->loop_busy_ns - min_u64(delay_ns, facts->loop_busy_ns);

        return max_u64(ns, min_u64(facts->thread_cpu_ns, facts->loop_busy_ns));
}

bool own_has_processor(const struct facts *facts)
{
        double ran_ns = (double)facts->thread_cpu_ns, kept_ns = (double)facts->run_delay_ns;

        return kept_ns <= 0 || ran_ns >= (ran_ns + kept_ns) * MOST_OF_TIME;
}

void own_tell_busy(struct finding *finding, const struct facts *facts)
{
        struct words share = words_share((double)facts->loop_busy_ns, (double)facts->wall_ns);

        if (facts->n_loops > 1)
                finding_evidence(finding,
                        "event loop %u of %u, the busiest, was busy for %s of the time",
                        facts->busiest_loop, facts->n_loops, share.text);
        else
                finding_evidence(finding, "the event loop's thread was busy for %s of the time",
                        share.text);
}
