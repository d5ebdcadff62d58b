/* SPDX-License-Identifier: MIT */
/*
 * Bodies as files in a directory: 000017.body for the 17th input item
 *
 * A file is written under a temporary name and renamed, so that one of the final name is always whole.
 */
#ifndef CLI_OUTPUT_BODY_DIR_H
#define CLI_OUTPUT_BODY_DIR_H

#include <base/buf.h>

/* Make the directory if it is not there. MUSTER_E_RESOURCE with *error. */
int body_dir_open(const char *path, int *ret_fd, struct muster_error *error);

/* Write a body and put the file's name, without the directory, into `name`. MUSTER_E_RESOURCE with *error naming the file. */
int body_dir_write(int dir_fd, uint64_t n, struct muster_str body, char name[32],
                   struct muster_error *error);

#endif
