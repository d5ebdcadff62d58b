/* SPDX-License-Identifier: MIT */
#include "fine_hist.h"

#include "mem.h"
#include "minmax.h"
#include <assert.h>
#include <muster/error.h>

#define STEP_BITS 10
#define STEPS     (1u << STEP_BITS)
#define N_BUCKETS ((size_t)(64 - STEP_BITS + 1) << STEP_BITS)

int fine_hist_init(struct fine_hist *hist)
{
        *hist = (struct fine_hist){ .min = UINT64_MAX,
                .counts = mem_zalloc(N_BUCKETS * sizeof(uint64_t)) };
        return hist->counts ? 0 : MUSTER_E_RESOURCE;
}

void fine_hist_deinit(struct fine_hist *hist)
{
        hist->counts = mem_free(hist->counts);
}

static unsigned shift_of(uint64_t value)
{
        return 63u - (unsigned)__builtin_clzll(value) - STEP_BITS;
}

static size_t bucket_of(uint64_t value)
{
        if (value < STEPS)
                return (size_t)value;
        return ((size_t)shift_of(value) << STEP_BITS) + (size_t)(value >> shift_of(value));
}

/* The least value of a bucket, and how many it has. */
static uint64_t bucket_from(size_t bucket, uint64_t *ret_width)
{
        unsigned shift = bucket < 2 * STEPS ? 0 : (unsigned)(bucket >> STEP_BITS) - 1;

        *ret_width = (uint64_t)1 << shift;
        return shift ? (uint64_t)((bucket & (STEPS - 1)) + STEPS) << shift : bucket;
}

void fine_hist_add(struct fine_hist *hist, uint64_t value)
{
        assert(hist->counts && bucket_of(value) < N_BUCKETS);
        hist->n++;
        hist->sum += value;
        if (value < hist->min)
                hist->min = value;
        if (value > hist->max)
                hist->max = value;
        hist->counts[bucket_of(value)]++;
}

bool fine_hist_next(const struct fine_hist *hist, size_t *at, struct fine_hist_bucket *ret_bucket)
{
        uint64_t width;

        if (!hist->n)
                return false;
        for (size_t i = *at; i < N_BUCKETS; i++) {
                if (!hist->counts[i])
                        continue;
                ret_bucket->from = bucket_from(i, &width);
                ret_bucket->to = ret_bucket->from + (width - 1);
                ret_bucket->n = hist->counts[i];
                *at = i + 1;
                return true;
        }
        return false;
}

uint64_t fine_hist_quantile(const struct fine_hist *hist, double share)
{
        struct fine_hist_bucket bucket;
        double want = share * (double)hist->n;
        uint64_t seen = 0;
        size_t at = 0;

        assert(share >= 0 && share <= 1);
        while (fine_hist_next(hist, &at, &bucket)) {
                seen += bucket.n;
                if ((double)seen >= want)
                        return min_u64(bucket.to, hist->max);
        }
        return hist->n ? hist->max : 0;
}
