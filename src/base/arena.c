/* SPDX-License-Identifier: MIT */
#include "arena.h"

#include "mem.h"
#include <assert.h>

#define BLOCK_BYTES (16 * 1024)
/* A longer text gets its own block: no block wastes more than a quarter. */
#define LARGE_BYTES (BLOCK_BYTES / 4)

struct block {
        struct block *next;
        size_t len;
        char text[];
};

struct arena {
        struct block *blocks; /* the block that is being filled comes first */
        size_t left;          /* bytes left in the first block */
};

struct arena *arena_new(void)
{
        return mem_zalloc(sizeof(struct arena));
}

struct arena *arena_free(struct arena *arena)
{
        while (arena && arena->blocks) {
                struct block *block = arena->blocks;

                arena->blocks = block->next;
                mem_free(block);
        }
        return mem_free(arena);
}

static struct block *block_new(size_t bytes)
{
        struct block *block = mem_alloc(sizeof(*block) + bytes);

        if (block)
                block->len = 0;
        return block;
}

/* A block for one text only. The block that is being filled stays the first. */
static char *add_large(struct arena *arena, size_t bytes)
{
        struct block *block = block_new(bytes);

        assert(bytes > LARGE_BYTES);
        if (!block)
                return NULL;
        if (arena->blocks) {
                block->next = arena->blocks->next;
                arena->blocks->next = block;
        } else {
                block->next = NULL;
                arena->blocks = block;
        }
        return block->text;
}

static char *add_small(struct arena *arena, size_t bytes)
{
        struct block *block = arena->blocks;

        assert(bytes <= LARGE_BYTES && arena->left <= BLOCK_BYTES);
        if (arena->left < bytes) {
                block = block_new(BLOCK_BYTES);
                if (!block)
                        return NULL;
                block->next = arena->blocks;
                arena->blocks = block;
                arena->left = BLOCK_BYTES;
        }
        arena->left -= bytes;
        block->len += bytes;
        return block->text + block->len - bytes;
}

int arena_add(struct arena *arena, struct muster_str text, struct muster_str *ret_copy)
{
        size_t bytes = text.len + 1;
        char *copy = bytes > LARGE_BYTES ? add_large(arena, bytes) : add_small(arena, bytes);

        assert(text.at || !text.len);
        if (!copy)
                return MUSTER_E_RESOURCE;
        if (text.len)
                memcpy(copy, text.at, text.len);
        copy[text.len] = '\0';
        *ret_copy = (struct muster_str){ copy, text.len };
        return 0;
}
