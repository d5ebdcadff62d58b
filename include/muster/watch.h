/* SPDX-License-Identifier: MIT */
/*
 * Watching: what other programs do with HTTP, as a record
 *
 *      struct muster_watch *watch;
 *      muster_watch_new(&watch, NULL);
 *      ... run a program with the preloaded library and the hooks, which write their logs to FOLDER ...
 *      muster_watch_read(watch, "FOLDER", &(struct muster_watch_options){ .file = "run.db" }, NULL);
 *      muster_watch_free(watch);
 *      muster_explain_file(&explanation, "run.db", NULL);
 *
 * `muster watch` does all of this. The record is one like a client's own (record.h), and has what is
 * known of the programs beside it: muster-record(5).
 */
#ifndef MUSTER_WATCH_H
#define MUSTER_WATCH_H

#include <muster/error.h>
#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

struct muster_watch;

/*
 * Note how things stand before the programs are started: the machine's counters. *ret_watch is to
 * be freed with muster_watch_free(). MUSTER_E_INVALID, MUSTER_E_RESOURCE; *error, unless NULL, has
 * the reason.
 */
MUSTER_PUBLIC int muster_watch_new(struct muster_watch **ret_watch, struct muster_error *error);

struct muster_watch_options {
        size_t size; /* sizeof *this */
        /* the record that is written; an existing one is replaced only with `overwrite` */
        const char *file;
        bool overwrite;
        /*
         * the program that was started ended by itself: then nothing was cut off, though its log may
         * have no end, as that of a shell
         */
        bool has_ended;
};

/*
 * Read the logs in a folder, of programs that are over or still run, and write what they say as a
 * record. Nothing in the logs is trusted. MUSTER_E_INPUT: the folder cannot be read, or no program
 * has written a log into it; MUSTER_E_INVALID; MUSTER_E_RESOURCE: the record cannot be written.
 * *error, unless NULL, has the reason. May be called again, with another file.
 */
MUSTER_PUBLIC int muster_watch_read(struct muster_watch *watch, const char *folder,
        const struct muster_watch_options *options, struct muster_error *error);

/* NULL is allowed. Returns NULL. */
MUSTER_PUBLIC struct muster_watch *muster_watch_free(struct muster_watch *watch);

#ifdef __cplusplus
}
#endif

#endif
