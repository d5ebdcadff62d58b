/* SPDX-License-Identifier: MIT */
#include "crew.h"

#include <assert.h>
#include <base/mem.h>
#include <base/minmax.h>
#include <explain/facts/life.h>
#include <explain/facts/sort.h>

struct crew {
        uint64_t *free_ns;
        size_t n;
};

static bool was_processed(const struct trace_attempt *attempt)
{
        return life_process_end_ns(attempt) > life_end_ns(attempt);
}

static size_t collect(const struct record *record, struct sort_pair *pairs)
{
        size_t n = 0;

        for (size_t i = 0; i < record->n_attempts; i++)
                if (was_processed(&record->attempts[i]))
                        pairs[n++] = (struct sort_pair){ life_end_ns(&record->attempts[i]), i };
        sort_pairs(pairs, n);
        return n;
}

static uint64_t *first_free(const struct crew *crew)
{
        uint64_t *first = crew->free_ns;

        for (size_t i = 1; i < crew->n; i++)
                if (crew->free_ns[i] < *first)
                        first = &crew->free_ns[i];
        return first;
}

static uint64_t work_off(const struct crew *crew, const struct trace_attempt *attempt)
{
        uint64_t *worker = first_free(crew);
        uint64_t end_ns = life_process_end_ns(attempt);
        uint64_t start_ns = max_u64(*worker, life_end_ns(attempt));

        assert(crew->n > 0 && end_ns >= life_end_ns(attempt));
        *worker = max_u64(*worker, end_ns);
        return end_ns > start_ns ? end_ns - start_ns : 0;
}

int crew_work(const struct facts *facts, uint64_t **ret_work_ns)
{
        const struct record *record = facts->record;
        struct crew crew = { .n = record->run.options.workers };
        struct sort_pair *pairs;
        uint64_t *work_ns = NULL;
        size_t n;

        *ret_work_ns = NULL;
        if (life_process_part(record) != PART_PROCESS ||
                facts->phase[MUSTER_PHASE_PROCESS].max == 0)
                return 0;
        if (crew.n == 0 || crew.n > CREW_MOST)
                crew.n = CREW_MOST;
        pairs = mem_array(record->n_attempts, sizeof(*pairs));
        work_ns = mem_array(record->n_attempts, sizeof(*work_ns));
        crew.free_ns = mem_array(crew.n, sizeof(*crew.free_ns));
        if (!pairs || !work_ns || !crew.free_ns) {
                work_ns = mem_free(work_ns);
        } else {
                n = collect(record, pairs);
                for (size_t i = 0; i < n; i++)
                        work_ns[pairs[i].value] =
                                work_off(&crew, &record->attempts[pairs[i].value]);
        }
        mem_free(pairs);
        mem_free(crew.free_ns);
        *ret_work_ns = work_ns;
        return work_ns ? 0 : MUSTER_E_RESOURCE;
}
