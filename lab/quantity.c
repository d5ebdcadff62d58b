/* SPDX-License-Identifier: MIT */
#include "quantity.h"

#include <base/quantity.h>
#include <math.h>

#define DAYS_30_NS (30.0 * 24 * 3600 * 1e9)

bool quantity_duration(struct muster_str text, uint64_t *ret_ns)
{
        static const struct quantity_unit units[] = { { "", 1e9 }, { "ns", 1 }, { "us", 1e3 },
                { "ms", 1e6 }, { "s", 1e9 }, { "m", 60e9 }, { "h", 3600e9 }, { NULL, 0 } };
        double ns;

        if (!quantity_parse(text, units, &ns) || ns > DAYS_30_NS)
                return false;
        *ret_ns = (uint64_t)(ns + 0.5);
        return true;
}

bool quantity_size(struct muster_str text, uint64_t *ret_bytes)
{
        static const struct quantity_unit units[] = { { "", 1 }, { "k", 1024 },
                { "m", 1024 * 1024 }, { "g", 1024.0 * 1024 * 1024 },
                { "t", 1024.0 * 1024 * 1024 * 1024 }, { NULL, 0 } };
        double bytes;

        if (!quantity_parse(text, units, &bytes) || bytes > 1e15 || bytes != floor(bytes))
                return false;
        *ret_bytes = (uint64_t)bytes;
        return true;
}

bool quantity_bit_rate(struct muster_str text, uint64_t *ret_bits_per_s)
{
        static const struct quantity_unit units[] = { { "bit", 1 }, { "kbit", 1e3 },
                { "mbit", 1e6 }, { "gbit", 1e9 }, { NULL, 0 } };
        double bits;

        if (!quantity_parse(text, units, &bits) || bits < 1 || bits > 1e12)
                return false;
        *ret_bits_per_s = (uint64_t)bits;
        return true;
}

bool quantity_rate(struct muster_str text, double *ret_per_s)
{
        static const struct quantity_unit units[] = { { "", 1 }, { "/s", 1 }, { "/m", 1.0 / 60 },
                { "/h", 1.0 / 3600 }, { NULL, 0 } };
        double rate;

        if (!quantity_parse(text, units, &rate) || rate <= 0 || rate > 1e9)
                return false;
        *ret_per_s = rate;
        return true;
}

bool quantity_share(struct muster_str text, double *ret_share)
{
        static const struct quantity_unit units[] = { { "", 1 }, { "%", 0.01 }, { NULL, 0 } };
        double share;

        if (!quantity_parse(text, units, &share) || share > 1)
                return false;
        *ret_share = share;
        return true;
}

bool quantity_count(struct muster_str text, uint64_t min, uint64_t max, uint64_t *ret_count)
{
        uint64_t count;

        if (!str_to_u64(text, &count) || count < min || count > max)
                return false;
        *ret_count = count;
        return true;
}

bool quantity_number(struct muster_str text, double *ret_number)
{
        static const struct quantity_unit units[] = { { "", 1 }, { NULL, 0 } };

        return quantity_parse(text, units, ret_number);
}
