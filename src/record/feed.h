/* SPDX-License-Identifier: MIT */
/*
 * Feed: rows in memory, as a table that SQLite can read
 *
 * A virtual table: "INSERT INTO attempt SELECT ... FROM feed" writes a whole batch in one
 * statement, about a third cheaper than a statement for each row. Its columns are c0, c1, ... for
 * integers, and `text`.
 */
#ifndef RECORD_FEED_H
#define RECORD_FEED_H

#include "batch.h"
#include <sqlite3.h>

/*
 * The rows that the next reading gives. Belongs to the one who made the connection, and outlives
 * it.
 */
struct feed {
        const struct batch *batch;
        enum row_kind kind;
        size_t from, to; /* rows [from, to); it ends before that ... */
        /* ... at the first row that has a value in a rare column, or at the first that has not */
        bool is_usual;
        size_t at; /* where it ended */
};

/* Add `feed` to a connection as a table named "feed". Returns SQLite's code. */
int feed_attach(sqlite3 *db, struct feed *feed);

#endif
