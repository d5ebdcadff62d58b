/* SPDX-License-Identifier: MIT */
#include "hist.h"

#include "minmax.h"
#include <assert.h>
#include <string.h>

#define STEPS (1u << HIST_STEP_BITS)

void hist_init(struct hist *hist)
{
        memset(hist, 0, sizeof(*hist));
        hist->min = UINT64_MAX;
}

/*
 * Each value below 64 has its own bucket. For larger values the highest 7 bits choose the bucket.
 */
static unsigned bucket_of(uint64_t value)
{
        unsigned shift;

        if (value < STEPS)
                return (unsigned)value;
        shift = 63u - (unsigned)__builtin_clzll(value) - HIST_STEP_BITS;
        return (shift << HIST_STEP_BITS) + (unsigned)(value >> shift);
}

/* The largest value that falls into a bucket. */
static uint64_t bucket_top(unsigned bucket)
{
        unsigned shift;

        if (bucket < 2 * STEPS)
                return bucket;
        shift = (bucket >> HIST_STEP_BITS) - 1;
        return (((uint64_t)(bucket & (STEPS - 1)) + STEPS + 1) << shift) - 1;
}

void hist_add(struct hist *hist, uint64_t value)
{
        assert(bucket_of(value) < HIST_N_BUCKETS);
        hist->n++;
        hist->sum += value;
        if (value < hist->min)
                hist->min = value;
        if (value > hist->max)
                hist->max = value;
        hist->buckets[bucket_of(value)]++;
}

void hist_merge(struct hist *hist, const struct hist *other)
{
        assert(hist != other);
        hist->n += other->n;
        hist->sum += other->sum;
        if (other->min < hist->min)
                hist->min = other->min;
        if (other->max > hist->max)
                hist->max = other->max;
        for (unsigned i = 0; i < HIST_N_BUCKETS; i++)
                hist->buckets[i] += other->buckets[i];
}

uint64_t hist_quantile(const struct hist *hist, double share)
{
        uint64_t want, seen = 0;

        assert(share >= 0 && share <= 1);
        if (!hist->n)
                return 0;
        want = (uint64_t)(share * (double)hist->n);
        if ((double)want < share * (double)hist->n)
                want++;
        if (want < 1)
                want = 1;
        for (unsigned i = 0; i < HIST_N_BUCKETS; i++) {
                seen += hist->buckets[i];
                if (seen >= want)
                        return min_u64(bucket_top(i), hist->max);
        }
        return hist->max;
}
