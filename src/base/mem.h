/* SPDX-License-Identifier: MIT */
/*
 * Memory
 *
 * malloc() and its kin under our own names, so that a test can make the n-th allocation fail.
 * Functions that allocate return NULL when memory is out; callers turn that into MUSTER_E_RESOURCE.
 */
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include <stddef.h>

/* As malloc(), calloc(1, size), realloc(); a size of 0 is taken as 1. */
void *mem_alloc(size_t size);
void *mem_zalloc(size_t size);
void *mem_realloc(void *at, size_t size);

/* An array of zeroed members; NULL also if n * size overflows. */
void *mem_array(size_t n, size_t size);

/* A copy of a string, or of `len` bytes followed by a zero byte. */
char *mem_strdup(const char *text);
char *mem_strndup(const char *at, size_t len);

/* As free(). Returns NULL, so that one line frees and clears a pointer. */
void *mem_free(void *at);

/*
 * Copy a struct to a caller who may know an older or a newer version of it. Members that only the
 * caller knows are zeroed; members that only we know are left out.
 */
void mem_copy_known(void *to, size_t to_size, const void *from, size_t from_size);

/*
 * For tests: the next `n` allocations of this thread succeed, all later ones fail; -1: none fails.
 */
void mem_fail_after(long n);

/* For tests: has an allocation failed since mem_fail_after()? */
int mem_has_failed(void);

#endif
