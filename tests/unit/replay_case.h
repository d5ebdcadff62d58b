/* SPDX-License-Identifier: MIT */
/*
 * A record that is made, and what a replay says of it
 */
#ifndef TESTS_UNIT_REPLAY_CASE_H
#define TESTS_UNIT_REPLAY_CASE_H

#include "record_maker.h"
#include "unit.h"
#include <explain/facts_measure.h>
#include <explain/model/replay.h>

#define MS NS_PER_MS

struct case_of {
        struct record record;
        struct facts facts;
        struct replay replay;
};

static inline void begin(struct case_of *it, const struct record_maker *maker)
{
        assert_int_equal(record_make(&it->record, maker), 0);
        assert_int_equal(facts_measure(&it->facts, &it->record), 0);
        replay_init(&it->replay, &it->facts);
}

static inline void end(struct case_of *it)
{
        facts_deinit(&it->facts);
        record_deinit(&it->record);
}

/* Within a part in a thousand. */
static inline void assert_near(uint64_t ns, uint64_t expected_ns)
{
        double off = (double)ns / (double)expected_ns;

        if (off < 0.999 || off > 1.001)
                fail_msg("%llu is not %llu", (unsigned long long)ns,
                        (unsigned long long)expected_ns);
}

static inline void assert_wall(struct case_of *it, uint64_t expected_ns)
{
        assert_near(replay_wall_ns(&it->replay, &it->facts), expected_ns);
}

static inline void come_in_bursts(struct record_maker_request *request, size_t i,
        const struct record_maker *maker)
{
        uint64_t *gap_ns = maker->argument;

        request->submit_after_ns = i / 10 * *gap_ns;
}

static inline void twice_as_fast(struct replay_request *request, const struct facts *facts,
        void *argument)
{
        (void)facts;
        (void)argument;
        request->slot_ns[PART_SERVER] /= 2;
}

#endif
