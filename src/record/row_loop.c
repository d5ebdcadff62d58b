/* SPDX-License-Identifier: MIT */
/*
 * The loop's long turns, and samples of how things stand, as rows
 */
#include "row.h"

#include <core/trace.h>
#include <stddef.h>

static bool get_works(const int64_t *values, uint64_t work_ns[TRACE_N_WORKS])
{
        bool is_good = true;

        for (int i = 0; i < TRACE_N_WORKS; i++)
                work_ns[i] = row_number(values[i], ROW_NS_MAX, &is_good);
        return is_good;
}

static void put_works(const uint64_t work_ns[TRACE_N_WORKS], int64_t *values)
{
        for (int i = 0; i < TRACE_N_WORKS; i++)
                values[i] = row_cut(work_ns[i]);
}

#define WORK_COLUMNS(at)                                                                           \
        [(at) + TRACE_WORK_IO] = "io_ns", [(at) + TRACE_WORK_TLS] = "tls_ns",                      \
                [(at) + TRACE_WORK_DECODE] = "decode_ns",                                          \
                [(at) + TRACE_WORK_PROCESS] = "process_ns",                                        \
                [(at) + TRACE_WORK_CALLER] = "caller_ns"

/* --- turns ----------------------------------------------------------------------------------- */

enum turn_column {
        START,
        TOOK,
        TURN_WORK,
        TURN_CPU = TURN_WORK + TRACE_N_WORKS,
        CULPRIT,
        TURN_ENGINE,
        TURN_RUN_DELAY,
        TURN_FORCED,
        TURN_MAJOR_FAULTS,
        TURN_LATE,
        N_TURN_COLUMNS,
};

static const char *const turn_columns[N_TURN_COLUMNS] = {
        [START] = "start_ns",
        [TOOK] = "took_ns",
        WORK_COLUMNS(TURN_WORK),
        [TURN_CPU] = "thread_cpu_ns",
        [CULPRIT] = "culprit",
        [TURN_ENGINE] = "engine",
        [TURN_RUN_DELAY] = "run_delay_ns",
        [TURN_FORCED] = "switches_forced",
        [TURN_MAJOR_FAULTS] = "major_faults",
        [TURN_LATE] = "late_ns",
};

static const uint16_t turn_moments[] = {
        offsetof(struct trace_turn, start_ns),
        offsetof(struct trace_turn, end_ns),
};

static void put_turn(const void *row, int64_t values[ROW_VALUES_MAX])
{
        const struct trace_turn *turn = row;

        values[START] = (int64_t)turn->start_ns;
        values[TOOK] = row_since(turn->end_ns, turn->start_ns);
        put_works(turn->work_ns, values + TURN_WORK);
        values[TURN_CPU] = row_cut(turn->thread_cpu_ns);
        values[CULPRIT] = row_cut(turn->culprit);
        values[TURN_ENGINE] = turn->engine;
        values[TURN_RUN_DELAY] = row_put_known(turn->run_delay_ns);
        values[TURN_FORCED] = row_put_known(turn->n_forced);
        values[TURN_MAJOR_FAULTS] = row_put_known(turn->n_major_faults);
        values[TURN_LATE] = row_cut(turn->late_ns);
}

static bool get_turn(const int64_t values[ROW_VALUES_MAX], void *ret_row)
{
        struct trace_turn *turn = ret_row;
        bool is_good = values[TOOK] >= 0 && get_works(values + TURN_WORK, turn->work_ns);

        turn->start_ns = row_moment(values[START], 0, &is_good);
        turn->end_ns = row_moment(values[TOOK], turn->start_ns, &is_good);
        turn->thread_cpu_ns = row_number(values[TURN_CPU], ROW_NS_MAX, &is_good);
        turn->culprit = row_number(values[CULPRIT], INT64_MAX, &is_good);
        turn->engine = row_engine(values[TURN_ENGINE], &is_good);
        turn->run_delay_ns = row_known(values[TURN_RUN_DELAY], &is_good);
        turn->n_forced = row_known(values[TURN_FORCED], &is_good);
        turn->n_major_faults = row_known(values[TURN_MAJOR_FAULTS], &is_good);
        turn->late_ns = row_number(values[TURN_LATE], ROW_NS_MAX, &is_good);
        return is_good;
}

const struct row_type row_type_turn = {
        .table = "turn",
        .columns = turn_columns,
        .n_columns = N_TURN_COLUMNS,
        .n_usual = N_TURN_COLUMNS,
        .order = "rowid",
        .size = sizeof(struct trace_turn),
        .text_at = ROW_NO_TEXT,
        .moments = turn_moments,
        .n_moments = sizeof(turn_moments) / sizeof(turn_moments[0]),
        .begin_at = offsetof(struct trace_turn, start_ns),
        .end_at = offsetof(struct trace_turn, end_ns),
        .put = put_turn,
        .get = get_turn,
};

/* --- samples --------------------------------------------------------------------------------- */

enum sample_column {
        AT,
        IN_FLIGHT,
        QUEUED,
        PROCESSING,
        HELD,
        IS_FULL,
        SUBMITTED,
        ATTEMPTS,
        CONNS_OPENED,
        LOOKUPS,
        OPEN_CONNS,
        TURNS,
        WAIT,
        SAMPLE_WORK,
        SAMPLE_CPU = SAMPLE_WORK + TRACE_N_WORKS,
        PROCESS_CPU,
        SAMPLE_ENGINE,
        SAMPLE_RUN_DELAY,
        SAMPLE_FORCED,
        N_SAMPLE_COLUMNS,
};

static const char *const sample_columns[N_SAMPLE_COLUMNS] = {
        [AT] = "at_ns",
        [IN_FLIGHT] = "in_flight",
        [QUEUED] = "queued",
        [PROCESSING] = "processing",
        [HELD] = "held",
        [IS_FULL] = "is_full",
        [SUBMITTED] = "submitted",
        [ATTEMPTS] = "attempts",
        [CONNS_OPENED] = "conns_opened",
        [LOOKUPS] = "lookups",
        [OPEN_CONNS] = "open_conns",
        [TURNS] = "turns",
        [WAIT] = "wait_ns",
        WORK_COLUMNS(SAMPLE_WORK),
        [SAMPLE_CPU] = "thread_cpu_ns",
        [PROCESS_CPU] = "process_cpu_ns",
        [SAMPLE_ENGINE] = "engine",
        [SAMPLE_RUN_DELAY] = "run_delay_ns",
        [SAMPLE_FORCED] = "switches_forced",
};

static const uint16_t sample_moments[] = { offsetof(struct trace_sample, at_ns) };

static void put_sample(const void *row, int64_t values[ROW_VALUES_MAX])
{
        const struct trace_sample *sample = row;

        values[AT] = (int64_t)sample->at_ns;
        values[IN_FLIGHT] = row_cut(sample->n_in_flight);
        values[QUEUED] = row_cut(sample->n_queued);
        values[PROCESSING] = row_cut(sample->n_processing);
        values[HELD] = row_cut(sample->n_held);
        values[IS_FULL] = sample->is_full;
        values[SUBMITTED] = row_cut(sample->n_submitted);
        values[ATTEMPTS] = row_cut(sample->n_attempts);
        values[CONNS_OPENED] = row_cut(sample->n_conns_opened);
        values[LOOKUPS] = row_cut(sample->n_lookups);
        values[OPEN_CONNS] = row_cut(sample->n_open_conns);
        values[TURNS] = row_cut(sample->n_turns);
        values[WAIT] = row_cut(sample->wait_ns);
        put_works(sample->work_ns, values + SAMPLE_WORK);
        values[SAMPLE_CPU] = row_cut(sample->thread_cpu_ns);
        values[PROCESS_CPU] = row_cut(sample->process_cpu_ns);
        values[SAMPLE_ENGINE] = sample->engine;
        values[SAMPLE_RUN_DELAY] = row_put_known(sample->run_delay_ns);
        values[SAMPLE_FORCED] = row_put_known(sample->n_forced);
}

static bool get_sample(const int64_t values[ROW_VALUES_MAX], void *ret_row)
{
        struct trace_sample *sample = ret_row;
        bool is_good = get_works(values + SAMPLE_WORK, sample->work_ns);

        sample->at_ns = row_moment(values[AT], 0, &is_good);
        sample->n_in_flight = row_number(values[IN_FLIGHT], INT64_MAX, &is_good);
        sample->n_queued = row_number(values[QUEUED], INT64_MAX, &is_good);
        sample->n_processing = row_number(values[PROCESSING], INT64_MAX, &is_good);
        sample->n_held = row_number(values[HELD], INT64_MAX, &is_good);
        sample->is_full = row_number(values[IS_FULL], 1, &is_good);
        sample->n_submitted = row_number(values[SUBMITTED], INT64_MAX, &is_good);
        sample->n_attempts = row_number(values[ATTEMPTS], INT64_MAX, &is_good);
        sample->n_conns_opened = row_number(values[CONNS_OPENED], INT64_MAX, &is_good);
        sample->n_lookups = row_number(values[LOOKUPS], INT64_MAX, &is_good);
        sample->n_open_conns = row_number(values[OPEN_CONNS], INT64_MAX, &is_good);
        sample->n_turns = row_number(values[TURNS], INT64_MAX, &is_good);
        sample->wait_ns = row_number(values[WAIT], ROW_NS_MAX, &is_good);
        sample->thread_cpu_ns = row_number(values[SAMPLE_CPU], ROW_NS_MAX, &is_good);
        sample->process_cpu_ns = row_number(values[PROCESS_CPU], ROW_NS_MAX, &is_good);
        sample->engine = row_engine(values[SAMPLE_ENGINE], &is_good);
        sample->run_delay_ns = row_known(values[SAMPLE_RUN_DELAY], &is_good);
        sample->n_forced = row_known(values[SAMPLE_FORCED], &is_good);
        return is_good;
}

const struct row_type row_type_sample = {
        .table = "sample",
        .columns = sample_columns,
        .n_columns = N_SAMPLE_COLUMNS,
        .n_usual = N_SAMPLE_COLUMNS,
        .order = "rowid",
        .size = sizeof(struct trace_sample),
        .text_at = ROW_NO_TEXT,
        .moments = sample_moments,
        .n_moments = sizeof(sample_moments) / sizeof(sample_moments[0]),
        .put = put_sample,
        .get = get_sample,
};
