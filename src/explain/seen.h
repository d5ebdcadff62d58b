/* SPDX-License-Identifier: MIT */
/*
 * What the public face tells of programs that were watched: rows in terminated text, and their sums
 */
#ifndef EXPLAIN_SEEN_H
#define EXPLAIN_SEEN_H

#include <base/buf.h>
#include <muster/explain.h>
#include <record/record.h>

/* Zeroed: no program was watched. */
struct seen {
        struct muster_process *processes;
        size_t n_processes;
        struct muster_watched sums;
        struct buf texts; /* of the processes, each ended by a NUL */
};

/* MUSTER_E_RESOURCE. The record is not needed any more. */
int seen_init(struct seen *seen, const struct record *record);
void seen_deinit(struct seen *seen);

#endif
