/* SPDX-License-Identifier: MIT */
/*
 * A program, watched: from its command to what there is to say about it
 */
#ifndef CLI_WATCH_SESSION_H
#define CLI_WATCH_SESSION_H

#include "outcome.h"
#include "surroundings.h"
#include <muster/watch.h>

struct session_options {
        bool no_hooks, no_filter;
        uint64_t for_ns;
        const char *record; /* NULL: none is kept */
        bool replaces;      /* a record that is there */
        bool only_records;  /* nothing is to be explained */
        /* its standard output and error, and nothing to read; else it has ours */
        bool is_apart;
        int output_fd, error_fd;
};

struct session {
        struct executable executable;
        struct place place;
        struct surroundings surroundings;
        struct lookout lookout; /* where nothing can be loaded into the program */
        struct subject subject;
        struct muster_watch *reader;
        struct outcome outcome;
        char record[TEMPORARY_PATH_MAX + 16]; /* in the place, where none is kept */
};

/*
 * Run it to its end; `argv` and `parts` are borrowed until session_deinit(), which is called in any
 * case. SUBJECT_NOT_RUN; MUSTER_E_RESOURCE with *error.
 */
int session_run(struct session *session, char **argv, const struct parts *parts,
        const struct session_options *options, struct muster_error *error);

/*
 * Read what it has left, and explain it. Where that fails the outcome says why: the program has run,
 * and that counts. An error with *error: the record that was to be kept could not be written.
 */
int session_read(struct session *session, const struct session_options *options,
        struct muster_error *error);

/* Where the record is. */
const char *session_record(const struct session *session, const struct session_options *options);

void session_deinit(struct session *session);

/* It could not be run: say why. Returns the exit status for that, as a shell has it. */
int session_tell_not_run(const struct session *session);

#endif
