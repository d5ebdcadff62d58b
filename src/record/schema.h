/* SPDX-License-Identifier: MIT */
/*
 * What a record's file looks like; described for its users in muster-record(5)
 *
 * A table for each kind of row (row.h), four small ones beside them, and views for people.
 * application_id and user_version in SQLite's header tell that it is a record, and of which
 * version. A version only adds; what changes the meaning of something is a new one.
 */
#ifndef RECORD_SCHEMA_H
#define RECORD_SCHEMA_H

#include "row.h"
#include <sqlite3.h>

struct buf;

#define SCHEMA_APPLICATION_ID 0x4d555354 /* "MUST" */
#define SCHEMA_VERSION        1

/*
 * Make tables and views, all or nothing, in the transaction that there is or one of its own.
 * Returns SQLite's code.
 */
int schema_create(sqlite3 *db);

/*
 * Statements, terminated: "INSERT INTO attempt(number, ...) SELECT c0, ... FROM feed", of all
 * columns or of the usual ones alone; "SELECT number, ... FROM attempt ORDER BY number", with the
 * text behind the usual ones; NULL in place of a column that came later than the record that is
 * read. MUSTER_E_RESOURCE.
 */
int schema_insert_sql(enum row_kind kind, bool is_usual, struct buf *sql);
int schema_select_sql(sqlite3 *db, enum row_kind kind, struct buf *sql);

#endif
