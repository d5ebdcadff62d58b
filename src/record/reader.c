/* SPDX-License-Identifier: MIT */
/*
 * Reader: from a file to a record in memory
 */
#include "names.h"
#include "options.h"
#include "program_table.h"
#include "record.h"
#include "row.h"
#include "schema.h"
#include "source.h"
#include <base/buf.h>
#include <base/error.h>
#include <base/mem.h>
#include <base/minmax.h>
#include <core/rate.h>
#include <stdio.h>

#define TEXTS_MAX     65536
#define ROW_BYTES_MIN 6 /* the least that SQLite needs for a row: this bounds the rows of a file */

struct reader {
        struct source source;
        struct record *record;
        struct names texts, paths;
        struct muster_error *error;
};

/* --- rows ------------------------------------------------------------------------------------ */

/* Count rows, without count(*): that follows pages without making a step. */
static int count_rows(struct reader *reader, enum row_kind kind, size_t *ret_n)
{
        sqlite3_stmt *statement = NULL;
        char sql[64];
        int r;

        snprintf(sql, sizeof(sql), "SELECT count(rowid) FROM %s", row_types[kind]->table);
        r = source_prepare(&reader->source, sql, &statement, reader->error);
        if (r == 0)
                r = source_step(&reader->source, statement, reader->error);
        if (r == 0)
                *ret_n = (size_t)sqlite3_column_int64(statement, 0);
        sqlite3_finalize(statement);
        if (r == SOURCE_END || (r == 0 && *ret_n > reader->source.bytes / ROW_BYTES_MIN))
                r = source_damaged(&reader->source, "no count", reader->error);
        return r;
}

/*
 * Keep a row's text. URLs would take more room than everything else: only their path is kept, as a
 * number, and a digest of all of it.
 */
static void keep_text(struct reader *reader, enum row_kind kind, struct muster_str text, void *row)
{
        struct trace_attempt *attempt = row;

        if (kind != ROW_ATTEMPT) {
                *row_text(kind, row) = names_keep(&reader->texts, text);
                return;
        }
        attempt->path = names_number(&reader->paths, names_path_of(text));
        attempt->url_digest = names_digest_of(text);
}

static int read_row(struct reader *reader, enum row_kind kind, sqlite3_stmt *statement, void *row)
{
        struct muster_str text;
        int r = source_row(&reader->source, kind, statement, row, &text, reader->error);

        if (r == 0 && row_types[kind]->text_column)
                keep_text(reader, kind, text, row);
        return r;
}

/* Read up to `n` rows into zeroed memory. */
static int read_rows_into(struct reader *reader, enum row_kind kind, char *rows, size_t n,
        size_t *ret_n)
{
        sqlite3_stmt *statement = NULL;
        struct buf sql = { 0 };
        size_t i = 0;
        int r = schema_select_sql(reader->source.db, kind, &sql);

        if (r == 0)
                r = source_prepare(&reader->source, sql.at, &statement, reader->error);
        while (r == 0 && i < n &&
                (r = source_step(&reader->source, statement, reader->error)) == 0) {
                r = read_row(reader, kind, statement, rows + i * row_types[kind]->size);
                i++;
        }
        sqlite3_finalize(statement);
        buf_deinit(&sql);
        *ret_n = i;
        return r < 0 ? r : 0;
}

/* Read all rows of a kind. The array is freed with the record, also after a failure. */
static int read_rows(struct reader *reader, enum row_kind kind, void *ret_rows, size_t *ret_n)
{
        size_t n = 0;
        char *rows;
        int r = count_rows(reader, kind, &n);

        if (r < 0 || n == 0)
                return r;
        rows = mem_array(n, row_types[kind]->size);
        if (!rows)
                return MUSTER_E_RESOURCE;
        memcpy(ret_rows, &rows, sizeof(rows));
        return read_rows_into(reader, kind, rows, n, ret_n);
}

/* Early records do not have them. */
static int read_tries(struct reader *reader)
{
        struct record *record = reader->record;

        record->has_tries = !schema_lacks(reader->source.db, ROW_TRY);
        return record->has_tries ? read_rows(reader, ROW_TRY, &record->tries, &record->n_tries) : 0;
}

static int read_all_rows(struct reader *reader)
{
        struct record *record = reader->record;
        int r = read_rows(reader, ROW_ORIGIN, &record->origins, &record->n_origins);

        if (r == 0)
                r = read_rows(reader, ROW_ATTEMPT, &record->attempts, &record->n_attempts);
        if (r == 0)
                r = read_rows(reader, ROW_CONN, &record->conns, &record->n_conns);
        if (r == 0)
                r = read_tries(reader);
        if (r == 0)
                r = read_rows(reader, ROW_LOOKUP, &record->lookups, &record->n_lookups);
        if (r == 0)
                r = read_rows(reader, ROW_TURN, &record->turns, &record->n_turns);
        if (r == 0)
                r = read_rows(reader, ROW_SAMPLE, &record->samples, &record->n_samples);
        return r;
}

static int keep_paths(struct reader *reader)
{
        struct record *record = reader->record;

        if (!reader->paths.n)
                return 0;
        record->paths = mem_array(reader->paths.n, sizeof(*record->paths));
        if (!record->paths)
                return MUSTER_E_RESOURCE;
        for (; record->n_paths < reader->paths.n; record->n_paths++)
                record->paths[record->n_paths] =
                        names_text(&reader->paths, (uint32_t)record->n_paths + 1);
        return 0;
}

/* --- the run --------------------------------------------------------------------------------- */

static int copy_column(sqlite3_stmt *statement, int n, char **ret_text)
{
        struct muster_str text = source_text(statement, n);

        if (sqlite3_column_type(statement, n) == SQLITE_NULL)
                return 0;
        *ret_text = mem_strndup(text.at, text.len);
        return *ret_text ? 0 : MUSTER_E_RESOURCE;
}

static int get_run(struct reader *reader, sqlite3_stmt *statement)
{
        struct record_run *run = &reader->record->run;
        bool is_good = true;

        run->wall_clock_ns =
                row_number(source_integer(statement, 2, &is_good), INT64_MAX, &is_good);
        run->start_ns = row_number(source_integer(statement, 3, &is_good), INT64_MAX, &is_good);
        run->end_ns = row_number(source_integer(statement, 4, &is_good), ROW_NS_MAX, &is_good);
        run->is_complete = row_number(source_integer(statement, 5, &is_good), 1, &is_good);
        run->n_dropped = row_number(source_integer(statement, 6, &is_good), INT64_MAX, &is_good);
        if (!is_good)
                return source_damaged(&reader->source, "run", reader->error);
        if (copy_column(statement, 0, &run->version) < 0 ||
                copy_column(statement, 1, &run->command) < 0)
                return MUSTER_E_RESOURCE;
        return 0;
}

static int read_run(struct reader *reader)
{
        sqlite3_stmt *statement = NULL;
        int r = source_prepare(&reader->source,
                "SELECT version, command, wall_clock_ns, start_ns, end_ns, is_complete, dropped FROM run",
                &statement, reader->error);

        if (r == 0)
                r = source_step(&reader->source, statement, reader->error);
        if (r == SOURCE_END)
                r = source_damaged(&reader->source, "run", reader->error);
        else if (r == 0)
                r = get_run(reader, statement);
        sqlite3_finalize(statement);
        return r;
}

/* Set an option from a row. False: no client can have had this value. */
static bool set_option(struct record_options *options, const struct option_type *type,
        sqlite3_stmt *statement)
{
        void *at = option_at(options, type);
        double value = sqlite3_column_double(statement, 1);

        if (!(value >= 0 && value <= type->max))
                return false;
        switch (type->kind) {
        case OPTION_NUMBER:
                *(uint64_t *)at = (uint64_t)sqlite3_column_int64(statement, 1);
                return true;
        case OPTION_REAL:
                *(double *)at = value;
                return value == 0 || value >= RATE_PER_S_MIN;
        case OPTION_SWITCH:
                *(bool *)at = value != 0;
                return true;
        case OPTION_INPUT:
                *(unsigned *)at = option_input_of(source_text(statement, 1));
                return true;
        case OPTION_OUTPUT:
                *(unsigned *)at = option_output_of(source_text(statement, 1));
                return true;
        }
        return false;
}

/*
 * Note an option. One that this version does not know comes from a later version, and is left out.
 */
static int note_option(struct reader *reader, sqlite3_stmt *statement)
{
        struct muster_str name = source_text(statement, 0);

        for (const struct option_type *type = option_types; type->name; type++)
                if (str_is(name, type->name) &&
                        !set_option(&reader->record->run.options, type, statement))
                        return source_damaged(&reader->source, "option", reader->error);
        return 0;
}

static int read_options(struct reader *reader)
{
        sqlite3_stmt *statement = NULL;
        int r = source_prepare(&reader->source, "SELECT name, value FROM option", &statement,
                reader->error);

        while (r == 0 && (r = source_step(&reader->source, statement, reader->error)) == 0)
                r = note_option(reader, statement);
        sqlite3_finalize(statement);
        return r < 0 ? r : 0;
}

/* --- counters -------------------------------------------------------------------------------- */

#define COUNTERS_MAX 1000

static int64_t counter_column(sqlite3_stmt *statement, int n)
{
        int64_t value = sqlite3_column_int64(statement, n);

        return sqlite3_column_type(statement, n) == SQLITE_INTEGER && value >= 0 ? value : -1;
}

static int add_counter(struct record *record, sqlite3_stmt *statement)
{
        struct muster_str name = source_text(statement, 0);
        struct record_counter *counters =
                mem_realloc(record->counters, (record->n_counters + 1) * sizeof(*counters));
        struct record_counter *counter;

        if (!counters)
                return MUSTER_E_RESOURCE;
        record->counters = counters;
        counter = &counters[record->n_counters++];
        *counter = (struct record_counter){ .before = counter_column(statement, 1),
                .after = counter_column(statement, 2) };
        snprintf(counter->name, sizeof(counter->name), "%.*s", STR_ARGS(name));
        return 0;
}

static int read_counters(struct reader *reader)
{
        sqlite3_stmt *statement = NULL;
        int r = source_prepare(&reader->source, "SELECT name, before, after FROM counter",
                &statement, reader->error);

        while (r == 0 && reader->record->n_counters < COUNTERS_MAX &&
                (r = source_step(&reader->source, statement, reader->error)) == 0)
                r = add_counter(reader->record, statement);
        sqlite3_finalize(statement);
        return r < 0 ? r : 0;
}

/* --- all of it ------------------------------------------------------------------------------- */

/* Find the end of a run that was cut off: the last moment in any row. */
static void find_end(struct record *record)
{
        uint64_t end_ns = record->run.end_ns;

        for (size_t i = 0; i < record->n_attempts; i++) {
                end_ns = max_u64(end_ns, record->attempts[i].stamps.end_ns);
                end_ns = max_u64(end_ns, record->attempts[i].finished_ns);
                end_ns = max_u64(end_ns, record->attempts[i].taken_ns);
        }
        for (size_t i = 0; i < record->n_conns; i++)
                end_ns = max_u64(end_ns, record->conns[i].closed_ns);
        if (record->n_samples)
                end_ns = max_u64(end_ns, record->samples[record->n_samples - 1].at_ns);
        record->run.end_ns = end_ns;
}

/*
 * Count the gaps. Numbers may also be missing because the recording ended before their attempts
 * did.
 */
static void count_holes(struct record *record)
{
        size_t n = record->n_attempts;
        uint64_t n_missing =
                n ? record->attempts[n - 1].number - record->attempts[0].number + 1 - n : 0;

        record->run.n_holes = min_u64(n_missing, record->run.n_dropped);
}

static int read_record(struct reader *reader)
{
        int r = read_run(reader);

        if (r == 0)
                r = read_options(reader);
        if (r == 0)
                r = read_counters(reader);
        if (r == 0)
                r = read_all_rows(reader);
        if (r == 0)
                r = keep_paths(reader);
        if (r == 0)
                r = program_tables_read(&reader->source, reader->record->text,
                        &reader->record->programs, reader->error);
        if (r == 0 && !reader->record->run.is_complete)
                reader->record->run.is_going_on = source_is_being_written(&reader->source);
        return r;
}

static int init(struct reader *reader, struct record *record, struct muster_error *error)
{
        *record = (struct record){ .text = arena_new() };
        *reader = (struct reader){ .record = record, .error = error };
        if (!record->text || names_init(&reader->texts, record->text, TEXTS_MAX) < 0 ||
                names_init(&reader->paths, record->text, RECORD_PATHS_MAX) < 0)
                return MUSTER_E_RESOURCE;
        return 0;
}

int record_read(struct record *record, const char *path, struct muster_error *error)
{
        struct reader reader;
        int r = init(&reader, record, error);

        if (r == 0)
                r = source_open(&reader.source, path, error);
        if (r == 0)
                r = read_record(&reader);
        source_close(&reader.source);
        names_deinit(&reader.texts);
        names_deinit(&reader.paths);
        if (r < 0) {
                if (r == MUSTER_E_RESOURCE)
                        error_set_memory(error, MUSTER_PHASE_QUEUE);
                record_deinit(record);
                return r;
        }
        record_settle(record);
        count_holes(record);
        if (!record->run.is_complete)
                find_end(record);
        return 0;
}
