/* SPDX-License-Identifier: MIT */
#include "bounds.h"

#include "crew.h"
#include <assert.h>
#include <base/clock.h>
#include <base/mem.h>
#include <base/words.h>
#include <explain/facts/intake.h>
#include <explain/facts/life.h>
#include <explain/facts/program.h>
#include <explain/judgement.h>
#include <explain/measure/link_use.h>
#include <explain/measure/load.h>
#include <explain/measure/vantage.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>

#define N_WINDOWS  10   /* in which the flow of bytes is looked at */
#define AN_INSTANT 1e-6 /* of a window: what came in one piece came in one moment */

struct list {
        struct bound *bounds;
        size_t n;
};

/* In its place, the largest first. */
__attribute__((format(printf, 4, 5))) static void add(struct list *list, const char *name,
        uint64_t ns, const char *format, ...)
{
        size_t at = list->n;
        va_list arguments;

        assert(list->n <= BOUNDS_MAX);
        if (ns == 0 || list->n == BOUNDS_MAX)
                return;
        for (; at > 0 && list->bounds[at - 1].ns < ns; at--)
                list->bounds[at] = list->bounds[at - 1];
        list->n++;
        list->bounds[at] = (struct bound){ .name = name, .ns = ns };
        va_start(arguments, format);
        vsnprintf(list->bounds[at].formula, sizeof(list->bounds[at].formula), format, arguments);
        va_end(arguments);
}

/* --- slots and the server -------------------------------------------------------------------- */

/* "12 requests", and what else of them took a slot. */
static struct words attempts(const struct facts *facts)
{
        if (facts->service.n <= facts->n_requests)
                return words_counted(facts->service.n, "request", "requests");
        return words_counted(facts->service.n, "request", "requests, retries and redirects");
}

static void add_slots(struct list *list, const struct facts *facts, uint64_t each_ns)
{
        if (!facts->slots)
                return;
        add(list, "slots",
                whole_of((double)each_ns * (double)facts->service.n / (double)facts->slots),
                "%s x %s / %s at a time", attempts(facts).text, words_ns(each_ns).text,
                words_count(facts->slots).text);
}

/* Where this program is busy for most of the time it may keep answers waiting itself. */
static bool is_server_full(const struct facts *facts, const struct load *load)
{
        return facts->n_hosts == 1 && load->answer == LOAD_GROWS && load->full_per_s > 0 &&
               vantage_of(facts) == VANTAGE_CLEAR;
}

/*
 * At a full server the time of an answer is a queue, and not the slots'. So the bound of the slots
 * takes what an answer takes alone.
 */
static void add_server(struct list *list, const struct facts *facts)
{
        uint64_t each_ns = facts->service.n ? facts->service.sum / facts->service.n : 0;
        struct load load;

        load_measure(&load, facts);
        if (is_server_full(facts, &load)) {
                add(list, "server", whole_of((double)facts->n_attempts * 1e9 / load.full_per_s),
                        "%s / %s per second",
                        words_counted(facts->n_attempts, "response", "responses").text,
                        words_count(whole_of(load.full_per_s + 0.5)).text);
                if (load.alone_ns && load.alone_ns < each_ns)
                        each_ns = load.alone_ns;
        }
        add_slots(list, facts, each_ns);
}

/* --- the link -------------------------------------------------------------------------------- */

/* Which moment of the run it is, in windows; from 0 to N_WINDOWS. */
static double window_of(const struct facts *facts, uint64_t at_ns)
{
        if (at_ns <= facts->start_ns)
                return 0;
        if (at_ns >= facts->end_ns)
                return N_WINDOWS;
        return (double)(at_ns - facts->start_ns) / (double)facts->wall_ns * N_WINDOWS;
}

/* As if it had come evenly, from the first byte to the last. */
static void add_bytes(double bytes[N_WINDOWS], const struct facts *facts,
        const struct trace_attempt *attempt)
{
        const struct attempt *stamps = &attempt->stamps;
        uint64_t last_ns =
                stamps->last_byte_kernel_ns ? stamps->last_byte_kernel_ns : life_end_ns(attempt);
        double to = fmax(window_of(facts, last_ns), AN_INSTANT);
        double from = fmin(window_of(facts, stamps->first_byte_kernel_ns), to - AN_INSTANT);
        double per_window = (double)attempt->wire_bytes / (to - from);

        assert(from < to && to <= N_WINDOWS);
        for (size_t i = (size_t)from; i < N_WINDOWS && (double)i < to; i++)
                bytes[i] += per_window * (fmin(to, (double)i + 1) - fmax(from, (double)i));
}

static double most_in_window(const struct facts *facts)
{
        double bytes[N_WINDOWS] = { 0 }, most = 0;

        for (size_t i = 0; i < facts->record->n_attempts; i++)
                add_bytes(bytes, facts, &facts->record->attempts[i]);
        for (size_t i = 0; i < N_WINDOWS; i++)
                most = fmax(most, bytes[i]);
        return most;
}

/*
 * Bytes came evenly, and nothing says that the link could take more of them. A server that makes a
 * pause sends unevenly, or little.
 */
static bool is_link_what_held_up(const struct facts *facts)
{
        struct link_use use;

        return link_use_of(&use, facts) == 0 &&
               (use.is_full || (use.may_be_full && !use.is_queue_known));
}

/* Only where most of the time is receiving: else the flow says nothing of what the link can do. */
static void add_link(struct list *list, const struct facts *facts)
{
        double per_s;

        if ((double)facts->phase[MUSTER_PHASE_RECEIVE].sum <
                        (double)facts->service.sum * MOST_OF_TIME ||
                !is_link_what_held_up(facts))
                return;
        per_s = most_in_window(facts) * 1e9 * N_WINDOWS / (double)facts->wall_ns;
        if (per_s > 0)
                add(list, "link", whole_of((double)facts->wire_bytes * 1e9 / per_s),
                        "%s / %s per second", words_bytes(facts->wire_bytes).text,
                        words_bytes(whole_of(per_s)).text);
}

/* --- this program ---------------------------------------------------------------------------- */

/* A program in Python without a loop, whose threads share an interpreter (facts/run.c). */
static bool takes_turns(const struct facts *facts)
{
        const struct program_process *process =
                facts->program ? programs_process(&facts->record->programs, facts->program->process)
                               : NULL;

        return process && process->n_threads && !process->loop.len;
}

static void add_processor(struct list *list, const struct facts *facts)
{
        int64_t n = record_counter_after(facts->record, "machine.processors");

        if (n < 1)
                n = 1;
        add(list, "processor", facts->process_cpu_ns / (uint64_t)n,
                "%s of CPU time / %lld processor%s", words_ns(facts->process_cpu_ns).text,
                (long long)n, n == 1 ? "" : "s");
}

static void add_workers(struct list *list, const struct facts *facts)
{
        uint64_t n = facts->record->run.options.workers;
        uint64_t *work_ns, sum_ns = 0;

        if (!n || crew_work(facts, &work_ns) < 0 || !work_ns)
                return;
        for (size_t i = 0; i < facts->record->n_attempts; i++)
                sum_ns += work_ns[i];
        mem_free(work_ns);
        add(list, "workers", sum_ns / n, "%s of body processing / %s", words_ns(sum_ns).text,
                words_counted(n, "thread", "threads").text);
}

/* --- what comes from outside ----------------------------------------------------------------- */

static void add_rate(struct list *list, const struct facts *facts)
{
        double per_s = facts->record->run.options.rate_per_s;

        if (per_s > 0 && facts->n_attempts > 1)
                add(list, "rate", whole_of((double)(facts->n_attempts - 1) * 1e9 / per_s),
                        "%s / %.6g per second",
                        words_counted(facts->n_attempts, "start", "starts").text, per_s);
}

static void add_input(struct list *list, const struct facts *facts)
{
        const struct trace_attempt *last = NULL;

        for (size_t i = 0; i < facts->record->n_attempts; i++) {
                const struct trace_attempt *attempt = &facts->record->attempts[i];

                if (attempt->n == 1 && (!last || life_submit_ns(attempt) > life_submit_ns(last)))
                        last = attempt;
        }
        if (last && intake_why(facts, last) == INTAKE_INPUT)
                add(list, "input", life_submit_ns(last) - facts->start_ns,
                        "the last of %s was %s after that time",
                        words_counted(facts->n_requests, "request", "requests").text,
                        facts_is_watched(facts) ? "made" : "submitted");
}

static void add_names(struct list *list, const struct facts *facts)
{
        uint64_t longest_ns = 0;

        for (size_t i = 0; i < facts->record->n_lookups; i++) {
                const struct trace_lookup *lookup = &facts->record->lookups[i];

                if (lookup->end_ns > lookup->start_ns &&
                        lookup->end_ns - lookup->start_ns > longest_ns)
                        longest_ns = lookup->end_ns - lookup->start_ns;
        }
        add(list, "names", longest_ns, "the slowest of %s",
                words_counted(facts->record->n_lookups, "DNS lookup", "DNS lookups").text);
}

/*
 * The time for which a request held slots, also in attempts that failed: that was waited for, too.
 */
static uint64_t service_ns(const struct facts *facts, size_t from, size_t to)
{
        uint64_t ns = 0;

        for (; from < to; from++) {
                const struct trace_attempt *attempt =
                        &facts->record->attempts[facts->by_request[from]];

                if (attempt->stamps.slot_ns)
                        ns += life_end_ns(attempt) - attempt->stamps.slot_ns;
        }
        return ns;
}

static void add_longest(struct list *list, const struct facts *facts)
{
        uint64_t longest_ns = 0;

        for (size_t from = 0, to; from < facts->record->n_attempts; from = to) {
                uint64_t ns;

                to = facts_request_end(facts, from);
                ns = service_ns(facts, from, to);
                if (ns > longest_ns)
                        longest_ns = ns;
        }
        add(list, "longest", longest_ns, "the slowest of %s",
                words_counted(facts->n_requests, "request", "requests").text);
}

size_t bounds_of(const struct facts *facts, struct bound bounds[BOUNDS_MAX])
{
        struct list list = { .bounds = bounds };

        add_server(&list, facts);
        add_link(&list, facts);
        add(&list, "loop", facts->loop_busy_ns,
                takes_turns(facts) ? "all that its threads computed, of which one runs at a time"
                                   : "all work of the event loop's one thread");
        add_processor(&list, facts);
        add_workers(&list, facts);
        add_rate(&list, facts);
        add_input(&list, facts);
        add_names(&list, facts);
        add_longest(&list, facts);
        return list.n;
}
