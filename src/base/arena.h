/* SPDX-License-Identifier: MIT */
/*
 * Arena: text that is given back all at once
 *
 * A bump allocator. Copies are laid one behind the other into large blocks, never move, and live as
 * long as the arena; for the many short texts of something that is built once and then only read.
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include "str.h"

struct arena;

/* Empty; NULL when memory is out. */
struct arena *arena_new(void);

/* With all texts. NULL is allowed. Returns NULL. */
struct arena *arena_free(struct arena *arena);

/* Copy a text, with a zero byte behind it that does not count. MUSTER_E_RESOURCE. */
int arena_add(struct arena *arena, struct muster_str text, struct muster_str *ret_copy);

#endif
