/* SPDX-License-Identifier: MIT */
/*
 * Arena: text that is released all at once
 *
 * A bump allocator for the many short texts of something that is built once and then only read.
 * Copies lie one behind the other in large blocks. They never move, and live as long as the arena.
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include "str.h"

struct arena;

/* A new, empty arena; NULL when memory is out. */
struct arena *arena_new(void);

/* Free the arena and all its texts. Takes NULL, returns NULL. */
struct arena *arena_free(struct arena *arena);

/*
 * Copy a text. A zero byte follows the copy and is not part of its length. 0 or MUSTER_E_RESOURCE.
 */
int arena_add(struct arena *arena, struct muster_str text, struct muster_str *ret_copy);

#endif
