/* SPDX-License-Identifier: MIT */
/*
 * Tables of programs that were watched: program.h as tables of a record's file
 *
 * Only a record of programs has them, so that others stay as small as they were. A column is a
 * member of a row's struct; numbers of rows are those of program.h, from 1, and 0 is NULL.
 */
#ifndef RECORD_PROGRAM_TABLE_H
#define RECORD_PROGRAM_TABLE_H

#include "program.h"
#include <sqlite3.h>

struct arena;
struct source;

/*
 * Make the tables and the view `calls`, and write all rows, in the present transaction. Returns
 * SQLite's code.
 */
int program_tables_write(sqlite3 *db, const struct programs *programs);

/*
 * Read them; a record without them leaves *programs zeroed. The texts are kept in the arena.
 * MUSTER_E_INPUT: it is damaged; MUSTER_E_RESOURCE. programs_deinit() is to be called in any case.
 */
int program_tables_read(struct source *source, struct arena *arena, struct programs *programs,
        struct muster_error *error);

#endif
