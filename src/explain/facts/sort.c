/* SPDX-License-Identifier: MIT */
#include "sort.h"

#include <stdbool.h>
#include <stdlib.h>

#define N_BUCKETS    256
#define BY_INSERTION 48 /* fewer are sorted by insertion */
#define FIRST_SHIFT  56

static void insert_each(uint64_t *values, size_t n)
{
        for (size_t i = 1; i < n; i++) {
                uint64_t value = values[i];
                size_t at = i;

                for (; at > 0 && values[at - 1] > value; at--)
                        values[at] = values[at - 1];
                values[at] = value;
        }
}

static size_t bucket_of(uint64_t value, unsigned shift)
{
        return (value >> shift) & (N_BUCKETS - 1);
}

/* Where each bucket begins, from how many there are of each. */
static void lay_out(const uint64_t *values, size_t n, unsigned shift, size_t begin[N_BUCKETS + 1])
{
        size_t count[N_BUCKETS] = { 0 };

        for (size_t i = 0; i < n; i++)
                count[bucket_of(values[i], shift)]++;
        begin[0] = 0;
        for (size_t b = 0; b < N_BUCKETS; b++)
                begin[b + 1] = begin[b] + count[b];
}

/* Swap each value into its bucket: the "American flag". */
static void deal(uint64_t *values, unsigned shift, const size_t begin[N_BUCKETS + 1])
{
        size_t next[N_BUCKETS];

        for (size_t b = 0; b < N_BUCKETS; b++)
                next[b] = begin[b];
        for (size_t b = 0; b < N_BUCKETS; b++) {
                while (next[b] < begin[b + 1]) {
                        uint64_t value = values[next[b]];
                        size_t to = bucket_of(value, shift);

                        values[next[b]] = values[next[to]];
                        values[next[to]++] = value;
                }
        }
}

static void sort_from(uint64_t *values, size_t n, unsigned shift)
{
        size_t begin[N_BUCKETS + 1];

        if (n <= BY_INSERTION) {
                insert_each(values, n);
                return;
        }
        lay_out(values, n, shift, begin);
        deal(values, shift, begin);
        for (size_t b = 0; b < N_BUCKETS && shift > 0; b++)
                sort_from(values + begin[b], begin[b + 1] - begin[b], shift - 8);
}

static bool is_sorted(const uint64_t *values, size_t n)
{
        for (size_t i = 1; i < n; i++)
                if (values[i] < values[i - 1])
                        return false;
        return true;
}

/* The highest byte in which any value differs from 0: durations are far from 2^63. */
static unsigned highest_shift(const uint64_t *values, size_t n)
{
        uint64_t any = 0;
        unsigned shift = FIRST_SHIFT;

        for (size_t i = 0; i < n; i++)
                any |= values[i];
        while (shift > 0 && !(any >> shift))
                shift -= 8;
        return shift;
}

void sort_numbers(uint64_t *values, size_t n)
{
        if (!is_sorted(values, n))
                sort_from(values, n, highest_shift(values, n));
}

static int compare_pairs(const void *a, const void *b)
{
        const struct sort_pair *left = a, *right = b;

        if (left->key != right->key)
                return left->key < right->key ? -1 : 1;
        return (left->value > right->value) - (left->value < right->value);
}

/* glibc's qsort() takes memory of its own for this, and does without when there is none. */
void sort_pairs(struct sort_pair *pairs, size_t n)
{
        for (size_t i = 1; i < n; i++) {
                if (compare_pairs(&pairs[i - 1], &pairs[i]) > 0) {
                        qsort(pairs, n, sizeof(*pairs), compare_pairs);
                        return;
                }
        }
}
