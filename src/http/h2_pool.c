/* SPDX-License-Identifier: MIT */
#include "h2_pool.h"

#include <assert.h>
#include <base/mem.h>
#include <base/minmax.h>
#include <string.h>

#define STEP_BYTES 64u             /* between the sizes of two classes */
#define SLAB_BYTES (8 * 1024u)     /* what a connection with few streams needs */
#define LARGE      H2_POOL_CLASSES /* the class of blocks that have memory of their own */

/* What stands before each block; its size is a multiple of what any type must be aligned to. */
struct h2_block {
        union {
                struct h2_block *next; /* of a spare one */
                size_t size;           /* of a large one */
        };
        size_t class;
};

struct large {
        struct list link;
        struct h2_block block;
};

struct slab {
        struct list link;
};

static struct h2_block *block_of(void *at)
{
        return (struct h2_block *)at - 1;
}

static struct large *large_of(struct h2_block *block)
{
        return LIST_OWNER(block, struct large, block);
}

static size_t size_of(const struct h2_block *block)
{
        return block->class == LARGE ? block->size : (block->class + 1) * STEP_BYTES;
}

/* --- allocating ------------------------------------------------------------------------------ */

static void *allocate_large(struct h2_pool *pool, size_t size)
{
        struct large *large = NULL;

        if (size <= SIZE_MAX - sizeof(*large))
                large = mem_alloc(sizeof(*large) + size);
        if (!large) {
                pool->was_out = true;
                return NULL;
        }
        large->link = (struct list){ 0 };
        list_push_back(&pool->large, &large->link);
        large->block = (struct h2_block){ .size = size, .class = LARGE };
        return &large->block + 1;
}

static bool add_slab(struct h2_pool *pool)
{
        struct slab *slab = mem_alloc(SLAB_BYTES);

        if (!slab) {
                pool->was_out = true;
                return false;
        }
        slab->link = (struct list){ 0 };
        list_push_back(&pool->slabs, &slab->link);
        pool->fresh = (char *)(slab + 1);
        pool->fresh_bytes = SLAB_BYTES - sizeof(*slab);
        return true;
}

static void *allocate_small(struct h2_pool *pool, size_t class)
{
        size_t size = sizeof(struct h2_block) + (class + 1) * STEP_BYTES;
        struct h2_block *block = pool->spare[class];

        if (block) {
                pool->spare[class] = block->next;
                return block + 1;
        }
        if (pool->fresh_bytes < size && !add_slab(pool))
                return NULL;
        block = (struct h2_block *)(void *)pool->fresh;
        pool->fresh += size;
        pool->fresh_bytes -= size;
        block->class = class;
        return block + 1;
}

static void *allocate(size_t size, void *user)
{
        struct h2_pool *pool = user;
        size_t class = size ? (size - 1) / STEP_BYTES : 0;

        return class < H2_POOL_CLASSES ? allocate_small(pool, class) : allocate_large(pool, size);
}

static void *allocate_zeroed(size_t n, size_t size, void *user)
{
        void *at = NULL;

        if (!__builtin_mul_overflow(n, size, &size))
                at = allocate(size, user);
        return at ? memset(at, 0, size) : NULL;
}

static void release(void *at, void *user)
{
        struct h2_pool *pool = user;
        struct h2_block *block;

        if (!at)
                return;
        block = block_of(at);
        if (block->class == LARGE) {
                list_remove(&large_of(block)->link);
                mem_free(large_of(block));
                return;
        }
        block->next = pool->spare[block->class];
        pool->spare[block->class] = block;
}

static void *reallocate(void *at, size_t size, void *user)
{
        void *to;

        if (at && size_of(block_of(at)) >= size)
                return at;
        to = allocate(size, user);
        if (to && at) {
                memcpy(to, at, size_of(block_of(at)));
                release(at, user);
        }
        return to;
}

nghttp2_mem h2_pool_functions(struct h2_pool *pool)
{
        return (nghttp2_mem){ .mem_user_data = pool,
                .malloc = allocate,
                .free = release,
                .calloc = allocate_zeroed,
                .realloc = reallocate };
}

/* --- the pool -------------------------------------------------------------------------------- */

void h2_pool_init(struct h2_pool *pool)
{
        *pool = (struct h2_pool){ 0 };
        list_init(&pool->slabs);
        list_init(&pool->large);
}

void h2_pool_deinit(struct h2_pool *pool)
{
        struct list *link;

        while ((link = list_pop(&pool->large)))
                mem_free(LIST_OWNER(link, struct large, link));
        while ((link = list_pop(&pool->slabs)))
                mem_free(LIST_OWNER(link, struct slab, link));
        h2_pool_init(pool);
}
