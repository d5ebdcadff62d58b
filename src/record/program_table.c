/* SPDX-License-Identifier: MIT */
#include "program_table.h"

#include "row.h"
#include "source.h"
#include <assert.h>
#include <base/arena.h>
#include <base/buf.h>
#include <base/mem.h>
#include <stddef.h>
#include <stdio.h>

#define ROW_BYTES_MIN 6 /* as in reader.c */

enum column_kind { COLUMN_U64, COLUMN_U32, COLUMN_I32, COLUMN_U8, COLUMN_BOOL, COLUMN_TEXT };

struct column {
        const char *name; /* NULL ends the list */
        enum column_kind kind;
        size_t at;
        uint64_t max;
};

struct table {
        const char *name;
        const struct column *columns;
        size_t size;    /* of a row's struct */
        size_t rows_at; /* the array in struct programs, and its length */
        size_t n_at;
};

/* --- the tables ------------------------------------------------------------------------------- */

#define NUMBER(type, name, member)                                                                 \
        {                                                                                          \
                name, COLUMN_U64, offsetof(struct type, member), INT64_MAX                         \
        }
#define NS(type, name, member)                                                                     \
        {                                                                                          \
                name, COLUMN_U64, offsetof(struct type, member), ROW_NS_MAX                        \
        }
#define SMALL(type, name, member)                                                                  \
        {                                                                                          \
                name, COLUMN_U32, offsetof(struct type, member), UINT32_MAX                        \
        }
#define PID(type, name, member)                                                                    \
        {                                                                                          \
                name, COLUMN_I32, offsetof(struct type, member), INT32_MAX                         \
        }
#define BYTE(type, name, member, max)                                                              \
        {                                                                                          \
                name, COLUMN_U8, offsetof(struct type, member), max                                \
        }
#define FLAG(type, name, member)                                                                   \
        {                                                                                          \
                name, COLUMN_BOOL, offsetof(struct type, member), 1                                \
        }
#define TEXT(type, name, member)                                                                   \
        {                                                                                          \
                name, COLUMN_TEXT, offsetof(struct type, member), 0                                \
        }

static const struct column process_columns[] = {
        PID(program_process, "pid", pid),
        PID(program_process, "ppid", ppid),
        NS(program_process, "start_ns", start_ns),
        NS(program_process, "end_ns", end_ns),
        NS(program_process, "cpu_ns", cpu_ns),
        SMALL(program_process, "unseen", unseen),
        SMALL(program_process, "threads", n_threads),
        SMALL(program_process, "served", n_served),
        TEXT(program_process, "exe", exe),
        TEXT(program_process, "words", words),
        TEXT(program_process, "language", language),
        TEXT(program_process, "libraries", libraries),
        TEXT(program_process, "loop", loop),
        { 0 },
};

static const struct column site_columns[] = {
        TEXT(program_site, "file", file),
        SMALL(program_site, "line", line),
        TEXT(program_site, "function", function),
        { 0 },
};

static const struct column client_columns[] = {
        SMALL(program_client, "process", process),
        TEXT(program_client, "library", library),
        SMALL(program_client, "site", site),
        NS(program_client, "made_ns", made_ns),
        NS(program_client, "closed_ns", closed_ns),
        SMALL(program_client, "max_conns", limit),
        SMALL(program_client, "max_per_host", per_host),
        SMALL(program_client, "max_kept", kept),
        NUMBER(program_client, "requests", n_requests),
        { 0 },
};

static const struct column call_columns[] = {
        NUMBER(program_call, "attempt", attempt),
        SMALL(program_call, "process", process),
        SMALL(program_call, "client", client),
        SMALL(program_call, "site", site),
        SMALL(program_call, "caller", caller),
        NS(program_call, "queued_ns", queued_ns),
        FLAG(program_call, "is_unread", is_unread),
        NUMBER(program_call, "left_bytes", left_bytes),
        FLAG(program_call, "is_timeout", is_timeout),
        FLAG(program_call, "asks_close", asks_close),
        FLAG(program_call, "is_split", is_split),
        NS(program_call, "held_ns", held_ns),
        TEXT(program_call, "error", error),
        { 0 },
};

static const struct column hold_columns[] = {
        SMALL(program_hold, "process", process),
        BYTE(program_hold, "engine", engine, UINT8_MAX),
        BYTE(program_hold, "kind", kind, PROGRAM_HOLD_UNKNOWN),
        NS(program_hold, "start_ns", start_ns),
        NS(program_hold, "end_ns", end_ns),
        NS(program_hold, "cpu_ns", cpu_ns),
        SMALL(program_hold, "site", site),
        TEXT(program_hold, "name", name),
        { 0 },
};

static const struct column bound_columns[] = {
        SMALL(program_bound, "process", process),
        BYTE(program_bound, "kind", kind, PROGRAM_PAUSE),
        SMALL(program_bound, "site", site),
        NS(program_bound, "start_ns", start_ns),
        NS(program_bound, "end_ns", end_ns),
        NUMBER(program_bound, "value", value),
        NUMBER(program_bound, "n", n),
        NUMBER(program_bound, "waited", n_waited),
        NS(program_bound, "waited_ns", waited_ns),
        NUMBER(program_bound, "most_waiting", most_waiting),
        { 0 },
};

static const struct column interpreter_columns[] = {
        SMALL(program_interpreter, "process", process),
        TEXT(program_interpreter, "name", name),
        FLAG(program_interpreter, "has_lock", has_lock),
        NS(program_interpreter, "switch_ns", switch_ns),
        NS(program_interpreter, "start_ns", start_ns),
        NS(program_interpreter, "end_ns", end_ns),
        NUMBER(program_interpreter, "asked", n_asked),
        NUMBER(program_interpreter, "taken", n_taken),
        NS(program_interpreter, "waited_ns", waited_ns),
        SMALL(program_interpreter, "site", site),
        SMALL(program_interpreter, "share", share),
        TEXT(program_interpreter, "call_name", call_name),
        { 0 },
};

static const struct column context_columns[] = {
        SMALL(program_chore, "process", process),
        SMALL(program_chore, "site", site),
        NS(program_chore, "start_ns", start_ns),
        NS(program_chore, "took_ns", took_ns),
        { 0 },
};

static const struct column total_columns[] = {
        NS(programs, "lock_waited_ns", lock_waited_ns),
        NUMBER(programs, "lost", n_lost),
        { 0 },
};

#define TABLE(table, columns, type, rows)                                                          \
        {                                                                                          \
                table, columns, sizeof(struct type), offsetof(struct programs, rows),              \
                        offsetof(struct programs, n_##rows)                                        \
        }

static const struct table tables[] = {
        TABLE("process", process_columns, program_process, processes),
        TABLE("site", site_columns, program_site, sites),
        TABLE("client", client_columns, program_client, clients),
        TABLE("call", call_columns, program_call, calls),
        TABLE("hold", hold_columns, program_hold, holds),
        TABLE("bound", bound_columns, program_bound, bounds),
        TABLE("context", context_columns, program_chore, contexts),
        TABLE("interpreter", interpreter_columns, program_interpreter, interpreters),
};

/* One row, of struct programs itself; its being there says that there are tables. */
static const struct table total_table = { "program", total_columns, sizeof(struct programs), 0, 0 };

static const char view_calls[] =
        "CREATE VIEW calls AS SELECT attempt, phases.url, phases.status,"
        " ifnull(call.error, phases.error) AS error,"
        " site.file || ':' || site.line AS site, site.function,"
        " client.library, (SELECT file || ':' || line FROM site AS made"
        " WHERE made.rowid = client.site) AS client_site,"
        " phases.start_ms, call.queued_ns / 1e6 AS queued_ms, phases.total_us / 1e3 AS total_ms,"
        " call.held_ns / 1e6 AS held_ms, call.is_unread, call.is_timeout, process.pid,"
        " process.words AS program"
        " FROM call LEFT JOIN phases ON phases.number = call.attempt"
        " LEFT JOIN site ON site.rowid = call.site LEFT JOIN client ON client.rowid = call.client"
        " LEFT JOIN process ON process.rowid = call.process ORDER BY attempt;"
        "CREATE VIEW holds AS SELECT hold.start_ns / 1e6 AS start_ms,"
        " (hold.end_ns - hold.start_ns) / 1e6 AS took_ms, hold.cpu_ns / 1e6 AS cpu_ms,"
        " (SELECT word FROM word WHERE word.kind = 'hold' AND number = hold.kind) AS kind,"
        " site.file || ':' || site.line AS site, site.function, hold.name, process.pid"
        " FROM hold LEFT JOIN site ON site.rowid = hold.site"
        " LEFT JOIN process ON process.rowid = hold.process;"
        "INSERT INTO word VALUES('hold', 0, 'computes'), ('hold', 1, 'blocked'),"
        " ('hold', 2, 'unknown'), ('bound', 0, 'semaphore'), ('bound', 1, 'gather'),"
        " ('bound', 2, 'executor'), ('bound', 3, 'names'), ('unseen', 1, 'tls'),"
        " ('unseen', 2, 'io_uring'), ('unseen', 4, 'receive stamps'), ('unseen', 8, 'system calls'),"
        " ('unseen', 16, 'the interpreter'), ('unseen', 32, 'some of it'),"
        " ('unseen', 64, 'requests');";

/* --- statements ------------------------------------------------------------------------------- */

enum statement { TO_CREATE, TO_INSERT, TO_SELECT };

/* A column of a record that was made before there was such a column is NULL in each row. */
static bool is_missing(sqlite3 *db, const struct table *table, const struct column *column)
{
        return db && sqlite3_table_column_metadata(db, NULL, table->name, column->name, NULL, NULL,
                             NULL, NULL, NULL) != SQLITE_OK;
}

/* `db` is one to be read, or NULL. */
static int add_columns(struct buf *sql, sqlite3 *db, const struct table *table, bool as_places)
{
        int r = 0;

        for (const struct column *column = table->columns; r == 0 && column->name; column++) {
                if (column != table->columns)
                        r = buf_add_text(sql, ", ");
                if (r == 0)
                        r = buf_add_text(sql, as_places                       ? "?"
                                              : is_missing(db, table, column) ? "NULL"
                                                                              : column->name);
        }
        return r;
}

/*
 * Write a statement, zero-terminated. Rows are read in the order in which they were written. `db` is
 * needed for TO_SELECT.
 */
static int make_sql(sqlite3 *db, struct buf *sql, const struct table *table,
        enum statement statement)
{
        static const char *const begins[] = { "CREATE TABLE ", "INSERT INTO ", "SELECT " };
        bool is_select = statement == TO_SELECT;

        sql->len = 0;
        if (buf_add_text(sql, begins[statement]) < 0 ||
                (!is_select && buf_add_text(sql, table->name) < 0) ||
                (!is_select && buf_add_text(sql, statement == TO_CREATE ? "(" : " VALUES(") < 0) ||
                add_columns(sql, is_select ? db : NULL, table, statement == TO_INSERT) < 0 ||
                buf_add_text(sql, is_select ? " FROM " : ")") < 0 ||
                (is_select && buf_add_text(sql, table->name) < 0) ||
                (is_select && buf_add_text(sql, " ORDER BY rowid") < 0))
                return MUSTER_E_RESOURCE;
        return buf_terminate(sql);
}

/* --- values ----------------------------------------------------------------------------------- */

static uint64_t number_of(const struct column *column, const void *row)
{
        const char *at = (const char *)row + column->at;

        switch (column->kind) {
        case COLUMN_U64:
                return *(const uint64_t *)(const void *)at;
        case COLUMN_U32:
                return *(const uint32_t *)(const void *)at;
        case COLUMN_I32:
                return *(const int32_t *)(const void *)at < 0
                               ? 0
                               : (uint64_t) * (const int32_t *)(const void *)at;
        case COLUMN_U8:
                return *(const uint8_t *)at;
        case COLUMN_BOOL:
                return *(const bool *)at;
        case COLUMN_TEXT:
                break;
        }
        return 0;
}

static void put_number(const struct column *column, void *row, uint64_t number)
{
        char *at = (char *)row + column->at;

        switch (column->kind) {
        case COLUMN_U64:
                *(uint64_t *)(void *)at = number;
                return;
        case COLUMN_U32:
                *(uint32_t *)(void *)at = (uint32_t)number;
                return;
        case COLUMN_I32:
                *(int32_t *)(void *)at = (int32_t)number;
                return;
        case COLUMN_U8:
                *(uint8_t *)at = (uint8_t)number;
                return;
        case COLUMN_BOOL:
                *(bool *)at = number > 0;
                return;
        case COLUMN_TEXT:
                return;
        }
}

static struct muster_str *text_of(const struct column *column, const void *row)
{
        return (struct muster_str *)((uintptr_t)row + column->at);
}

/* --- writing ---------------------------------------------------------------------------------- */

static void bind(sqlite3_stmt *insert, int n, const struct column *column, const void *row)
{
        uint64_t number;

        if (column->kind == COLUMN_TEXT) {
                const struct muster_str *text = text_of(column, row);

                if (text->len)
                        sqlite3_bind_text(insert, n, text->at, (int)text->len, SQLITE_STATIC);
                else
                        sqlite3_bind_null(insert, n);
                return;
        }
        number = min_u64(number_of(column, row), column->max);
        if (number)
                sqlite3_bind_int64(insert, n, (int64_t)number);
        else
                sqlite3_bind_null(insert, n);
}

static int write_row(sqlite3_stmt *insert, const struct table *table, const void *row)
{
        int n = 0;

        for (const struct column *column = table->columns; column->name; column++)
                bind(insert, ++n, column, row);
        sqlite3_step(insert);
        return sqlite3_reset(insert);
}

static int write_table(sqlite3 *db, const struct table *table, const void *rows, size_t n)
{
        sqlite3_stmt *insert = NULL;
        struct buf sql = { 0 };
        int r = make_sql(db, &sql, table, TO_CREATE) < 0
                        ? SQLITE_NOMEM
                        : sqlite3_exec(db, sql.at, NULL, NULL, NULL);

        if (r == SQLITE_OK)
                r = make_sql(db, &sql, table, TO_INSERT) < 0
                            ? SQLITE_NOMEM
                            : sqlite3_prepare_v2(db, sql.at, -1, &insert, NULL);
        for (size_t i = 0; r == SQLITE_OK && i < n; i++)
                r = write_row(insert, table, (const char *)rows + i * table->size);
        sqlite3_finalize(insert);
        buf_deinit(&sql);
        return r;
}

static const void *rows_of(const struct programs *programs, const struct table *table)
{
        const void *rows;

        memcpy(&rows, (const char *)programs + table->rows_at, sizeof(rows));
        return rows;
}

int program_tables_write(sqlite3 *db, const struct programs *programs)
{
        int r = SQLITE_OK;

        for (size_t i = 0; r == SQLITE_OK && i < sizeof(tables) / sizeof(tables[0]); i++) {
                size_t n;

                memcpy(&n, (const char *)programs + tables[i].n_at, sizeof(n));
                r = write_table(db, &tables[i], rows_of(programs, &tables[i]), n);
        }
        if (r == SQLITE_OK)
                r = write_table(db, &total_table, programs, 1);
        return r == SQLITE_OK ? sqlite3_exec(db, view_calls, NULL, NULL, NULL) : r;
}

/* --- reading ---------------------------------------------------------------------------------- */

struct reading {
        struct source *source;
        struct arena *arena;
        struct muster_error *error;
};

/* Texts are shown to people: control characters are none of them, also those of UTF-8 (C1). */
static bool is_clean(struct muster_str text)
{
        for (size_t i = 0; i < text.len; i++) {
                unsigned char c = (unsigned char)text.at[i];

                if (c < 0x20 || c == 0x7f)
                        return false;
                if (c == 0xc2 && i + 1 < text.len && (unsigned char)text.at[i + 1] < 0xa0)
                        return false;
        }
        return true;
}

static int get(const struct reading *reading, const struct table *table, sqlite3_stmt *statement,
        void *row)
{
        bool is_good = true;
        int n = 0;

        for (const struct column *column = table->columns; column->name; column++, n++) {
                if (column->kind == COLUMN_TEXT) {
                        struct muster_str text = source_text(statement, n);

                        if (!is_clean(text))
                                return source_damaged(reading->source, table->name, reading->error);
                        if (arena_add(reading->arena, text, text_of(column, row)) < 0)
                                return MUSTER_E_RESOURCE;
                } else {
                        put_number(column, row,
                                row_number(source_integer(statement, n, &is_good), column->max,
                                        &is_good));
                }
        }
        return is_good ? 0 : source_damaged(reading->source, table->name, reading->error);
}

static int count_rows(const struct reading *reading, const struct table *table, size_t *ret_n)
{
        sqlite3_stmt *statement = NULL;
        char sql[64];
        int r;

        snprintf(sql, sizeof(sql), "SELECT count(rowid) FROM %s", table->name);
        r = source_prepare(reading->source, sql, &statement, reading->error);
        if (r == 0)
                r = source_step(reading->source, statement, reading->error);
        if (r == 0)
                *ret_n = (size_t)sqlite3_column_int64(statement, 0);
        sqlite3_finalize(statement);
        if (r == SOURCE_END || (r == 0 && *ret_n > reading->source->bytes / ROW_BYTES_MIN))
                r = source_damaged(reading->source, "no count", reading->error);
        return r;
}

/* Read up to `n` rows into zeroed memory. */
static int read_into(const struct reading *reading, const struct table *table, char *rows, size_t n,
        size_t *ret_n)
{
        sqlite3_stmt *statement = NULL;
        struct buf sql = { 0 };
        size_t i = 0;
        int r = make_sql(reading->source->db, &sql, table, TO_SELECT);

        if (r == 0)
                r = source_prepare(reading->source, sql.at, &statement, reading->error);
        while (r == 0 && i < n &&
                (r = source_step(reading->source, statement, reading->error)) == 0) {
                r = get(reading, table, statement, rows + i * table->size);
                i++;
        }
        sqlite3_finalize(statement);
        buf_deinit(&sql);
        *ret_n = i;
        return r < 0 ? r : 0;
}

static bool has_table(const struct source *source, const struct table *table)
{
        return sqlite3_table_column_metadata(source->db, NULL, table->name, NULL, NULL, NULL, NULL,
                       NULL, NULL) == SQLITE_OK;
}

static int read_table(const struct reading *reading, const struct table *table,
        struct programs *programs)
{
        size_t n = 0;
        char *rows;
        int r;

        if (!has_table(reading->source, table)) /* of an earlier version */
                return 0;
        r = count_rows(reading, table, &n);
        if (r < 0 || !n)
                return r;
        rows = mem_array(n, table->size);
        if (!rows)
                return MUSTER_E_RESOURCE;
        memcpy((char *)programs + table->rows_at, &rows, sizeof(rows));
        r = read_into(reading, table, rows, n, &n);
        memcpy((char *)programs + table->n_at, &n, sizeof(n));
        return r;
}

/* Do all rows refer to rows that are there, and stand in their order? */
static bool is_sound(const struct programs *programs)
{
        bool is_good = true;

        for (size_t i = 0; i < programs->n_clients; i++)
                is_good = is_good && programs->clients[i].process <= programs->n_processes &&
                          programs->clients[i].site <= programs->n_sites;
        for (size_t i = 0; i < programs->n_calls; i++)
                is_good = is_good && programs->calls[i].process <= programs->n_processes &&
                          programs->calls[i].client <= programs->n_clients &&
                          programs->calls[i].site <= programs->n_sites &&
                          (!i || programs->calls[i - 1].attempt < programs->calls[i].attempt);
        for (size_t i = 0; i < programs->n_holds; i++)
                is_good = is_good && programs->holds[i].process <= programs->n_processes &&
                          programs->holds[i].site <= programs->n_sites &&
                          programs->holds[i].start_ns <= programs->holds[i].end_ns &&
                          (!i || programs->holds[i - 1].start_ns <= programs->holds[i].start_ns);
        for (size_t i = 0; i < programs->n_bounds; i++)
                is_good = is_good && programs->bounds[i].process <= programs->n_processes &&
                          programs->bounds[i].site <= programs->n_sites &&
                          programs->bounds[i].start_ns <= programs->bounds[i].end_ns &&
                          (!i || programs->bounds[i - 1].start_ns <= programs->bounds[i].start_ns);
        for (size_t i = 0; i < programs->n_contexts; i++)
                is_good = is_good && programs->contexts[i].process <= programs->n_processes &&
                          programs->contexts[i].site <= programs->n_sites &&
                          (!i || programs->contexts[i - 1].start_ns <=
                                          programs->contexts[i].start_ns);
        for (size_t i = 0; i < programs->n_interpreters; i++)
                is_good = is_good && programs->interpreters[i].process <= programs->n_processes &&
                          programs->interpreters[i].site <= programs->n_sites;
        for (size_t i = 0; i < programs->n_processes; i++)
                is_good =
                        is_good && programs->processes[i].start_ns <= programs->processes[i].end_ns;
        return is_good;
}

int program_tables_read(struct source *source, struct arena *arena, struct programs *programs,
        struct muster_error *error)
{
        struct reading reading = { source, arena, error };
        struct programs totals = { 0 };
        size_t n = 0;
        int r = 0;

        if (!has_table(source, &total_table))
                return 0;
        for (size_t i = 0; r == 0 && i < sizeof(tables) / sizeof(tables[0]); i++)
                r = read_table(&reading, &tables[i], programs);
        if (r == 0)
                r = read_into(&reading, &total_table, (char *)&totals, 1, &n);
        programs->lock_waited_ns = totals.lock_waited_ns;
        programs->n_lost = totals.n_lost;
        return r == 0 && !is_sound(programs) ? source_damaged(source, "program", error) : r;
}
