/* SPDX-License-Identifier: MIT */
#include "recorder.h"

#include "memory.h"
#include "options.h"
#include "writer.h"
#include <assert.h>
#include <base/error.h>
#include <base/mem.h>
#include <pthread.h>
#include <stdio.h>

struct recorder {
        struct tracer tracer; /* first: the core knows only this part */
        const struct clock *clock;
        pthread_mutex_t lock; /* held for each row if several threads report */
        bool is_shared;
        unsigned n_telling,
                n_users; /* threads that have not ended it, and that have not freed it */
        struct record_run run;
        struct counters before, after;
        struct counters told; /* what the program counts */
        struct memory memory;
        struct writer *writer; /* NULL: no file, or it is closed */
        bool is_over;
        struct muster_error error; /* of the file */
};

static const struct tracer_ops recorder_ops;

static struct recorder *recorder_of(struct tracer *tracer)
{
        return (struct recorder *)(void *)tracer;
}

static const struct recorder *const_recorder_of(const struct tracer *tracer)
{
        return tracer && tracer->ops == &recorder_ops
                       ? (const struct recorder *)(const void *)tracer
                       : NULL;
}

static uint64_t since_start(const struct recorder *recorder)
{
        return clock_now(recorder->clock) - recorder->run.start_ns;
}

/* --- rows ------------------------------------------------------------------------------------ */

/*
 * Lock the recorder. With a lock for each row, threads hold each other up only when the one
 * writer's thread has more than it can do anyway. Locking changes nothing that a recorder holds, so
 * it may be const.
 */
static void lock(const struct recorder *recorder)
{
        if (recorder->is_shared)
                pthread_mutex_lock((pthread_mutex_t *)(uintptr_t)&recorder->lock);
}

static void unlock(const struct recorder *recorder)
{
        if (recorder->is_shared)
                pthread_mutex_unlock((pthread_mutex_t *)(uintptr_t)&recorder->lock);
}

static void keep_row(struct recorder *recorder, enum row_kind kind, const void *row)
{
        lock(recorder);
        assert(!recorder->is_over);
        memory_add(&recorder->memory, kind, row);
        if (recorder->writer)
                (void)writer_add(recorder->writer, kind, row); /* the writer counts dropped rows */
        unlock(recorder);
}

static void note_origin(struct tracer *tracer, const struct trace_origin *origin)
{
        keep_row(recorder_of(tracer), ROW_ORIGIN, origin);
}

static void note_attempt(struct tracer *tracer, const struct trace_attempt *attempt)
{
        struct recorder *recorder = recorder_of(tracer);
        struct trace_attempt row = *attempt;

        row_rebase(ROW_ATTEMPT, &row, recorder->run.start_ns);
        if (!row.submitted_ns || row.submitted_ns > row.stamps.start_ns)
                row.submitted_ns = row.stamps.start_ns;
        keep_row(recorder, ROW_ATTEMPT, &row);
}

static void note_conn(struct tracer *tracer, const struct trace_conn *conn)
{
        struct recorder *recorder = recorder_of(tracer);
        struct trace_conn row = *conn;

        row_rebase(ROW_CONN, &row, recorder->run.start_ns);
        keep_row(recorder, ROW_CONN, &row);
}

static void note_try(struct tracer *tracer, const struct trace_try *try)
{
        struct recorder *recorder = recorder_of(tracer);
        struct trace_try row = *try;

        row_rebase(ROW_TRY, &row, recorder->run.start_ns);
        keep_row(recorder, ROW_TRY, &row);
}

static void note_lookup(struct tracer *tracer, const struct trace_lookup *lookup)
{
        struct recorder *recorder = recorder_of(tracer);
        struct trace_lookup row = *lookup;

        row_rebase(ROW_LOOKUP, &row, recorder->run.start_ns);
        keep_row(recorder, ROW_LOOKUP, &row);
}

static void note_turn(struct tracer *tracer, const struct trace_turn *turn)
{
        struct recorder *recorder = recorder_of(tracer);
        struct trace_turn row = *turn;

        row_rebase(ROW_TURN, &row, recorder->run.start_ns);
        keep_row(recorder, ROW_TURN, &row);
}

static void note_sample(struct tracer *tracer, const struct trace_sample *sample)
{
        struct recorder *recorder = recorder_of(tracer);
        struct trace_sample row = *sample;

        row_rebase(ROW_SAMPLE, &row, recorder->run.start_ns);
        keep_row(recorder, ROW_SAMPLE, &row);
}

/* --- counters -------------------------------------------------------------------------------- */

/* What the program counts is known from 0, if it is told at all. */
static void begin_counters(struct recorder *recorder)
{
        counters_read(&recorder->before);
        recorder->told = recorder->before;
        for (int i = COUNTER_FIRST_OF_PROGRAM; i < COUNTER_N; i++)
                recorder->before.values[i] = 0;
}

static void read_counters(const struct recorder *recorder, struct counters *counters)
{
        counters_read(counters);
        for (int i = COUNTER_FIRST_OF_PROGRAM; i < COUNTER_N; i++)
                counters->values[i] = recorder->told.values[i];
}

bool recorder_is_going_on(const struct tracer *tracer)
{
        const struct recorder *recorder = const_recorder_of(tracer);

        return recorder && !recorder->is_over;
}

int recorder_count(struct tracer *tracer, enum muster_program_counter counter, uint64_t value)
{
        struct recorder *recorder = recorder_of(tracer);
        int64_t *place = counters_of_program(&recorder->told, counter);

        if (!place)
                return MUSTER_E_INVALID;
        lock(recorder);
        *place = row_cut(value);
        unlock(recorder);
        return 0;
}

/* --- begin and end --------------------------------------------------------------------------- */

/* The last thread to end ends the recording. */
static void end_recording(struct tracer *tracer)
{
        struct recorder *recorder = recorder_of(tracer);

        assert(!recorder->is_over);
        if (--recorder->n_telling)
                return;
        read_counters(recorder, &recorder->after);
        recorder->run.end_ns = since_start(recorder);
        recorder->run.is_complete = true;
        recorder->is_over = true;
        if (recorder->writer) {
                struct record_run run = recorder->run;

                (void)writer_finish(recorder->writer, &run, &recorder->after, &recorder->error);
                recorder->writer = NULL;
        }
}

static void free_recorder(struct tracer *tracer)
{
        struct recorder *recorder = recorder_of(tracer);

        if (recorder->n_users && --recorder->n_users)
                return;
        pthread_mutex_destroy(&recorder->lock);
        memory_deinit(&recorder->memory);
        mem_free(recorder->run.version);
        mem_free(recorder->run.command);
        mem_free(recorder);
}

static const struct tracer_ops recorder_ops = {
        .origin = note_origin,
        .attempt = note_attempt,
        .conn = note_conn,
        .try = note_try,
        .lookup = note_lookup,
        .turn = note_turn,
        .sample = note_sample,
        .end = end_recording,
        .free = free_recorder,
};

static int open_store(struct recorder *recorder, const struct muster_record_options *options,
        struct muster_error *error)
{
        struct store *store;

        assert(options->file && !recorder->writer);
        if (store_create(&store, options->file, options->overwrite, &recorder->run,
                    &recorder->before, error) < 0)
                return MUSTER_E_RESOURCE;
        if (writer_start(&recorder->writer, store) == 0)
                return 0;
        return error_set(error, MUSTER_E_RESOURCE, MUSTER_PHASE_QUEUE, 0,
                "resource: not enough memory to write the record, or no thread could be started");
}

static int init_run(struct record_run *run, const struct muster_record_options *options,
        const struct settings *settings, const struct clock *clock)
{
        uint64_t now_ns = clock_now(clock);

        options_of_settings(&run->options, settings);
        run->options.input =
                options->input <= MUSTER_INPUT_TERMINAL ? options->input : MUSTER_INPUT_UNKNOWN;
        run->options.output =
                options->output <= MUSTER_OUTPUT_DEVICE ? options->output : MUSTER_OUTPUT_UNKNOWN;
        run->wall_clock_ns = clock_ns_of(CLOCK_REALTIME);
        run->start_ns = now_ns ? now_ns - 1 : 0; /* so no moment is 0 */
        run->version = mem_strdup(muster_version());
        run->command = options->command ? mem_strdup(options->command) : NULL;
        return run->version && (run->command || !options->command) ? 0 : MUSTER_E_RESOURCE;
}

static unsigned n_threads(const struct settings *settings)
{
        return settings->threads ? settings->threads : 1;
}

int recorder_new(struct tracer **ret_tracer, const struct muster_record_options *options,
        const struct settings *settings, const struct clock *clock, struct muster_error *error)
{
        struct recorder *recorder = mem_zalloc(sizeof(*recorder));
        int r = MUSTER_E_RESOURCE;

        if (!recorder)
                return error_set_memory(error, MUSTER_PHASE_QUEUE);
        recorder->tracer.ops = &recorder_ops;
        recorder->clock = clock;
        recorder->n_telling = n_threads(settings);
        recorder->is_shared = settings->threads > 1;
        pthread_mutex_init(&recorder->lock, NULL);
        begin_counters(recorder);
        if (init_run(&recorder->run, options, settings, clock) < 0 ||
                memory_init(&recorder->memory, options->keep) < 0)
                error_set_memory(error, MUSTER_PHASE_QUEUE);
        else
                r = options->file ? open_store(recorder, options, error) : 0;
        if (r < 0) {
                free_recorder(&recorder->tracer);
                return r;
        }
        recorder->n_users = n_threads(settings);
        *ret_tracer = &recorder->tracer;
        return r;
}

int recorder_outcome(const struct tracer *tracer, struct muster_error *error)
{
        const struct recorder *recorder = const_recorder_of(tracer);

        if (!recorder || !recorder->error.code)
                return 0;
        return error_set(error, recorder->error.code, recorder->error.stage, recorder->error.sys,
                "%s", recorder->error.text);
}

/* --- what is kept, as a record --------------------------------------------------------------- */

static int copy_run(const struct recorder *recorder, struct record_run *run)
{
        *run = recorder->run;
        run->version = mem_strdup(recorder->run.version);
        run->command = recorder->run.command ? mem_strdup(recorder->run.command) : NULL;
        run->n_dropped = memory_n_dropped(&recorder->memory);
        /* a ring drops only the oldest rows, which leaves no gap */
        run->n_holes = recorder->memory.n_dropped;
        if (!recorder->is_over)
                run->end_ns = since_start(recorder);
        run->is_complete = true; /* nothing was cut off so far */
        return run->version && (run->command || !recorder->run.command) ? 0 : MUSTER_E_RESOURCE;
}

static int copy_counters(const struct recorder *recorder, struct record *record)
{
        struct counters now = recorder->after;

        if (!recorder->is_over)
                read_counters(recorder, &now);
        record->counters = mem_array(COUNTER_N, sizeof(*record->counters));
        if (!record->counters)
                return MUSTER_E_RESOURCE;
        record->n_counters = COUNTER_N;
        for (int i = 0; i < COUNTER_N; i++) {
                struct record_counter *counter = &record->counters[i];

                snprintf(counter->name, sizeof(counter->name), "%s", counter_name((enum counter)i));
                counter->before = recorder->before.values[i];
                counter->after = now.values[i];
        }
        return 0;
}

static int copy_all(const struct recorder *recorder, struct record *record)
{
        int r = copy_run(recorder, &record->run);

        if (r == 0)
                r = copy_counters(recorder, record);
        return r < 0 ? r : memory_copy(&recorder->memory, record);
}

int recorder_copy(const struct tracer *tracer, struct record *record)
{
        const struct recorder *recorder = const_recorder_of(tracer);
        int r;

        *record = (struct record){ 0 };
        if (!recorder)
                return MUSTER_E_INPUT;
        lock(recorder);
        r = copy_all(recorder, record);
        unlock(recorder);
        if (r == 0)
                return 0;
        record_deinit(record);
        return MUSTER_E_RESOURCE;
}
