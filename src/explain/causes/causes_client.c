/* SPDX-License-Identifier: MIT */
/*
 * This program, or the machine that it runs on
 *
 * Where the loop's thread has no time left, the run says little of servers: their answers lay there
 * and were not read. So these findings are marked as the client's. What fills the thread tells them
 * apart: reading and parsing, the program that takes the results, or work on bodies
 * (causes_work.c). A thread that is held up without using the processor was blocked (it wrote into
 * a pipe that nobody reads), or it had no processor: because of a quota, or because other programs
 * had it.
 */
#include "cause.h"

#include "own.h"
#include <base/minmax.h>
#include <base/clock.h>
#include <explain/judgement.h>
#include <string.h>

static bool is_part(uint64_t part_ns, uint64_t whole_ns, double share)
{
        return (double)part_ns >= (double)whole_ns * share;
}

/* No prediction where all of the time would be spared: then too little is known of the rest. */
static void predict(struct finding *finding, const struct facts *facts, uint64_t spared_ns)
{
        uint64_t wall_ns;

        if (spared_ns >= facts->wall_ns)
                return;
        wall_ns = facts->wall_ns - spared_ns;
        finding_predict(finding, wall_ns, wall_ns, wall_ns);
}

/* --- bodies in result lines ------------------------------------------------------------------ */

/*
 * The command writes bodies into its result lines unless it is told not to. Small bodies are not
 * what makes a line long.
 */
static bool writes_bodies(const struct facts *facts)
{
        const struct record_run *run = &facts->record->run;

        return run->command && !run->options.discard_body &&
               facts->body_bytes >= facts->n_requests * LARGE_IN_LINE_BYTES &&
               (!strstr(run->command, "\"--body\"") ||
                       strstr(run->command, "\"--body\",\"inline\""));
}

static void remedy_bodies(struct finding *finding, const struct facts *facts, uint64_t spared_ns)
{
        finding_remedy(finding,
                "Leave bodies out of the result lines (--body none), or write each to its own file (--body DIR).");
        finding_option(finding, "--body none");
        predict(finding, facts, spared_ns);
}

/* --- the thread has no time left ------------------------------------------------------------- */

/* A loop for each processor that is free for it, as far as the machine told. */
static unsigned n_loops_possible(const struct facts *facts)
{
        double n = own_processors(facts) ? own_free_processors(facts) : 0;

        if (n > (double)facts->record->run.options.concurrency)
                n = (double)facts->record->run.options.concurrency;
        return (unsigned)n;
}

/*
 * Handling responses is divided; what the program does with results stays in one thread. At best
 * nothing else is in the way; at worst it gains nothing, as where servers share the processors.
 */
static void remedy_threads(struct finding *finding, const struct facts *facts, uint64_t written_ns)
{
        unsigned n = n_loops_possible(facts);
        uint64_t handling_ns = facts->loop_busy_ns - min_u64(written_ns, facts->loop_busy_ns);
        uint64_t spared_ns = handling_ns - handling_ns * facts->n_loops / n;
        uint64_t best_ns = facts->wall_ns - min_u64(spared_ns, facts->wall_ns);
        uint64_t likely_ns =
                facts->wall_ns - whole_of(THREADS_SPARE * (double)(facts->wall_ns - best_ns));

        if (facts->record->run.command) {
                finding_remedy(finding,
                        "Use more event loops: --threads %u, as %u processors are free. Do not rely on what this run says about servers.",
                        n, n);
                finding_option(finding, "--threads %u", n);
        } else {
                finding_remedy(finding,
                        "Use more event loops: .threads = %u, as %u processors are free. Do not rely on what this run says about servers.",
                        n, n);
        }
        if (best_ns)
                finding_predict(finding, likely_ns, best_ns, facts->wall_ns);
}

static void tell_saturated_loop(struct finding *finding, const struct facts *facts)
{
        uint64_t written_ns = facts->loop_ns[TRACE_WORK_CALLER];

        finding_title(finding, "This program could not handle the responses faster");
        own_tell_busy(finding, facts);
        finding_evidence(finding, "each request took %s of its CPU time",
                words_ns(facts->loops_cpu_ns / facts->n_requests).text);
        finding_evidence(finding,
                "it handled %s requests per second; the servers did not slow it down",
                words_count(whole_of((double)facts->n_requests * (double)NS_PER_S /
                                     (double)facts->wall_ns))
                        .text);
        finding->explained_ns = facts->loop_busy_ns;
        if (writes_bodies(facts) && is_part(written_ns, facts->wall_ns, OWN_WORK_MATTERS)) {
                finding_evidence(finding, "writing results was %s of that",
                        words_share((double)written_ns, (double)facts->loop_busy_ns).text);
                remedy_bodies(finding, facts, written_ns);
                return;
        }
        if (n_loops_possible(facts) > facts->n_loops) {
                remedy_threads(finding, facts, written_ns);
                return;
        }
        finding_remedy(finding,
                "Divide the list among several machines, or use a faster processor; do not rely on what this run says about servers.");
}

static uint64_t own_work_ns(const struct facts *facts)
{
        return facts->chain_ns[PART_SEND] + facts->chain_ns[PART_LOOP_IO] +
               facts->chain_ns[PART_LOOP_CALLER];
}

/*
 * The loop was at work all of the time, or its work is what the end waited for. On a machine that
 * is full a loop does not run as soon as it has work, and so it is busy for less of the time; but
 * then enough requests are under way that it should always have work.
 */
static bool has_no_time_left(const struct facts *facts)
{
        uint64_t answers_ns = facts->chain_ns[PART_SERVER] + facts->chain_ns[PART_NETWORK];
        uint64_t own_ns = own_work_ns(facts);

        if (is_part(facts->loop_busy_ns, facts->wall_ns, LOOP_SATURATED) ||
                is_part(own_ns, facts->wall_ns, OWN_WORK_IS_ALL))
                return true;
        return own_ns >= answers_ns && facts->mean_in_flight >= (double)PLENTY_UNDER_WAY &&
               is_part(own_ns, facts->wall_ns, OWN_WORK_SHARED) &&
               is_part(facts->loop_busy_ns, facts->wall_ns, OWN_WORK_SHARED);
}

/* Where each request opens a connection, opening them is what keeps the loop busy. */
static bool is_loop_saturated(const struct facts *facts)
{
        enum trace_work work = own_main_work(facts);

        return has_no_time_left(facts) &&
               is_part(facts->thread_cpu_ns, facts->loop_busy_ns, ON_PROCESSOR) &&
               (work == TRACE_WORK_IO || work == TRACE_WORK_CALLER) &&
               !is_part(facts->loop_ns[TRACE_WORK_CALLER], facts->loop_busy_ns, CALLER_IS_MOST) &&
               !is_part(facts->n_on_new_conn, facts->n_attempts, MOST_OF_THEM);
}

static bool client_saturated(const struct facts *facts, struct finding *finding)
{
        if (!is_loop_saturated(facts))
                return false;
        tell_saturated_loop(finding, facts);
        finding->shown.is_client = true;
        return true;
}

/* --- the program around it ------------------------------------------------------------------- */

/*
 * A program may wait in a loop of its own; that time is counted as the caller's, and is no fault.
 * So the caller's part of the chain counts, and not its time between two calls.
 */
static bool caller_is_what_takes_long(const struct facts *facts)
{
        return is_part(facts->chain_ns[PART_LOOP_CALLER] + facts->chain_ns[PART_DELIVER],
                facts->wall_ns, OWN_WORK_MATTERS);
}

/*
 * How long the caller used no processor in a turn. A thread that is pushed aside loses less at a
 * time.
 */
static uint64_t blocked_turn_ns(const struct trace_turn *turn)
{
        uint64_t caller_ns = turn->work_ns[TRACE_WORK_CALLER];

        if (caller_ns < BLOCKED_LEAST_NS || turn->thread_cpu_ns >= caller_ns)
                return 0;
        return caller_ns - turn->thread_cpu_ns;
}

static uint64_t blocked_ns(const struct facts *facts)
{
        const struct record *record = facts->record;
        uint64_t ns = 0;

        for (size_t i = 0; i < record->n_turns; i++)
                ns += blocked_turn_ns(&record->turns[i]);
        return ns;
}

static bool is_caller_blocked(const struct facts *facts)
{
        uint64_t ns = blocked_ns(facts);

        return ns && is_part(ns, facts->loop_ns[TRACE_WORK_CALLER], MOST_OF_TIME);
}

static void tell_caller(struct finding *finding, const struct facts *facts)
{
        uint64_t unread_ns = facts->chain_ns[PART_LOOP_CALLER];
        uint64_t untaken_ns = facts->chain_ns[PART_DELIVER];

        if (unread_ns)
                finding_evidence(finding,
                        "for %s of the time responses had arrived but were not read because of it",
                        words_share((double)unread_ns, (double)facts->wall_ns).text);
        if (untaken_ns >= unread_ns)
                finding_evidence(finding,
                        "for %s of the time results were ready but were not taken because of it",
                        words_share((double)untaken_ns, (double)facts->wall_ns).text);
        finding_evidence(finding, "it blocked the event loop for up to %s at a time",
                words_ns(facts->longest_turn_ns).text);
        finding->explained_ns = facts->chain_ns[PART_LOOP_CALLER] + facts->chain_ns[PART_DELIVER];
        finding->shown.is_client = true;
}

static bool slow_consumer(const struct facts *facts, struct finding *finding)
{
        bool is_command = facts->record->run.command != NULL;

        if (!caller_is_what_takes_long(facts) || !is_caller_blocked(facts))
                return false;
        finding_title(finding, is_command ? "The program that reads the results did not keep up"
                                          : "The program was blocked and took no results");
        tell_caller(finding, facts);
        finding_evidence(finding,
                "it used no CPU time meanwhile: it was blocked for %s of the time",
                words_share((double)blocked_ns(facts), (double)facts->wall_ns).text);
        finding_remedy(finding,
                is_command ? "Write the results to a file (--output), or read them faster."
                           : "Move the blocking work to another thread, or do it between runs.");
        predict(finding, facts, finding->explained_ns);
        return true;
}

/*
 * The caller of the command is the command itself. Where it writes bodies these are what it is busy
 * with.
 */
static void remedy_busy(struct finding *finding, const struct facts *facts)
{
        if (writes_bodies(facts)) {
                remedy_bodies(finding, facts, finding->explained_ns);
                return;
        }
        finding_remedy(finding,
                facts->record->run.command
                        ? "Divide the list among several processes."
                        : "Move that work to a process function: other threads run it while this one keeps reading.");
        predict(finding, facts, finding->explained_ns);
}

static bool caller_busy(const struct facts *facts, struct finding *finding)
{
        bool is_command = facts->record->run.command != NULL;

        if (!caller_is_what_takes_long(facts) || is_caller_blocked(facts) ||
                own_main_work(facts) != TRACE_WORK_CALLER)
                return false;
        finding_title(finding,
                is_command ? "This program was busy writing results, so responses waited"
                           : "The program was busy with results, so other responses waited");
        tell_caller(finding, facts);
        finding_evidence(finding,
                is_command ? "it worked on result lines for %s of the time"
                           : "it worked between two calls of the library for %s of the time",
                words_share((double)facts->loop_ns[TRACE_WORK_CALLER], (double)facts->wall_ns)
                        .text);
        remedy_busy(finding, facts);
        return true;
}

/* --- the processor --------------------------------------------------------------------------- */

/*
 * How long this program stood still. The kernel adds up the time on each processor on which the
 * program was to run. How many these are follows from what it used and what it was kept from, over
 * the wall time; one at least.
 */
static uint64_t throttled_ns(const struct facts *facts)
{
        int64_t us = record_counter_growth(facts->record, "cgroup.throttled_us");
        double kept_ns = us > 0 ? (double)us * (double)NS_PER_US : 0;
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
        predict(finding, facts, ns);
        return true;
}

/*
 * Such work never blocks: no process function and no program is in it. Where it takes twice its
 * processor time it had to wait for a processor.
 */
static bool processor_busy(const struct facts *facts, struct finding *finding)
{
        int64_t n = record_counter_growth(facts->record, "process.switches_forced");
        double wall_s = (double)facts->wall_ns / (double)NS_PER_S;
        uint64_t own_ns = facts->loop_ns[TRACE_WORK_IO] + facts->loop_ns[TRACE_WORK_TLS] +
                          facts->loop_ns[TRACE_WORK_DECODE];
        uint64_t lost_ns = own_ns > facts->thread_cpu_ns ? own_ns - facts->thread_cpu_ns : 0;

        if (!facts->thread_cpu_ns ||
                !is_part(own_work_ns(facts), facts->wall_ns, OWN_WORK_MATTERS) ||
                !is_part(lost_ns, facts->wall_ns, OWN_WORK_MATTERS) ||
                !is_part(lost_ns, own_ns, MOST_OF_TIME) ||
                (double)n < (double)FORCED_SWITCHES_PER_S * wall_s)
                return false;
        finding_title(finding, "Other programs kept the processor busy");
        own_tell_busy(finding, facts);
        finding_evidence(finding, "for %s of that it had no processor; it was taken away %s times",
                words_share((double)lost_ns, (double)own_ns).text, words_count((uint64_t)n).text);
        finding_remedy(finding,
                "Run it on a machine that is less busy; do not rely on what this run says about servers.");
        finding->explained_ns = lost_ns;
        finding->shown.is_client = true;
        predict(finding, facts, lost_ns);
        return true;
}

const struct cause causes_client[] = {
        { "client-saturated", MUSTER_GRADE_A, client_saturated },
        { "slow-consumer", MUSTER_GRADE_A, slow_consumer },
        { "caller-busy", MUSTER_GRADE_A, caller_busy },
        { "processor-throttled", MUSTER_GRADE_A, processor_throttled },
        { "processor-busy", MUSTER_GRADE_A, processor_busy },
        { 0 },
};
