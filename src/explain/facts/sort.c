/* SPDX-License-Identifier: MIT */
#include "sort.h"

#include <base/mem.h>
#include <stdbool.h>
#include <stdlib.h>

#define N_BUCKETS   256
#define BUCKET_BITS 8
#define FEW         48 /* so many are sorted by insertion, or by comparing */
#define FIRST_SHIFT 56

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

        if (n <= FEW) {
                insert_each(values, n);
                return;
        }
        lay_out(values, n, shift, begin);
        deal(values, shift, begin);
        for (size_t b = 0; b < N_BUCKETS && shift > 0; b++)
                sort_from(values + begin[b], begin[b + 1] - begin[b],
                        shift > BUCKET_BITS ? shift - BUCKET_BITS : 0);
}

static bool is_sorted(const uint64_t *values, size_t n)
{
        for (size_t i = 1; i < n; i++)
                if (values[i] < values[i - 1])
                        return false;
        return true;
}

/*
 * So that the highest bit that any value has is the highest of a bucket's number: then the values are in
 * as many buckets as there are, and not in the few of a byte that hardly begins.
 */
static unsigned highest_shift(const uint64_t *values, size_t n)
{
        uint64_t any = 0;
        unsigned shift = FIRST_SHIFT;

        for (size_t i = 0; i < n; i++)
                any |= values[i];
        while (shift > 0 && !(any >> (shift + BUCKET_BITS - 1)))
                shift--;
        return shift;
}

void sort_numbers(uint64_t *values, size_t n)
{
        if (!is_sorted(values, n))
                sort_from(values, n, highest_shift(values, n));
}

size_t sort_n_below(const uint64_t *sorted, size_t n, uint64_t value)
{
        size_t low = 0, high = n;

        while (low < high) {
                size_t middle = low + (high - low) / 2;

                if (sorted[middle] < value)
                        low = middle + 1;
                else
                        high = middle;
        }
        return low;
}

/* --- pairs ----------------------------------------------------------------------------------- */

static int compare_pairs(const void *a, const void *b)
{
        const struct sort_pair *left = a, *right = b;

        if (left->key != right->key)
                return left->key < right->key ? -1 : 1;
        return (left->value > right->value) - (left->value < right->value);
}

static bool are_sorted(const struct sort_pair *pairs, size_t n)
{
        for (size_t i = 1; i < n; i++)
                if (compare_pairs(&pairs[i - 1], &pairs[i]) > 0)
                        return false;
        return true;
}

/* glibc's qsort() takes memory of its own for this, and does without when there is none. */
static void compare_all(struct sort_pair *pairs, size_t n)
{
        if (!are_sorted(pairs, n))
                qsort(pairs, n, sizeof(*pairs), compare_pairs);
}

/* The bits in which any key differs from the first one. */
static uint64_t differing_bits(const struct sort_pair *pairs, size_t n)
{
        uint64_t bits = 0;

        for (size_t i = 1; i < n; i++)
                bits |= pairs[i].key ^ pairs[0].key;
        return bits;
}

/* By one byte of their keys. Those in which it is the same keep their order. */
static void deal_pairs(const struct sort_pair *from, struct sort_pair *to, size_t n, unsigned shift)
{
        size_t next[N_BUCKETS + 1] = { 0 };

        for (size_t i = 0; i < n; i++)
                next[bucket_of(from[i].key, shift) + 1]++;
        for (size_t b = 1; b < N_BUCKETS; b++)
                next[b] += next[b - 1];
        for (size_t i = 0; i < n; i++)
                to[next[bucket_of(from[i].key, shift)]++] = from[i];
}

static void sort_by_keys(struct sort_pair *pairs, struct sort_pair *others, size_t n)
{
        uint64_t differing = differing_bits(pairs, n);
        struct sort_pair *from = pairs, *to = others, *swapped;

        for (unsigned shift = 0; shift <= FIRST_SHIFT; shift += 8) {
                if (!bucket_of(differing, shift))
                        continue;
                deal_pairs(from, to, n, shift);
                swapped = from;
                from = to;
                to = swapped;
        }
        for (size_t i = 0; from != pairs && i < n; i++)
                pairs[i] = from[i];
}

/* Those of the same key stand together. */
static void sort_same_keys(struct sort_pair *pairs, size_t n)
{
        for (size_t first = 0, end; first < n; first = end) {
                for (end = first + 1; end < n && pairs[end].key == pairs[first].key;)
                        end++;
                compare_all(pairs + first, end - first);
        }
}

void sort_pairs(struct sort_pair *pairs, size_t n)
{
        struct sort_pair *others;

        if (are_sorted(pairs, n))
                return;
        others = n > FEW ? mem_array(n, sizeof(*others)) : NULL;
        if (!others) {
                compare_all(pairs, n);
                return;
        }
        sort_by_keys(pairs, others, n);
        sort_same_keys(pairs, n);
        mem_free(others);
}
