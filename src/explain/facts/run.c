/* SPDX-License-Identifier: MIT */
#include "run.h"

#include "life.h"
#include "sort.h"
#include <assert.h>
#include <base/mem.h>
#include <base/minmax.h>
#include <base/str.h>
#include <base/thread_time.h>
#include <string.h>

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

/* --- the run --------------------------------------------------------------------------------- */

static bool was_asked_for_load(const struct record_run *run)
{
        static const char *const options[] = { "\"--requests\"", "\"--duration\"", "\"--ramp\"" };

        for (size_t i = 0; run->command && i < LENGTH(options); i++)
                if (strstr(run->command, options[i]))
                        return true;
        return run->options.rate_ramp_ns > 0;
}

/* From when the first process of theirs was there to when the last one was gone. */
static void measure_around(struct facts *facts)
{
        const struct programs *programs = &facts->record->programs;
        uint64_t from_ns = facts->start_ns, to_ns = facts->end_ns;

        for (size_t i = 0; i < programs->n_processes; i++) {
                const struct program_process *process = &programs->processes[i];

                if (!process->end_ns) /* nothing is known of its time */
                        continue;
                from_ns = min_u64(from_ns, process->start_ns);
                to_ns = max_u64(to_ns, process->end_ns);
        }
        facts->startup_ns = facts->start_ns - from_ns;
        facts->ending_ns = to_ns - facts->end_ns;
}

void run_measure_wall(struct facts *facts)
{
        const struct record *record = facts->record;

        assert(record->n_attempts > 0);
        facts->start_ns = UINT64_MAX;
        for (size_t i = 0; i < record->n_attempts; i++) {
                facts->start_ns = min_u64(facts->start_ns, life_first_ns(&record->attempts[i]));
                facts->end_ns = max_u64(facts->end_ns, life_last_ns(&record->attempts[i]));
        }
        if (facts->end_ns == facts->start_ns)
                facts->end_ns++;
        facts->wall_ns = facts->end_ns - facts->start_ns;
        measure_around(facts);
        facts->is_load = !record->programs.n_processes && was_asked_for_load(&record->run);
}

/* --- attempts -------------------------------------------------------------------------------- */

static void count_attempt(struct facts *facts, const struct trace_attempt *attempt)
{
        facts->wire_bytes += attempt->wire_bytes;
        facts->body_bytes += attempt->body_bytes;
        if (attempt->outcome < LENGTH(facts->n_outcomes))
                facts->n_outcomes[attempt->outcome]++;
        if (attempt->wait < LENGTH(facts->n_waits))
                facts->n_waits[attempt->wait]++;
        if (!attempt->stamps.slot_ns)
                return;
        facts->n_attempts++;
        if (attempt->wait == TRACE_WAIT_STREAM)
                facts->streams = max_u64(facts->streams, attempt->host_in_flight);
        if (attempt->conn && attempt->is_reused)
                facts->n_on_reused++;
        else if (attempt->conn)
                facts->n_on_new_conn++;
        facts->n_conns_opened +=
                attempt->conn && !attempt->is_reused && attempt->stamps.tcp_end_ns != 0;
}

void run_count_attempts(struct facts *facts)
{
        assert(facts->n_attempts == 0);
        for (size_t i = 0; i < facts->record->n_attempts; i++)
                count_attempt(facts, &facts->record->attempts[i]);
}

/* --- requests -------------------------------------------------------------------------------- */

static int sort_by_request(struct facts *facts)
{
        const struct record *record = facts->record;
        size_t n = record->n_attempts;
        struct sort_pair *pairs = mem_array(n, sizeof(*pairs));

        assert(!facts->by_request && n <= UINT32_MAX);
        facts->by_request = mem_array(n, sizeof(*facts->by_request));
        if (!pairs || !facts->by_request) {
                mem_free(pairs);
                return MUSTER_E_RESOURCE;
        }
        for (size_t i = 0; i < n; i++)
                pairs[i] = (struct sort_pair){ record->attempts[i].request, i };
        sort_pairs(pairs, n);
        for (size_t i = 0; i < n; i++)
                facts->by_request[i] = (uint32_t)pairs[i].value;
        mem_free(pairs);
        return 0;
}

static void count_request(struct facts *facts, const struct trace_attempt *last)
{
        size_t code = last->code < 0 ? (size_t)-last->code : (size_t)last->code;

        facts->n_requests++;
        facts->n_failed += last->code != 0;
        if (code < LENGTH(facts->n_codes))
                facts->n_codes[code]++;
}

/*
 * The totals of the run where the record has only the newest requests; else all of them are here.
 */
static void count_all(struct facts *facts)
{
        const struct record *record = facts->record;

        facts->all = record->totals;
        for (size_t i = 0; !record->totals.n_requests && i < record->n_attempts; i++)
                totals_add(&facts->all, &record->attempts[i]);
}

static void count_requests(struct facts *facts)
{
        for (size_t at = 0; at < facts->record->n_attempts;) {
                size_t to = facts_request_end(facts, at);
                size_t last = facts->by_request[to - 1];

                if (facts->record->attempts[last].is_last)
                        count_request(facts, &facts->record->attempts[last]);
                at = to;
        }
}

int run_count_requests(struct facts *facts)
{
        int r = sort_by_request(facts);

        if (r < 0)
                return r;
        count_requests(facts);
        count_all(facts);
        return facts->n_requests ? 0 : MUSTER_E_INPUT;
}

/* --- this program ---------------------------------------------------------------------------- */

static uint64_t growth(uint64_t before, uint64_t after)
{
        return after - min_u64(before, after);
}

/* Records that do not say it are of one. */
static unsigned loop_of(uint8_t engine)
{
        return engine ? engine : 1;
}

/* What one loop did in the run. */
struct done {
        const struct trace_sample *from, *to; /* the samples around the run, or the outermost */
        uint64_t loop_ns[TRACE_N_WORKS], busy_ns, thread_cpu_ns;
};

/*
 * Between two samples. Where one of them is not of the run, at most as much of it was done in the
 * run as there was time for: until its first request a program may have computed all the time.
 */
static void add_between(struct done *done, const struct facts *facts,
        const struct trace_sample *from, const struct trace_sample *to)
{
        uint64_t from_ns = max_u64(from->at_ns, facts->start_ns);
        uint64_t time_ns = growth(from_ns, min_u64(to->at_ns, facts->end_ns));
        bool is_inside = from->at_ns >= facts->start_ns && to->at_ns <= facts->end_ns;
        uint64_t work_ns[TRACE_N_WORKS], busy_ns = 0;
        uint64_t cpu_ns = growth(from->thread_cpu_ns, to->thread_cpu_ns);

        for (size_t i = 0; i < TRACE_N_WORKS; i++)
                busy_ns += work_ns[i] = growth(from->work_ns[i], to->work_ns[i]);
        for (size_t i = 0; !is_inside && busy_ns > time_ns && i < TRACE_N_WORKS; i++)
                work_ns[i] = whole_of((double)work_ns[i] * (double)time_ns / (double)busy_ns);
        for (size_t i = 0; i < TRACE_N_WORKS; i++) {
                done->loop_ns[i] += work_ns[i];
                done->busy_ns += work_ns[i];
        }
        done->thread_cpu_ns += is_inside ? cpu_ns : min_u64(cpu_ns, time_ns);
}

static void add_up(struct done *done, const struct facts *facts, unsigned loop)
{
        const struct record *record = facts->record;

        *done = (struct done){ 0 };
        for (size_t i = 0; i < record->n_samples; i++) {
                const struct trace_sample *sample = &record->samples[i];

                if (loop_of(sample->engine) != loop)
                        continue;
                if (!done->from || sample->at_ns <= facts->start_ns)
                        done->from = sample;
                else
                        add_between(done, facts, done->to, sample);
                done->to = sample;
                if (sample->at_ns >= facts->end_ns)
                        return;
        }
}

static void measure_loop(struct facts *facts, unsigned loop)
{
        struct done done;

        add_up(&done, facts, loop);
        if (!done.to)
                return;
        facts->loops_cpu_ns += done.thread_cpu_ns;
        facts->process_cpu_ns = max_u64(facts->process_cpu_ns,
                growth(done.from->process_cpu_ns, done.to->process_cpu_ns));
        if (facts->busiest_loop && done.busy_ns <= facts->loop_busy_ns)
                return;
        facts->busiest_loop = loop;
        facts->loop_busy_ns = done.busy_ns;
        memcpy(facts->loop_ns, done.loop_ns, sizeof(done.loop_ns));
        facts->thread_cpu_ns = done.thread_cpu_ns;
        facts->run_delay_ns = thread_time_growth(done.from->run_delay_ns, done.to->run_delay_ns);
}

/* All loops are threads of one Python program, or its only one, and it has no event loop. */
static bool are_threads(const struct facts *facts)
{
        const struct programs *programs = &facts->record->programs;

        for (size_t i = 0; i < programs->n_processes; i++) {
                const struct program_process *process = &programs->processes[i];

                if (process->n_threads && process->n_threads == facts->n_loops)
                        return str_starts(process->language, "Python") && !process->loop.len;
        }
        return false;
}

/*
 * Threads that take turns with the interpreter are like one loop, whose work is what they computed.
 * Between its calls a thread may as well sleep, stand in a lock, or wait for a connection of a pool:
 * that it was not at one of its calls is not to say that it was at work.
 */
static void take_together(struct facts *facts)
{
        uint64_t busy_ns = min_u64(facts->loops_cpu_ns, facts->wall_ns);

        if (facts->process_cpu_ns)
                busy_ns = min_u64(busy_ns, facts->process_cpu_ns);
        memset(facts->loop_ns, 0, sizeof(facts->loop_ns));
        facts->loop_ns[TRACE_WORK_CALLER] = busy_ns;
        facts->loop_busy_ns = facts->thread_cpu_ns = busy_ns;
}

/*
 * What programs do around their requests is mostly loading, and so computing: of their processor
 * time as much is not of the run, unless the threads that made the requests had it.
 */
static void leave_out_loading(struct facts *facts)
{
        uint64_t around_ns = facts->startup_ns + facts->ending_ns;
        uint64_t all_ns = programs_cpu_ns(&facts->record->programs);
        uint64_t seen_ns = min_u64(facts->loops_cpu_ns, all_ns);

        if (!all_ns)
                return;
        facts->process_cpu_ns =
                min_u64(facts->process_cpu_ns, max_u64(growth(around_ns, all_ns), seen_ns));
}

void run_measure_loop(struct facts *facts)
{
        const struct record *record = facts->record;

        assert(facts->wall_ns > 0);
        for (size_t i = 0; i < record->n_turns; i++)
                facts->longest_turn_ns = max_u64(facts->longest_turn_ns,
                        growth(record->turns[i].start_ns, record->turns[i].end_ns));
        facts->n_loops = 1;
        facts->run_delay_ns = -1;
        for (size_t i = 0; i < record->n_samples; i++)
                if (loop_of(record->samples[i].engine) > facts->n_loops)
                        facts->n_loops = loop_of(record->samples[i].engine);
        for (unsigned loop = 1; loop <= facts->n_loops; loop++)
                measure_loop(facts, loop);
        leave_out_loading(facts);
        if (are_threads(facts))
                take_together(facts);
}
