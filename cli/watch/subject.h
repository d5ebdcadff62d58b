/* SPDX-License-Identifier: MIT */
/*
 * The program that is watched, as a process
 *
 * It runs as it would without us: with our standard descriptors, in our process group, so that the
 * terminal's keys are its own. We are in its way as little as a process can be: what is sent to us
 * by kill(2) is passed on, what the terminal sends it has itself; where it is stopped, so are we;
 * and until it is over nothing ends us but SIGKILL. What was ignored or blocked stays so for it.
 */
#ifndef CLI_WATCH_SUBJECT_H
#define CLI_WATCH_SUBJECT_H

#include "lookout.h"
#include "place.h"
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

struct subject {
        char **argv;
        char *const *environment;
        const struct place *place; /* of its processes, all are told to end */
        uint64_t for_ns;           /* then it is told to end; 0: never */
        /* it reads nothing, and writes to these; else it has our descriptors */
        bool is_apart;
        int output_fd, error_fd;
        bool is_wanted_outside; /* what nothing can be loaded into is to be seen from outside */
        bool is_outside;        /* it is such a program itself: */
        enum image_kind image;
        const char *path;        /* ... its file */
        struct lookout *lookout; /* begun and ended with it; to be freed by the caller */

        pid_t pid;
        int signal_fd;

        /* Filled in when it is over. */
        int status; /* as waitpid(2) has it */
        uint64_t wall_ns;
        uint64_t cpu_ns;         /* with children that it waited for */
        bool was_told_to_end;    /* by for_ns */
        bool was_interrupted;    /* somebody sent SIGINT, SIGTERM, SIGHUP or SIGQUIT */
        int could_not_run_errno; /* 0: it ran */
};

/*
 * Run it to its end. SUBJECT_NOT_RUN: it could not be started, see could_not_run_errno.
 * MUSTER_E_RESOURCE with *error. Signals are held back when this returns: see subject_signals().
 */
#define SUBJECT_NOT_RUN 1
int subject_run(struct subject *subject, struct muster_error *error);

/* What is held back, for who waits for it then. */
sigset_t subject_signals(void);

/* By its own exit, whatever the status, and not because somebody told it to. */
bool subject_ended_by_itself(const struct subject *subject);

/* What a shell would have in $?. */
int subject_exit_status(const struct subject *subject);

#endif
