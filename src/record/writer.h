/* SPDX-License-Identifier: MIT */
/*
 * Writer: a thread that writes rows to the store
 *
 * The loop's thread copies rows into the current batch without a lock, and hands it over when it is
 * full. The writer writes full batches in turn, and every tenth of a second the rows that the
 * current one has. Batches are reused. If full ones would take more than 64 MiB, because the disk
 * is too slow or somebody reads the file for long, rows are dropped and counted. The loop never
 * waits.
 */
#ifndef RECORD_WRITER_H
#define RECORD_WRITER_H

#include "store.h"

struct writer;

/* Start a writer. Takes the store, also on failure. MUSTER_E_RESOURCE. */
int writer_start(struct writer **ret_writer, struct store *take_store);

/* Copy a row; for the loop's thread. False: it was dropped. */
bool writer_add(struct writer *writer, enum row_kind kind, const void *row);

/*
 * Wait until all rows are in the file, then write what is known after the run, and free the writer.
 * Adds the rows that the writer dropped to run->n_dropped. MUSTER_E_RESOURCE with *error: not
 * everything was written. In a child of fork(), which does not have the thread, it does nothing.
 */
int writer_finish(struct writer *take_writer, struct record_run *run, const struct counters *after,
        struct muster_error *error);

#endif
