/* SPDX-License-Identifier: MIT */
/*
 * Ring: the newest rows of a kind
 *
 * A ring grows by chunks up to its bound, so that a small run costs little. Then each new row
 * replaces the oldest one.
 */
#ifndef RECORD_RING_H
#define RECORD_RING_H

#include <stddef.h>
#include <stdint.h>

#define RING_CHUNK_ROWS 1024
#define RING_ROWS_MAX   (100 * 1000 * 1000) /* more would not fit into any memory */

struct ring {
        char **chunks;
        size_t n_chunks;
        size_t row_size;
        uint64_t max_rows;
        uint64_t n_added; /* ever */
};

/* MUSTER_E_RESOURCE. */
int ring_init(struct ring *ring, size_t row_size, uint64_t max_rows);
/* Zeroed is allowed; zeroed afterwards. */
void ring_deinit(struct ring *ring);

/* Add a row and return its place to write to; NULL if memory is out, and nothing was added. */
void *ring_add(struct ring *ring);

/* How many rows there are, and the `index`-th of them; 0 is the oldest. */
uint64_t ring_n(const struct ring *ring);
void *ring_at(const struct ring *ring, uint64_t index);

/* Keep every other row of a ring in which none was replaced yet. */
void ring_thin(struct ring *ring);

#endif
