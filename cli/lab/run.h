/* SPDX-License-Identifier: MIT */
/*
 * A lab and perhaps a command in their processes
 *
 *      no command           this process is the server, until it is told to end
 *      a command            this process is the server, the command a child; it ends with it
 *      a command, a link    the server a child, the command a child, each in a network of its own; this process is the link
 */
#ifndef CLI_LAB_RUN_H
#define CLI_LAB_RUN_H

#include <lab/lab.h>
#include <signal.h>

#define LAB_PATH_MAX 240 /* of the file of the root's certificate */

struct lab_run {
        struct lab_config *config;
        char **command;                /* ended by NULL; NULL: only serve */
        const char *shell_text;        /* instead: a command for the shell; NULL: none */
        struct link_stats *link_stats; /* shared with the link's process; NULL: no link */
        struct lab lab;
        struct loop loop;
        struct clock clock;
        char directory[LAB_PATH_MAX - 20]; /* for what is made at start: ca.pem; "": none */
        int ready_fd;                      /* tell of it here: the link's; -1: nobody waits */
        int stop_fd;                       /* end when this is readable: the link's; -1: none */
        struct loop_watch stop_watch;
        bool is_stopping;
        sigset_t
                mask_before; /* signals are held until they are caught, or there is nothing to leave behind */
        int status;
        struct muster_error error;
};

/* Do it all. Returns an exit status, after saying on standard error what went wrong. */
int lab_run(struct lab_run *run);

#endif
