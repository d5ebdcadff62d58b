/* SPDX-License-Identifier: MIT */
#include "program_told.h"

#include "own.h"
#include <base/minmax.h>
#include <base/str.h>
#include <base/words.h>
#include <explain/facts/intake.h>
#include <explain/facts/life.h>
#include <explain/facts/timeline.h>
#include <explain/judgement.h>
#include <explain/measure/conns.h>
#include <explain/measure/load.h>
#include <explain/measure/rounds.h>
#include <explain/measure/waiting.h>
#include <explain/model/rehearsal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct muster_str without_folders(struct muster_str path)
{
        size_t from = path.len;

        while (from > 0 && path.at[from - 1] != '/')
                from--;
        return str_after(path, from);
}

struct library_text told_at(const struct facts *facts, uint32_t site)
{
        const struct program_site *at = programs_site(&facts->record->programs, site);
        struct library_text text = { "" };

        if (at && at->file.len)
                snprintf(text.text, sizeof(text.text), " (%.*s:%u)",
                        STR_ARGS(str_first(without_folders(at->file), 100)), at->line);
        return text;
}

void told_made_at(struct finding *finding, const struct facts *facts, uint32_t site)
{
        const struct program_site *at = programs_site(&facts->record->programs, site);

        if (at && at->function.len)
                finding_evidence(finding, "each was made by %.*s()%s, which that line calls",
                        STR_ARGS(str_first(at->function, 100)), told_at(facts, site).text);
}

void told_from_outside(struct finding *finding, const struct facts *facts)
{
        if (!facts->program->is_outside)
                return;
        if (finding->shown.grade == MUSTER_GRADE_A)
                finding->shown.grade = MUSTER_GRADE_B;
        finding_evidence(finding,
                "a request is what was sent and answered on a connection, as it is with HTTP/1.1");
}

void told_busy(struct finding *finding, const struct facts *facts)
{
        const struct program_process *process =
                programs_process(&facts->record->programs, facts->program->process);
        bool has_loop = process && process->loop.len;

        if (facts->loop_busy_ns)
                finding_evidence(finding, "its %s busy for %s of the time",
                        has_loop                            ? "loop was"
                        : process && process->n_threads > 1 ? "threads were"
                                                            : "thread was",
                        words_share((double)facts->loop_busy_ns, (double)facts->wall_ns).text);
}

/* --- options in words ------------------------------------------------------------------------ */

/* What `--concurrency` sets is a semaphore where the program has one, and else its pool. */
static enum library_phrase phrase_of(const char *option, const struct facts *facts)
{
        if (str_starts(str_of(option), "--concurrency "))
                return facts->program->limit.kind == PROGRAM_LIMIT_SEMAPHORE ||
                                       facts->program->limit.kind == PROGRAM_LIMIT_EXECUTOR
                               ? LIBRARY_SEMAPHORE
                               : LIBRARY_POOL;
        if (str_starts(str_of(option), "--per-host "))
                return LIBRARY_POOL_HOST;
        if (str_starts(str_of(option), "--max-time "))
                return LIBRARY_TIMEOUT;
        if (str_starts(str_of(option), "--rate ") || str_starts(str_of(option), "--rate-per-host "))
                return LIBRARY_RATE;
        return LIBRARY_N_PHRASES;
}

/* Titles say "This program" of the command that made a run. Here it is another. */
static void name_program(struct finding *finding)
{
        static const char before[] = "This program";
        char title[FINDING_TEXT];

        if (!str_starts(str_of(finding->title), before))
                return;
        snprintf(title, sizeof(title), "The program%s", finding->title + strlen(before));
        finding_title(finding, "%s", title);
}

void program_reword(struct finding *finding, const struct facts *facts)
{
        const char *option = finding->shown.option, *number;
        enum library_phrase phrase;
        size_t len = strlen(finding->remedy);
        uint64_t n;

        if (!facts->program)
                return;
        name_program(finding);
        if (!option)
                return;
        finding->shown.option = NULL;
        phrase = phrase_of(option, facts);
        number = strrchr(option, ' ');
        n = number ? strtoull(number, NULL, 10) : 0;
        if (phrase == LIBRARY_N_PHRASES || !number || (phrase != LIBRARY_TIMEOUT && !n))
                return;
        snprintf(finding->remedy + len, FINDING_TEXT - len, " In its code: %s.",
                library_words(library_of(facts), phrase, n).text);
}

/* --- limits ---------------------------------------------------------------------------------- */

bool told_release(struct told_release *release, struct replay_request *request,
        const struct facts *facts)
{
        uint64_t gap_ns = facts->program->gap_ns[request->last - facts->record->attempts];

        if (gap_ns == PROGRAM_NOT_ALONE)
                return false;
        if (!release->has_begun) {
                release->has_begun = true;
                release->from_ns = request->submit_ns;
        }
        request->submit_ns = release->from_ns;
        request->is_free = true;
        /* What a loop did then is among its work; of that less is left when it is never idle. */
        if (facts->loop_busy_ns)
                request->loop_ns = whole_of((double)request->loop_ns * release->work);
        else
                request->loop_ns += gap_ns;
        return true;
}

/* Do they come until the run is nearly over? */
static bool come_all_the_time(const struct facts *facts)
{
        const struct record *record = facts->record;
        uint64_t last_ns = 0;

        for (size_t i = 0; i < record->n_attempts; i++)
                last_ns = max_u64(last_ns, life_submit_ns(&record->attempts[i]));
        return told_is_part(last_ns - facts->start_ns, facts->wall_ns, MOST_OF_TIME);
}

uint64_t told_taking_turns(const struct facts *facts)
{
        const struct program_facts *program = facts->program;

        if (facts->intake->follows || !come_all_the_time(facts) ||
                told_are_most(facts->rehearsal->n_following, facts->rehearsal->n))
                return 0;
        if (program->limit.kind == PROGRAM_LIMIT_SEMAPHORE ||
                program->limit.kind == PROGRAM_LIMIT_EXECUTOR)
                return program->limit.value;
        return program->most > 1 && facts->mean_in_flight >= (double)program->most * PROGRAM_FULL
                       ? whole_of(facts->mean_in_flight + 0.5)
                       : 0;
}

static bool measure_opening(const struct facts *facts, const struct trace_attempt *attempt,
        uint64_t *ret_value)
{
        const struct trace_conn *conn = conn_of_attempt(facts->record, attempt);

        *ret_value = conn ? conn_opening_ns(conn) : 0;
        return conn && !attempt->is_reused;
}

/* Until the last one came, others waited, so that all places were taken. */
uint64_t told_holds_on_ns(const struct facts *facts)
{
        const struct record *record = facts->record;
        uint64_t limit = told_taking_turns(facts), last_ns = facts->start_ns;
        double taken_ns, in_flight_ns = 0;

        if (!limit || facts->program->limit.kind == PROGRAM_LIMIT_NONE ||
                facts->n_requests <= limit)
                return 0;
        for (size_t i = 0; i < record->n_attempts; i++)
                last_ns = max_u64(last_ns, life_submit_ns(&record->attempts[i]));
        for (size_t i = 0; i < record->n_attempts; i++) {
                const struct trace_attempt *attempt = &record->attempts[i];
                uint64_t end_ns = min_u64(life_end_ns(attempt), last_ns);

                in_flight_ns += (double)(end_ns - min_u64(life_submit_ns(attempt), end_ns));
        }
        taken_ns = (double)limit * (double)(last_ns - facts->start_ns);
        return taken_ns > in_flight_ns
                       ? whole_of((taken_ns - in_flight_ns) / (double)(facts->n_requests - limit))
                       : 0;
}

bool told_opens_most(const struct facts *facts)
{
        struct waiting waiting;
        struct spread opening;

        if ((double)facts->n_on_new_conn <= (double)facts->max_in_flight * CONNS_KEPT)
                return false;
        /* From outside a connection that waits for its first request looks like one being opened. */
        if (facts->program->is_outside && !told_are_most(facts->n_on_new_conn, facts->n_requests))
                return false;
        waiting_measure(&waiting, facts);
        measure_attempts(&opening, facts, measure_opening);
        return told_is_part(opening.sum, waiting.sum_ns, OPENING_IS_NO_MATTER);
}

static bool is_asked_often(uint64_t limit, double turns, double full, const struct facts *facts)
{
        return limit > 1 && (double)facts->n_requests >= (double)limit * turns &&
               facts->mean_in_flight >= (double)limit * full;
}

/* The limit that is known, or as many as there ever were, if that is always so. */
static uint64_t limit_of(const struct facts *facts)
{
        const struct program_facts *program = facts->program;
        const struct program_limit *limit = &program->limit;

        if (limit->kind != PROGRAM_LIMIT_NONE)
                return is_asked_often(limit->value, PROGRAM_TURNS, PROGRAM_FULL, facts)
                               ? limit->value
                               : 0;
        return is_asked_often(program->most, PROGRAM_TURNS_UNSAID, NEARLY_FULL, facts)
                       ? program->most
                       : 0;
}

/* Of the time: a loop at its work; where there is none, the processor time of all threads. */
static double busy_share(const struct facts *facts)
{
        const struct program_process *process =
                programs_process(&facts->record->programs, facts->program->process);
        uint64_t ns = process && !process->loop.len ? facts->process_cpu_ns : own_running_ns(facts);

        return (double)ns / (double)facts->wall_ns;
}

bool told_limit_matters(struct raise *raise, struct finding *finding, const struct facts *facts)
{
        enum program_limit_kind kind = facts->program->limit.kind;
        uint64_t limit = limit_of(facts);
        struct waiting waiting;
        struct replay replay;
        struct load load;

        *raise = (struct raise){ 0 };
        if (!limit || timelines_are_unsteady(facts) || told_opens_most(facts) ||
                busy_share(facts) > LOOP_BUSY)
                return false;
        waiting_measure(&waiting, facts);
        load_measure(&load, facts);
        if (!told_is_part(waiting.sum_ns, facts->service.sum, MOST_OF_TIME) ||
                load.answer == LOAD_GROWS)
                return false;
        if (finding && load.answer != LOAD_FLAT)
                finding->shown.grade = MUSTER_GRADE_C;
        replay_init(&replay, facts);
        replay.concurrency = limit;
        /* Those that waited for a pool were seen to come; others were made when there was room. */
        replay.all_at_once = kind != PROGRAM_LIMIT_POOL && kind != PROGRAM_LIMIT_HOST;
        raise_limit(raise, &replay, &replay.concurrency, facts->n_requests, facts);
        return raise->limit > 0 && told_is_gain(raise->wall_ns, facts);
}

bool told_measure_held_back(const struct facts *facts, const struct trace_attempt *attempt,
        uint64_t *ret_value)
{
        const struct program_call *call = programs_call(&facts->record->programs, attempt->number);
        uint64_t phase_ns[MUSTER_N_PHASES] = { 0 };
        uint64_t wait_ns;

        attempt_phases(attempt, phase_ns);
        wait_ns = phase_ns[MUSTER_PHASE_SEND] + phase_ns[MUSTER_PHASE_WAIT];
        *ret_value = wait_ns - min_u64(wait_ns, facts->phase[MUSTER_PHASE_WAIT].min);
        return call && call->is_split && trace_is_answered(attempt) && attempt->is_reused &&
               *ret_value + HELD_BACK_EARLY_NS >= DELAYED_ACK_NS &&
               *ret_value <= DELAYED_ACK_NS + HELD_BACK_LATE_NS;
}

bool told_is_held_back(struct spread *held, const struct facts *facts)
{
        measure_attempts(held, facts, told_measure_held_back);
        return held->n >= HABIT_LEAST && told_are_most(held->n, facts->program->n_split) &&
               told_is_part(held->sum, facts->service.sum, SLOT_TIME_MATTERS);
}

/* Each may be because another program asked for it: then none waited for the one before. */
static bool are_asked_for(const struct facts *facts)
{
        const struct program_process *process =
                programs_process(&facts->record->programs, facts->program->process);

        return process && process->n_served >= facts->program->n_alone;
}

bool told_is_one_by_one(const struct facts *facts)
{
        return facts->program->n_alone >= HABIT_LEAST && !are_asked_for(facts) &&
               told_is_part(facts->program->alone_ns, facts->wall_ns, MOST_OF_TIME);
}

bool told_holds_back(const struct facts *facts)
{
        struct rounds rounds;
        struct raise raise;

        rounds_count(&rounds, facts);
        return told_is_one_by_one(facts) || rounds_are_batches(&rounds, facts) ||
               told_limit_matters(&raise, NULL, facts);
}
