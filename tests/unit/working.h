/* SPDX-License-Identifier: MIT */
/*
 * Runs in which the loop's thread works for much of the time
 */
#ifndef TESTS_UNIT_WORKING_H
#define TESTS_UNIT_WORKING_H

#include "causes.h"

#define MS NS_PER_MS

/*
 * What the loop's thread did, of `share` of the wall time, and how much processor time it had for
 * it.
 */
struct work {
        enum trace_work most;
        double share, cpu_share;
};

static inline uint64_t wall_ns(const struct record *record)
{
        return record->run.end_ns - RECORD_MAKER_START_NS;
}

/* One long turn that holds all of it, so that what waited is known to have waited for that. */
static inline void do_work(struct record *record, struct work work)
{
        struct trace_sample *last = &record->samples[record->n_samples - 1];
        uint64_t busy_ns = (uint64_t)((double)wall_ns(record) * work.share);
        uint64_t cpu_ns = (uint64_t)((double)wall_ns(record) * work.cpu_share);
        struct trace_turn turn = { .start_ns = RECORD_MAKER_START_NS,
                .end_ns = RECORD_MAKER_START_NS + busy_ns,
                .thread_cpu_ns = cpu_ns };

        turn.work_ns[work.most] = busy_ns;
        assert_int_equal(record_make_turn(record, &turn), 0);
        for (size_t i = 0; i < TRACE_N_WORKS; i++)
                last->work_ns[i] = 0;
        last->work_ns[work.most] = busy_ns;
        last->thread_cpu_ns = last->process_cpu_ns = cpu_ns;
}

#endif
