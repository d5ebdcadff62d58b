/* SPDX-License-Identifier: MIT */
#include "own_workers.h"

#include <base/clock.h>
#include <base/minmax.h>
#include <explain/judgement.h>

static uint64_t told(const struct facts *facts, const char *name)
{
        int64_t value = record_counter_growth(facts->record, name);

        return value > 0 ? (uint64_t)value : 0;
}

static uint64_t told_ns(const struct facts *facts, const char *name)
{
        return min_u64(told(facts, name), UINT64_MAX / NS_PER_US) * NS_PER_US;
}

void own_workers_measure(struct own_workers *workers, const struct facts *facts)
{
        *workers = (struct own_workers){
                .n = told(facts, "workers.number"),
                .n_bodies = told(facts, "workers.bodies"),
                .busy_ns = told_ns(facts, "workers.busy_us"),
                .full_ns = told_ns(facts, "workers.full_us"),
        };
}

bool own_workers_limit(const struct facts *facts)
{
        return (double)told_ns(facts, "workers.full_us") >=
               (double)facts->wall_ns * OWN_WORKERS_FULL;
}
