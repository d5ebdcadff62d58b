/* SPDX-License-Identifier: MIT */
/*
 * Reading a folder of logs into a record: shim.PID.START and hook.PID.START
 */
#ifndef WATCH_READ_H
#define WATCH_READ_H

#include <record/record.h>

/*
 * Read all logs of a folder. A record without processes: there were none. MUSTER_E_INPUT: the
 * folder cannot be read. MUSTER_E_RESOURCE. *error says why; *record is zeroed then.
 */
int watch_read_folder(struct record *record, const char *folder, struct muster_error *error);

/* The same of logs in memory: for tests. */
struct watch_text {
        struct muster_str bytes;
        bool is_hook;
        uint64_t start_ns; /* of its name */
};
int watch_read_texts(struct record *record, const struct watch_text *texts, size_t n);

#endif
