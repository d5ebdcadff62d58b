/* SPDX-License-Identifier: MIT */
#include "source.h"

#include "file.h"
#include <assert.h>
#include <base/error.h>
#include <base/mem.h>
#include <errno.h>

#define BUSY_MS 5000 /* somebody may be writing the file */

/*
 * A bound of the work for reading a file, by its size: SQLite's machine makes less than one step
 * for a byte. With a damaged file it could run for ever.
 */
#define STEPS_PER_BYTE  16
#define STEPS_AT_LEAST  4000000
#define STEPS_PER_ROUND 100000
/* the longest text is the command: as long as a system allows, quoted */
#define TEXT_BYTES_MAX (16 * 1024 * 1024)

/* --- what went wrong ------------------------------------------------------------------------- */

static int refuse_record(struct muster_error *error, int sys, const char *path, const char *why)
{
        return error_set(error, MUSTER_E_INPUT, MUSTER_PHASE_QUEUE, sys, "input: %s %s", path, why);
}

static int refuse_empty(struct muster_error *error, const char *path)
{
        return refuse_record(error, 0, path, "is empty: the run ended before it began to record");
}

int source_damaged(struct source *source, const char *why, struct muster_error *error)
{
        return error_set(error, MUSTER_E_INPUT, MUSTER_PHASE_QUEUE, 0,
                "input: the record %s is damaged (%s): what is left of it can be read with sqlite3 %s .recover; record the run again",
                source->path, why, source->path);
}

static int fail_sqlite(struct source *source, int code, struct muster_error *error)
{
        switch (code & 0xff) {
        case SQLITE_NOMEM:
                return error_set_memory(error, MUSTER_PHASE_QUEUE);
        case SQLITE_BUSY:
        case SQLITE_LOCKED:
                return refuse_record(error, 0, source->path,
                        "is locked by the program that writes it; try again when the run is over");
        case SQLITE_CANTOPEN:
        case SQLITE_READONLY:
        case SQLITE_PERM:
                return refuse_record(error, 0, source->path,
                        "was left by a killed program and must be repaired, but it or its directory is not writable; copy it and its -journal file to a directory that you can write to");
        case SQLITE_IOERR:
                return error_set(error, MUSTER_E_INPUT, MUSTER_PHASE_QUEUE,
                        sqlite3_system_errno(source->db), "input: %s cannot be read: %s",
                        source->path, error_sys_text(sqlite3_system_errno(source->db)));
        default:
                return source_damaged(source, sqlite3_errmsg(source->db), error);
        }
}

static int judge_look(const char *path, const struct file_look *look, struct muster_error *error)
{
        switch (look->kind) {
        case FILE_RECORD:
                return 0;
        case FILE_MISSING:
                return refuse_record(error, ENOENT, path,
                        "does not exist; record a run first with muster fetch --record");
        case FILE_UNREADABLE:
                return error_set(error, MUSTER_E_INPUT, MUSTER_PHASE_QUEUE, look->sys,
                        "input: %s cannot be read: %s", path, error_sys_text(look->sys));
        case FILE_EMPTY:
                return refuse_empty(error, path);
        case FILE_OTHER:
                return refuse_record(error, 0, path,
                        "is not a muster record; give the file that muster fetch --record wrote");
        case FILE_SQLITE:
                return refuse_record(error, 0, path,
                        "is an SQLite database but not a muster record; give the file that muster fetch --record wrote");
        case FILE_NEWER:
                return error_set(error, MUSTER_E_INPUT, MUSTER_PHASE_QUEUE, 0,
                        "input: %s was recorded by a newer version of muster (format %u): explain it with that version",
                        path, look->version);
        case FILE_CUT:
                return error_set(error, MUSTER_E_INPUT, MUSTER_PHASE_QUEUE, 0,
                        "input: %s is cut off: it has %llu of %llu bytes; copy it again, or record the run again",
                        path, (unsigned long long)look->bytes,
                        (unsigned long long)look->full_bytes);
        }
        return MUSTER_E_INTERNAL;
}

/* --- opening --------------------------------------------------------------------------------- */

/* Open the file. One that is read-only can be read, unless it must be repaired. */
static int open_as(struct source *source, const char *path, int flags)
{
        int r = sqlite3_open_v2(path, &source->db, flags | SQLITE_OPEN_NOMUTEX, NULL);

        if (r != SQLITE_OK) {
                sqlite3_close(source->db);
                source->db = NULL;
        }
        return r;
}

static void distrust(sqlite3 *db)
{
        sqlite3_busy_timeout(db, BUSY_MS);
        sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
        sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
        sqlite3_limit(db, SQLITE_LIMIT_LENGTH, TEXT_BYTES_MAX);
        sqlite3_exec(db, "PRAGMA cell_size_check = ON", NULL, NULL, NULL);
}

/* Refuse views in place of a record's tables: reading one could take any time. */
static int allow_tables_only(void *data, int action, const char *table, const char *column,
        const char *db, const char *view)
{
        (void)data, (void)action, (void)table, (void)column, (void)db;
        return view ? SQLITE_DENY : SQLITE_OK;
}

static int may_go_on(void *data)
{
        struct source *source = data;

        if (!source->n_rounds_left)
                return 1; /* stop */
        source->n_rounds_left--;
        return 0;
}

static int measure_size(struct source *source, struct muster_error *error)
{
        sqlite3_stmt *statement = NULL;
        int r = source_prepare(source,
                "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size",
                &statement, error);

        if (r == 0)
                r = source_step(source, statement, error);
        if (r == 0)
                source->bytes = (uint64_t)sqlite3_column_int64(statement, 0);
        sqlite3_finalize(statement);
        /* An unfinished beginning was rolled back: see store.c. */
        return r == 0 && !source->bytes ? refuse_empty(error, source->path) : r;
}

static void set_bounds(struct source *source)
{
        assert(source->bytes > 0);
        source->n_rounds_left = (STEPS_AT_LEAST + source->bytes * STEPS_PER_BYTE) / STEPS_PER_ROUND;
        sqlite3_progress_handler(source->db, STEPS_PER_ROUND, may_go_on, source);
        sqlite3_set_authorizer(source->db, allow_tables_only, NULL);
}

static int open_database(struct source *source, const char *file, struct muster_error *error)
{
        int r = open_as(source, file, SQLITE_OPEN_READWRITE);

        if (r != SQLITE_OK)
                r = open_as(source, file, SQLITE_OPEN_READONLY);
        if (r != SQLITE_OK)
                return r == SQLITE_NOMEM
                               ? error_set_memory(error, MUSTER_PHASE_QUEUE)
                               : refuse_record(error, 0, source->path, "cannot be opened");
        distrust(source->db);
        r = sqlite3_exec(source->db, "BEGIN; SELECT count(*) FROM sqlite_schema", NULL, NULL, NULL);
        if (r != SQLITE_OK)
                return fail_sqlite(source, r, error);
        r = measure_size(source, error);
        if (r == 0)
                set_bounds(source);
        return r;
}

int source_open(struct source *source, const char *path, struct muster_error *error)
{
        char *file = file_path(path);
        struct file_look look;
        int r;

        *source = (struct source){ 0 };
        if (!file)
                return error_set_memory(error, MUSTER_PHASE_QUEUE);
        source->path = path;
        file_look(file, &look);
        r = judge_look(path, &look, error);
        if (r == 0)
                r = open_database(source, file, error);
        if (r < 0)
                source_close(source);
        mem_free(file);
        return r;
}

void source_close(struct source *source)
{
        sqlite3_close(source->db);
        *source = (struct source){ 0 };
}

/* --- reading --------------------------------------------------------------------------------- */

int source_prepare(struct source *source, const char *sql, sqlite3_stmt **ret_statement,
        struct muster_error *error)
{
        int r = sqlite3_prepare_v2(source->db, sql, -1, ret_statement, NULL);

        assert(source->db);
        return r == SQLITE_OK ? 0 : fail_sqlite(source, r, error);
}

int source_step(struct source *source, sqlite3_stmt *statement, struct muster_error *error)
{
        int r = sqlite3_step(statement);

        assert(statement);
        if (r == SQLITE_ROW)
                return 0;
        return r == SQLITE_DONE ? SOURCE_END : fail_sqlite(source, r, error);
}

/* Each question about a column has the statement looked at anew; a value is asked without that. */
int64_t source_integer(sqlite3_stmt *statement, int n, bool *is_good)
{
        sqlite3_value *value = sqlite3_column_value(statement, n);
        int type = sqlite3_value_type(value);
        int64_t number;

        if (type == SQLITE_NULL)
                return ROW_NULL;
        number = sqlite3_value_int64(value);
        if (type == SQLITE_INTEGER || number != 0)
                return number;
        *is_good = false;
        return ROW_NULL;
}

struct muster_str source_text(sqlite3_stmt *statement, int n)
{
        const char *at = (const char *)sqlite3_column_text(statement, n);

        return at ? (struct muster_str){ at, (size_t)sqlite3_column_bytes(statement, n) }
                  : (struct muster_str){ "", 0 };
}

/*
 * Has the text no blanks or control characters? No name, address or URL of a run has any, and these
 * texts are shown to people.
 */
static bool is_clean(struct muster_str text)
{
        for (size_t i = 0; i < text.len; i++)
                if ((unsigned char)text.at[i] <= 0x20 || (unsigned char)text.at[i] >= 0x7f)
                        return false;
        return true;
}

int source_row(struct source *source, enum row_kind kind, sqlite3_stmt *statement, void *ret_row,
        struct muster_str *ret_text, struct muster_error *error)
{
        const struct row_type *type = row_types[kind];
        int64_t values[ROW_VALUES_MAX];
        bool is_good = true, has_text = type->text_column;

        assert(type->n_columns <= ROW_VALUES_MAX);
        for (size_t i = 0; i < type->n_columns; i++)
                values[i] = source_integer(statement,
                        (int)(i < type->n_usual || !has_text ? i : i + 1), &is_good);
        if (!is_good || !type->get(values, ret_row))
                return source_damaged(source, type->table, error);
        if (!has_text)
                return 0;
        *ret_text = source_text(statement, (int)type->n_usual);
        return is_clean(*ret_text) ? 0 : source_damaged(source, type->table, error);
}

bool source_is_being_written(const struct source *source)
{
        sqlite3_file *file = NULL;
        int is_reserved = 0;

        if (sqlite3_file_control(source->db, "main", SQLITE_FCNTL_FILE_POINTER, &file) == SQLITE_OK)
                file->pMethods->xCheckReservedLock(file, &is_reserved);
        return is_reserved;
}
