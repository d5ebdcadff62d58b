/* SPDX-License-Identifier: MIT */
/*
 * Options that have to do with an explanation, of `muster explain` and of `muster fetch`
 */
#ifndef CLI_EXPLAIN_OPTIONS_H
#define CLI_EXPLAIN_OPTIONS_H

#include "../option/option.h"
#include "assertion.h"
#include "confirm.h"

struct explain_options {
        struct assertions assertions;
        struct confirm_options confirm;
};

void explain_options_deinit(struct explain_options *options);

/* Setters; `offset` is that of the member assertions, or that of n_rounds. */
int explain_options_add_assertion(void *settings, const struct option *option, const char *value,
        struct muster_error *error);
int explain_options_set_rounds(void *settings, const struct option *option, const char *value,
        struct muster_error *error);

#endif
