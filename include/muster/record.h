/* SPDX-License-Identifier: MIT */
/*
 * Recording: store where the time of a client's requests goes, to explain it (explain.h) or query
 * it
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
        /* created; an existing record is replaced only with `overwrite`; NULL: in memory */
        const char *file;
        /* the command line of the run: a JSON array of words; NULL: not given */
        const char *command;
        uint64_t keep; /* in memory: the newest attempts that are kept; 0: 50,000 */
        bool overwrite;
};

/*
 * Record everything that this client does from now on; call it before the first submit. It costs a
 * few hundred nanoseconds per request in memory; with a file about a microsecond more, in the
 * writing thread. MUSTER_E_INVALID if something was submitted or the client already records,
 * MUSTER_E_RESOURCE if the file cannot be created or memory is out; *error, unless NULL, has the
 * reason.
 */
MUSTER_PUBLIC int muster_record(struct muster_client *client,
        const struct muster_record_options *options, struct muster_error *error);

/*
 * End the recording: all rows are in the file when this returns. MUSTER_E_RESOURCE if the disk is
 * full or rows were dropped. Results that were not taken are recorded as they are; requests under
 * way go on and are not in the record. What was kept in memory can still be explained. Returns 0 if
 * nothing was recorded. muster_client_free() ends the recording, too, but cannot report a failure.
 * It cancels first: requests under way are then in the record, as cancelled.
 */
MUSTER_PUBLIC int muster_record_end(struct muster_client *client, struct muster_error *error);

/*
 * Write the requests of a record to a descriptor, one per line in the order of submission, as
 * `muster fetch -i` reads them. MUSTER_E_INPUT if that is not possible: it is not a record, rows
 * are missing, or it has requests other than a plain GET of a URL (header fields and bodies are not
 * recorded). MUSTER_E_RESOURCE; *error, unless NULL, has the reason.
 */
MUSTER_PUBLIC int muster_record_export(const char *file, int fd, struct muster_error *error);

#ifdef __cplusplus
}
#endif

#endif
