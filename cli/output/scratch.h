/* SPDX-License-Identifier: MIT */
/*
 * Scratch: a hidden folder for files that are not whole yet, beside those that are
 *
 *      out/.muster-1000/x7Kd9q/17     user 1000, one run, the body of the 17th item
 *
 * A run holds a lock on its folder (flock) for as long as it lives, however it ends. So the next
 * run can tell what a killed one left behind from what is in use, and removes that: nothing but
 * files of the names that we give, in folders of ours.
 */
#ifndef CLI_OUTPUT_SCRATCH_H
#define CLI_OUTPUT_SCRATCH_H

#include <muster/error.h>
#include <stddef.h>
#include <stdint.h>

/* Zeroed is none. */
struct scratch {
        char *folder; /* of this user; with its slash */
        char *path;   /* of this run; with its slash */
        int fd;       /* of it, with the lock */
};

/*
 * In `directory`, which ends with a slash. Removes what killed runs left there. MUSTER_E_RESOURCE
 * with *error.
 */
int scratch_open(struct scratch *scratch, const char *directory, struct muster_error *error);

/* Remove it, with what is in it. */
void scratch_close(struct scratch *scratch);

/* The path of the file for an item. */
void scratch_file(const struct scratch *scratch, uint64_t n, char *path, size_t size);

#endif
