/* SPDX-License-Identifier: MIT */
#include "mem.h"

#include "minmax.h"
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static _Thread_local long fail_after = -1;
static _Thread_local int has_failed;

static int may_allocate(void)
{
        if (__builtin_expect(fail_after < 0, 1))
                return 1;
        if (fail_after == 0) {
                has_failed = 1;
                return 0;
        }
        fail_after--;
        return 1;
}

void *mem_alloc(size_t size)
{
        return may_allocate() ? malloc(size ? size : 1) : NULL;
}

void *mem_zalloc(size_t size)
{
        return may_allocate() ? calloc(1, size ? size : 1) : NULL;
}

void *mem_realloc(void *at, size_t size)
{
        return may_allocate() ? realloc(at, size ? size : 1) : NULL;
}

void *mem_array(size_t n, size_t size)
{
        if (size && n > SIZE_MAX / size)
                return NULL;
        return mem_zalloc(n * size);
}

char *mem_strndup(const char *at, size_t len)
{
        char *copy = mem_alloc(len + 1);

        assert(at || !len);
        if (!copy)
                return NULL;
        if (len)
                memcpy(copy, at, len);
        copy[len] = '\0';
        return copy;
}

char *mem_strdup(const char *text)
{
        return mem_strndup(text, strlen(text));
}

void *mem_free(void *at)
{
        free(at);
        return NULL;
}

void mem_copy_known(void *to, size_t to_size, const void *from, size_t from_size)
{
        memcpy(to, from, min_size(to_size, from_size));
        if (to_size > from_size)
                memset((char *)to + from_size, 0, to_size - from_size);
}

void mem_fail_after(long n)
{
        fail_after = n;
        has_failed = 0;
}

int mem_has_failed(void)
{
        return has_failed;
}
