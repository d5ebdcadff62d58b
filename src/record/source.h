/* SPDX-License-Identifier: MIT */
/*
 * Source: a record's file while it is being read
 *
 * A file may come from anywhere: nothing in it is believed, and each way in which it may be wrong
 * has its own words.
 */
#ifndef RECORD_SOURCE_H
#define RECORD_SOURCE_H

#include "row.h"
#include <sqlite3.h>

struct source {
        sqlite3 *db;
        const char *path;       /* borrowed: for messages */
        uint64_t bytes;         /* of the database */
        uint64_t n_rounds_left; /* of SQLite's work; see source.c */
};

/*
 * Open a record, in one transaction. It stays where it is until source_close(). MUSTER_E_INPUT when
 * it is none, MUSTER_E_RESOURCE; *error says it. *source is zeroed then.
 */
int source_open(struct source *source, const char *path, struct muster_error *error);
/* Zeroed is allowed; zeroed afterwards. */
void source_close(struct source *source);

/* Does somebody have the file reserved for writing, as a store does until its run is over? */
bool source_is_being_written(const struct source *source);

/* A statement, to be finalised. As above. */
int source_prepare(struct source *source, const char *sql, sqlite3_stmt **ret_statement,
        struct muster_error *error);

/* The next row of a statement. SOURCE_END: there is none. As above. */
enum source_condition { SOURCE_END = 1 };
int source_step(struct source *source, sqlite3_stmt *statement, struct muster_error *error);

/*
 * A row of schema_select_sql(), into zeroed memory; its text, if it has one, is borrowed until the
 * next step. As above.
 */
int source_row(struct source *source, enum row_kind kind, sqlite3_stmt *statement, void *ret_row,
        struct muster_str *ret_text, struct muster_error *error);

/* "The record is damaged" and what to do. Returns MUSTER_E_INPUT. */
int source_damaged(struct source *source, const char *why, struct muster_error *error);

/* An integer of the row; ROW_NULL when it is NULL. What is no integer clears *is_good. */
int64_t source_integer(sqlite3_stmt *statement, int n, bool *is_good);
/* A text of the row, borrowed until the next step; empty when it is NULL. */
struct muster_str source_text(sqlite3_stmt *statement, int n);

#endif
