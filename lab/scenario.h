/* SPDX-License-Identifier: MIT */
/*
 * A whole set-up in one text file
 *
 *      # A small accept queue
 *      about   SYNs are dropped while the queue is full
 *      backlog 2
 *      accept-interval 50ms
 *      run     muster fetch -c 50 {lab}/plain
 *
 * One setting a line (config.h): its name, blanks, its value. Empty lines and those that begin with
 * "#" are skipped.
 */
#ifndef LAB_SCENARIO_H
#define LAB_SCENARIO_H

#include "config.h"

#define SCENARIO_BYTES_MAX (1024 * 1024)

/*
 * Apply a scenario file. MUSTER_E_INVALID, MUSTER_E_INPUT, MUSTER_E_RESOURCE with *error naming
 * file and line.
 */
int scenario_read(const char *file, struct lab_config *config, struct muster_error *error);

/* The same for a text; `file` is what errors call it. */
int scenario_parse(const char *file, struct muster_str text, struct lab_config *config,
        struct muster_error *error);

#endif
