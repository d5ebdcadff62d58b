/* SPDX-License-Identifier: MIT */
/*
 * Header fields: -H, and the options that are fields by another name
 */
#ifndef CLI_OPTION_HEADER_OPTIONS_H
#define CLI_OPTION_HEADER_OPTIONS_H

#include "request_options.h"

/* For settings that begin with a struct request_options. */
int header_options_set(void *settings, const struct option *option, const char *value,
        struct muster_error *error);
int header_options_set_range(void *settings, const struct option *option, const char *value,
        struct muster_error *error);
int header_options_set_referer(void *settings, const struct option *option, const char *value,
        struct muster_error *error);

/*
 * Add each line of a file that is not empty: header fields of "-H @FILE". MUSTER_E_INPUT,
 * MUSTER_E_RESOURCE with *error.
 */
int header_options_add_lines(struct request_options *options, struct texts *to, const char *path,
        struct muster_error *error);

#endif
