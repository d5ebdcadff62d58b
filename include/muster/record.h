/* SPDX-License-Identifier: MIT */
/*
 * Recording: keep where the time of a client's requests goes, to be explained (explain.h) or
 * queried
 *
 * A record is an SQLite file, written by a thread of its own in batches; the loop never waits for
 * the disk. Its tables and views are described in muster-record(5). A program that is killed leaves
 * a readable record up to the last batch. Without a file the newest attempts are kept in memory.
 */
#ifndef MUSTER_RECORD_H
#define MUSTER_RECORD_H

#include <muster/client.h>

#ifdef __cplusplus
extern "C" {
#endif

struct muster_record_options {
        size_t size; /* sizeof *this */
        /* to be created, an existing record is replaced only with `overwrite`; NULL: in memory */
        const char *file;
        /* what the run was started with: a JSON array of words; NULL: not told */
        const char *command;
        uint64_t keep; /* in memory: the newest attempts that are kept; 0: 50,000 */
        bool overwrite;
};

/*
 * Record all that this client does from now on; nothing may have been submitted yet. Costs a few
 * hundred nanoseconds a request in memory; with a file about a microsecond more, in the thread that
 * writes. MUSTER_E_INVALID when something was submitted or it records already, MUSTER_E_RESOURCE
 * when the file cannot be created or memory is out: *error, unless NULL, says it.
 */
MUSTER_PUBLIC int muster_record(struct muster_client *client,
        const struct muster_record_options *options, struct muster_error *error);

/*
 * End the recording: all rows are in the file when this returns. MUSTER_E_RESOURCE when the disk is
 * full or rows had to be dropped. Results that were not taken are recorded as they are; requests
 * that are under way go on and are not in the record. What was kept in memory can still be
 * explained. 0 when nothing was recorded. muster_client_free() ends it, too, but cannot tell of a
 * failure, and cancels first: requests that are under way are in the record then, as cancelled.
 */
MUSTER_PUBLIC int muster_record_end(struct muster_client *client, struct muster_error *error);

/*
 * Write the requests of a record to a descriptor, a line each in the order of their submission, as
 * `muster fetch -i` reads them. MUSTER_E_INPUT when that is not possible: it is no record, some of
 * it is missing, or it has requests that were more than a GET of a URL (their header fields and
 * bodies are not recorded). MUSTER_E_RESOURCE; *error, unless NULL, says it.
 */
MUSTER_PUBLIC int muster_record_export(const char *file, int fd, struct muster_error *error);

#ifdef __cplusplus
}
#endif

#endif
