/* SPDX-License-Identifier: MIT */
/*
 * Memory: the newest rows, kept by the program itself
 *
 * So that a run can be explained when it is over, whether or not it was written to a file. Bounded:
 * attempts, connections, lookups and turns are rings; of samples every other one is let go when
 * there are too many, so that they still cover the whole run. Texts are kept once each, URLs only
 * as numbers of paths.
 */
#ifndef RECORD_MEMORY_H
#define RECORD_MEMORY_H

#include "names.h"
#include "record.h"
#include "ring.h"
#include "row.h"
#include "totals.h"

/* unless told otherwise: 15 MiB, and seconds of work for whoever explains them */
#define MEMORY_ATTEMPTS 50000
#define MEMORY_SAMPLES  8192

struct memory {
        struct ring rings[ROW_N_KINDS];
        struct arena *arena;
        struct names texts, paths;
        struct totals totals;             /* of all attempts, kept or not */
        uint64_t n_samples, sample_every; /* told of; and which of these are kept */
        struct trace_sample last_sample;  /* always is */
        uint64_t n_dropped;               /* attempts that there was no memory for */
};

/* `keep` attempts; 0: MEMORY_ATTEMPTS. MUSTER_E_RESOURCE: *memory is zeroed. */
int memory_init(struct memory *memory, uint64_t keep);
/* Zeroed is allowed; zeroed afterwards. */
void memory_deinit(struct memory *memory);

/* Keep a copy of a row whose moments are those of the run. */
void memory_add(struct memory *memory, enum row_kind kind, const void *row);

/*
 * Copy rows, texts and paths to a zeroed record, in its order. MUSTER_E_RESOURCE; record_deinit()
 * is the caller's in any case.
 */
int memory_copy(const struct memory *memory, struct record *record);

/* Attempts that are not there any more, or never were. */
uint64_t memory_n_dropped(const struct memory *memory);

#endif
