/* SPDX-License-Identifier: MIT */
/*
 * Recorder: the tracer that keeps what it is told
 *
 *      client ─▶ recorder ─┬─▶ memory                          newest rows: record_of_client()
 *                          └─▶ writer ─▶ batches ─▶ store      all rows, to a file
 *                              (loop's thread)  (its own)
 *
 * muster_record() attaches one to a client. It lives as long as the client does, so that what it
 * kept can be explained when the recording is over.
 */
#ifndef RECORD_RECORDER_H
#define RECORD_RECORDER_H

#include <base/clock.h>
#include <core/settings.h>
#include <core/trace.h>
#include <muster/record.h>

/*
 * MUSTER_E_RESOURCE, with *error saying it. `clock` is that of the moments that will be told, and
 * stays until ops->end(). In the end ops->free() frees the recorder. Both are to be called once for
 * each of the threads in the settings, by whichever thread; rows may come from all of them.
 */
int recorder_new(struct tracer **ret_tracer, const struct muster_record_options *options,
        const struct settings *settings, const struct clock *clock, struct muster_error *error);

struct record;

/*
 * A copy of what is kept in memory. MUSTER_E_INPUT when the tracer is NULL or no recorder,
 * MUSTER_E_RESOURCE; *record is zeroed then.
 */
int recorder_copy(const struct tracer *tracer, struct record *record);

/* After ops->end(): what went wrong. 0, or a code as muster_record_end() has it. */
int recorder_outcome(const struct tracer *tracer, struct muster_error *error);

#endif
