/* SPDX-License-Identifier: MIT */
/*
 * Thresholds that can be moved: only in builds with tests
 *
 * MUSTER_SWAY=NAME:FACTOR multiplies one of them. A share stays between 0 and 1, and what is
 * counted moves by one at least.
 */
#define JUDGE_REAL(name, value)  double name = value
#define JUDGE_WHOLE(name, value) uint64_t name = value
#include "judgement.h"

#include "judgement_sway.h"
#include <stdlib.h>
#include <string.h>

struct sway {
        const char *name;
        size_t name_len;
        double factor;
        bool was_found;
};

static bool is_meant(struct sway *sway, const char *name)
{
        bool is_it = strlen(name) == sway->name_len && !memcmp(name, sway->name, sway->name_len);

        sway->was_found |= is_it;
        return is_it;
}

static void sway_share(struct sway *sway, const char *name, double *value)
{
        if (is_meant(sway, name))
                *value = *value * sway->factor < 1 ? *value * sway->factor : 1;
}

static void sway_times(struct sway *sway, const char *name, double *value)
{
        if (is_meant(sway, name))
                *value *= sway->factor;
}

static void sway_ns(struct sway *sway, const char *name, uint64_t *value)
{
        if (is_meant(sway, name))
                *value = (uint64_t)((double)*value * sway->factor);
}

static void sway_count(struct sway *sway, const char *name, uint64_t *value)
{
        uint64_t before = *value;

        sway_ns(sway, name, value);
        if (sway->factor > 1 && *value == before && is_meant(sway, name))
                *value = before + 1;
}

/* Goes through all of them: the header once more, with macros that visit. */
static void sway_all(struct sway *sway)
{
#undef JUDGE_SHARE
#undef JUDGE_TIMES
#undef JUDGE_COUNT
#undef JUDGE_NS
#undef KNOWN_NS
#undef KNOWN_COUNT
#undef EXPLAIN_JUDGEMENT_H
#define JUDGE_SHARE(name, value) sway_share(sway, #name, &name)
#define JUDGE_TIMES(name, value) sway_times(sway, #name, &name)
#define JUDGE_COUNT(name, value) sway_count(sway, #name, &name)
#define JUDGE_NS(name, value)    sway_ns(sway, #name, &name)
#define KNOWN_NS(name, value)    (void)name
#define KNOWN_COUNT(name, value) (void)name
#include "judgement.h"
}

int judgement_sway(void)
{
        static bool was_swayed;
        const char *wish = getenv("MUSTER_SWAY");
        struct sway sway = { .name = wish };
        char *end;

        if (!wish || was_swayed)
                return 0;
        sway.name_len = strcspn(wish, ":");
        if (wish[sway.name_len] != ':')
                return MUSTER_E_INVALID;
        sway.factor = strtod(wish + sway.name_len + 1, &end);
        if (*end || !(sway.factor > 0 && sway.factor < 100))
                return MUSTER_E_INVALID;
        sway_all(&sway);
        was_swayed = sway.was_found;
        return was_swayed ? 0 : MUSTER_E_INVALID;
}
