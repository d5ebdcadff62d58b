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

uint64_t rate_next_ns(const struct rate *rate)
{
        return rate->next_ns + (rate->next_part >> 31); /* rounded */
}

uint64_t rate_take(struct rate *rate)
{
        uint64_t next_ns = rate_next_ns(rate);
        uint64_t part = (uint64_t)rate->next_part + rate->interval_part;

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
}

void rate_catch_up(struct rate *rate, uint64_t now_ns)
{
        if (clock_after(rate_next_ns(rate), rate->interval_ns) <= now_ns)
                rate_begin(rate, now_ns);
}
