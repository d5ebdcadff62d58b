/* SPDX-License-Identifier: MIT */
#include "consumer.h"

#include <base/clock.h>
#include <base/minmax.h>
#include <explain/facts/turns.h>
#include <explain/judgement.h>
#include <muster/record.h>
#include <string.h>

/* Bodies in files of their own: the command was told so. */
static bool writes_body_files(const struct record_run *run)
{
        return strstr(run->command, "\"--remote-name") ||
               (strstr(run->command, "\"--body\"") &&
                       !strstr(run->command, "\"--body\",\"inline\"") &&
                       !strstr(run->command, "\"--body\",\"none\""));
}

enum consumer consumer_of(const struct facts *facts)
{
        const struct record_run *run = &facts->record->run;

        if (!run->command && run->options.output == MUSTER_OUTPUT_UNKNOWN)
                return CONSUMER_CALLER;
        switch ((enum muster_output)run->options.output) {
        case MUSTER_OUTPUT_FILE:
                return CONSUMER_DISK;
        case MUSTER_OUTPUT_UNKNOWN:
        case MUSTER_OUTPUT_NONE:
                return run->command && writes_body_files(run) ? CONSUMER_DISK : CONSUMER_NONE;
        case MUSTER_OUTPUT_PIPE:
        case MUSTER_OUTPUT_SOCKET:
        case MUSTER_OUTPUT_TERMINAL:
        case MUSTER_OUTPUT_DEVICE:
                return CONSUMER_READER;
        }
        return CONSUMER_NONE;
}

/* The program noted when its output had no room; the reader may have lacked a processor as we did. */
static uint64_t stalled_ns(const struct facts *facts)
{
        int64_t us = record_counter_growth(facts->record, "output.stalled_us");
        uint64_t ns = us > 0 ? (uint64_t)us * NS_PER_US : 0;

        if (facts->run_delay_ns < 0)
                return 0;
        return ns - min_u64(ns, (uint64_t)facts->run_delay_ns);
}

/* The caller's part of a turn in which the thread neither ran nor was ready to. */
static uint64_t blocked_turn_ns(const struct trace_turn *turn)
{
        uint64_t caller_ns = turn->work_ns[TRACE_WORK_CALLER];
        uint64_t ns = min_u64(caller_ns, turn_idle_ns(turn));

        return ns < BLOCKED_LEAST_NS ? 0 : ns;
}

/* While it was stopped it was not blocked: without as many of the longest as there were stops. */
static uint64_t blocked_in_turns_ns(const struct facts *facts)
{
        const struct record *record = facts->record;
        int64_t n_stops = record_counter_growth(record, "process.stops");
        uint64_t sum_ns = 0, below_ns = UINT64_MAX;

        for (size_t i = 0; i < record->n_turns; i++)
                sum_ns += blocked_turn_ns(&record->turns[i]);
        if (n_stops > STOPS_MOST)
                return 0;
        for (; n_stops > 0 && below_ns; n_stops--) {
                uint64_t longest_ns = 0;

                for (size_t i = 0; i < record->n_turns; i++)
                        if (blocked_turn_ns(&record->turns[i]) < below_ns)
                                longest_ns =
                                        max_u64(longest_ns, blocked_turn_ns(&record->turns[i]));
                sum_ns -= min_u64(longest_ns, sum_ns);
                below_ns = longest_ns;
        }
        return sum_ns;
}

uint64_t consumer_blocked_ns(const struct facts *facts)
{
        switch (consumer_of(facts)) {
        case CONSUMER_NONE:
                return 0;
        case CONSUMER_READER:
                return stalled_ns(facts);
        case CONSUMER_CALLER:
        case CONSUMER_DISK:
                return blocked_in_turns_ns(facts);
        }
        return 0;
}
