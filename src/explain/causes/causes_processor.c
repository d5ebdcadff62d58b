/* SPDX-License-Identifier: MIT */
/*
 * The machine that this program runs on
 *
 * The kernel tells for how long the loop's thread was ready to run and had no processor. That is no
 * work of its own, no blocking, and nothing that a server did. Why there was none is told apart by
 * counters: a quota of its control group, or others that used the processors. A thread that had
 * work and neither ran nor was ready was stopped.
 */
#include "cause.h"

#include "consumer.h"
#include "own.h"
#include <base/clock.h>
#include <base/minmax.h>
#include <explain/facts/turns.h>
#include <explain/judgement.h>
#include <explain/measure/conns.h>

static bool is_part(uint64_t part_ns, uint64_t whole_ns, double share)
{
        return (double)part_ns >= (double)whole_ns * share;
}

static uint64_t counted_ns(const struct facts *facts, const char *counter)
{
        int64_t us = record_counter_growth(facts->record, counter);

        return us > 0 ? min_u64((uint64_t)us, UINT64_MAX / NS_PER_US) * NS_PER_US : 0;
}

/* At best all of it is spared, and what others have to do goes faster, too; at worst nothing. */
static void predict(struct finding *finding, const struct facts *facts, uint64_t spared_ns,
        uint64_t low_ns)
{
        uint64_t wall_ns = facts->wall_ns;

        if (spared_ns < wall_ns)
                finding_predict(finding, wall_ns - spared_ns, min_u64(low_ns, wall_ns - spared_ns),
                        wall_ns);
}

/* --- a quota --------------------------------------------------------------------------------- */

/*
 * How long this program stood still. The kernel adds up the time on each processor on which the
 * program was to run. How many these are follows from what it used and what it was kept from, over
 * the wall time; one at least.
 */
static uint64_t throttled_ns(const struct facts *facts)
{
        double kept_ns = (double)counted_ns(facts, "cgroup.throttled_us");
        double processors = (kept_ns + (double)facts->process_cpu_ns) / (double)facts->wall_ns;

        return whole_of(processors > 1 ? kept_ns / processors : kept_ns);
}

static bool processor_throttled(const struct facts *facts, struct finding *finding)
{
        int64_t n = record_counter_growth(facts->record, "cgroup.throttled");
        uint64_t ns = throttled_ns(facts);

        if (n < (int64_t)HABIT_LEAST || !is_part(ns, facts->wall_ns, OWN_WORK_MATTERS))
                return false;
        finding_title(finding, "A CPU limit held this program back");
        finding_evidence(finding,
                "its control group (container, service) used up its CPU quota %s times and was stopped for %s, %s of the time",
                words_count((uint64_t)n).text, words_ns(ns).text,
                words_share((double)ns, (double)facts->wall_ns).text);
        finding_evidence(finding, "it used %s of CPU time in %s",
                words_ns(facts->process_cpu_ns).text, words_ns(facts->wall_ns).text);
        finding_remedy(finding, "Raise the CPU limit of its container or control group.");
        finding->explained_ns = ns;
        finding->shown.is_client = true;
        predict(finding, facts, ns, facts->wall_ns - min_u64(ns, facts->wall_ns));
        return true;
}

/* --- others ---------------------------------------------------------------------------------- */

/* Ready and without a processor, for another reason than a quota. */
static uint64_t kept_off_ns(const struct facts *facts)
{
        uint64_t ns = facts->run_delay_ns > 0 ? (uint64_t)facts->run_delay_ns : 0;

        return ns - min_u64(ns, throttled_ns(facts));
}

/* Processor time of this process and of the programs that it started. */
static uint64_t own_cpu_ns(const struct facts *facts)
{
        return facts->process_cpu_ns + counted_ns(facts, "children.cpu_us");
}

static void tell_users(struct finding *finding, const struct facts *facts, bool is_with_servers)
{
        uint64_t all_ns = counted_ns(facts, "machine.busy_us");
        uint64_t own_ns = own_cpu_ns(facts), steal_ns = counted_ns(facts, "machine.steal_us");

        if (all_ns > own_ns)
                finding_evidence(finding,
                        is_with_servers
                                ? "of %s of processor time this program used %s; the servers, which run on this machine, and other programs used the rest"
                                : "of %s of processor time this program used %s; other programs used the rest",
                        words_ns(all_ns).text, words_ns(own_ns).text);
        if (is_part(steal_ns, all_ns + steal_ns, LINE_SHARE))
                finding_evidence(finding, "the host of this virtual machine took %s from it",
                        words_ns(steal_ns).text);
}

/* All requests wait for answers of servers that lack the same processors: they may be as fast. */
static uint64_t wall_of_idle_machine_ns(const struct facts *facts, uint64_t lost_ns)
{
        uint64_t others_ns = facts->chain_ns[PART_SERVER] + facts->chain_ns[PART_NETWORK];
        double kept = (double)kept_off_ns(facts);
        double share = kept / (kept + (double)facts->thread_cpu_ns);

        return facts->wall_ns -
               min_u64(lost_ns + whole_of((double)others_ns * share), facts->wall_ns);
}

/*
 * The thread could have run for more than it did, and the end of the run waited for that. No
 * threshold of its own decides that others had the processor: the kernel counted it.
 */
static bool processor_busy(const struct facts *facts, struct finding *finding)
{
        uint64_t kept_ns = kept_off_ns(facts), lost_ns = facts->chain_ns[PART_PROCESSOR];
        bool is_with_servers = conns_are_local(facts->record);

        lost_ns -= min_u64(throttled_ns(facts), lost_ns);
        if (!is_part(kept_ns, facts->wall_ns, OWN_WORK_MATTERS) ||
                !is_part(lost_ns, facts->wall_ns, GAIN_NOTICED) ||
                !is_part(kept_ns, kept_ns + facts->thread_cpu_ns, MOST_OF_TIME))
                return false;
        finding_title(finding,
                is_with_servers
                        ? "This program and the servers share the processors of this machine, which were full"
                        : "Other programs kept the processor busy");
        finding_evidence(finding,
                "for %s of the time this program was ready to run, but had no processor; it used one for %s",
                words_share((double)kept_ns, (double)facts->wall_ns).text,
                words_share((double)facts->thread_cpu_ns, (double)facts->wall_ns).text);
        tell_users(finding, facts, is_with_servers);
        finding_remedy(finding,
                is_with_servers
                        ? "Run the servers on another machine, or end the other programs; do not rely on what this run says about servers."
                        : "Run it on a machine that is less busy; do not rely on what this run says about servers.");
        finding->explained_ns = lost_ns;
        finding->shown.is_client = true;
        predict(finding, facts, lost_ns,
                is_with_servers ? wall_of_idle_machine_ns(facts, lost_ns)
                                : facts->wall_ns - min_u64(lost_ns, facts->wall_ns));
        return true;
}

/* --- stopped --------------------------------------------------------------------------------- */

/* Work that never blocks: no program of others is in it. */
static uint64_t halt_in_turn_ns(const struct trace_turn *turn, bool is_sure)
{
        uint64_t idle_ns = turn_idle_ns(turn);
        uint64_t may_ns = turn->late_ns + turn->work_ns[TRACE_WORK_IO] +
                          turn->work_ns[TRACE_WORK_TLS] + turn->work_ns[TRACE_WORK_DECODE];

        if (!is_sure)
                idle_ns = min_u64(idle_ns, may_ns);
        return idle_ns < STOPPED_LEAST_NS ? 0 : idle_ns;
}

/*
 * For how long it was stopped, and in how many pieces. Where SIGCONT was counted, a stop may lie in
 * any turn, but there are not more of them; the longest ones then.
 */
static uint64_t stopped_ns(const struct facts *facts, int64_t n_stops, uint64_t *ret_n)
{
        const struct record *record = facts->record;
        uint64_t sum_ns = 0, below_ns = UINT64_MAX;

        *ret_n = 0;
        for (size_t i = 0; n_stops <= 0 && i < record->n_turns; i++) {
                uint64_t ns = halt_in_turn_ns(&record->turns[i], false);

                sum_ns += ns;
                *ret_n += ns > 0;
        }
        for (; n_stops > 0 && n_stops <= STOPS_MOST && below_ns; n_stops--) {
                uint64_t longest_ns = 0;

                for (size_t i = 0; i < record->n_turns; i++) {
                        uint64_t ns = halt_in_turn_ns(&record->turns[i], true);

                        if (ns < below_ns)
                                longest_ns = max_u64(longest_ns, ns);
                }
                sum_ns += longest_ns;
                *ret_n += longest_ns > 0;
                below_ns = longest_ns;
        }
        return sum_ns;
}

static void tell_stopped(struct finding *finding, const struct facts *facts, int64_t n_stops,
        uint64_t n, uint64_t ns)
{
        struct words share = words_share((double)ns, (double)facts->wall_ns);

        if (n_stops > 0) {
                finding_title(finding, "This program was stopped during the run");
                finding_evidence(finding,
                        "it was stopped %s (Ctrl-Z or SIGSTOP) and stood still for %s, %s of the time",
                        words_counted((uint64_t)n_stops, "time", "times").text, words_ns(ns).text,
                        share.text);
        } else {
                finding_title(finding,
                        "This program stood still, although it had work and a processor");
                finding_evidence(finding, "%s it stood still, for %s in all, %s of the time",
                        words_counted(n, "time", "times").text, words_ns(ns).text, share.text);
                finding->shown.grade = MUSTER_GRADE_B;
        }
        finding_evidence(finding,
                "meanwhile it used no processor, waited for none, and read no answer that was there");
}

static bool tell_suspended(struct finding *finding, const struct facts *facts)
{
        uint64_t ns = counted_ns(facts, "machine.suspended_us");

        if (ns < STOPPED_LEAST_NS)
                return false;
        finding_title(finding, "This machine slept during the run");
        finding_evidence(finding,
                "it was suspended for %s, which is in none of the times here; servers and networks went on",
                words_ns(ns).text);
        finding_remedy(finding,
                "Run it again; connections that broke, and what timed out, may come from that.");
        finding->explained_ns = min_u64(ns, facts->wall_ns);
        finding->shown.is_client = true;
        return true;
}

static bool process_stopped(const struct facts *facts, struct finding *finding)
{
        int64_t n_stops = record_counter_growth(facts->record, "process.stops");
        uint64_t n, ns = stopped_ns(facts, n_stops, &n);

        ns = min_u64(ns - min_u64(ns, counted_ns(facts, "machine.steal_us")), facts->wall_ns);
        if (!n || !is_part(ns, facts->wall_ns, GAIN_NOTICED))
                return tell_suspended(finding, facts);
        tell_stopped(finding, facts, n_stops, n, ns);
        finding_remedy(finding,
                n_stops > 0
                        ? "Let it run without stopping it; do not rely on what this run says about servers."
                        : "Look for a debugger, or a container or virtual machine that was paused; do not rely on what this run says about servers.");
        finding->explained_ns = ns;
        finding->shown.is_client = true;
        predict(finding, facts, ns, facts->wall_ns - ns);
        return true;
}

const struct cause causes_processor[] = {
        { "process-stopped", MUSTER_GRADE_A, process_stopped },
        { "processor-throttled", MUSTER_GRADE_A, processor_throttled },
        { "processor-busy", MUSTER_GRADE_A, processor_busy },
        { 0 },
};
