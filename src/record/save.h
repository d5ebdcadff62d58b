/* SPDX-License-Identifier: MIT */
/*
 * Saving a record that was made in memory
 */
#ifndef RECORD_SAVE_H
#define RECORD_SAVE_H

#include "counters.h"
#include "record.h"

/*
 * Write a record to a file, which is created; an existing record is replaced only with `overwrite`.
 * Its attempts have their `url`. MUSTER_E_RESOURCE with *error: it cannot be written.
 */
int record_save(const struct record *record, const struct counters *before,
        const struct counters *after, const char *path, bool overwrite, struct muster_error *error);

#endif
