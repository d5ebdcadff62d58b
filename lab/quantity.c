/* SPDX-License-Identifier: MIT */
#include "quantity.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#define DAYS_30_NS (30.0 * 24 * 3600 * 1e9)

struct scale {
        const char *unit; /* lower case; NULL ends a table */
        double factor;
};

/* A number, perhaps with a fraction, and what stands behind it. */
static bool cut_number(struct muster_str text, double *ret_number, struct muster_str *ret_unit)
{
        char copy[64], *end;

        if (!text.len || text.len >= sizeof(copy) ||
            !(char_is_digit(text.at[0]) || text.at[0] == '.'))
                return false;
        memcpy(copy, text.at, text.len);
        copy[text.len] = '\0';
        /* strtod() would take "0x1p4", too. */
        if (copy[0] == '0' && char_lower(copy[1]) == 'x')
                return false;
        errno = 0;
        *ret_number = strtod(copy, &end);
        if (errno || end == copy || !isfinite(*ret_number))
                return false;
        *ret_unit = (struct muster_str){ text.at + (end - copy), text.len - (size_t)(end - copy) };
        return true;
}

static bool scaled(struct muster_str text, const struct scale *scale, double *ret_value)
{
        struct muster_str unit;
        double number;

        if (!cut_number(text, &number, &unit))
                return false;
        for (; scale->unit; scale++) {
                if (!str_is_nocase(unit, scale->unit))
                        continue;
                *ret_value = number * scale->factor;
                return true;
        }
        return false;
}

bool quantity_duration(struct muster_str text, uint64_t *ret_ns)
{
        static const struct scale scale[] = { { "", 1e9 },     { "ns", 1 },  { "us", 1e3 },
                                              { "ms", 1e6 },   { "s", 1e9 }, { "m", 60e9 },
                                              { "h", 3600e9 }, { NULL, 0 } };
        double ns;

        if (!scaled(text, scale, &ns) || ns > DAYS_30_NS)
                return false;
        *ret_ns = (uint64_t)(ns + 0.5);
        return true;
}

bool quantity_size(struct muster_str text, uint64_t *ret_bytes)
{
        static const struct scale scale[] = { { "", 1 },
                                              { "k", 1024 },
                                              { "m", 1024 * 1024 },
                                              { "g", 1024.0 * 1024 * 1024 },
                                              { "t", 1024.0 * 1024 * 1024 * 1024 },
                                              { NULL, 0 } };
        double bytes;

        if (!scaled(text, scale, &bytes) || bytes > 1e15 || bytes != floor(bytes))
                return false;
        *ret_bytes = (uint64_t)bytes;
        return true;
}

bool quantity_bit_rate(struct muster_str text, uint64_t *ret_bits_per_s)
{
        static const struct scale scale[] = {
                { "bit", 1 }, { "kbit", 1e3 }, { "mbit", 1e6 }, { "gbit", 1e9 }, { NULL, 0 }
        };
        double bits;

        if (!scaled(text, scale, &bits) || bits < 1 || bits > 1e12)
                return false;
        *ret_bits_per_s = (uint64_t)bits;
        return true;
}

bool quantity_rate(struct muster_str text, double *ret_per_s)
{
        static const struct scale scale[] = {
                { "", 1 }, { "/s", 1 }, { "/m", 1.0 / 60 }, { "/h", 1.0 / 3600 }, { NULL, 0 }
        };
        double rate;

        if (!scaled(text, scale, &rate) || rate <= 0 || rate > 1e9)
                return false;
        *ret_per_s = rate;
        return true;
}

bool quantity_share(struct muster_str text, double *ret_share)
{
        static const struct scale scale[] = { { "", 1 }, { "%", 0.01 }, { NULL, 0 } };
        double share;

        if (!scaled(text, scale, &share) || share > 1)
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
        static const struct scale scale[] = { { "", 1 }, { NULL, 0 } };

        return scaled(text, scale, ret_number);
}
