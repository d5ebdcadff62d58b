/* SPDX-License-Identifier: MIT */
/*
 * This program
 *
 * Where the loop's thread has no time left, the run says little of servers: their answers lay there
 * and were not read. So these findings are marked as the client's. What fills the thread tells them
 * apart: reading and parsing, the program that takes the results, or work on bodies
 * (causes_work.c). A thread that is held up without using the processor was blocked (it wrote into
 * a pipe that nobody reads), or it had no processor, or it was stopped: causes_processor.c.
 */
#include "cause.h"

#include "consumer.h"
#include "own_workers.h"
#include "own.h"
#include <base/minmax.h>
#include <base/clock.h>
#include <explain/judgement.h>
#include <explain/model/replay.h>
#include <math.h>
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
               !strstr(run->command, "\"--remote-name") && /* and --remote-name-all */
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

        uint64_t busy_ns = own_running_ns(facts);

        if (is_part(busy_ns, facts->wall_ns, LOOP_SATURATED) ||
                is_part(own_ns, facts->wall_ns, OWN_WORK_IS_ALL))
                return true;
        return own_ns >= answers_ns && facts->mean_in_flight >= (double)PLENTY_UNDER_WAY &&
               is_part(own_ns, facts->wall_ns, OWN_WORK_SHARED) &&
               is_part(busy_ns, facts->wall_ns, OWN_WORK_SHARED);
}

/* Where each request opens a connection, opening them is what keeps the loop busy. */
static bool is_loop_saturated(const struct facts *facts)
{
        enum trace_work work = own_main_work(facts);

        return has_no_time_left(facts) && own_has_processor(facts) &&
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

static bool is_caller_blocked(const struct facts *facts)
{
        return is_part(consumer_blocked_ns(facts), facts->wall_ns, OWN_WORK_MATTERS);
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

static void tell_consumer(struct finding *finding, const struct facts *facts)
{
        switch (consumer_of(facts)) {
        case CONSUMER_CALLER:
                finding_title(finding, "The program was blocked and took no results");
                finding_remedy(finding,
                        "Move the blocking work to another thread, or do it between runs.");
                return;
        case CONSUMER_DISK:
                finding_title(finding, "Writing to files held the run up");
                finding_remedy(finding,
                        "Write results and bodies to a faster disk, or leave out the bodies (--body none).");
                return;
        case CONSUMER_READER:
                finding_title(finding, "The program that reads the results did not keep up");
                finding_remedy(finding,
                        "Write the results to a file (--output), or read them faster.");
                return;
        case CONSUMER_NONE:
                return;
        }
}

/* Of its time on the loop a request keeps what the thread ran: for the rest it was blocked. */
static void be_taken(struct replay_request *request, const struct facts *facts, void *argument)
{
        const double *running = argument;

        (void)facts;
        request->loop_ns = whole_of((double)request->loop_ns * *running);
}

/*
 * The requests alone, with results that are taken at once. At worst what the end of the run waited
 * for stays, but for the blocks: what came between two of them may have been delayed by others.
 */
static void predict_taken(struct finding *finding, const struct facts *facts)
{
        double running = fmin(1, (double)facts->thread_cpu_ns / (double)facts->loop_busy_ns);
        uint64_t rest_ns = facts->wall_ns - min_u64(finding->explained_ns, facts->wall_ns);
        struct replay replay;
        uint64_t wall_ns;

        replay_init(&replay, facts);
        replay.change = be_taken;
        replay.argument = &running;
        wall_ns = min_u64(replay_alone_ns(&replay, facts), rest_ns);
        if (wall_ns)
                finding_predict(finding, wall_ns, wall_ns, rest_ns);
}

static bool slow_consumer(const struct facts *facts, struct finding *finding)
{
        uint64_t blocked_ns = consumer_blocked_ns(facts);

        if (!caller_is_what_takes_long(facts) || !is_caller_blocked(facts) ||
                own_workers_limit(facts))
                return false;
        tell_consumer(finding, facts);
        tell_caller(finding, facts);
        finding_evidence(finding,
                consumer_of(facts) == CONSUMER_READER
                        ? "for %s of the time the output had no room, without what this machine's processors made it wait"
                        : "for %s of the time it was blocked: it neither ran nor waited for a processor",
                words_share((double)blocked_ns, (double)facts->wall_ns).text);
        finding->explained_ns = min_u64(finding->explained_ns, blocked_ns);
        predict_taken(finding, facts);
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
                !own_has_processor(facts) ||
                !is_part(facts->thread_cpu_ns, facts->wall_ns, OWN_WORK_MATTERS) ||
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

const struct cause causes_client[] = {
        { "client-saturated", MUSTER_GRADE_A, client_saturated, CAUSE_OF_OURS },
        { "slow-consumer", MUSTER_GRADE_A, slow_consumer, CAUSE_OF_OURS },
        { "caller-busy", MUSTER_GRADE_A, caller_busy, CAUSE_OF_OURS },
        { 0 },
};
