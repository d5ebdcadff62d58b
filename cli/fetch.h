/* SPDX-License-Identifier: MIT */
/*
 * muster fetch: from a list of URLs to results
 */
#ifndef CLI_FETCH_H
#define CLI_FETCH_H

enum exit_status {
        EXIT_ALL_SUCCEEDED = 0,
        EXIT_SOME_FAILED = 1,
        EXIT_USAGE = 2,
        EXIT_COULD_NOT_RUN = 3,
};

/* The arguments behind "fetch". Returns an exit status. */
int fetch_main(int argc, char **argv);

#endif
