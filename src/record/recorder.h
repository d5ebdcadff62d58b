/* SPDX-License-Identifier: MIT */
/*
 * Recorder: the tracer that keeps its rows
 *
 *      client ─▶ recorder ─┬─▶ memory                          newest rows: record_of_client()
 *                          └─▶ writer ─▶ batches ─▶ store      all rows, to a file
 *                              (loop's thread)  (its own)
 *
 * muster_record() attaches one to a client. It lives as long as the client, so that its rows can be
 * explained after the recording.
 */
#ifndef RECORD_RECORDER_H
#define RECORD_RECORDER_H

#include <base/clock.h>
#include <core/settings.h>
#include <core/trace.h>
#include <muster/record.h>

/*
 * Make a recorder. `clock` is the one of all moments in rows, and must stay until ops->end().
 * ops->free() frees the recorder. Both are called once for each of the threads in the settings,
 * from any thread; rows may come from all of them. MUSTER_E_RESOURCE with *error.
 */
int recorder_new(struct tracer **ret_tracer, const struct muster_record_options *options,
        const struct settings *settings, const struct clock *clock, struct muster_error *error);

struct record;

/*
 * Copy what is kept in memory. MUSTER_E_INPUT: the tracer is NULL or no recorder.
 * MUSTER_E_RESOURCE. *record is zeroed then.
 */
int recorder_copy(const struct tracer *tracer, struct record *record);

/* Is it a recorder, before ops->end()? NULL is none. */
bool recorder_is_going_on(const struct tracer *tracer);

/*
 * Before ops->end(), of a recorder: see muster_record_count(). MUSTER_E_INVALID: there is no such
 * counter, or it is over.
 */
int recorder_count(struct tracer *tracer, enum muster_program_counter counter, uint64_t value);

/* After ops->end(): 0, or the code that muster_record_end() returns, with *error. */
int recorder_outcome(const struct tracer *tracer, struct muster_error *error);

#endif
