/* SPDX-License-Identifier: MIT */
/*
 * The commands: each is given the arguments behind its name, and returns an exit status
 */
#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

#include "exit_status.h"

/* From a list of URLs to results. */
int fetch_main(int argc, char **argv);

/*
 * Somebody's program, unchanged, and why it is slow: the exit status is the program's where there
 * is one.
 */
int watch_main(int argc, char **argv);

/* From a record to why it took so long. */
int explain_main(int argc, char **argv);

/* The same requests one by one, by threads and by an event loop, honestly timed. */
int compare_main(int argc, char **argv);

/* Throughput and latency against concurrency, and the limit to use. */
int sweep_main(int argc, char **argv);

/*
 * The server with adjustable conditions, and a command run against it: the exit status is the
 * latter's where there is one.
 */
int lab_main(int argc, char **argv);

#endif
