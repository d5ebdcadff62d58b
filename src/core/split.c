/* SPDX-License-Identifier: MIT */
#include "split.h"

#include <assert.h>
#include <base/mem.h>
#include <muster/error.h>

int split_init(struct split *split, unsigned n_parts, unsigned per_host, double rate_per_s,
        void (*wake)(struct lease *lease))
{
        *split = (struct split){ .has_limit = per_host > 0, .has_rate = rate_per_s > 0 };
        if (split->has_rate)
                moments_init(&split->moments, rate_per_s);
        split->parts = mem_array(n_parts, sizeof(*split->parts));
        if (!split->parts)
                return MUSTER_E_RESOURCE;
        split->n_parts = n_parts;
        if (split->has_limit)
                slots_init(&split->slots, per_host);
        for (unsigned i = 0; i < n_parts; i++) {
                struct split_part *part = &split->parts[i];

                *part = (struct split_part){ .split = split, .moments.of = &split->moments };
                if (split->has_limit)
                        slots_add(&split->slots, &part->lease, wake);
        }
        return 0;
}

void split_deinit(struct split *split)
{
        if (split->has_rate)
                moments_deinit(&split->moments);
        split->parts = mem_free(split->parts);
        *split = (struct split){ 0 };
}

void split_begin(struct split *split, unsigned home)
{
        struct split_part *part = &split->parts[home];

        assert(home < split->n_parts && !part->is_home);
        part->is_home = true;
        if (split->has_limit) {
                lease_take(&part->lease, 0, split->slots.n, 1);
                part->n_slots = part->lease.n;
        }
        if (split->has_rate)
                moments_close(&split->moments);
}
