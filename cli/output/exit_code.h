/* SPDX-License-Identifier: MIT */
/*
 * The exit status that curl has for an error: for %{exitcode}, which scripts know
 */
#ifndef CLI_OUTPUT_EXIT_CODE_H
#define CLI_OUTPUT_EXIT_CODE_H

#include <muster/error.h>

/* NULL is success: 0. */
unsigned exit_code_of(const struct muster_error *error);

#endif
