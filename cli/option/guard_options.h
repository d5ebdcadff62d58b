/* SPDX-License-Identifier: MIT */
/*
 * What may be reached, and what a list of requests may ask for
 */
#ifndef CLI_OPTION_GUARD_OPTIONS_H
#define CLI_OPTION_GUARD_OPTIONS_H

#include "request_options.h"

/* For settings that begin with a struct request_options. */
extern const struct option guard_option_table[];

/* All is parsed: what --untrusted-input stands for, and the lists for the client. */
void guard_options_finish(struct request_options *options);

/* Say on standard error what is dangerous. */
void guard_options_warn(const struct request_options *options);
void guard_options_deinit(struct request_options *options);

#endif
