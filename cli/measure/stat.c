/* SPDX-License-Identifier: MIT */
#include "stat.h"

#include <assert.h>
#include <base/rand.h>
#include <stdlib.h>
#include <string.h>

#define N_DRAWS   2000
#define DRAW_SEED 1979

static int compare(const void *a, const void *b)
{
        double x = *(const double *)a, y = *(const double *)b;

        return (x > y) - (x < y);
}

/* Sorts them. */
static double median_of(double *values, size_t n)
{
        qsort(values, n, sizeof(*values), compare);
        return n % 2 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
}

double stat_median(const double *values, size_t n)
{
        double sorted[STAT_VALUES_MAX];

        assert(n >= 1 && n <= STAT_VALUES_MAX);
        memcpy(sorted, values, n * sizeof(*values));
        return median_of(sorted, n);
}

static double draw_median(const double *values, size_t n, struct rand *rand)
{
        double drawn[STAT_VALUES_MAX];

        for (size_t i = 0; i < n; i++)
                drawn[i] = values[rand_up_to(rand, n - 1)];
        return median_of(drawn, n);
}

struct estimate stat_estimate(const double *values, size_t n)
{
        double medians[N_DRAWS];
        struct rand rand;

        rand_init(&rand, DRAW_SEED);
        for (size_t i = 0; i < N_DRAWS; i++)
                medians[i] = draw_median(values, n, &rand);
        qsort(medians, N_DRAWS, sizeof(*medians), compare);
        return (struct estimate){ .median = stat_median(values, n),
                .low = medians[N_DRAWS / 40],
                .high = medians[N_DRAWS - 1 - N_DRAWS / 40] };
}

struct estimate stat_estimate_ratio(const double *a, const double *b, size_t n)
{
        double ratios[STAT_VALUES_MAX];

        assert(n >= 1 && n <= STAT_VALUES_MAX);
        for (size_t i = 0; i < n; i++)
                ratios[i] = b[i] > 0 ? a[i] / b[i] : 0;
        return stat_estimate(ratios, n);
}

bool stat_is_above_one(const struct estimate *ratio, double least)
{
        return ratio->low > 1 && ratio->median >= 1 + least;
}

bool stat_is_below_one(const struct estimate *ratio, double least)
{
        return ratio->high < 1 && ratio->median <= 1 - least;
}
