/* SPDX-License-Identifier: MIT */
/*
 * An output written anew, with one line for each number
 *
 * The new file is made beside the old one under a name of its own (.NAME.muster), brought to the
 * disk, and takes the old one's place in one step. Killed before, nothing has changed, and the next
 * run removes what was begun: that it is not another run's is known by the lock on the output.
 */
#ifndef CLI_RESUME_REWRITE_H
#define CLI_RESUME_REWRITE_H

#include <muster/error.h>
#include <stdbool.h>

/*
 * `fd` is the output at `path`, open for reading, of whole lines that are results. `is_in_order`: the
 * new one's lines are in the order of their numbers. MUSTER_E_RESOURCE with *error.
 */
int rewrite_output(const char *path, int fd, bool is_in_order, struct muster_error *error);

#endif
