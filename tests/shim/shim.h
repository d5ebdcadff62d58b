/* SPDX-License-Identifier: MIT */
/*
 * A library that is loaded before a program (LD_PRELOAD) and makes one of its calls fail
 *
 *      SHIM_CALLS   which calls are counted: names with commas between them, or "alloc"
 *      SHIM_AT      the one that fails, from 1; 0: none, they are only counted
 *      SHIM_ERRNO   how it fails, as a number; 0: it does only one byte of its work
 *      SHIM_LASTING from that one on all fail, as on a full disk
 *      SHIM_REPORT  a file that is written when the program ends:
 *                   "failed 1 blocks 0 descriptors 0", and how many there were of each call
 *
 * Only the program's own calls are counted, and only what it allocated itself: where the libraries
 * that it uses cannot go on is not its fault. Blocks and descriptors are those that nobody has freed
 * or closed at the end.
 */
#ifndef SHIM_H
#define SHIM_H

#include <stdbool.h>
#include <stddef.h>

enum shim_way { SHIM_CALL, SHIM_FAIL, SHIM_SHORT };

/*
 * `name` is called by code at `caller`: is it to be done, to fail (errno is set then), or to be done
 * for one byte?
 */
enum shim_way shim_decide(const char *name, const void *caller);

/* Is this address of the program itself? */
bool shim_is_own(const void *caller);

/* The blocks that the program has. */
void shim_add_block(const void *block, const void *caller);
void shim_drop_block(const void *block);
unsigned shim_n_blocks(void);

#define SHIM_CALLER __builtin_return_address(0)
#define SHIM_EXPORT __attribute__((visibility("default")))

#endif
