/* SPDX-License-Identifier: MIT */
#include "rate.h"

#include <assert.h>
#include <base/clock.h>

#define PARTS_PER_NS 4294967296.0 /* 2^32 */

void rate_init(struct rate *rate, double per_s)
{
        double ns;

        *rate = (struct rate){ 0 };
        if (per_s == 0)
                return;
        assert(per_s >= RATE_PER_S_MIN && per_s <= RATE_PER_S_MAX);
        ns = (double)NS_PER_S / per_s;
        rate->interval_ns = (uint64_t)ns;
        rate->interval_part = (uint32_t)((ns - (double)rate->interval_ns) * PARTS_PER_NS);
}

static double interval_ns(const struct rate *rate)
{
        return (double)rate->interval_ns + (double)rate->interval_part / PARTS_PER_NS;
}

void rate_set_ramp(struct rate *rate, double from_per_s, uint64_t over_ns)
{
        assert(rate_is_limited(rate) && !rate->next_ns);
        ramp_init(&rate->ramp, from_per_s, (double)NS_PER_S / interval_ns(rate), over_ns);
}

uint64_t rate_next_ns(const struct rate *rate)
{
        return rate->next_ns + (rate->next_part >> 31); /* rounded */
}

/* The next moment is this long after the beginning of the ramp. */
static void set_next(struct rate *rate, double ns)
{
        uint64_t whole_ns = (uint64_t)ns;

        rate->next_ns = clock_after(rate->ramp.begin_ns, whole_ns);
        rate->next_part = (uint32_t)((ns - (double)whole_ns) * PARTS_PER_NS);
}

/* The moment after the next one. Where that is behind the ramp the rate is constant from there. */
static void advance_on_ramp(struct rate *rate)
{
        struct ramp *ramp = &rate->ramp;
        double n_all = ramp_count(ramp, ramp->over_ns);

        ramp->n += 1;
        if (ramp->n < n_all) {
                set_next(rate, ramp_moment_ns(ramp, ramp->n));
                return;
        }
        set_next(rate, (double)ramp->over_ns + (ramp->n - n_all) * interval_ns(rate));
        ramp->over_ns = 0;
}

/* The plan begins, or begins anew: then with the rate that the ramp has by now. */
static void begin_on_ramp(struct rate *rate, uint64_t now_ns)
{
        struct ramp *ramp = &rate->ramp;

        if (!ramp->begin_ns)
                ramp->begin_ns = now_ns;
        if (now_ns - ramp->begin_ns < ramp->over_ns)
                ramp->n = ramp_count(ramp, now_ns - ramp->begin_ns);
        else
                ramp->over_ns = 0;
}

uint64_t rate_take(struct rate *rate)
{
        uint64_t next_ns = rate_next_ns(rate);
        uint64_t part = (uint64_t)rate->next_part + rate->interval_part;

        if (rate->ramp.over_ns) {
                advance_on_ramp(rate);
                return next_ns;
        }
        rate->next_ns = clock_after(rate->next_ns, rate->interval_ns);
        rate->next_ns = clock_after(rate->next_ns, part >> 32);
        rate->next_part = (uint32_t)part;
        return next_ns;
}

void rate_begin(struct rate *rate, uint64_t now_ns)
{
        if (!rate_is_limited(rate) || rate_next_ns(rate) >= now_ns)
                return;
        rate->next_ns = now_ns;
        rate->next_part = 0;
        if (rate->ramp.over_ns)
                begin_on_ramp(rate, now_ns);
}

static uint64_t moment_after_next(const struct rate *rate)
{
        struct rate ahead = *rate;

        if (!rate->ramp.over_ns)
                return clock_after(rate_next_ns(rate), rate->interval_ns);
        rate_take(&ahead);
        return rate_next_ns(&ahead);
}

void rate_catch_up(struct rate *rate, uint64_t now_ns)
{
        if (moment_after_next(rate) <= now_ns)
                rate_begin(rate, now_ns);
}
