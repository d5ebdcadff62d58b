/* SPDX-License-Identifier: MIT */
/*
 * Memory
 *
 * malloc and its kin behind names of our own, so that a test can make the n-th allocation fail.
 * Everything that allocates here answers NULL when memory is out; callers turn that into
 * MUSTER_E_RESOURCE.
 */
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include <stddef.h>

/* As malloc(), calloc(1, size), realloc(); a size of 0 is taken as 1. */
void *mem_alloc(size_t size);
void *mem_zalloc(size_t size);
void *mem_realloc(void *at, size_t size);

/* An array of zeroed members; NULL also when n * size does not fit. */
void *mem_array(size_t n, size_t size);

/* A copy of a string, or of `len` bytes with a zero byte behind. */
char *mem_strdup(const char *text);
char *mem_strndup(const char *at, size_t len);

/* As free(). Returns NULL, so that a pointer is cleared in the same line. */
void *mem_free(void *at);

/*
 * Copy a struct to a caller whose idea of its size may be an older or a newer one: members that
 * only the caller knows are zeroed, members that only we know are left out.
 */
void mem_copy_known(void *to, size_t to_size, const void *from, size_t from_size);

/*
 * For tests: let `n` more allocations of this thread succeed and every later one fail; -1: none
 * fails.
 */
void mem_fail_after(long n);

/* For tests: has one failed since mem_fail_after()? */
int mem_has_failed(void);

#endif
