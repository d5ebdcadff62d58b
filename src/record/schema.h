/* SPDX-License-Identifier: MIT */
/*
 * What a record's file looks like; described for its users in muster-record(5)
 *
 * A table for each kind of row (row.h), four small ones beside them, and views for people. application_id and user_version in
 * SQLite's header tell that it is a record, and of which version. A version only adds; what changes the meaning of something is a new one.
 */
#ifndef RECORD_SCHEMA_H
#define RECORD_SCHEMA_H

#include "row.h"
#include <sqlite3.h>

#define SCHEMA_APPLICATION_ID 0x4d555354 /* "MUST" */
#define SCHEMA_VERSION        1

/* Make tables and views, all or nothing. Returns SQLite's code. */
int schema_create(sqlite3 *db);

/* "INSERT INTO attempt SELECT ... FROM feed", "SELECT number, ... FROM attempt ORDER BY number"; terminated. MUSTER_E_RESOURCE. */
struct buf;
int schema_insert_sql(enum row_kind kind, bool is_usual, struct buf *sql);
int schema_select_sql(enum row_kind kind, struct buf *sql);

#endif
