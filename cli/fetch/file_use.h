/* SPDX-License-Identifier: MIT */
/*
 * The files that a run names, and that no two of them may be the same
 *
 * A list that is overwritten by its results, a record that is the cookie jar, too: what one option
 * writes another would lose. So all names are held against each other before anything is opened:
 * by device and inode, whatever they are called, and a file that is still to be made by its folder
 * and name. Devices, pipes and terminals have nothing to lose, and may be named as often as wanted.
 */
#ifndef CLI_FETCH_FILE_USE_H
#define CLI_FETCH_FILE_USE_H

#include "../output/body_files.h"
#include "options.h"

struct file_use {
        const char *what; /* "the output (-o)" */
        const char *path; /* "-": standard input, or standard output where it is written */
        bool is_written;
        bool is_results;
        bool is_cookies; /* one file can carry them from run to run: -b and --cookie-jar */
};

/*
 * Is one that is written named twice? MUSTER_E_INVALID with *error saying by which two;
 * MUSTER_E_RESOURCE.
 */
int file_uses_check(const struct file_use *uses, size_t n, struct muster_error *error);

/* The same for all files of a run's options. */
int fetch_check_files(const struct fetch_options *options, struct muster_error *error);

/*
 * All is open: no body may take the place of one of these files. MUSTER_E_RESOURCE with *error.
 */
int fetch_guard_files(const struct fetch_options *options, struct body_files *body_files,
        struct muster_error *error);

#endif
