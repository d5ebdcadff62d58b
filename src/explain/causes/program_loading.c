/* SPDX-License-Identifier: MIT */
#include "program_loading.h"

#include <base/minmax.h>
#include <explain/facts/life.h>
#include <explain/facts/program.h>
#include <explain/facts/turns.h>
#include <explain/model/rehearsal.h>

static uint64_t again_ns(const struct facts *facts)
{
        size_t n = facts->record->programs.n_contexts;

        return n ? facts->program->contexts_ns - facts->program->contexts_ns / n : 0;
}

static void take_least(struct loading *loading, const struct replay_request *request)
{
        for (int part = PART_SEND; part <= PART_RECEIVE; part++)
                if (request->slot_ns[part])
                        loading->least_ns[part] =
                                min_u64(loading->least_ns[part], request->slot_ns[part]);
}

void loading_measure(struct loading *loading, const struct facts *facts)
{
        *loading = (struct loading){ .again_ns = again_ns(facts),
                .is_on_loop = facts->loop_busy_ns >= again_ns(facts) };
        for (int part = PART_SEND; part <= PART_RECEIVE; part++)
                loading->least_ns[part] = UINT64_MAX;
        for (uint32_t i = 0; i < facts->rehearsal->n; i++)
                take_least(loading, &facts->rehearsal->list[i].as_it_was);
}

/* How long they were loaded between two moments of the run. */
static uint64_t loaded_ns(const struct facts *facts, uint64_t from_ns, uint64_t to_ns)
{
        return program_loaded_until_ns(facts, to_ns) -
               program_loaded_until_ns(facts, min_u64(from_ns, to_ns));
}

static uint64_t less(uint64_t ns, uint64_t by_ns)
{
        return ns - min_u64(by_ns, ns);
}

/* A connection is opened first, and so waits most: for the loop, while that does what others need. */
static void wait_less(struct replay_request *request, const struct loading *loading,
        uint64_t spared_ns)
{
        for (int part = PART_DNS; part <= PART_RECEIVE; part++) {
                uint64_t more_ns = less(request->slot_ns[part], loading->least_ns[part]);
                uint64_t ns = min_u64(more_ns, spared_ns);

                request->slot_ns[part] -= ns;
                spared_ns -= ns;
        }
}

void loading_once(struct replay_request *request, const struct facts *facts,
        const struct loading *loading)
{
        uint64_t came_ns = facts->start_ns + request->submit_ns;
        uint64_t over_ns = max_u64(life_end_ns(request->last), came_ns);

        request->submit_ns = less(request->submit_ns, loaded_ns(facts, facts->start_ns, came_ns));
        request->follow_ns = less(request->follow_ns,
                loaded_ns(facts, came_ns - min_u64(request->follow_ns, came_ns), came_ns));
        request->loop_ns = less(request->loop_ns, loading->again_ns / facts->n_requests);
        wait_less(request, loading,
                max_u64(loaded_ns(facts, came_ns, over_ns),
                        turns_busy_ns(facts->turns, request->last->engine, came_ns, over_ns)));
}
