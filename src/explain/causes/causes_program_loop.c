/* SPDX-License-Identifier: MIT */
/*
 * Watched programs: what holds their loop
 *
 * While one callback holds the loop no other goes on: answers that have come lie there, time-outs
 * fire late, and requests that were to begin do not. The hook in the interpreter tells which line it
 * was; the kernel, whether it computed or waited for something. What computes belongs into another
 * process, what waits has a counterpart that does not block.
 */
#include "cause.h"

#include "library_words.h"
#include "own.h"
#include "program_told.h"
#include "program_unbounded.h"
#include <base/minmax.h>
#include <base/str.h>
#include <explain/judgement.h>
#include <math.h>
#include <string.h>

/* Without certificates that were loaded: these are told by causes_program_conns.c. */
static uint64_t held_of(const struct program_place *place)
{
        return place->held_ns - min_u64(place->contexts_ns, place->held_ns);
}

/*
 * Where neither line nor name is known it may be the library's own work. It is the program's if it
 * is done for each response, or fills the run.
 */
static bool is_for_each(const struct facts *facts, const struct program_place *place)
{
        return told_are_most(place->n_holds, facts->n_requests) ||
               told_is_part(place->held_ns, facts->wall_ns, MOST_OF_TIME);
}

/* The line that held a loop longest, in sum, if that matters; NULL: none did. */
static const struct program_place *holder(const struct facts *facts, uint32_t *ret_site)
{
        const struct program_facts *program = facts->program;
        const struct program_place *place;

        *ret_site = program_most(program, held_of);
        place = &program->places[*ret_site];
        if (!place->n_holds || place->held_ns / place->n_holds < HELD_LEAST_NS ||
                (!*ret_site && !place->hold_name.len && !is_for_each(facts, place)) ||
                !told_is_part(held_of(place), facts->wall_ns, HELD_MATTERS))
                return NULL;
        return place;
}

static uint64_t n_processors(const struct facts *facts)
{
        return own_processors(facts) ? own_processors(facts) : PROCESSORS_LIKELY;
}

static bool is_blocked(const struct program_place *place)
{
        return told_is_part(place->blocked_ns, place->held_ns, MOST_OF_TIME);
}

/* --- the same without it --------------------------------------------------------------------- */

struct freeing {
        double left;      /* of the loop's work */
        uint64_t each_ns; /* for each request, elsewhere */
        struct told_release release;
};

/* Requests were made one by one, as each of them held the loop. */
static bool are_requests_held(const struct facts *facts)
{
        const struct program_facts *program = facts->program;

        return told_is_part(program->alone_held_ns, program->alone_ns, MOST_OF_TIME);
}

/* Requests that were made one by one, as each of them held the loop, need not wait any more. */
static void set_free(struct replay_request *request, const struct facts *facts, void *argument)
{
        struct freeing *freeing = argument;

        request->loop_ns = whole_of((double)request->loop_ns * freeing->left);
        request->process_ns += freeing->each_ns;
        if (are_requests_held(facts))
                (void)told_release(&freeing->release, request, facts);
}

/*
 * What is left of the loop's work. What a call that blocks computes itself is left, too: in another
 * thread of an interpreter that still keeps the loop from running.
 */
static double work_left(const struct facts *facts, const struct program_place *place)
{
        double busy_ns = (double)facts->loop_busy_ns;
        double held_ns = (double)place->held_ns;
        double kept_ns = is_blocked(place) ? (double)place->held_cpu_ns : 0;

        if (busy_ns <= 0)
                return 1;
        return fmin(fmax(1 - (held_ns - kept_ns) / busy_ns, kept_ns / busy_ns), 1);
}

/* Threads that asyncio.to_thread() has, if calls that make requests may go there; 0: they may not. */
static uint64_t threads_instead(const struct facts *facts, const struct program_place *place)
{
        enum library library = library_of(facts);
        const char *instead = library_instead_of(library, place->hold_name);

        if (!is_blocked(place) || !are_requests_held(facts) || library == LIBRARY_NODE ||
                (instead && !strstr(instead, "to_thread")))
                return 0;
        return min_u64(n_processors(facts) + TO_THREAD_MORE, TO_THREAD_MOST);
}

/* With so many requests at a time; 0: as it was. */
static uint64_t wall_free_ns(const struct facts *facts, const struct program_place *place,
        uint64_t at_once)
{
        bool computes = !is_blocked(place);
        struct freeing freeing = {
                .left = work_left(facts, place),
                .release.work = 1,
                .each_ns = computes ? place->held_ns / facts->n_requests : 0,
        };
        struct replay replay;

        replay_init(&replay, facts);
        replay.change = set_free;
        replay.argument = &freeing;
        if (computes)
                replay.workers = n_processors(facts);
        if (at_once && (!replay.concurrency || at_once < replay.concurrency))
                replay.concurrency = at_once;
        return replay_wall_ns(&replay, facts);
}

static void predict_free(struct finding *finding, const struct facts *facts,
        const struct program_place *place)
{
        uint64_t rest_ns = facts->wall_ns - min_u64(place->held_ns, facts->wall_ns - 1);
        uint64_t wall_ns, least_ns;

        if (!facts->loop_busy_ns) {
                finding_predict(finding, rest_ns, rest_ns,
                        is_blocked(place) ? rest_ns : facts->wall_ns);
                return;
        }
        wall_ns = wall_free_ns(facts, place, threads_instead(facts, place));
        least_ns = wall_free_ns(facts, place, 0); /* a client that needs no thread */
        if (wall_ns == UINT64_MAX)
                return;
        wall_ns = min_u64(wall_ns, facts->wall_ns);
        finding_predict(finding, wall_ns, min_u64(least_ns, rest_ns),
                is_blocked(place) ? max_u64(wall_ns, rest_ns) : facts->wall_ns);
}

/* --- telling it ------------------------------------------------------------------------------ */

static void tell_held(struct finding *finding, const struct facts *facts,
        const struct program_place *place)
{
        const struct program_facts *program = facts->program;

        finding_evidence(finding, "it held the loop %s, for %s on average and up to %s",
                words_counted(place->n_holds, "time", "times").text,
                words_ns(place->held_ns / place->n_holds).text, words_ns(place->longest_ns).text);
        finding_evidence(finding, "that is %s of the %s, in which nothing else went on",
                words_ns(place->held_ns).text, words_ns(facts_told_wall_ns(facts)).text);
        finding_evidence(finding, is_blocked(place) ? "it waited there, without using a processor"
                                                    : "it computed there");
        if (program->n_held_calls)
                finding_evidence(finding, "%s of %s requests had to wait for that",
                        words_count(program->n_held_calls).text,
                        words_count(facts->n_requests).text);
}

static void remedy_held(struct finding *finding, const struct facts *facts,
        const struct program_place *place)
{
        enum library library = library_of(facts);
        const char *instead = library_instead_of(library, place->hold_name);

        /* Node has other threads for what these compute. */
        bool has_threads = library == LIBRARY_NODE && instead && str_has(place->hold_name, "Sync");

        if (!is_blocked(place) && !has_threads)
                finding_remedy(finding, "%s.", library_words(library, LIBRARY_PROCESSES, 0).text);
        else if (instead)
                finding_remedy(finding, "Use %s in the place of %.*s().", instead,
                        STR_ARGS(place->hold_name));
        else if (library == LIBRARY_NODE)
                finding_remedy(finding,
                        "Use a function that does not block, or move the call to new Worker() of node:worker_threads.");
        else
                finding_remedy(finding,
                        "Move the call to another thread with await asyncio.to_thread(), or use a function that does not block.");
}

static void title_held(struct finding *finding, const struct facts *facts,
        const struct program_place *place, uint32_t site)
{
        const char *was = is_blocked(place) ? "blocked" : "kept busy";

        if (place->hold_name.len)
                finding_title(finding, "The event loop was %s by %.*s()%s", was,
                        STR_ARGS(str_first(place->hold_name, 100)), told_at(facts, site).text);
        else
                finding_title(finding, "The event loop was %s by a call%s", was,
                        told_at(facts, site).text);
}

static bool loop_held(const struct facts *facts, struct finding *finding)
{
        uint32_t site;
        const struct program_place *place = holder(facts, &site);

        if (!place)
                return false;
        finding_site(finding, facts->record, site);
        title_held(finding, facts, place, site);
        tell_held(finding, facts, place);
        remedy_held(finding, facts, place);
        finding->explained_ns = min_u64(place->held_ns, facts->wall_ns);
        finding->shown.is_client = true;
        predict_free(finding, facts, place);
        return true;
}

/* --- time-outs ------------------------------------------------------------------------------- */

/*
 * The loop was held for most of the time that these requests had, so that nobody read their answers.
 * Their server may have been quick.
 */
static bool timeout_by_loop(const struct facts *facts, struct finding *finding)
{
        const struct program_facts *program = facts->program;
        uint32_t site = program_most(program, held_of);
        const struct program_place *place = &program->places[site];

        if (!program->n_held_timeouts || !place->n_holds ||
                !told_are_most(program->n_held_timeouts, program->n_timeouts))
                return false;
        finding_site(finding, facts->record, site);
        finding_title(finding,
                "%s timed out because the event loop was held, and not by the server%s",
                words_counted(program->n_held_timeouts, "request", "requests").text,
                told_at(facts, site).text);
        finding_evidence(finding,
                "%s of %s time-outs were of requests in most of whose time the loop was held",
                words_count(program->n_held_timeouts).text, words_count(program->n_timeouts).text);
        tell_held(finding, facts, place);
        if (facts->server.n)
                finding_evidence(finding, "the server took %s for half of the answers, %s at most",
                        words_ns(facts->server.p50).text, words_ns(facts->server.max).text);
        remedy_held(finding, facts, place);
        finding->n_failed_by_it = program->n_held_timeouts;
        finding->explained_ns = min_u64(place->held_ns, facts->wall_ns);
        finding->shown.is_client = true;
        predict_free(finding, facts, place);
        return true;
}

/* --- the processor --------------------------------------------------------------------------- */

static const struct program_process *busiest(const struct facts *facts)
{
        return programs_process(&facts->record->programs, facts->program->process);
}

static double life_share(const struct facts *facts)
{
        const struct program_process *process = busiest(facts);

        if (!process || process->end_ns <= process->start_ns)
                return 0;
        return (double)process->cpu_ns / (double)(process->end_ns - process->start_ns);
}

/* Of one processor, over the run; where samples do not tell, over its life. */
static double cpu_share(const struct facts *facts)
{
        if (facts->process_cpu_ns)
                return (double)facts->process_cpu_ns / (double)facts->wall_ns;
        return life_share(facts);
}

/* What needed the processor is divided among several. At worst these were not free. */
static void predict_processes(struct finding *finding, const struct facts *facts, double share)
{
        double left = 1 - fmin(share, 1) * (1 - 1 / (double)n_processors(facts));
        uint64_t wall_ns = whole_of((double)facts->wall_ns * left);

        finding->explained_ns = whole_of((double)facts->wall_ns * fmin(share, 1));
        finding->shown.is_client = true;
        if (n_processors(facts) > 1)
                finding_predict(finding, wall_ns, wall_ns, facts->wall_ns);
}

static void tell_processor(struct finding *finding, const struct facts *facts, double share)
{
        finding_evidence(finding, "it used %s of one processor, %s for each request",
                words_share(share, 1).text,
                words_ns(whole_of(share * (double)facts->wall_ns / (double)facts->n_requests))
                        .text);
}

static const struct program_interpreter *interpreter(const struct facts *facts)
{
        return programs_interpreter(&facts->record->programs, facts->program->process);
}

/* A thread of the hook asked for the lock often enough to know. */
static bool was_lock_asked_for(const struct facts *facts)
{
        const struct program_interpreter *of_it = interpreter(facts);

        return of_it && of_it->n_asked >= LOCK_ASKED_LEAST;
}

/*
 * One process, whose threads together use what one processor gives, as only one of them may run at a
 * time. Where they use more they do not wait for each other. Where others have the processor as well
 * they use less, and who asked for the lock knows.
 */
static bool shares_interpreter(const struct facts *facts, double share)
{
        const struct program_process *process = busiest(facts);
        const struct program_interpreter *of_it = interpreter(facts);

        return process && str_starts(process->language, "Python") && process->n_threads > 1 &&
               !process->loop.len && facts->program->n_processes == 1 && facts->program->most > 1 &&
               !(of_it && !of_it->has_lock) && share <= ONE_PROCESSOR_MOST &&
               (share >= LOOP_BUSY ||
                       (was_lock_asked_for(facts) &&
                               told_is_part(of_it->waited_ns, facts->wall_ns, MOST_OF_TIME)));
}

/*
 * Did they wait for the lock for long? Where nobody told, it is a guess from their processor time,
 * and a run that is soon over is mostly loading.
 */
static bool waited_for_lock(const struct facts *facts)
{
        uint64_t waited_ns = facts->record->programs.lock_waited_ns;

        if (waited_ns || was_lock_asked_for(facts))
                return told_is_part(waited_ns, facts->wall_ns, OWN_WORK_MATTERS);
        return facts->wall_ns >= BRIEF_RUN_NS;
}

static void tell_lock(struct finding *finding, const struct program_interpreter *of_it)
{
        finding_evidence(finding,
                "%s of %s times that the lock was asked for, at random moments, another thread had it",
                words_count(of_it->n_taken).text, words_count(of_it->n_asked).text);
        if (of_it->share)
                finding_evidence(finding,
                        "%u %% of what they computed meanwhile was in this line%s%.*s%s",
                        of_it->share, of_it->call_name.len ? ", with " : "",
                        STR_ARGS(str_first(of_it->call_name, 100)),
                        of_it->call_name.len ? "()" : "");
        if (of_it->switch_ns)
                finding_evidence(finding, "a thread that computes gives it up after %s",
                        words_ns(of_it->switch_ns).text);
}

static bool gil(const struct facts *facts, struct finding *finding)
{
        bool is_known = was_lock_asked_for(facts);
        uint64_t waited_ns = facts->record->programs.lock_waited_ns;
        uint32_t site = is_known ? interpreter(facts)->site : 0;
        double share = cpu_share(facts);

        /* Most of what a connection for each request costs is theirs: see causes_program_conns.c. */
        if (told_are_most(facts->n_on_new_conn, facts->n_attempts) ||
                !shares_interpreter(facts, share) || !waited_for_lock(facts))
                return false;
        if (!site)
                site = program_most(facts->program, held_of);
        finding_site(finding, facts->record, site);
        finding_title(finding, "The threads waited for Python's interpreter lock (GIL)%s",
                told_at(facts, site).text);
        if (waited_ns)
                finding_evidence(finding,
                        "for %s of the %s at least one of them waited for another",
                        words_ns(min_u64(waited_ns, facts->wall_ns)).text,
                        words_ns(facts->wall_ns).text);
        else
                finding->shown.grade = MUSTER_GRADE_B;
        if (is_known)
                tell_lock(finding, interpreter(facts));
        tell_processor(finding, facts, share);
        finding_evidence(finding, "%s threads made requests; one of them runs at a time",
                words_count(busiest(facts)->n_threads).text);
        finding_remedy(finding, "%s.", library_words(library_of(facts), LIBRARY_PROCESSES, 0).text);
        predict_processes(finding, facts, share);
        return true;
}

/* Where one line held the loop for most of it, that is the cause. */
static bool is_held(const struct facts *facts)
{
        uint32_t site;
        const struct program_place *place = holder(facts, &site);

        return place && told_is_part(place->held_ns, facts->wall_ns, MOST_OF_TIME);
}

/* Then that is what its processor time is spent for (causes_program_conns.c). */
static bool loads_certificates(const struct facts *facts)
{
        return told_is_part(facts->program->contexts_ns, facts->wall_ns, MOST_OF_TIME);
}

/* ... or for connections that are all opened at once: with fewer beside it each takes less. */
static bool opens_all_at_once(const struct facts *facts)
{
        struct unbounded unbounded;

        return unbounded_measure(&unbounded, facts);
}

/*
 * All answers were there before the loop came to what is done with them: most of the program's time
 * is that work, behind its last response.
 */
static bool worked_afterwards(const struct facts *facts, struct finding *finding)
{
        const struct program_process *process = busiest(facts);
        uint32_t site = program_most(facts->program, held_of);

        if (!process || !process->loop.len || facts->program->n_processes != 1 ||
                facts->n_requests < LIST_LEAST || life_share(facts) < LOOP_BUSY ||
                !told_is_part(facts->ending_ns, facts_told_wall_ns(facts), MOST_OF_TIME))
                return false;
        finding_site(finding, facts->record, site);
        finding_title(finding, "What the program does after its last response is what takes long%s",
                told_at(facts, site).text);
        finding_evidence(finding, "behind the last response it went on for %s of the %s",
                words_ns(facts->ending_ns).text, words_ns(facts_told_wall_ns(facts)).text);
        finding_evidence(finding, "in all of its time it used %s of one processor",
                words_share(life_share(facts), 1).text);
        finding_remedy(finding, "%s.", library_words(library_of(facts), LIBRARY_PROCESSES, 0).text);
        finding->explained_ns = facts->ending_ns;
        finding->shown.is_client = true;
        return true;
}

static bool processor_bound(const struct facts *facts, struct finding *finding)
{
        enum library library = library_of(facts);
        struct library_text name = library_words(library, LIBRARY_NAME, 0);
        uint32_t site = program_most(facts->program, held_of);
        double share = cpu_share(facts);

        if (share < LOOP_IN_THE_WAY || is_held(facts) || loads_certificates(facts) ||
                shares_interpreter(facts, share) || facts->program->n_processes != 1 ||
                facts->n_requests < LIST_LEAST || facts->wall_ns < BRIEF_RUN_NS ||
                opens_all_at_once(facts))
                return false;
        finding_site(finding, facts->record, site);
        finding_title(finding, "The program's own processor time is what is left%s%s",
                name.text[0] ? ", that of " : "", name.text);
        tell_processor(finding, facts, share);
        told_busy(finding, facts);
        finding_evidence(finding,
                "a small request takes muster fetch about %s of processor time: try the same list there",
                words_ns(ENGINE_WORK_NS).text);
        finding_remedy(finding, "%s.", library_words(library, LIBRARY_FASTER, 0).text);
        predict_processes(finding, facts, share);
        return true;
}

const struct cause causes_program_loop[] = {
        { "timeout-by-loop", MUSTER_GRADE_A, timeout_by_loop, CAUSE_OF_PROGRAMS },
        { "loop-held", MUSTER_GRADE_A, loop_held, CAUSE_OF_PROGRAMS },
        { "gil", MUSTER_GRADE_A, gil, CAUSE_OF_PROGRAMS },
        { "processor-bound", MUSTER_GRADE_A, processor_bound, CAUSE_OF_PROGRAMS },
        { "processor-bound", MUSTER_GRADE_A, worked_afterwards, CAUSE_OF_PROGRAMS },
        { 0 },
};
