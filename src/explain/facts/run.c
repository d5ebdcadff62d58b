/* SPDX-License-Identifier: MIT */
#include "run.h"

#include "life.h"
#include "sort.h"
#include <assert.h>
#include <string.h>
#include <base/mem.h>
#include <base/minmax.h>

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

/* --- the run --------------------------------------------------------------------------------- */

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

/* Of one loop: the last sample before the run and the first one after it, or the outermost. */
static void find_samples(const struct facts *facts, unsigned loop,
        const struct trace_sample **ret_from, const struct trace_sample **ret_to)
{
        const struct record *record = facts->record;

        *ret_from = *ret_to = NULL;
        for (size_t i = 0; i < record->n_samples; i++) {
                const struct trace_sample *sample = &record->samples[i];

                if (loop_of(sample->engine) != loop)
                        continue;
                if (!*ret_from || sample->at_ns <= facts->start_ns)
                        *ret_from = sample;
                *ret_to = sample;
                if (sample->at_ns >= facts->end_ns)
                        return;
        }
}

static void measure_loop(struct facts *facts, unsigned loop)
{
        const struct trace_sample *from, *to;
        uint64_t loop_ns[TRACE_N_WORKS], busy_ns = 0;

        find_samples(facts, loop, &from, &to);
        if (!to)
                return;
        for (size_t i = 0; i < TRACE_N_WORKS; i++)
                busy_ns += loop_ns[i] = growth(from->work_ns[i], to->work_ns[i]);
        facts->loops_cpu_ns += growth(from->thread_cpu_ns, to->thread_cpu_ns);
        facts->process_cpu_ns =
                max_u64(facts->process_cpu_ns, growth(from->process_cpu_ns, to->process_cpu_ns));
        if (facts->busiest_loop && busy_ns <= facts->loop_busy_ns)
                return;
        facts->busiest_loop = loop;
        facts->loop_busy_ns = busy_ns;
        memcpy(facts->loop_ns, loop_ns, sizeof(loop_ns));
        facts->thread_cpu_ns = growth(from->thread_cpu_ns, to->thread_cpu_ns);
}

void run_measure_loop(struct facts *facts)
{
        const struct record *record = facts->record;

        assert(facts->wall_ns > 0);
        for (size_t i = 0; i < record->n_turns; i++)
                facts->longest_turn_ns = max_u64(facts->longest_turn_ns,
                        growth(record->turns[i].start_ns, record->turns[i].end_ns));
        facts->n_loops = 1;
        for (size_t i = 0; i < record->n_samples; i++)
                if (loop_of(record->samples[i].engine) > facts->n_loops)
                        facts->n_loops = loop_of(record->samples[i].engine);
        for (unsigned loop = 1; loop <= facts->n_loops; loop++)
                measure_loop(facts, loop);
}
