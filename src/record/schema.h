/* SPDX-License-Identifier: MIT */
/*
 * Schema: the tables and views of a record's file; muster-record(5) describes them for users
 *
 * There is a table for each kind of row (row.h), four small ones, and views for people.
 * application_id and user_version in SQLite's header show that a file is a record, and of which
 * version. Within a version things are only added; changing a meaning makes a new version.
 */
#ifndef RECORD_SCHEMA_H
#define RECORD_SCHEMA_H

#include "row.h"
#include <sqlite3.h>

struct buf;

#define SCHEMA_APPLICATION_ID 0x4d555354 /* "MUST" */
#define SCHEMA_VERSION        2          /* 2 has `try` */

/*
 * Make tables and views, all or nothing, in the present transaction or one of its own. Returns
 * SQLite's code.
 */
int schema_create(sqlite3 *db);

/*
 * Append a statement, zero-terminated: "INSERT INTO attempt(number, ...) SELECT c0, ... FROM feed",
 * with all columns or only the usual ones; "SELECT number, ... FROM attempt ORDER BY number", with
 * the text behind the usual columns, and NULL for columns that the record is too old to have.
 * MUSTER_E_RESOURCE.
 */
int schema_insert_sql(enum row_kind kind, bool is_usual, struct buf *sql);
int schema_select_sql(sqlite3 *db, enum row_kind kind, struct buf *sql);

/* Is the record too old to have rows of this kind? */
bool schema_lacks(sqlite3 *db, enum row_kind kind);

#endif
