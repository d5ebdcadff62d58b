/* SPDX-License-Identifier: MIT */
#include "spread.h"

#include "quantity.h"
#include <base/clock.h>
#include <math.h>

#define LONGEST_NS (3600.0 * NS_PER_S)

static bool parse_uniform(struct muster_str rest, struct spread *spread)
{
        struct muster_str part;

        spread->kind = SPREAD_UNIFORM;
        return str_split(&rest, ':', &part) && quantity_duration(part, &spread->a_ns) &&
               quantity_duration(rest, &spread->b_ns) && spread->a_ns <= spread->b_ns;
}

static bool parse_lognormal(struct muster_str rest, struct spread *spread)
{
        struct muster_str part;

        spread->kind = SPREAD_LOGNORMAL;
        return str_split(&rest, ':', &part) && quantity_duration(part, &spread->a_ns) &&
               quantity_number(rest, &spread->sigma) && spread->sigma <= 5;
}

bool spread_parse(struct muster_str text, struct spread *ret_spread)
{
        struct spread spread = { 0 };
        struct muster_str rest = text, word;
        bool is_good;

        if (!str_split(&rest, ':', &word))
                return false;
        if (str_is(word, "uniform")) {
                is_good = parse_uniform(rest, &spread);
        } else if (str_is(word, "exp")) {
                spread.kind = SPREAD_EXPONENTIAL;
                is_good = quantity_duration(rest, &spread.a_ns);
        } else if (str_is(word, "lognormal")) {
                is_good = parse_lognormal(rest, &spread);
        } else {
                is_good = quantity_duration(text, &spread.a_ns);
        }
        if (is_good)
                *ret_spread = spread;
        return is_good;
}

/* A random number above 0, up to 1. */
static double unit(struct rand *rand)
{
        return ((double)(rand_next(rand) >> 11) + 1) * 0x1p-53;
}

/* A normal random number, by Box and Muller. */
static double normal(struct rand *rand)
{
        double radius = sqrt(-2 * log(unit(rand)));

        return radius * cos(2 * M_PI * unit(rand));
}

uint64_t spread_draw(const struct spread *spread, struct rand *rand)
{
        double ns = 0;

        switch (spread->kind) {
        case SPREAD_FIXED:
                return spread->a_ns;
        case SPREAD_UNIFORM:
                return spread->a_ns + rand_up_to(rand, spread->b_ns - spread->a_ns);
        case SPREAD_EXPONENTIAL:
                ns = (double)spread->a_ns * -log(unit(rand));
                break;
        case SPREAD_LOGNORMAL:
                ns = (double)spread->a_ns * exp(spread->sigma * normal(rand));
                break;
        }
        return (uint64_t)(ns < LONGEST_NS ? ns : LONGEST_NS);
}

uint64_t spread_mean_ns(const struct spread *spread)
{
        double median = (double)spread->a_ns;

        switch (spread->kind) {
        case SPREAD_FIXED:
        case SPREAD_EXPONENTIAL:
                break;
        case SPREAD_UNIFORM:
                return spread->a_ns + (spread->b_ns - spread->a_ns) / 2;
        case SPREAD_LOGNORMAL:
                median *= exp(spread->sigma * spread->sigma / 2);
                return (uint64_t)(median < LONGEST_NS ? median : LONGEST_NS);
        }
        return spread->a_ns;
}
