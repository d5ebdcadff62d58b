/* SPDX-License-Identifier: MIT */
#include "tally.h"

#include <base/clock.h>
#include <base/list.h>
#include <base/mem.h>
#include <base/minmax.h>

#define LONGEST_NS (365.0 * 24 * 3600 * NS_PER_S) /* the longest interval, and the longest burst */

static struct tally *tally_of(struct map_node *node)
{
        return LIST_OWNER(node, struct tally, node);
}

static void *tally_free(struct tally *tally)
{
        mem_free(tally->key);
        return mem_free(tally);
}

void tallies_init(struct tallies *tallies)
{
        map_init(&tallies->map);
}

void tallies_deinit(struct tallies *tallies)
{
        struct map_node *node;

        while ((node = map_any(&tallies->map))) {
                map_remove(&tallies->map, node);
                tally_free(tally_of(node));
        }
        map_deinit(&tallies->map);
}

struct tally *tallies_get(struct tallies *tallies, struct muster_str key)
{
        struct map_node *node = map_find(&tallies->map, key);
        struct tally *tally;

        if (node)
                return tally_of(node);
        if (tallies->map.n >= TALLIES_MAX || !(tally = mem_zalloc(sizeof(*tally))))
                return NULL;
        tally->key = mem_strndup(key.at, key.len);
        if (!tally->key || map_add(&tallies->map, &tally->node,
                                   (struct muster_str){ tally->key, key.len }) < 0)
                return tally_free(tally);
        return tally;
}

/* An interval within bounds: a client may ask for a rate close to 0. */
static uint64_t bounded(double ns)
{
        return (uint64_t)(ns < LONGEST_NS ? ns : LONGEST_NS);
}

uint64_t tally_take(struct tally *tally, double rate_per_s, double burst, uint64_t now_ns)
{
        double interval_ns = (double)NS_PER_S / rate_per_s;
        uint64_t early_ns = burst > 1 ? bounded(interval_ns * (burst - 1)) : 0;
        uint64_t due_ns = max_u64(tally->next_ns, now_ns);

        if (due_ns - now_ns > early_ns)
                return due_ns - now_ns - early_ns;
        tally->next_ns = due_ns + bounded(interval_ns);
        tally->n++;
        return 0;
}
