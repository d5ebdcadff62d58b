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

/* Where a program writes its results to, as far as that can hold it up. */
enum muster_output {
        MUSTER_OUTPUT_UNKNOWN,
        MUSTER_OUTPUT_NONE,     /* nothing is written, or it goes nowhere: /dev/null */
        MUSTER_OUTPUT_FILE,     /* a regular file, or a disk */
        MUSTER_OUTPUT_PIPE,     /* another program reads */
        MUSTER_OUTPUT_SOCKET,   /* the same */
        MUSTER_OUTPUT_TERMINAL, /* people read */
        MUSTER_OUTPUT_DEVICE,   /* anything else */
};

/* Where a program has its requests from, as far as that can hold them up. */
enum muster_input {
        MUSTER_INPUT_UNKNOWN,
        MUSTER_INPUT_ARGUMENTS, /* its command line */
        MUSTER_INPUT_FILE,      /* regular files */
        MUSTER_INPUT_PIPE,      /* another program writes them, into a pipe or a socket */
        MUSTER_INPUT_TERMINAL,  /* somebody types them */
};

struct muster_record_options {
        size_t size; /* sizeof *this */
        /* created; an existing record is replaced only with `overwrite`; NULL: in memory */
        const char *file;
        /* the command line of the run: a JSON array of words; NULL: not given */
        const char *command;
        uint64_t keep; /* in memory: the newest attempts that are kept; 0: 50,000 */
        bool overwrite;
        unsigned output; /* enum muster_output */
        unsigned input;  /* enum muster_input */
};

/* What only the program around a client can count. */
enum muster_program_counter {
        MUSTER_PROGRAM_OUTPUT_STALLED_US, /* it took no results, as its output had no room */
        MUSTER_PROGRAM_STOPS,             /* it was stopped, and went on (SIGCONT) */
        /* of workers of its own, such as processes, that it gives bodies to */
        MUSTER_PROGRAM_WORKERS,   /* how many there are */
        MUSTER_PROGRAM_BODIES,    /* how many bodies they worked on */
        MUSTER_PROGRAM_BODIES_US, /* for how long, all of them added up */
        MUSTER_PROGRAM_WORKERS_FULL_US, /* it took no results, as they had all the bodies that they may have */
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
 * Tell a counter's value so far; the last one told before the end is recorded, as the growth since
 * the beginning. One that is never told is recorded as not known. MUSTER_E_INVALID: the client does
 * not record, or there is no such counter. Thread: the client's.
 */
MUSTER_PUBLIC int muster_record_count(struct muster_client *client,
        enum muster_program_counter counter, uint64_t value);

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

/*
 * The same, leaving out what cannot be repeated instead of failing: other methods than GET, HEAD and
 * OPTIONS, and requests with a body or header fields of their own. At most `n_most` are written; 0:
 * all.
 */
struct muster_record_kept {
        uint64_t n_written, n_left_out;
        bool is_cut; /* there were more than `n_most` */
};
MUSTER_PUBLIC int muster_record_export_repeatable(const char *file, int fd, uint64_t n_most,
        struct muster_record_kept *ret_kept, struct muster_error *error);

#ifdef __cplusplus
}
#endif

#endif
