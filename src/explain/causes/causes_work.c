/* SPDX-License-Identifier: MIT */
/*
 * Work on bodies: decoding them, and what the program does with them
 *
 * In the loop's thread such work keeps all other requests waiting. Workers avoid that, but there
 * may be too few of them. Work that waits itself (for another program, for a disk) can have more
 * under way than there are processors; work that computes cannot. A program may have workers of its own
 * besides (own_workers.h).
 */
#include "cause.h"

#include "own_workers.h"
#include "own.h"
#include <base/clock.h>
#include <base/mem.h>
#include <explain/facts/life.h>
#include <explain/judgement.h>
#include <explain/model/crew.h>
#include <explain/model/raise.h>
#include <math.h>

static bool is_part(uint64_t part_ns, uint64_t whole_ns, double share)
{
        return (double)part_ns >= (double)whole_ns * share;
}

/* --- in the loop's thread -------------------------------------------------------------------- */

struct move {
        uint64_t (*ns)(const struct replay_request
                        *request); /* of the loop's thread, that others would do */
        double times;              /* as long: where processors have other work to do */
};

/* The rest of a body that could not be decoded is never seen. */
static uint64_t decoding_ns(const struct replay_request *request)
{
        const struct trace_attempt *last = request->last;
        double ratio, begin;

        if (!last || last->code < 0 || !last->wire_bytes || !last->body_bytes)
                return 0;
        ratio = (double)last->body_bytes / (double)last->wire_bytes;
        begin = fmax(ratio * (double)DECODED_STEP_BYTES, (double)DECODED_BEGIN_BYTES);
        if (begin >= (double)last->body_bytes)
                return 0;
        return whole_of((double)last->stamps.decode_ns * (1 - begin / (double)last->body_bytes));
}

static uint64_t processing_ns(const struct replay_request *request)
{
        const struct trace_attempt *last = request->last;

        return last && last->process_end_ns > last->stamps.end_ns
                       ? last->process_end_ns - last->stamps.end_ns
                       : 0;
}

static void move_work(struct replay_request *request, const struct facts *facts, void *argument)
{
        const struct move *move = argument;
        uint64_t ns = move->ns(request);

        (void)facts;
        request->loop_ns -= ns < request->loop_ns ? ns : request->loop_ns;
        request->process_ns += whole_of((double)ns * move->times);
}

/* Computing takes longer as others use the processors. Waiting does not. */
static double times_as_long(const struct facts *facts, uint64_t workers)
{
        double computing = facts->loop_busy_ns
                                   ? (double)facts->thread_cpu_ns / (double)facts->loop_busy_ns
                                   : 1;

        if (computing > 1)
                computing = 1;
        return 1 - computing + computing * (double)workers / own_free_processors(facts);
}

static bool move_to_workers(const struct facts *facts, struct finding *finding,
        uint64_t (*ns)(const struct replay_request *))
{
        struct move move = { .ns = ns, .times = 1 };
        struct replay replay;
        uint64_t wall_ns, low_ns;

        replay_init(&replay, facts);
        replay.workers = own_processors(facts) ? own_processors(facts) : PROCESSORS_LIKELY;
        replay.change = move_work;
        replay.argument = &move;
        low_ns = replay_wall_ns(&replay, facts);
        move.times = times_as_long(facts, replay.workers);
        wall_ns = replay_wall_ns(&replay, facts);
        if ((double)wall_ns > (double)facts->wall_ns * (1 - GAIN_NOTICED))
                return false;
        finding_remedy(finding,
                "Leave it to other threads (%s): they work while this one keeps reading.",
                words_count(replay.workers).text);
        finding_option(finding, "without --process-inline");
        finding_predict(finding, wall_ns, low_ns, facts->wall_ns);
        return true;
}

/* No other thread would decode it: bodies are small, or others do it already where they can. */
static bool divide_decoding(const struct facts *facts, struct finding *finding)
{
        if (!is_part(facts->loop_ns[TRACE_WORK_DECODE], facts->wall_ns, MOST_OF_TIME) ||
                facts->n_requests < 2)
                return false;
        finding_remedy(finding,
                "Divide the list among several processes; or, on a fast network, request uncompressed bodies (--no-compressed).");
        finding->explained_ns = facts->loop_ns[TRACE_WORK_DECODE];
        return true;
}

static bool remedy_decoding(const struct facts *facts, struct finding *finding)
{
        bool is_all_on_loop = !facts->record->run.options.decode_threshold_bytes;

        return (is_all_on_loop && move_to_workers(facts, finding, decoding_ns)) ||
               divide_decoding(facts, finding);
}

static bool decode_on_loop(const struct facts *facts, struct finding *finding)
{
        if (own_main_work(facts) != TRACE_WORK_DECODE ||
                !is_part(facts->loop_ns[TRACE_WORK_DECODE], facts->wall_ns, OWN_WORK_MATTERS) ||
                !remedy_decoding(facts, finding))
                return false;
        finding_title(finding, "Decompressing bodies blocked the event loop");
        own_tell_busy(finding, facts);
        finding_evidence(finding, "%s of that was decompressing %s to %s",
                words_share((double)facts->loop_ns[TRACE_WORK_DECODE], (double)facts->loop_busy_ns)
                        .text,
                words_bytes(facts->wire_bytes).text, words_bytes(facts->body_bytes).text);
        finding_evidence(finding, "meanwhile nothing was read, for up to %s at a time",
                words_ns(facts->longest_turn_ns).text);
        finding->shown.is_client = true;
        return true;
}

static bool process_on_loop(const struct facts *facts, struct finding *finding)
{
        if (own_main_work(facts) != TRACE_WORK_PROCESS ||
                !is_part(facts->loop_ns[TRACE_WORK_PROCESS], facts->wall_ns, OWN_WORK_MATTERS) ||
                !move_to_workers(facts, finding, processing_ns))
                return false;
        finding_title(finding, "Processing bodies blocked the event loop");
        own_tell_busy(finding, facts);
        finding_evidence(finding, "%s of that was process functions, %s per response",
                words_share((double)facts->loop_ns[TRACE_WORK_PROCESS], (double)facts->loop_busy_ns)
                        .text,
                words_ns(facts->loop_ns[TRACE_WORK_PROCESS] / facts->n_requests).text);
        finding_evidence(finding, "meanwhile nothing was read, for up to %s at a time",
                words_ns(facts->longest_turn_ns).text);
        finding->shown.is_client = true;
        return true;
}

/* --- with the workers ------------------------------------------------------------------------ */

/* The work of all workers, added up. */
static uint64_t crew_sum_ns(const struct facts *facts)
{
        uint64_t *work_ns, sum_ns = 0;

        if (crew_work(facts, &work_ns) < 0 || !work_ns)
                return 0;
        for (size_t i = 0; i < facts->record->n_attempts; i++)
                sum_ns += work_ns[i];
        mem_free(work_ns);
        return sum_ns;
}

/* From when the first response was handed to them to when the last one was done. */
static uint64_t crew_time_ns(const struct facts *facts)
{
        uint64_t first_ns = UINT64_MAX, last_ns = 0;

        for (size_t i = 0; i < facts->record->n_attempts; i++) {
                const struct trace_attempt *attempt = &facts->record->attempts[i];

                if (life_process_end_ns(attempt) == life_end_ns(attempt))
                        continue;
                if (life_end_ns(attempt) < first_ns)
                        first_ns = life_end_ns(attempt);
                if (life_process_end_ns(attempt) > last_ns)
                        last_ns = life_process_end_ns(attempt);
        }
        return last_ns > first_ns ? last_ns - first_ns : 0;
}

/* Requests spent most of their time on this, and all workers were at it. */
static bool are_workers_busy(const struct facts *facts, uint64_t *ret_work_ns)
{
        uint64_t workers = facts->record->run.options.workers;

        if (!workers || !is_part(facts->share_ns[PART_PROCESS], facts->wall_ns, OWN_WORK_MATTERS))
                return false;
        *ret_work_ns = crew_sum_ns(facts);
        return is_part(*ret_work_ns / workers, crew_time_ns(facts), WORKERS_BUSY);
}

/* Processor time of the programs that this one started. */
static uint64_t children_cpu_ns(const struct facts *facts)
{
        int64_t us = record_counter_growth(facts->record, "children.cpu_us");

        return us > 0 ? (uint64_t)us * NS_PER_US : 0;
}

/* Processor time of the workers and their programs, without the loop's. */
static uint64_t crew_cpu_ns(const struct facts *facts)
{
        uint64_t ns = children_cpu_ns(facts);

        if (facts->process_cpu_ns > facts->thread_cpu_ns)
                ns += facts->process_cpu_ns - facts->thread_cpu_ns;
        return ns;
}

/*
 * The work waits and does not compute: it used no processor although it could have had one. While
 * others want the processors too, work that computes gets less of them, but some.
 */
static bool does_work_wait(const struct facts *facts, uint64_t work_ns)
{
        int64_t us = record_counter_growth(facts->record, "pressure.cpu_us");
        double wanted = us < 0 ? 1 : (double)us * (double)NS_PER_US / (double)facts->wall_ns;
        double least = MOST_OF_TIME * (1 - wanted);

        return record_counter_growth(facts->record, "children.cpu_us") >= 0 &&
               !is_part(crew_cpu_ns(facts), work_ns, least > WORK_WAITS ? least : WORK_WAITS);
}

static void tell_workers(struct finding *finding, const struct facts *facts, uint64_t work_ns)
{
        uint64_t workers = facts->record->run.options.workers;

        finding_evidence(finding,
                "decoding and processing took %s in total; its threads (%s) were busy for %s of the time",
                words_ns(work_ns).text, words_count(workers).text,
                words_share((double)work_ns / (double)workers, (double)facts->wall_ns).text);
        finding_evidence(finding, "this program used %s of CPU time in %s, on %s processors",
                words_ns(facts->process_cpu_ns).text, words_ns(facts->wall_ns).text,
                words_count(own_processors(facts)).text);
        finding->shown.is_client = true;
}

/* One worker for each processor; where the work waits itself, as many as pay. */
static void raise_workers(struct raise *raise, const struct facts *facts, uint64_t work_ns)
{
        struct replay replay;

        replay_init(&replay, facts);
        if (does_work_wait(facts, work_ns)) {
                raise_limit(raise, &replay, &replay.workers,
                        facts->n_requests < CREW_MOST ? facts->n_requests : CREW_MOST, facts);
                return;
        }
        *raise = (struct raise){ 0 };
        if (own_processors(facts) <= replay.workers)
                return;
        replay.workers = own_processors(facts);
        raise->wall_ns = raise->low_ns = replay_wall_ns(&replay, facts);
        raise->high_ns = facts->wall_ns;
        if (!is_part(raise->wall_ns, facts->wall_ns, 1 - GAIN_NOTICED))
                raise->limit = replay.workers;
}

static bool workers_too_few(const struct facts *facts, struct finding *finding)
{
        uint64_t before = facts->record->run.options.workers;
        struct raise raise;
        uint64_t work_ns;

        if (!are_workers_busy(facts, &work_ns))
                return false;
        raise_workers(&raise, facts, work_ns);
        if (!raise.limit)
                return false;
        if (before == 1)
                finding_title(finding, "One thread was too few to process the responses");
        else
                finding_title(finding, "%s threads were too few to process the responses",
                        words_count(before).text);
        tell_workers(finding, facts, work_ns);
        if (does_work_wait(facts, work_ns))
                finding_evidence(finding,
                        "for most of that time the work itself waited for something and used no CPU time");
        finding_remedy(finding, "Let %s threads process responses.", words_count(raise.limit).text);
        finding_option(finding, "--process-workers %llu", (unsigned long long)raise.limit);
        finding_predict(finding, raise.wall_ns, raise.low_ns, raise.high_ns);
        return true;
}

static bool workers_saturated(const struct facts *facts, struct finding *finding)
{
        struct raise raise;
        uint64_t work_ns;

        if (!are_workers_busy(facts, &work_ns))
                return false;
        raise_workers(&raise, facts, work_ns);
        if (raise.limit || does_work_wait(facts, work_ns))
                return false;
        finding_title(finding, "Processing the responses used all of the processors");
        tell_workers(finding, facts, work_ns);
        finding_remedy(finding,
                "Use a machine with more processors, or do less for each response; the network and the servers were waiting.");
        finding->explained_ns = work_ns / facts->record->run.options.workers;
        return true;
}

/* --- with workers of the program's own ------------------------------------------------------- */

/* Requests may be done long before the work on their bodies is. */
static void tell_full(struct finding *finding, const struct own_workers *workers,
        const struct facts *facts)
{
        if (workers->full_ns > facts->wall_ns)
                finding_evidence(finding,
                        "for %s all workers (%s) had bodies; the requests themselves took %s",
                        words_ns(workers->full_ns).text, words_count(workers->n).text,
                        words_ns(facts->wall_ns).text);
        else
                finding_evidence(finding,
                        "for %s of the time all workers (%s) had bodies, and no more was taken in",
                        words_share((double)workers->full_ns, (double)facts->wall_ns).text,
                        words_count(workers->n).text);
}

static bool workers_busy(const struct facts *facts, struct finding *finding)
{
        struct own_workers workers;

        if (!own_workers_limit(facts))
                return false;
        own_workers_measure(&workers, facts);
        finding_title(finding, "The workers that process bodies did not keep up");
        tell_full(finding, &workers, facts);
        if (workers.n_bodies)
                finding_evidence(finding, "a body took %s on average, %s %s in total",
                        words_ns(workers.busy_ns / workers.n_bodies).text,
                        words_counted(workers.n_bodies, "body", "bodies").text,
                        words_ns(workers.busy_ns).text);
        finding_remedy(finding,
                "Make that work faster, or give it more workers, on more processors.");
        finding->explained_ns = workers.full_ns;
        finding->shown.is_client = true;
        return true;
}

const struct cause causes_work[] = {
        { "decode-on-loop", MUSTER_GRADE_A, decode_on_loop, CAUSE_OF_OURS },
        { "process-on-loop", MUSTER_GRADE_A, process_on_loop, CAUSE_OF_OURS },
        { "workers-too-few", MUSTER_GRADE_A, workers_too_few, CAUSE_OF_OURS },
        { "client-saturated", MUSTER_GRADE_A, workers_saturated, CAUSE_OF_OURS },
        { "workers-busy", MUSTER_GRADE_A, workers_busy, CAUSE_OF_OURS },
        { 0 },
};
