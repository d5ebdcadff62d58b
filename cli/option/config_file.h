/* SPDX-License-Identifier: MIT */
/*
 * Options from a file: -K, as curl reads it
 *
 *      # a comment
 *      url = "https://example.com/a b"      a long name without dashes, "=" or ":"
 *      --max-time 10                        with dashes, as on the command line
 *      -f
 *
 * One option a line. A value with white space is in double quotes, in which \\, \", \t, \n, \r and
 * \v mean what they do in C, and a backslash before anything else is ignored.
 */
#ifndef CLI_OPTION_CONFIG_FILE_H
#define CLI_OPTION_CONFIG_FILE_H

#include "option.h"
#include <base/buf.h>

/* What lines become, and where their text lives. */
struct config_file {
        const struct option *const *tables;
        void *settings;
        /* Keep the text of a line, which settings may point to, as long as they do. */
        int (*keep)(void *settings, char *take_text);
};

/*
 * Read the options of a file; "-" is standard input. MUSTER_E_INVALID with *error naming file and
 * line; MUSTER_E_INPUT, MUSTER_E_RESOURCE.
 */
int config_file_read(const struct config_file *config, const char *path,
        struct muster_error *error);

#endif
