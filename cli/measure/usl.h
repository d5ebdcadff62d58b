/* SPDX-License-Identifier: MIT */
/*
 * The Universal Scalability Law (Gunther): how throughput follows from how much is asked for at
 * once
 *
 *                       lambda n
 *      X(n) = ------------------------------------
 *             1 + sigma (n - 1) + kappa n (n - 1)
 *
 * lambda is the throughput of one at a time; sigma the share of the work for which all have to
 * queue (contention), which makes the curve flat; kappa what each costs each other one (coherency),
 * which makes it fall. With lambda known from the first point it is linear in both: n / (X /
 * lambda) - 1 = sigma (n - 1) + kappa n (n - 1), solved by weighted least squares, neither below 0.
 *
 * It is a curve through what was seen and no law of nature: a server with a fixed number of workers
 * has a corner where this has a bend. So the greatest deviation is part of the result, and what
 * lies beyond the points is not asked for.
 */
#ifndef CLI_MEASURE_USL_H
#define CLI_MEASURE_USL_H

#include <stdbool.h>
#include <stddef.h>

#define USL_POINTS_MIN 6 /* two parameters, and enough left over to see whether the curve fits */

struct usl_point {
        double n;      /* requests in flight, mean */
        double x;      /* requests a second */
        double weight; /* how much it is to be trusted: the number of requests behind it */
};

struct usl {
        double lambda, sigma, kappa;
        /* the greatest, of measured from fitted throughput, as a share of the fitted */
        double deviation;
};

/*
 * Fit points in ascending order of n. False: there are too few, the first is not of one at a time,
 * or one has no throughput.
 */
bool usl_fit(struct usl *usl, const struct usl_point *points, size_t n_points);

/* X(n). */
double usl_throughput(const struct usl *usl, double n);

/* Where X is greatest; INFINITY when it only grows. */
double usl_peak(const struct usl *usl);

#endif
