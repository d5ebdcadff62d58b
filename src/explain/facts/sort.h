/* SPDX-License-Identifier: MIT */
/*
 * Sorting numbers
 *
 * Moments and durations, up to a million of them, are sorted a few dozen times a record: by their
 * bytes, the highest first, in place. So sorting takes no memory and, whatever is in a record, no
 * more than eight passes. Pairs are sorted by their bytes as well, the lowest first, from one array
 * into another and back; without memory for the other, by comparing.
 */
#ifndef EXPLAIN_SORT_H
#define EXPLAIN_SORT_H

#include <stddef.h>
#include <stdint.h>

/* Ascending. */
void sort_numbers(uint64_t *values, size_t n);

/* How many of them are less than this one. */
size_t sort_n_below(const uint64_t *sorted, size_t n, uint64_t value);

/* A number and whose it is. */
struct sort_pair {
        uint64_t key;
        uint64_t value;
};

/* Ascending by key, then by value. */
void sort_pairs(struct sort_pair *pairs, size_t n);

#endif
