/* SPDX-License-Identifier: MIT */
/*
 * Store: a record's file while it is being written
 *
 * Used by one thread at a time, and may wait for the disk. A transaction holds a batch: whoever is
 * killed leaves a file with all batches before. Nothing waits for the disk to confirm
 * (synchronous=OFF): only a machine that loses its power may leave a damaged file.
 */
#ifndef RECORD_STORE_H
#define RECORD_STORE_H

#include "batch.h"
#include "counters.h"
#include "record.h"

struct store;

/*
 * Create the file, with what is known before the run. MUSTER_E_RESOURCE when it cannot be created,
 * or is there already and `overwrite` is not set or it is something else than a record; *error says
 * it.
 */
int store_create(struct store **ret_store, const char *path, bool overwrite,
        const struct record_run *run, const struct counters *before, struct muster_error *error);

/*
 * Write the rows of a batch that were not written yet, and how many attempts were dropped so far.
 * Waits for as long as somebody reads the file. After a failure all calls fail. MUSTER_E_RESOURCE.
 */
int store_write(struct store *store, struct batch *batch, uint64_t n_dropped);

/* From any thread: from now on wait for readers no longer than 10 s. */
void store_hurry(struct store *store);

/* What is known after the run. MUSTER_E_RESOURCE. */
int store_finish(struct store *store, const struct record_run *run, const struct counters *after);

/* What went wrong first; code 0: nothing. */
const struct muster_error *store_error(const struct store *store);

/* NULL is allowed. Returns NULL. */
struct store *store_close(struct store *store);

#endif
