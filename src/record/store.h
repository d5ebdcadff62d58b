/* SPDX-License-Identifier: MIT */
/*
 * Store: a record's file while it is being written
 *
 * One thread at a time uses it, and it may wait for the disk. A transaction holds one batch, so a
 * program that is killed leaves a file with all earlier batches. Nothing waits until the disk
 * confirms (synchronous=OFF), so only a machine that loses power may leave a damaged file.
 */
#ifndef RECORD_STORE_H
#define RECORD_STORE_H

#include "batch.h"
#include "counters.h"
#include "record.h"

struct store;

/*
 * Create the file, with what is known before the run. MUSTER_E_RESOURCE with *error: it cannot be
 * created; or it exists, and `overwrite` is not set or it is not a record.
 */
int store_create(struct store **ret_store, const char *path, bool overwrite,
        const struct record_run *run, const struct counters *before, struct muster_error *error);

/*
 * Write the rows of a batch that were not written yet, and the number of attempts dropped so far.
 * Waits while somebody reads the file. After a failure all calls fail. MUSTER_E_RESOURCE.
 */
int store_write(struct store *store, struct batch *batch, uint64_t n_dropped);

/* Write what a record has of programs that were watched, once. MUSTER_E_RESOURCE. */
int store_write_programs(struct store *store, const struct programs *programs);

/* From now on wait at most 10 s for readers. Any thread may call it. */
void store_hurry(struct store *store);

/* Write what is known after the run. MUSTER_E_RESOURCE. */
int store_finish(struct store *store, const struct record_run *run, const struct counters *after);

/* The first error; code 0: none. */
const struct muster_error *store_error(const struct store *store);

/* Close the file. Takes NULL, returns NULL. */
struct store *store_close(struct store *store);

#endif
