/* SPDX-License-Identifier: MIT */
/*
 * How the command ends
 */
#ifndef CLI_EXIT_STATUS_H
#define CLI_EXIT_STATUS_H

#include <muster/error.h>

enum exit_status {
        EXIT_ALL_SUCCEEDED = 0,
        EXIT_SOME_FAILED = 1,
        EXIT_USAGE = 2,
        EXIT_COULD_NOT_RUN = 3,
        EXIT_ASSERTION_FAILED = 4, /* goes before EXIT_SOME_FAILED */
};

/*
 * Say on standard error what kept the command from running, or from running to its end. Returns the
 * status for that.
 */
int error_tell(const struct muster_error *error);

#endif
