/* SPDX-License-Identifier: MIT */
/*
 * Writer: a thread that takes rows to the store
 *
 * The loop's thread copies rows into the current batch, without a lock, and hands it over when it
 * is full; the writer takes full ones in turn, and every tenth of a second what there is of the
 * current one. Batches are used again. When so many are full that they would take more than 64 MiB,
 * the disk is too slow, or somebody reads the file for long: rows are dropped and counted. The loop
 * never waits.
 */
#ifndef RECORD_WRITER_H
#define RECORD_WRITER_H

#include "store.h"

struct writer;

/* Takes the store, also when it fails: MUSTER_E_RESOURCE. */
int writer_start(struct writer **ret_writer, struct store *take_store);

/* Of the loop's thread: copy a row. False: it was dropped. */
bool writer_add(struct writer *writer, enum row_kind kind, const void *row);

/*
 * Wait until all rows are in the file, then add what is known after the run; `run` is to have its
 * number of dropped rows without those that the writer dropped, which is added. MUSTER_E_RESOURCE
 * when not all was written: *error says it. Frees the writer. In a child of fork(), which has no
 * such thread, it does nothing at all.
 */
int writer_finish(struct writer *take_writer, struct record_run *run, const struct counters *after,
        struct muster_error *error);

#endif
