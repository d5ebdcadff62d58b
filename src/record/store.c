/* SPDX-License-Identifier: MIT */
#include "store.h"

#include "feed.h"
#include "file.h"
#include "options.h"
#include "program_table.h"
#include "schema.h"
#include <assert.h>
#include <base/buf.h>
#include <base/clock.h>
#include <base/error.h>
#include <base/mem.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

/*
 * Large pages mean fewer of them to manage. A journal that stays and is emptied after each
 * transaction costs one system call; the next reader rolls back what a killed program had begun.
 * The cache holds the pages that a batch touches.
 */
static const char setup[] =
        "PRAGMA page_size = 16384;PRAGMA journal_mode = TRUNCATE;PRAGMA synchronous = OFF;PRAGMA cache_size = -2048;PRAGMA temp_store = MEMORY;";
/*
 * Somebody may read the file while it is written: how long to wait for that at the beginning and at
 * the end, and between two tries.
 */
#define BUSY_MS 10000
#define WAIT_MS 5

struct store {
        sqlite3 *db;
        sqlite3_stmt *begin, *commit, *count_dropped;
        sqlite3_stmt *inserts[ROW_N_KINDS][2]; /* with all columns; with the usual ones */
        struct feed feed;
        uint64_t n_dropped; /* as written in the file */
        char *path;         /* as given to SQLite */
        struct muster_error error;
        _Atomic uint64_t patience_ends_ns; /* 0: never */
};

const struct muster_error *store_error(const struct store *store)
{
        return &store->error;
}

static int fail_sqlite(struct store *store, int code)
{
        bool is_system = code == SQLITE_IOERR || code == SQLITE_CANTOPEN;
        int sys = is_system && store->db ? sqlite3_system_errno(store->db) : 0;
        const char *words = sqlite3_errstr(code);

        if (code == SQLITE_NOMEM)
                return error_set_memory(&store->error, MUSTER_PHASE_QUEUE);
        if (code == SQLITE_FULL)
                words = "the disk is full";
        else if (code == SQLITE_BUSY)
                words = "another program has locked it";
        else if (store->db && sqlite3_extended_errcode(store->db) == SQLITE_READONLY_DBMOVED)
                words = "it was removed or replaced during the run";
        else if (sys)
                words = error_sys_text(sys);
        return error_set(&store->error, MUSTER_E_RESOURCE, MUSTER_PHASE_QUEUE, sys,
                "resource: the record %s cannot be written: %s", store->path, words);
}

/* Run a statement that returns no rows. */
static int run_statement(struct store *store, sqlite3_stmt *statement)
{
        int r;

        assert(statement);
        sqlite3_step(statement);
        r = sqlite3_reset(statement);
        return r == SQLITE_OK ? 0 : fail_sqlite(store, r);
}

static int run_sql(struct store *store, const char *sql)
{
        int r = sqlite3_exec(store->db, sql, NULL, NULL, NULL);

        return r == SQLITE_OK ? 0 : fail_sqlite(store, r);
}

static int prepare_statement(struct store *store, const char *sql, sqlite3_stmt **ret_statement)
{
        int r = sqlite3_prepare_v3(store->db, sql, -1, SQLITE_PREPARE_PERSISTENT, ret_statement,
                NULL);

        return r == SQLITE_OK ? 0 : fail_sqlite(store, r);
}

/* --- a new file ------------------------------------------------------------------------------ */

/* Remove the journal of an earlier run, which would be taken for this file's. */
static int remove_journal(const char *path)
{
        char journal[4096 + 16];

        snprintf(journal, sizeof(journal), "%s-journal", path);
        return unlink(journal) < 0 && errno != ENOENT ? errno : 0;
}

static int remove_old(const char *path)
{
        int sys = remove_journal(path);

        if (sys)
                return sys;
        return unlink(path) < 0 && errno != ENOENT ? errno : 0;
}

static int refuse_path(const char *path, enum file_kind kind, bool overwrite,
        struct muster_error *error)
{
        if (kind == FILE_OTHER || kind == FILE_SQLITE)
                return error_set(error, MUSTER_E_RESOURCE, MUSTER_PHASE_QUEUE, EEXIST,
                        "resource: %s exists and is not a muster record; choose another name for the record",
                        path);
        if (!overwrite && (kind == FILE_RECORD || kind == FILE_NEWER || kind == FILE_CUT))
                return error_set(error, MUSTER_E_RESOURCE, MUSTER_PHASE_QUEUE, EEXIST,
                        "resource: the record %s already exists; remove it, choose another name, or set overwrite",
                        path);
        return 0;
}

/*
 * Make way for a record at this path, which is `file` for SQLite. Only an older record or an empty
 * file is ever removed. If there is no file, the path may be a link to where it will be.
 */
static int make_way(const char *path, const char *file, bool overwrite, struct muster_error *error)
{
        struct file_look look;
        int r, sys;

        file_look(file, &look);
        if (look.kind == FILE_UNREADABLE)
                return error_set(error, MUSTER_E_RESOURCE, MUSTER_PHASE_QUEUE, look.sys,
                        "resource: cannot create the record %s: %s", path,
                        error_sys_text(look.sys));
        r = refuse_path(path, look.kind, overwrite, error);
        if (r < 0)
                return r;
        sys = look.kind == FILE_MISSING ? remove_journal(file) : remove_old(file);
        if (sys)
                return error_set(error, MUSTER_E_RESOURCE, MUSTER_PHASE_QUEUE, sys,
                        "resource: cannot replace the record %s: %s", path, error_sys_text(sys));
        return 0;
}

/*
 * Why no new file was made, as an errno. SQLite tries to open it once more for reading, and only
 * reports that there is none. 0: it is there, or was just made and is gone again.
 */
static int why_not_created(const char *path)
{
        int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

        if (fd < 0)
                return errno == EEXIST ? 0 : errno;
        close(fd);
        unlink(path);
        return 0;
}

static int fail_to_create(struct store *store, int code)
{
        int sys = code == SQLITE_CANTOPEN ? why_not_created(store->path) : 0;

        if (!sys)
                return fail_sqlite(store, code);
        return error_set(&store->error, MUSTER_E_RESOURCE, MUSTER_PHASE_QUEUE, sys,
                "resource: the record %s cannot be written: %s", store->path, error_sys_text(sys));
}

static int open_database(struct store *store)
{
        int r = sqlite3_open_v2(store->path, &store->db,
                SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL);

        if (r != SQLITE_OK)
                return fail_to_create(store, r);
        sqlite3_busy_timeout(store->db, BUSY_MS);
        return run_sql(store, setup);
}

static int prepare_inserts(struct store *store)
{
        struct buf sql = { 0 };
        int r = 0;

        for (int i = 0; r == 0 && i < ROW_N_KINDS * 2; i++) {
                sql.len = 0;
                if (schema_insert_sql((enum row_kind)(i / 2), i % 2, &sql) < 0)
                        r = fail_sqlite(store, SQLITE_NOMEM);
                else
                        r = prepare_statement(store, sql.at, &store->inserts[i / 2][i % 2]);
        }
        buf_deinit(&sql);
        return r;
}

static int create_tables(struct store *store)
{
        int r = schema_create(store->db);

        if (r == SQLITE_OK)
                r = feed_attach(store->db, &store->feed);
        if (r != SQLITE_OK)
                return fail_sqlite(store, r);
        return prepare_inserts(store);
}

/* --- before and after the run ---------------------------------------------------------------- */

static void bind_text(sqlite3_stmt *statement, int n, const char *text)
{
        sqlite3_bind_text(statement, n, text, -1, SQLITE_STATIC); /* NULL binds NULL */
}

/* Bind a counter; -1, not known, is NULL in the file. */
static void bind_counter(sqlite3_stmt *statement, int n, int64_t value)
{
        if (value < 0)
                sqlite3_bind_null(statement, n);
        else
                sqlite3_bind_int64(statement, n, value);
}

static int write_run(struct store *store, const struct record_run *run_row)
{
        sqlite3_stmt *insert = NULL;
        int r = prepare_statement(store, "INSERT INTO run VALUES(?, ?, ?, ?, NULL, 0, 0)", &insert);

        if (r == 0) {
                bind_text(insert, 1, run_row->version);
                bind_text(insert, 2, run_row->command);
                sqlite3_bind_int64(insert, 3, (int64_t)run_row->wall_clock_ns);
                sqlite3_bind_int64(insert, 4, (int64_t)run_row->start_ns);
                r = run_statement(store, insert);
        }
        sqlite3_finalize(insert);
        return r;
}

static void bind_option(sqlite3_stmt *insert, const struct option_type *type,
        struct record_options *options)
{
        const void *at = option_at(options, type);

        bind_text(insert, 1, type->name);
        switch (type->kind) {
        case OPTION_NUMBER:
                sqlite3_bind_int64(insert, 2, row_cut(*(const uint64_t *)at));
                return;
        case OPTION_REAL:
                sqlite3_bind_double(insert, 2, *(const double *)at);
                return;
        case OPTION_SWITCH:
                sqlite3_bind_int(insert, 2, *(const bool *)at);
                return;
        case OPTION_INPUT:
                bind_text(insert, 2, option_input_word(*(const unsigned *)at));
                return;
        case OPTION_OUTPUT:
                bind_text(insert, 2, option_output_word(*(const unsigned *)at));
                return;
        }
}

static int write_options(struct store *store, struct record_options options)
{
        sqlite3_stmt *insert = NULL;
        int r = prepare_statement(store, "INSERT INTO option VALUES(?, ?)", &insert);

        for (const struct option_type *type = option_types; r == 0 && type->name; type++) {
                bind_option(insert, type, &options);
                r = run_statement(store, insert);
        }
        sqlite3_finalize(insert);
        return r;
}

/*
 * Run "INSERT ... VALUES(name, value)" or "UPDATE ... SET after = value WHERE name = name" for each
 * counter.
 */
static int write_counters(struct store *store, const char *sql, const struct counters *counters)
{
        sqlite3_stmt *statement = NULL;
        int r = prepare_statement(store, sql, &statement);

        for (int i = 0; r == 0 && i < COUNTER_N; i++) {
                bind_text(statement, 1, counter_name((enum counter)i));
                bind_counter(statement, 2, counters->values[i]);
                r = run_statement(store, statement);
        }
        sqlite3_finalize(statement);
        return r;
}

/*
 * Commit a batch, and begin the next transaction at once, so that the file stays reserved for us.
 * That keeps nobody from reading, and shows that the run goes on (source_is_being_written()).
 */
static int end_batch(struct store *store)
{
        int r = run_statement(store, store->commit);

        return r == 0 ? run_statement(store, store->begin) : r;
}

/* Write the beginning at once: if we are killed, there is a record that has begun, or none. */
static int write_beginning(struct store *store, const struct record_run *run_row,
        const struct counters *before)
{
        if (prepare_statement(store, "BEGIN IMMEDIATE", &store->begin) < 0 ||
                prepare_statement(store, "COMMIT", &store->commit) < 0 ||
                run_statement(store, store->begin) < 0 || create_tables(store) < 0 ||
                write_run(store, run_row) < 0 ||
                prepare_statement(store, "UPDATE run SET dropped = ?", &store->count_dropped) < 0 ||
                write_options(store, run_row->options) < 0 ||
                write_counters(store, "INSERT INTO counter VALUES(?1, ?2, NULL)", before) < 0)
                return MUSTER_E_RESOURCE;
        return end_batch(store);
}

/*
 * Write the number of dropped attempts in the transaction of the rows behind the gap: a killed
 * program leaves no gap that is not counted.
 */
static int write_n_dropped(struct store *store, uint64_t n_dropped)
{
        int r;

        assert(n_dropped >= store->n_dropped);
        if (n_dropped == store->n_dropped)
                return 0;
        sqlite3_bind_int64(store->count_dropped, 1, row_cut(n_dropped));
        r = run_statement(store, store->count_dropped);
        if (r == 0)
                store->n_dropped = n_dropped;
        return r;
}

static int write_end_of_run(struct store *store, const struct record_run *run_row)
{
        sqlite3_stmt *update = NULL;
        int r = prepare_statement(store, "UPDATE run SET end_ns = ?, is_complete = ?, dropped = ?",
                &update);

        if (r == 0) {
                sqlite3_bind_int64(update, 1, (int64_t)run_row->end_ns);
                sqlite3_bind_int(update, 2, run_row->is_complete);
                sqlite3_bind_int64(update, 3, row_cut(run_row->n_dropped));
                r = run_statement(store, update);
        }
        sqlite3_finalize(update);
        return r;
}

static int write_run_end(struct store *store, const struct record_run *run_row,
        const struct counters *after)
{
        if (write_end_of_run(store, run_row) < 0 ||
                write_counters(store, "UPDATE counter SET after = ?2 WHERE name = ?1", after) < 0)
                return MUSTER_E_RESOURCE;
        return run_statement(store, store->commit);
}

/* --- the public part ------------------------------------------------------------------------- */

/*
 * Wait for a reader of the file. During the run the wait has no end: rows wait in memory, and when
 * that is full they are dropped and counted, which is no reason to give up later ones.
 */
static int wait_for_readers(void *data, int n_waits)
{
        struct store *store = data;
        uint64_t end_ns = atomic_load(&store->patience_ends_ns);

        (void)n_waits;
        if (end_ns && clock_monotonic() >= end_ns)
                return 0;
        sqlite3_sleep(WAIT_MS);
        return 1;
}

void store_hurry(struct store *store)
{
        atomic_store(&store->patience_ends_ns, clock_monotonic() + BUSY_MS * NS_PER_MS);
}

/* Begin a new file. If that fails, nothing of it is left. */
static int begin_file(struct store *store, const struct record_run *run_row,
        const struct counters *before)
{
        const char *made;

        assert(!store->db && store->path);
        if (open_database(store) == 0 && write_beginning(store, run_row, before) == 0) {
                sqlite3_busy_handler(store->db, wait_for_readers, store);
                return 0;
        }
        made = store->db ? sqlite3_db_filename(store->db, "main") : NULL;
        if (made)
                remove_old(made);
        return MUSTER_E_RESOURCE;
}

int store_create(struct store **ret_store, const char *path, bool overwrite,
        const struct record_run *run_row, const struct counters *before, struct muster_error *error)
{
        struct store *store = mem_zalloc(sizeof(*store));
        int r;

        if (!store || !(store->path = file_path(path))) {
                store_close(store);
                return error_set_memory(error, MUSTER_PHASE_QUEUE);
        }
        r = make_way(path, store->path, overwrite, error);
        if (r == 0 && begin_file(store, run_row, before) < 0)
                r = error_set(error, MUSTER_E_RESOURCE, MUSTER_PHASE_QUEUE, store->error.sys, "%s",
                        store->error.text);
        if (r < 0)
                store_close(store);
        else
                *ret_store = store;
        return r;
}

/* Write rows: all usual ones in a row by one statement, then all others in a row, and so on. */
static int write_rows(struct store *store, struct batch *batch, enum row_kind kind)
{
        size_t n = batch_n(batch, kind);
        struct feed *feed = &store->feed;

        assert(batch->n_written[kind] <= n);
        *feed = (struct feed){
                .batch = batch, .kind = kind, .at = batch->n_written[kind], .to = n
        };
        while (feed->at < n) {
                feed->from = feed->at;
                feed->is_usual = !feed->is_usual;
                if (run_statement(store, store->inserts[kind][feed->is_usual]) < 0)
                        return MUSTER_E_RESOURCE;
        }
        batch->n_written[kind] = n;
        return 0;
}

int store_write(struct store *store, struct batch *batch, uint64_t n_dropped)
{
        assert(store->db && store->begin && store->commit);
        if (store->error.code)
                return MUSTER_E_RESOURCE;
        for (int kind = 0; kind < ROW_N_KINDS; kind++)
                if (write_rows(store, batch, (enum row_kind)kind) < 0)
                        break;
        if (!store->error.code && write_n_dropped(store, n_dropped) == 0)
                return end_batch(store);
        sqlite3_exec(store->db, "ROLLBACK", NULL, NULL, NULL);
        return MUSTER_E_RESOURCE;
}

int store_write_programs(struct store *store, const struct programs *programs)
{
        int r;

        if (store->error.code)
                return MUSTER_E_RESOURCE;
        r = program_tables_write(store->db, programs);
        return r == SQLITE_OK ? 0 : fail_sqlite(store, r);
}

int store_finish(struct store *store, const struct record_run *run_row,
        const struct counters *after)
{
        assert(store->db);
        if (store->error.code || write_run_end(store, run_row, after) < 0)
                return MUSTER_E_RESOURCE;
        /* This removes the journal, which is not needed any more. */
        return run_sql(store, "PRAGMA journal_mode = DELETE");
}

struct store *store_close(struct store *store)
{
        if (!store)
                return NULL;
        sqlite3_finalize(store->begin);
        sqlite3_finalize(store->commit);
        sqlite3_finalize(store->count_dropped);
        for (int kind = 0; kind < ROW_N_KINDS; kind++)
                for (int sort = 0; sort < 2; sort++)
                        sqlite3_finalize(store->inserts[kind][sort]);
        sqlite3_close(store->db);
        mem_free(store->path);
        return mem_free(store);
}
