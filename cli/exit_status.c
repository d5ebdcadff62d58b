/* SPDX-License-Identifier: MIT */
#include "exit_status.h"

#include <stdio.h>

int error_tell(const struct muster_error *error)
{
        fprintf(stderr, "muster: %s\n", error->text);
        return error->code == MUSTER_E_INVALID ? EXIT_USAGE : EXIT_COULD_NOT_RUN;
}
