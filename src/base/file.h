/* SPDX-License-Identifier: MIT */
/*
 * Small files that are read whole, and written whole or not at all
 */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include "buf.h"
#include <muster/error.h>
#include <stdbool.h>
#include <sys/stat.h>

#define FILE_NONE 1 /* there is no such file */

/* What a file that is not regular is: "a pipe", "a device". */
const char *file_kind(mode_t mode);

#define FILE_IS_ODD 1 /* it is not a regular file, and only those are wanted */

/*
 * Open a file to read it, in no time whatever it is: a pipe that nobody writes to, a terminal.
 * Reading never waits, but for the disk (EAGAIN). *ret_status is what it is, also with FILE_IS_ODD,
 * which leaves nothing open. Negative: a negative errno.
 */
int file_open(const char *path, bool takes_odd, int *ret_fd, struct stat *ret_status);

/*
 * Append a file's bytes. FILE_NONE. MUSTER_E_INPUT with *error if it cannot be read, MUSTER_E_TOO_LARGE
 * if it has more than `max_bytes`, MUSTER_E_RESOURCE.
 */
int file_load(const char *path, size_t max_bytes, struct buf *to, struct muster_error *error);

/*
 * Write a file in place of the one with this name, if there is one: by way of a new file beside it,
 * so that whoever looks sees the old bytes or the new ones, and a full disk changes nothing. A
 * symbolic link stays one. MUSTER_E_RESOURCE with *error.
 */
#define FILE_MODE_AS_IS ((mode_t)-1) /* as the old file's; of a new one 0600 */
int file_replace(const char *path, struct muster_str bytes, mode_t mode,
        struct muster_error *error);

#endif
