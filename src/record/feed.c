/* SPDX-License-Identifier: MIT */
/*
 * https://www.sqlite.org/vtab.html: the least that a table must have to be read from its first row
 * to its last
 */
#include "feed.h"

#include <assert.h>
#include <base/mem.h>
#include <stdio.h>

struct table {
        sqlite3_vtab base; /* first: SQLite knows only this part */
        struct feed *feed;
};

struct cursor {
        sqlite3_vtab_cursor base; /* first, as well */
        size_t at;
        bool is_at_end;
        int64_t values[ROW_VALUES_MAX]; /* of the row at `at` */
        struct muster_str text;
};

static struct feed *feed_of(const struct cursor *cursor)
{
        return ((struct table *)(void *)cursor->base.pVtab)->feed;
}

static int connect_table(sqlite3 *db, void *feed, int argc, const char *const *argv,
        sqlite3_vtab **ret_table, char **ret_error)
{
        char columns[ROW_VALUES_MAX * 4 + 32] = "CREATE TABLE feed(";
        size_t len = strlen(columns);
        struct table *table;
        int r;

        (void)argc, (void)argv, (void)ret_error;
        for (int i = 0; i < ROW_VALUES_MAX; i++)
                len += (size_t)snprintf(columns + len, sizeof(columns) - len, "c%d,", i);
        snprintf(columns + len, sizeof(columns) - len, "text)");
        r = sqlite3_declare_vtab(db, columns);
        if (r != SQLITE_OK)
                return r;
        table = mem_zalloc(sizeof(*table));
        if (!table)
                return SQLITE_NOMEM;
        table->feed = feed;
        *ret_table = &table->base;
        return SQLITE_OK;
}

static int disconnect_table(sqlite3_vtab *table)
{
        mem_free(table);
        return SQLITE_OK;
}

/* There is only one way to read the table. */
static int best_index(sqlite3_vtab *table, sqlite3_index_info *info)
{
        (void)table;
        info->estimatedCost = BATCH_ATTEMPTS;
        info->estimatedRows = BATCH_ATTEMPTS;
        return SQLITE_OK;
}

static int open_cursor(sqlite3_vtab *table, sqlite3_vtab_cursor **ret_cursor)
{
        struct cursor *cursor = mem_zalloc(sizeof(*cursor));

        (void)table;
        if (!cursor)
                return SQLITE_NOMEM;
        *ret_cursor = &cursor->base;
        return SQLITE_OK;
}

static int close_cursor(sqlite3_vtab_cursor *cursor)
{
        mem_free(cursor);
        return SQLITE_OK;
}

static bool is_usual(const struct row_type *type, const int64_t *values)
{
        for (size_t i = type->n_usual; i < type->n_columns; i++)
                if (values[i] != ROW_NULL)
                        return false;
        return true;
}

static void load_row(struct cursor *cursor)
{
        struct feed *feed = feed_of(cursor);
        const struct row_type *type = row_types[feed->kind];
        const void *row;

        assert(feed->from <= cursor->at && feed->to <= batch_n(feed->batch, feed->kind));
        feed->at = cursor->at;
        cursor->is_at_end = cursor->at >= feed->to;
        if (cursor->is_at_end)
                return;
        row = batch_row(feed->batch, feed->kind, cursor->at);
        type->put(row, cursor->values);
        cursor->is_at_end = is_usual(type, cursor->values) != feed->is_usual;
        if (type->text_at != ROW_NO_TEXT)
                memcpy(&cursor->text, (const char *)row + type->text_at, sizeof(cursor->text));
}

static int rewind_cursor(sqlite3_vtab_cursor *base, int index, const char *text, int argc,
        sqlite3_value **argv)
{
        struct cursor *cursor = (struct cursor *)(void *)base;

        (void)index, (void)text, (void)argc, (void)argv;
        cursor->at = feed_of(cursor)->from;
        load_row(cursor);
        return SQLITE_OK;
}

static int next_row(sqlite3_vtab_cursor *base)
{
        struct cursor *cursor = (struct cursor *)(void *)base;

        cursor->at++;
        load_row(cursor);
        return SQLITE_OK;
}

static int is_at_end(sqlite3_vtab_cursor *base)
{
        return ((const struct cursor *)(const void *)base)->is_at_end;
}

static int give_column(sqlite3_vtab_cursor *base, sqlite3_context *context, int n)
{
        const struct cursor *cursor = (const struct cursor *)(const void *)base;

        assert(n >= 0 && n <= ROW_VALUES_MAX && !cursor->is_at_end);
        if (n == ROW_VALUES_MAX)
                sqlite3_result_text(context, cursor->text.at, (int)cursor->text.len, SQLITE_STATIC);
        else if (cursor->values[n] != ROW_NULL)
                sqlite3_result_int64(context, cursor->values[n]);
        return SQLITE_OK;
}

static int row_id(sqlite3_vtab_cursor *base, sqlite3_int64 *ret_id)
{
        *ret_id = (sqlite3_int64)((const struct cursor *)(const void *)base)->at;
        return SQLITE_OK;
}

/*
 * Without xCreate it is there as soon as its module is: no CREATE VIRTUAL TABLE that would stand in
 * the file.
 */
static const sqlite3_module module = {
        .xConnect = connect_table,
        .xBestIndex = best_index,
        .xDisconnect = disconnect_table,
        .xOpen = open_cursor,
        .xClose = close_cursor,
        .xFilter = rewind_cursor,
        .xNext = next_row,
        .xEof = is_at_end,
        .xColumn = give_column,
        .xRowid = row_id,
};

int feed_attach(sqlite3 *db, struct feed *feed)
{
        return sqlite3_create_module(db, "feed", &module, feed);
}
