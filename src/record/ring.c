/* SPDX-License-Identifier: MIT */
#include "ring.h"

#include <assert.h>
#include <base/mem.h>
#include <base/minmax.h>
#include <muster/error.h>
#include <string.h>

int ring_init(struct ring *ring, size_t row_size, uint64_t max_rows)
{
        assert(row_size > 0 && max_rows > 0);
        if (max_rows > RING_ROWS_MAX)
                max_rows = RING_ROWS_MAX;
        *ring = (struct ring){ .row_size = row_size, .max_rows = max_rows };
        ring->n_chunks = (size_t)((max_rows + RING_CHUNK_ROWS - 1) / RING_CHUNK_ROWS);
        ring->chunks = mem_array(ring->n_chunks, sizeof(*ring->chunks));
        return ring->chunks ? 0 : MUSTER_E_RESOURCE;
}

void ring_deinit(struct ring *ring)
{
        for (size_t i = 0; ring->chunks && i < ring->n_chunks; i++)
                mem_free(ring->chunks[i]);
        mem_free(ring->chunks);
        *ring = (struct ring){ 0 };
}

/* The chunk of the `position`-th row that was ever added. */
static char **chunk_of(const struct ring *ring, uint64_t position)
{
        return &ring->chunks[position / RING_CHUNK_ROWS % ring->n_chunks];
}

static void *place_in(const struct ring *ring, char *chunk, uint64_t position)
{
        return chunk + position % RING_CHUNK_ROWS * ring->row_size;
}

void *ring_add(struct ring *ring)
{
        char **chunk = chunk_of(ring, ring->n_added);

        assert(ring->n_chunks > 0);
        if (!*chunk)
                *chunk = mem_alloc(RING_CHUNK_ROWS * ring->row_size);
        if (!*chunk)
                return NULL;
        return place_in(ring, *chunk, ring->n_added++);
}

uint64_t ring_n(const struct ring *ring)
{
        return min_u64(ring->n_added, ring->max_rows);
}

void *ring_at(const struct ring *ring, uint64_t index)
{
        uint64_t position = ring->n_added - ring_n(ring) + index;

        assert(index < ring_n(ring));
        return place_in(ring, *chunk_of(ring, position), position);
}

void ring_thin(struct ring *ring)
{
        uint64_t n = (ring->n_added + 1) / 2;

        assert(ring->n_added <= ring->max_rows);
        for (uint64_t i = 1; i < n; i++)
                memcpy(ring_at(ring, i), ring_at(ring, 2 * i), ring->row_size);
        ring->n_added = n;
}
