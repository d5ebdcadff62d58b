/* SPDX-License-Identifier: MIT */
/*
 * How the command ends
 */
#ifndef CLI_EXIT_STATUS_H
#define CLI_EXIT_STATUS_H

enum exit_status {
        EXIT_ALL_SUCCEEDED = 0,
        EXIT_SOME_FAILED = 1,
        EXIT_USAGE = 2,
        EXIT_COULD_NOT_RUN = 3,
        EXIT_ASSERTION_FAILED = 4, /* goes before EXIT_SOME_FAILED */
};

#endif
