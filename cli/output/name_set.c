/* SPDX-License-Identifier: MIT */
#include "name_set.h"

#include <assert.h>
#include <base/mem.h>
#include <muster/error.h>

#define SLOTS_MIN 1024

void name_set_deinit(struct name_set *set)
{
        mem_free(set->slots);
        *set = (struct name_set){ 0 };
}

/* Where the hash is, or is to be. */
static uint64_t *slot_of(uint64_t *slots, size_t n_slots, uint64_t hash)
{
        size_t at = (size_t)hash & (n_slots - 1);

        while (slots[at] && slots[at] != hash)
                at = (at + 1) & (n_slots - 1);
        return &slots[at];
}

static int grow(struct name_set *set)
{
        size_t n_slots = set->n_slots ? set->n_slots * 2 : SLOTS_MIN;
        uint64_t *slots = mem_array(n_slots, sizeof(*slots));

        if (!slots)
                return MUSTER_E_RESOURCE;
        if (!set->n_slots)
                map_init(&set->key);
        for (size_t i = 0; i < set->n_slots; i++)
                if (set->slots[i])
                        *slot_of(slots, n_slots, set->slots[i]) = set->slots[i];
        mem_free(set->slots);
        set->slots = slots;
        set->n_slots = n_slots;
        return 0;
}

int name_set_add(struct name_set *set, struct muster_str name)
{
        uint64_t hash, *slot;

        if (set->n >= set->n_slots / 4 * 3 && grow(set) < 0)
                return MUSTER_E_RESOURCE;
        hash = map_hash(&set->key, name);
        hash += hash == 0;
        slot = slot_of(set->slots, set->n_slots, hash);
        if (*slot)
                return NAME_SET_HAS_IT;
        *slot = hash;
        set->n++;
        assert(set->n < set->n_slots);
        return 0;
}
