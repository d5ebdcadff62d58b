/* SPDX-License-Identifier: MIT */
/*
 * Memory for nghttp2: one pool for each session
 *
 * nghttp2 allocates twenty small blocks a request and frees them again, a sixth of its time. They
 * come from slabs here, and freed ones are kept by size for the next request. Slabs are released
 * with the session, all at once. That is also the way out where memory was out: nghttp2 may then
 * have freed a block that it still points to (version 1.52 does, where it queues a body), so that
 * its session must not be looked at any more.
 */
#ifndef HTTP_H2_POOL_H
#define HTTP_H2_POOL_H

#include <base/list.h>
#include <nghttp2/nghttp2.h>

#define H2_POOL_CLASSES 8 /* blocks up to 64, 128, ... bytes */

struct h2_pool {
        struct h2_block *spare[H2_POOL_CLASSES];
        struct list slabs, large;
        char *fresh; /* the rest of the newest slab */
        size_t fresh_bytes;
        bool was_out; /* an allocation failed */
};

void h2_pool_init(struct h2_pool *pool);

/* Release all blocks. May be called twice. */
void h2_pool_deinit(struct h2_pool *pool);

/* Functions for nghttp2; they refer to the pool. */
nghttp2_mem h2_pool_functions(struct h2_pool *pool);

#endif
