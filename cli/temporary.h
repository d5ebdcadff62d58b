/* SPDX-License-Identifier: MIT */
/*
 * Files and folders that are gone when the program is: in TMPDIR, or in /tmp
 */
#ifndef CLI_TEMPORARY_H
#define CLI_TEMPORARY_H

#include <muster/error.h>

#define TEMPORARY_PATH_MAX 240

/*
 * A file without a name, for reading and writing; children inherit the descriptor.
 * MUSTER_E_RESOURCE with *error.
 */
int temporary_file(struct muster_error *error);

/*
 * What such a file is called as long as the descriptor is open, to be opened anew from its
 * beginning. Returns `path`.
 */
const char *temporary_file_path(int fd, char path[32]);

/*
 * A new folder, to be removed by the caller. MUSTER_E_RESOURCE with *error; `path` is empty then.
 */
int temporary_folder(char path[TEMPORARY_PATH_MAX], struct muster_error *error);

#endif
