/* SPDX-License-Identifier: MIT */
/*
 * Memory, and the calls of the C library that allocate some for the program
 *
 * Not for builds with sanitizers, which have an allocator of their own.
 */
#include "shim.h"

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The C library's own names of what is replaced here. */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *block, size_t size);
void __libc_free(void *block);

/* --- which there are ------------------------------------------------------------------------- */

#define SLOTS (1u << 20) /* many more than a small run has */

#define GONE ((const void *)1)

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static const void *blocks[SLOTS];
static unsigned n_blocks;

static unsigned slot_of(const void *block)
{
        return (unsigned)(((uintptr_t)block >> 4) * UINT64_C(0x9e3779b97f4a7c15) >> 44) % SLOTS;
}

void shim_add_block(const void *block, const void *caller)
{
        unsigned i = slot_of(block);

        if (!block || !shim_is_own(caller))
                return;
        pthread_mutex_lock(&lock);
        while (blocks[i] && blocks[i] != GONE)
                i = (i + 1) % SLOTS;
        blocks[i] = block;
        n_blocks++;
        pthread_mutex_unlock(&lock);
}

void shim_drop_block(const void *block)
{
        unsigned i = slot_of(block);

        if (!block || !n_blocks)
                return;
        pthread_mutex_lock(&lock);
        while (blocks[i] && blocks[i] != block)
                i = (i + 1) % SLOTS;
        if (blocks[i]) {
                blocks[i] = GONE;
                n_blocks--;
        }
        pthread_mutex_unlock(&lock);
}

unsigned shim_n_blocks(void)
{
        return n_blocks;
}

/* --- the calls ------------------------------------------------------------------------------- */

static bool fails(const void *caller)
{
        return shim_decide("alloc", caller) != SHIM_CALL;
}

SHIM_EXPORT void *malloc(size_t size)
{
        void *block = fails(SHIM_CALLER) ? NULL : __libc_malloc(size);

        shim_add_block(block, SHIM_CALLER);
        return block;
}

SHIM_EXPORT void *calloc(size_t n, size_t size)
{
        void *block = fails(SHIM_CALLER) ? NULL : __libc_calloc(n, size);

        shim_add_block(block, SHIM_CALLER);
        return block;
}

SHIM_EXPORT void *realloc(void *block, size_t size)
{
        void *new;

        if (fails(SHIM_CALLER))
                return NULL;
        shim_drop_block(block);
        new = __libc_realloc(block, size);
        shim_add_block(new ? new : block, SHIM_CALLER);
        return new;
}

SHIM_EXPORT void free(void *block)
{
        int sys = errno;

        shim_drop_block(block);
        __libc_free(block);
        errno = sys;
}

SHIM_EXPORT char *strdup(const char *text)
{
        size_t size = strlen(text) + 1;
        char *copy = fails(SHIM_CALLER) ? NULL : __libc_malloc(size);

        shim_add_block(copy, SHIM_CALLER);
        return copy ? memcpy(copy, text, size) : NULL;
}

SHIM_EXPORT int vasprintf(char **ret_text, const char *format, va_list arguments)
{
        va_list again;
        int len;

        if (fails(SHIM_CALLER))
                return -1;
        va_copy(again, arguments);
        len = vsnprintf(NULL, 0, format, again);
        va_end(again);
        *ret_text = __libc_malloc((size_t)len + 1);
        shim_add_block(*ret_text, SHIM_CALLER);
        return vsnprintf(*ret_text, (size_t)len + 1, format, arguments);
}

SHIM_EXPORT int asprintf(char **ret_text, const char *format, ...)
{
        va_list arguments;
        int len;

        if (fails(SHIM_CALLER))
                return -1;
        va_start(arguments, format);
        len = vsnprintf(NULL, 0, format, arguments);
        va_end(arguments);
        *ret_text = __libc_malloc((size_t)len + 1);
        shim_add_block(*ret_text, SHIM_CALLER);
        va_start(arguments, format);
        vsnprintf(*ret_text, (size_t)len + 1, format, arguments);
        va_end(arguments);
        return len;
}
