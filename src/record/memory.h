/* SPDX-License-Identifier: MIT */
/*
 * Memory: the newest rows, kept by the program itself
 *
 * With them a run can be explained when it is over, whether or not it was written to a file. Memory
 * is bounded. Attempts, connections, lookups and turns are rings. When there are too many samples,
 * every other one is dropped, so that they still cover the whole run. Each text is kept once, and
 * URLs only as numbers of paths.
 */
#ifndef RECORD_MEMORY_H
#define RECORD_MEMORY_H

#include "names.h"
#include "record.h"
#include "ring.h"
#include "row.h"
#include "totals.h"

/* the default: 15 MiB, and seconds of work for explain */
#define MEMORY_ATTEMPTS 50000
#define MEMORY_SAMPLES  8192

struct memory {
        struct ring rings[ROW_N_KINDS];
        struct arena *arena;
        struct names texts, paths;
        struct totals totals; /* of all attempts, kept or not */
        /* samples received, and one in how many of them is kept */
        uint64_t n_samples, sample_every;
        struct trace_sample last_sample; /* always kept */
        uint64_t n_dropped;              /* attempts for which there was no memory */
};

/* Keep up to `keep` attempts; 0: MEMORY_ATTEMPTS. MUSTER_E_RESOURCE: *memory is zeroed. */
int memory_init(struct memory *memory, uint64_t keep);
/* Zeroed is allowed; zeroed afterwards. */
void memory_deinit(struct memory *memory);

/* Keep a copy of a row whose moments count from the run's start. */
void memory_add(struct memory *memory, enum row_kind kind, const void *row);

/*
 * Copy rows, texts and paths to a zeroed record, in its order. MUSTER_E_RESOURCE. The caller calls
 * record_deinit() in any case.
 */
int memory_copy(const struct memory *memory, struct record *record);

/* Attempts that were dropped, or never kept. */
uint64_t memory_n_dropped(const struct memory *memory);

#endif
