/* SPDX-License-Identifier: MIT */
/*
 * The smaller and the larger of two numbers
 */
#ifndef BASE_MINMAX_H
#define BASE_MINMAX_H

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

static inline uint64_t min_u64(uint64_t a, uint64_t b)
{
        return a < b ? a : b;
}

static inline uint64_t max_u64(uint64_t a, uint64_t b)
{
        return a > b ? a : b;
}

static inline size_t min_size(size_t a, size_t b)
{
        return a < b ? a : b;
}

static inline unsigned min_unsigned(unsigned a, unsigned b)
{
        return a < b ? a : b;
}

/* The number, or the bound that it lies beyond. */
static inline uint64_t clamp_u64(uint64_t number, uint64_t low, uint64_t high)
{
        assert(low <= high);
        return number < low ? low : min_u64(number, high);
}

#endif
