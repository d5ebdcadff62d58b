/* SPDX-License-Identifier: MIT */
#include "ramp.h"

#include <assert.h>
#include <base/clock.h>
#include <math.h>

void ramp_init(struct ramp *ramp, double from_per_s, double to_per_s, uint64_t over_ns)
{
        assert(over_ns > 0 && over_ns <= RAMP_NS_MAX && from_per_s + to_per_s > 0);
        *ramp = (struct ramp){ .over_ns = over_ns, .from_per_ns = from_per_s / (double)NS_PER_S };
        ramp->rise = (to_per_s - from_per_s) / (double)NS_PER_S / (double)over_ns;
}

double ramp_count(const struct ramp *ramp, uint64_t ns)
{
        double t = (double)ns;

        return (ramp->from_per_ns + ramp->rise * t / 2) * t;
}

/*
 * The root of rise t^2 / 2 + from t = n in the form that subtracts nothing while the rate rises. The
 * rate at n is the square root; below 0 it is only by rounding, where a rate falls to 0.
 */
double ramp_moment_ns(const struct ramp *ramp, double n)
{
        double squared = ramp->from_per_ns * ramp->from_per_ns + 2 * ramp->rise * n;
        double sum = ramp->from_per_ns + (squared > 0 ? sqrt(squared) : 0);

        assert(n >= 0);
        return n > 0 ? 2 * n / sum : 0;
}
