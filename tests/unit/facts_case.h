/* SPDX-License-Identifier: MIT */
/*
 * A record that is made, and its facts
 */
#ifndef TESTS_UNIT_FACTS_CASE_H
#define TESTS_UNIT_FACTS_CASE_H

#include "record_maker.h"
#include "unit.h"
#include <explain/facts_measure.h>

#define MS NS_PER_MS

struct case_of {
        struct record record;
        struct facts facts;
};

static inline uint64_t sum_of(const uint64_t part_ns[PART_N])
{
        uint64_t sum = 0;

        for (size_t i = 0; i < PART_N; i++)
                sum += part_ns[i];
        return sum;
}

static inline void assert_sums(const struct facts *facts)
{
        assert_int_equal(sum_of(facts->chain_ns), facts->wall_ns);
        assert_int_equal(sum_of(facts->share_ns), facts->wall_ns);
}

static inline void end(struct case_of *it)
{
        facts_deinit(&it->facts);
        record_deinit(&it->record);
}

static inline void begin(struct case_of *it, const struct record_maker *maker)
{
        assert_int_equal(record_make(&it->record, maker), 0);
        assert_int_equal(facts_measure(&it->facts, &it->record), 0);
        assert_sums(&it->facts);
}

/* After the record was changed by hand. */
static inline void look_again(struct case_of *it)
{
        facts_deinit(&it->facts);
        assert_int_equal(facts_measure(&it->facts, &it->record), 0);
        assert_sums(&it->facts);
}

#endif
