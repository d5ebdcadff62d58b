/* SPDX-License-Identifier: MIT */
#include "lookups.h"

#include <assert.h>
#include <base/clock.h>
#include <base/map.h>
#include <base/mem.h>
#include <explain/judgement.h>

struct seen_name {
        struct map_node node;
};

static bool was_lost(uint64_t took_ns)
{
        return took_ns >= LOOKUP_AGAIN_NS && took_ns % LOOKUP_AGAIN_NS <= LOOKUP_LATE_NS;
}

/* Has the name been seen before? If not, it has now. */
static int note_name(struct map *names, struct seen_name *free, struct muster_str name)
{
        if (map_find(names, name))
                return 1;
        return map_add(names, &free->node, name);
}

static int count(struct lookups *lookups, const struct record *record, struct seen_name *seen,
        uint64_t *took)
{
        struct map names;
        int r = 0;

        assert(!lookups->n_names && !lookups->n_again);
        map_init(&names);
        for (size_t i = 0; i < record->n_lookups && r >= 0; i++) {
                const struct trace_lookup *lookup = &record->lookups[i];

                took[i] = lookup->end_ns > lookup->start_ns ? lookup->end_ns - lookup->start_ns : 0;
                lookups->n_lost += was_lost(took[i]);
                if (lookup->code)
                        continue;
                r = note_name(&names, &seen[i], lookup->name);
                lookups->n_names += r == 0;
                lookups->n_again += r > 0;
                lookups->again_ns += r > 0 ? took[i] : 0;
        }
        map_deinit(&names);
        return r < 0 ? r : 0;
}

/* Attempts that waited for exactly the delay, while no lookup was as short as that. */
static void count_without_family(struct lookups *lookups, const struct facts *facts)
{
        const struct record *record = facts->record;

        if (lookups->n && lookups->took_ns.p50 <= FAMILY_NS + FAMILY_LATE_NS)
                return;
        for (size_t i = 0; i < record->n_attempts; i++) {
                const struct attempt *stamps = &record->attempts[i].stamps;
                uint64_t dns_ns = stamps->dns_end_ns > stamps->slot_ns
                                          ? stamps->dns_end_ns - stamps->slot_ns
                                          : 0;

                lookups->n_without_family += dns_ns + FAMILY_EARLY_NS >= FAMILY_NS &&
                                             dns_ns <= FAMILY_NS + FAMILY_LATE_NS;
        }
}

int lookups_of(struct lookups *lookups, const struct facts *facts)
{
        const struct record *record = facts->record;
        struct seen_name *seen = mem_array(record->n_lookups, sizeof(*seen));
        uint64_t *took = mem_array(record->n_lookups, sizeof(*took));
        int r = seen && took ? 0 : MUSTER_E_RESOURCE;

        *lookups = (struct lookups){
                .n = record->n_lookups, .n_begun = record->n_lookups, .name = str_of("")
        };
        if (r == 0)
                r = count(lookups, record, seen, took);
        if (r == 0)
                spread_of(&lookups->took_ns, took, record->n_lookups);
        mem_free(seen);
        mem_free(took);
        if (r < 0)
                return r;
        if (record->n_samples && record->samples[record->n_samples - 1].n_lookups > lookups->n)
                lookups->n_begun = record->samples[record->n_samples - 1].n_lookups;
        if (record->n_lookups)
                lookups->name = record->lookups[0].name;
        count_without_family(lookups, facts);
        return 0;
}
