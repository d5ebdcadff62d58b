/* SPDX-License-Identifier: MIT */
/*
 * Source: a record's file while it is being read
 *
 * A file may come from anywhere: nothing in it is trusted, and each way in which it may be wrong
 * has its own message.
 */
#ifndef RECORD_SOURCE_H
#define RECORD_SOURCE_H

#include "row.h"
#include <sqlite3.h>

struct source {
        sqlite3 *db;
        const char *path;       /* for messages; borrowed */
        uint64_t bytes;         /* of the database */
        uint64_t n_rounds_left; /* of SQLite's work that are allowed; see source.c */
};

/*
 * Open a record, in one transaction. The struct must not move until source_close(). MUSTER_E_INPUT
 * if it is no record, MUSTER_E_RESOURCE, with *error; *source is zeroed then.
 */
int source_open(struct source *source, const char *path, struct muster_error *error);
/* Zeroed is allowed; zeroed afterwards. */
void source_close(struct source *source);

/* Has somebody reserved the file for writing, as a store does until its run is over? */
bool source_is_being_written(const struct source *source);

/* Prepare a statement, which the caller must finalise. Errors as above. */
int source_prepare(struct source *source, const char *sql, sqlite3_stmt **ret_statement,
        struct muster_error *error);

/* Step to the next row of a statement. SOURCE_END: there is none. Errors as above. */
enum source_condition { SOURCE_END = 1 };
int source_step(struct source *source, sqlite3_stmt *statement, struct muster_error *error);

/*
 * Read a row of schema_select_sql() into zeroed memory. Its text, if it has one, is borrowed until
 * the next step. Errors as above.
 */
int source_row(struct source *source, enum row_kind kind, sqlite3_stmt *statement, void *ret_row,
        struct muster_str *ret_text, struct muster_error *error);

/* Set the error for a damaged record. Returns MUSTER_E_INPUT. */
int source_damaged(struct source *source, const char *why, struct muster_error *error);

/* An integer of the row; ROW_NULL if it is NULL. Any other type clears *is_good. */
int64_t source_integer(sqlite3_stmt *statement, int n, bool *is_good);
/* A text of the row, borrowed until the next step; empty if it is NULL. */
struct muster_str source_text(sqlite3_stmt *statement, int n);

#endif
