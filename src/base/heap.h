/* SPDX-License-Identifier: MIT */
/*
 * Intrusive priority queue of moments
 *
 * A four-ary heap with the least key on top. A zeroed node is in no heap. Keys are in the heap's
 * own array, so sifting touches few cache lines; a node only remembers its place. Inserting costs
 * one comparison when keys mostly grow, as deadlines of one duration do.
 */
#ifndef BASE_HEAP_H
#define BASE_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct heap_node {
        size_t place; /* index in the heap's array plus 1; 0: in no heap */
};

struct heap_entry {
        uint64_t key;
        struct heap_node *node;
};

struct heap {
        struct heap_entry *entries;
        size_t n, size;
};

void heap_deinit(struct heap *heap);

static inline bool heap_has(const struct heap_node *node)
{
        return node->place != 0;
}

/*
 * Insert a node, or change the key of one that is in the heap. MUSTER_E_RESOURCE comes only from an
 * insertion.
 */
int heap_set(struct heap *heap, struct heap_node *node, uint64_t key);

/* Remove a node. Does nothing if it is in no heap. */
void heap_remove(struct heap *heap, struct heap_node *node);

/* The node with the least key, NULL when empty. */
static inline struct heap_node *heap_top(const struct heap *heap)
{
        return heap->n ? heap->entries[0].node : NULL;
}

/* The least key, UINT64_MAX when empty. */
static inline uint64_t heap_top_key(const struct heap *heap)
{
        return heap->n ? heap->entries[0].key : UINT64_MAX;
}

/* The key of a node that is in the heap. */
static inline uint64_t heap_key(const struct heap *heap, const struct heap_node *node)
{
        return heap->entries[node->place - 1].key;
}

#endif
