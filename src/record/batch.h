/* SPDX-License-Identifier: MIT */
/*
 * Batch: rows on their way from the loop's thread to the writer's
 *
 * Room for a number of rows of each kind and their texts, allocated once and reused. One thread
 * adds rows. Another one may at the same time read the rows that were there when it asked for their
 * number: a counted row never changes.
 *
 *      │ attempt │ attempt │ attempt ─▶            ◀─ text │ text │ text │
 *
 * The most frequent rows share their room with the texts, so that a batch is used up whether URLs
 * are short or long.
 */
#ifndef RECORD_BATCH_H
#define RECORD_BATCH_H

#include "row.h"
#include <base/list.h>
#include <core/trace.h>
#include <stdatomic.h>

/* One transaction's worth of rows: with a quarter of it an attempt costs a tenth more. */
#define BATCH_ATTEMPTS 4096
/* origins, lookups, connections, tries: a crawl has one of each for an attempt */
#define BATCH_HOSTS      1024
#define BATCH_OTHERS     128
#define BATCH_TEXT_BYTES (512 * 1024) /* at least, and more than the longest URL */
#define BATCH_ROOM_BYTES (BATCH_ATTEMPTS * sizeof(struct trace_attempt) + BATCH_TEXT_BYTES)

struct batch {
        struct list link;
        _Atomic size_t n[ROW_N_KINDS];
        size_t n_written[ROW_N_KINDS]; /* used by the writer */
        size_t text_len;               /* of the texts at the end of the room */
        union {
                struct trace_attempt attempts[BATCH_ATTEMPTS];
                char bytes[BATCH_ROOM_BYTES];
        } room;
        struct trace_conn conns[BATCH_HOSTS];
        struct trace_try tries[BATCH_HOSTS];
        struct trace_origin origins[BATCH_HOSTS];
        struct trace_lookup lookups[BATCH_HOSTS];
        struct trace_turn turns[BATCH_OTHERS];
        struct trace_sample samples[BATCH_OTHERS];
};

static inline struct batch *batch_of_link(struct list *link)
{
        return LIST_OWNER(link, struct batch, link);
}

/* Empty a batch that nobody else uses. */
void batch_reset(struct batch *batch);

/* Copy a row and its text. False: it does not fit any more. */
bool batch_add(struct batch *batch, enum row_kind kind, const void *row);

/* How many rows of this kind may be read, and the `index`-th of them. */
size_t batch_n(const struct batch *batch, enum row_kind kind);
const void *batch_row(const struct batch *batch, enum row_kind kind, size_t index);

/* Are there rows that were not written yet? */
bool batch_has_news(const struct batch *batch);

#endif
