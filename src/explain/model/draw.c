/* SPDX-License-Identifier: MIT */
#include "draw.h"

#include <assert.h>
#include <base/mem.h>
#include <base/minmax.h>
#include <explain/facts/sort.h>
#include <muster/error.h>

#define NEIGHBOURS_SHARE 8  /* of its kind an eighth is its neighbourhood, on either side */
#define NEIGHBOURS_LEAST 16 /* of fewer the same would be drawn again and again */

static void note_kinds(struct draw *draw, const struct simulate *what,
        const struct sort_pair *pairs)
{
        for (uint32_t first = 0, last; first < draw->n; first = last + 1) {
                for (last = first; last + 1 < draw->n && pairs[last + 1].key == pairs[first].key;)
                        last++;
                for (uint32_t i = first; i <= last; i++) {
                        draw->jobs[i] = what->jobs[pairs[i].value];
                        draw->place_of[pairs[i].value] = i;
                        draw->first_of[i] = first;
                        draw->last_of[i] = last;
                }
        }
}

int draw_init(struct draw *draw, const struct simulate *what, const uint64_t *kinds, uint64_t seed)
{
        struct sort_pair *pairs = mem_array(what->n_jobs, sizeof(*pairs));

        *draw = (struct draw){ .n = what->n_jobs };
        rand_init(&draw->rand, seed);
        draw->jobs = mem_array(draw->n, sizeof(*draw->jobs));
        draw->place_of = mem_array(draw->n, sizeof(*draw->place_of));
        draw->first_of = mem_array(draw->n, sizeof(*draw->first_of));
        draw->last_of = mem_array(draw->n, sizeof(*draw->last_of));
        if (!pairs || !draw->jobs || !draw->place_of || !draw->first_of || !draw->last_of) {
                mem_free(pairs);
                return MUSTER_E_RESOURCE;
        }
        for (uint32_t i = 0; i < draw->n; i++)
                pairs[i] = (struct sort_pair){ kinds[i], i };
        sort_pairs(pairs, draw->n);
        note_kinds(draw, what, pairs);
        mem_free(pairs);
        return 0;
}

void draw_deinit(struct draw *draw)
{
        draw->jobs = mem_free(draw->jobs);
        draw->place_of = mem_free(draw->place_of);
        draw->first_of = mem_free(draw->first_of);
        draw->last_of = mem_free(draw->last_of);
}

/* One of its neighbours, or itself. */
static const struct simulate_job *draw_one(struct draw *draw, uint32_t place)
{
        uint32_t first = draw->first_of[place], last = draw->last_of[place];
        uint64_t reach = max_u64((last - first) / NEIGHBOURS_SHARE, NEIGHBOURS_LEAST);
        uint64_t from = place - min_u64(reach, place - first);
        uint64_t to = min_u64(place + reach, last);

        assert(from <= place && place <= to && to < draw->n);
        return &draw->jobs[from + rand_up_to(&draw->rand, to - from)];
}

void draw_next(struct draw *draw, struct simulate *what)
{
        assert(what->n_jobs == draw->n);
        for (uint32_t i = 0; i < draw->n; i++) {
                const struct simulate_job *itself = &draw->jobs[draw->place_of[i]];
                struct simulate_job *job = &what->jobs[i];

                *job = *draw_one(draw, draw->place_of[i]);
                job->arrives_ns = itself->arrives_ns;
                job->after = itself->after;
                job->origin = itself->origin;
        }
}
