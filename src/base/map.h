/* SPDX-License-Identifier: MIT */
/*
 * Intrusive hash map from text
 *
 * Chained, doubling, with keyed SipHash-1-3: a hostile server cannot choose names that pile up in
 * one chain. The key's bytes belong to the member and must stay while it is in the map.
 */
#ifndef BASE_MAP_H
#define BASE_MAP_H

#include "str.h"

struct map_node {
        struct map_node *next;
        struct muster_str key;
        uint64_t hash;
};

struct map {
        struct map_node **chains;
        size_t n_chains; /* a power of two, or 0 */
        size_t n;
        size_t first; /* no chain before it has a member */
        uint64_t seed[2];
};

/* Make an empty map. Allocates nothing yet. */
void map_init(struct map *map);

/* Release the table, not the members. */
void map_deinit(struct map *map);

/* The hash of a key in this map. */
uint64_t map_hash(const struct map *map, struct muster_str key);

struct map_node *map_find(const struct map *map, struct muster_str key);

/* Add a member whose key is not in the map yet. MUSTER_E_RESOURCE when memory is out. */
int map_add(struct map *map, struct map_node *node, struct muster_str key);

/* Remove a member that is in the map. */
void map_remove(struct map *map, struct map_node *node);

/*
 * Some member, for removing all of them one by one, which takes no longer than to go through them;
 * NULL if the map is empty.
 */
struct map_node *map_any(struct map *map);

/*
 * The member after this one, in no particular order, while none is added or removed; NULL: that was
 * the last.
 */
struct map_node *map_next(const struct map *map, const struct map_node *node);

#endif
