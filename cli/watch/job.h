/* SPDX-License-Identifier: MIT */
/*
 * What a watched program did, to tell whether another one did the same: its requests and its output
 *
 * Of both the lines are compared and not their order, which differs from run to run where requests
 * are made at the same time. Of the output the first megabyte is kept, and the length of all of it.
 */
#ifndef CLI_WATCH_JOB_H
#define CLI_WATCH_JOB_H

#include <base/buf.h>
#include <muster/error.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct job {
        struct buf requests; /* a line each */
        uint64_t n_left_out; /* that are not in it: not safe to repeat, or not seen */
        struct buf output;
        uint64_t n_output;  /* bytes, also those that were not kept */
        bool is_incomplete; /* memory was out */

        /* The one who reads the output. */
        int output_fds[2], stop_fd; /* -1: none */
        pthread_t thread;
        bool is_begun;
};

void job_init(struct job *job);

/* Begin to read what is written to the descriptor that it returns; -1: that cannot be. */
int job_begin(struct job *job);

/* The program is over: what it left in `record` is read as well. NULL: it made no request. */
void job_end(struct job *job, const char *record, const char *folder);

/* May be called twice. */
void job_deinit(struct job *job);

/* Lines that only the one or the other has. */
struct job_difference {
        uint64_t n_a, n_b; /* lines in all */
        uint64_t n_only_a, n_only_b;
        struct muster_str first_a, first_b; /* of those; borrowed */
};

/* MUSTER_E_RESOURCE. */
int job_differ(const struct buf *a, const struct buf *b, struct job_difference *ret_difference);

#endif
