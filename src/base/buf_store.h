/* SPDX-License-Identifier: MIT */
/*
 * Memory of large buffers, kept for the next ones
 *
 * The kernel clears each page that a program touches first, and for a body of megabytes that costs
 * as much as receiving it. So what one buffer does not need any more is given to another one of
 * about its size, the last one first. A store holds a bounded number of bytes; what is beyond goes
 * back to the system. Any thread: it is locked, which buffers so large do not notice.
 */
#ifndef BASE_BUF_STORE_H
#define BASE_BUF_STORE_H

#include "buf.h"
#include <pthread.h>

/* Below, malloc() has memory at hand; above, one buffer would be all that is kept. */
#define BUF_STORE_LEAST_BYTES (64u * 1024)
#define BUF_STORE_MOST_BYTES  (16u * 1024 * 1024)
#define BUF_STORE_N_CLASSES   9 /* powers of two from one to the other: what buffers grow to */

struct buf_store_piece;

struct buf_store {
        pthread_mutex_t lock;
        size_t max_bytes;
        size_t n_bytes; /* kept */
        struct buf_store_piece *pieces[BUF_STORE_N_CLASSES];
};

/* An empty store that will hold up to `max_bytes`. */
void buf_store_init(struct buf_store *store, size_t max_bytes);

/* Release what it holds. It may be used on. */
void buf_store_empty(struct buf_store *store);

/* Empty it; nobody uses it any more. */
void buf_store_deinit(struct buf_store *store);

/*
 * Memory for at least `size` bytes into a buffer that owns none, from the store if it has some of
 * that class. MUSTER_E_RESOURCE.
 */
int buf_store_take(struct buf_store *store, struct buf *buf, size_t size);

/* Take the memory of a buffer, which is empty then and owns none. */
void buf_store_give(struct buf_store *store, struct buf *buf);

#endif
