/* SPDX-License-Identifier: MIT */
/*
 * "-" where an option takes a file: standard input, or standard output
 */
#ifndef CLI_OPTION_STANDARD_H
#define CLI_OPTION_STANDARD_H

#include <stdbool.h>
#include <string.h>

static inline bool path_is_standard(const char *path)
{
        return strcmp(path, "-") == 0;
}

#endif
