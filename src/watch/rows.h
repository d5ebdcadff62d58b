/* SPDX-License-Identifier: MIT */
/*
 * A growing array, and numbers that are found by a key
 *
 * How many rows a log has is not known before it was read. Rows move when the array grows: keep
 * their indexes and not their addresses.
 */
#ifndef WATCH_ROWS_H
#define WATCH_ROWS_H

#include <base/map.h>

/* Zeroed with `size` set it is empty. */
struct rows {
        void *at;
        size_t n, room;
        size_t size; /* of a row */
};

/* Add a zeroed row; NULL: memory is out. */
void *rows_add(struct rows *rows);

static inline void *rows_at(const struct rows *rows, size_t i)
{
        assert(i < rows->n);
        return (char *)rows->at + i * rows->size;
}

/* Release the memory; may be called twice. */
void rows_deinit(struct rows *rows);

/* Give the array away: the caller frees it with mem_free(). NULL: it is empty. */
void *rows_give(struct rows *rows, size_t *ret_n);

/*
 * Sort by a number of each row, of which the smallest comes first; those with the same number keep
 * their order. MUSTER_E_RESOURCE: they are not sorted.
 */
int rows_sort(struct rows *rows, uint64_t (*number)(const void *row));

/* Numbers by keys: threads, addresses of TLS sessions, descriptors. Zeroed it is not usable. */
struct keys {
        struct map map;
};

void keys_init(struct keys *keys);
void keys_deinit(struct keys *keys);
/* The number of a key; 0: it has none. */
uint32_t keys_get(const struct keys *keys, uint64_t key);
/* Set it; 0 removes it. MUSTER_E_RESOURCE. */
int keys_set(struct keys *keys, uint64_t key, uint32_t number);

#endif
