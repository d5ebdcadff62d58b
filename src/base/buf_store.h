/* SPDX-License-Identifier: MIT */
/*
 * Buffer store: the memory of large buffers, kept for reuse
 *
 * The kernel clears each page before a program first touches it. For a body of megabytes that costs
 * as much as receiving the body. So memory that one buffer no longer needs goes to another one of
 * about the same size, the most recently used first. A store keeps a bounded number of bytes;
 * memory beyond that goes back to the system. Any thread may call it: there is a lock, and buffers
 * of this size do not notice its cost.
 */
#ifndef BASE_BUF_STORE_H
#define BASE_BUF_STORE_H

#include "buf.h"
#include <pthread.h>

/*
 * Smaller buffers: malloc() has memory at hand. Larger ones: a single buffer would fill the store.
 */
#define BUF_STORE_LEAST_BYTES (64u * 1024)
#define BUF_STORE_MOST_BYTES  (16u * 1024 * 1024)
#define BUF_STORE_N_CLASSES   9 /* the powers of two from least to most, as buffers grow */

struct buf_store_piece;

struct buf_store {
        pthread_mutex_t lock;
        size_t max_bytes;
        size_t n_bytes; /* kept */
        struct buf_store_piece *pieces[BUF_STORE_N_CLASSES];
};

/* Make an empty store that keeps up to `max_bytes`. */
void buf_store_init(struct buf_store *store, size_t max_bytes);

/* Release all memory that it keeps. The store can still be used. */
void buf_store_empty(struct buf_store *store);

/* Release the store itself, when nobody uses it any more. */
void buf_store_deinit(struct buf_store *store);

/*
 * Give memory for at least `size` bytes to a buffer that owns none, from the store if it has some
 * of that class. 0 or MUSTER_E_RESOURCE.
 */
int buf_store_take(struct buf_store *store, struct buf *buf, size_t size);

/* Take the memory of a buffer. The buffer is empty afterwards and owns none. */
void buf_store_give(struct buf_store *store, struct buf *buf);

#endif
