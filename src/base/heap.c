/* SPDX-License-Identifier: MIT */
#include "heap.h"

#include "mem.h"
#include <assert.h>
#include <muster/error.h>

#define HEAP_ARITY 4

void heap_deinit(struct heap *heap)
{
        for (size_t i = 0; i < heap->n; i++)
                heap->entries[i].node->place = 0;
        mem_free(heap->entries);
        *heap = (struct heap){ 0 };
}

static void put_entry(struct heap *heap, size_t at, struct heap_entry entry)
{
        assert(at < heap->n && entry.node);
        heap->entries[at] = entry;
        entry.node->place = at + 1;
}

static void sift_up(struct heap *heap, size_t at, struct heap_entry entry)
{
        while (at > 0) {
                size_t parent = (at - 1) / HEAP_ARITY;

                if (heap->entries[parent].key <= entry.key)
                        break;
                put_entry(heap, at, heap->entries[parent]);
                at = parent;
        }
        put_entry(heap, at, entry);
}

static void sift_down(struct heap *heap, size_t at, struct heap_entry entry)
{
        for (;;) {
                size_t first = at * HEAP_ARITY + 1;
                size_t end = first + HEAP_ARITY < heap->n ? first + HEAP_ARITY : heap->n;
                size_t least = first;

                if (first >= heap->n)
                        break;
                for (size_t i = first + 1; i < end; i++)
                        if (heap->entries[i].key < heap->entries[least].key)
                                least = i;
                if (heap->entries[least].key >= entry.key)
                        break;
                put_entry(heap, at, heap->entries[least]);
                at = least;
        }
        put_entry(heap, at, entry);
}

static void sift(struct heap *heap, size_t at, struct heap_entry entry)
{
        if (at > 0 && heap->entries[(at - 1) / HEAP_ARITY].key > entry.key)
                sift_up(heap, at, entry);
        else
                sift_down(heap, at, entry);
}

static int grow_entries(struct heap *heap)
{
        size_t size = heap->size ? heap->size * 2 : 64;
        struct heap_entry *entries = mem_realloc(heap->entries, size * sizeof(*entries));

        assert(heap->n == heap->size);
        if (!entries)
                return MUSTER_E_RESOURCE;
        heap->entries = entries;
        heap->size = size;
        return 0;
}

int heap_set(struct heap *heap, struct heap_node *node, uint64_t key)
{
        struct heap_entry entry = { .key = key, .node = node };

        assert(node && heap->n <= heap->size);
        if (heap_has(node)) {
                assert(heap->entries[node->place - 1].node == node);
                sift(heap, node->place - 1, entry);
                return 0;
        }
        if (heap->n == heap->size && grow_entries(heap) < 0)
                return MUSTER_E_RESOURCE;
        sift_up(heap, heap->n++, entry);
        return 0;
}

void heap_remove(struct heap *heap, struct heap_node *node)
{
        size_t at = node->place - 1;
        struct heap_entry last;

        if (!heap_has(node))
                return;
        assert(at < heap->n && heap->entries[at].node == node);
        node->place = 0;
        last = heap->entries[--heap->n];
        if (at < heap->n)
                sift(heap, at, last);
}
