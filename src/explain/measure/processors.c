/* SPDX-License-Identifier: MIT */
#include "processors.h"

#include "conns.h"
#include <base/clock.h>
#include <explain/judgement.h>
#include <math.h>

static bool are_servers_here(const struct record *record)
{
        for (size_t i = 0; i < record->n_conns; i++)
                if (!conn_is_local(&record->conns[i]))
                        return false;
        return record->n_conns > 0;
}

/* Ours, and of the programs that we started. */
static double own_ns(const struct facts *facts)
{
        int64_t children_us = record_counter_growth(facts->record, "children.cpu_us");

        return (double)facts->process_cpu_ns +
               (children_us > 0 ? (double)children_us * (double)NS_PER_US : 0);
}

/*
 * The counters are of all the time of a watched program, and what it computed before its first request
 * and after its last response was for none of them. Where its processor time is not known, nothing is
 * taken off.
 */
static void leave_out_loading(double *busy_ns, double *idle_ns, double n, const struct facts *facts)
{
        double around_ns = (double)(facts->startup_ns + facts->ending_ns);
        uint64_t all_ns = programs_cpu_ns(&facts->record->programs);
        double loading_ns;

        if (!facts->process_cpu_ns || all_ns <= facts->process_cpu_ns)
                return;
        loading_ns = fmin((double)(all_ns - facts->process_cpu_ns), around_ns * n);
        *busy_ns = fmax(*busy_ns - loading_ns, 0);
        *idle_ns = fmax(*idle_ns - (around_ns * n - loading_ns), 0);
}

void processors_of(struct processors *processors, const struct facts *facts)
{
        const struct record *record = facts->record;
        int64_t n = record_counter_after(record, "machine.processors");
        int64_t busy_us = record_counter_growth(record, "machine.busy_us");
        int64_t idle_us = record_counter_growth(record, "machine.idle_us");
        double busy_ns = (double)busy_us * (double)NS_PER_US;
        double idle_ns = (double)idle_us * (double)NS_PER_US;

        *processors = (struct processors){ 0 };
        if (n < 1 || busy_us <= 0 || idle_us < 0 || !facts->n_attempts || !are_servers_here(record))
                return;
        leave_out_loading(&busy_ns, &idle_ns, (double)n, facts);
        if (busy_ns <= 0)
                return;
        processors->is_known = true;
        processors->n = (double)n;
        processors->busy = busy_ns / (busy_ns + idle_ns);
        processors->each_ns = whole_of(busy_ns / (double)facts->n_attempts);
        processors->others =
                fmax(0, processors->busy * processors->n - own_ns(facts) / (double)facts->wall_ns);
}

double processors_most_per_s(const struct facts *facts)
{
        struct processors processors;

        processors_of(&processors, facts);
        if (!processors.is_known || processors.busy >= PROCESSORS_OURS || !processors.each_ns)
                return 0;
        return processors.n * (double)NS_PER_S / (double)processors.each_ns;
}

bool processors_are_full(const struct facts *facts)
{
        struct processors processors;

        processors_of(&processors, facts);
        return processors.is_known && processors.busy >= PROCESSORS_FULL;
}

bool processors_may_fill_server(const struct facts *facts, uint64_t answer_ns)
{
        struct processors processors;

        processors_of(&processors, facts);
        return processors.is_known && processors.others >= LOOP_BUSY &&
               processors.busy < PROCESSORS_FULL &&
               (double)answer_ns < (double)processors.each_ns * FAR_LONGER;
}
