/* SPDX-License-Identifier: MIT */
/*
 * The way to the servers: proxies, other addresses, sockets in the file system
 */
#ifndef CLI_OPTION_WAY_OPTIONS_H
#define CLI_OPTION_WAY_OPTIONS_H

#include "request_options.h"

/* For settings that begin with a struct request_options. */
extern const struct option way_option_table[];

/* All is parsed: put the lists into the client's options. */
void way_options_finish(struct request_options *options);

/* Say on standard error what is dangerous. */
void way_options_warn(const struct request_options *options);
void way_options_deinit(struct request_options *options);

#endif
