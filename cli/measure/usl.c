/* SPDX-License-Identifier: MIT */
#include "usl.h"

#include <math.h>

#define ONE_AT_A_TIME 1.5 /* the first point must be about that: lambda comes from it */

double usl_throughput(const struct usl *usl, double n)
{
        return usl->lambda * n / (1 + usl->sigma * (n - 1) + usl->kappa * n * (n - 1));
}

double usl_peak(const struct usl *usl)
{
        if (usl->sigma >= 1)
                return 1;
        return usl->kappa > 0 ? sqrt((1 - usl->sigma) / usl->kappa) : INFINITY;
}

/* Sums of the normal equations: a = n - 1, b = n (n - 1), y as above. */
struct sums {
        double aa, ab, bb, ay, by;
};

/*
 * The variance of y grows as (y + 1) squared where that of X is a fixed share of X: so the weights
 * shrink likewise, or the last point would decide everything.
 */
static struct sums sum_up(double lambda, const struct usl_point *points, size_t n_points)
{
        struct sums sums = { 0 };

        for (size_t i = 0; i < n_points; i++) {
                double n = points[i].n, a = n - 1, b = n * (n - 1);
                double y = n * lambda / points[i].x - 1;
                double weight = points[i].weight / ((y + 1) * (y + 1));

                sums.aa += weight * a * a;
                sums.ab += weight * a * b;
                sums.bb += weight * b * b;
                sums.ay += weight * a * y;
                sums.by += weight * b * y;
        }
        return sums;
}

/* Both; where one comes out negative, the other alone. */
static void solve(struct usl *usl, const struct sums *s)
{
        double determinant = s->aa * s->bb - s->ab * s->ab;

        usl->sigma = usl->kappa = -1;
        if (determinant > 1e-12 * s->aa * s->bb) {
                usl->sigma = (s->ay * s->bb - s->by * s->ab) / determinant;
                usl->kappa = (s->by * s->aa - s->ay * s->ab) / determinant;
        }
        if (usl->kappa < 0) {
                usl->kappa = 0;
                usl->sigma = s->aa > 0 ? fmax(0, s->ay / s->aa) : 0;
        } else if (usl->sigma < 0) {
                usl->sigma = 0;
                usl->kappa = s->bb > 0 ? fmax(0, s->by / s->bb) : 0;
        }
}

static double greatest_deviation(const struct usl *usl, const struct usl_point *points,
        size_t n_points)
{
        double greatest = 0;

        for (size_t i = 0; i < n_points; i++) {
                double fitted = usl_throughput(usl, points[i].n);

                greatest = fmax(greatest, fabs(points[i].x - fitted) / fitted);
        }
        return greatest;
}

bool usl_fit(struct usl *usl, const struct usl_point *points, size_t n_points)
{
        struct sums sums;

        if (n_points < USL_POINTS_MIN || points[0].n > ONE_AT_A_TIME)
                return false;
        for (size_t i = 0; i < n_points; i++)
                if (!(points[i].x > 0) || !(points[i].n > 0))
                        return false;
        usl->lambda = points[0].x / points[0].n;
        sums = sum_up(usl->lambda, points, n_points);
        solve(usl, &sums);
        usl->deviation = greatest_deviation(usl, points, n_points);
        return true;
}
