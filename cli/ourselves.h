/* SPDX-License-Identifier: MIT */
/*
 * Where this program is
 */
#ifndef CLI_OURSELVES_H
#define CLI_OURSELVES_H

#include <limits.h>
#include <stdbool.h>

/*
 * As the kernel was told of it; where there is no /proc, as the one who started it had it. To be
 * asked before mounts or the root are changed: the answer is for those that were there before.
 */
bool ourselves_path(char path[PATH_MAX]);

/* The same without the file's name: "/usr/bin". */
bool ourselves_folder(char path[PATH_MAX]);

#endif
