/* SPDX-License-Identifier: MIT */
/*
 * A second run of this program: a separate process with its own record
 *
 * While it runs SIGINT and SIGTERM are held back; they end the process, and are told to the caller.
 */
#ifndef CLI_EXPLAIN_RERUN_H
#define CLI_EXPLAIN_RERUN_H

#include "../temporary.h"
#include <muster/error.h>
#include <signal.h>

struct rerun {
        char folder[TEMPORARY_PATH_MAX];
        char record[TEMPORARY_PATH_MAX + 10]; /* in it; of each process in turn */
        sigset_t old_mask;
        int signal_fd;
        struct muster_error *error;
};

/* MUSTER_E_RESOURCE with *error, which is used from then on; rerun_end() is called in any case. */
int rerun_begin(struct rerun *rerun, struct muster_error *error);
void rerun_end(struct rerun *rerun);

/*
 * Run to its end. RERUN_STOPPED: a signal came. MUSTER_E_RESOURCE, MUSTER_E_INPUT with the error:
 * it could not be run, or not to its end.
 */
#define RERUN_STOPPED 1
int rerun_execute(struct rerun *rerun, char **argv);

/* Make room for the next record. */
void rerun_remove_record(const struct rerun *rerun);

#endif
