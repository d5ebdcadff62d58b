/* SPDX-License-Identifier: MIT */
/*
 * Rows: what a tracer receives, converted to integers of a table and back
 *
 * A struct row_type describes a kind of row; batch, memory, writer and reader treat all kinds alike
 * through it. A row is a struct of core/trace.h with moments in ns since the run's start. In its
 * table it is integers and at most one text. Moments in a table are relative to the row's own
 * beginning, which keeps them short in the file. A moment that did not happen is NULL.
 */
#ifndef RECORD_ROW_H
#define RECORD_ROW_H

#include <base/minmax.h>
#include <base/str.h>

enum row_kind {
        ROW_ORIGIN,
        ROW_ATTEMPT,
        ROW_CONN,
        ROW_TRY,
        ROW_LOOKUP,
        ROW_TURN,
        ROW_SAMPLE,
        ROW_N_KINDS,
};

#define ROW_VALUES_MAX 56
#define ROW_NULL       INT64_MIN
#define ROW_NO_TEXT    SIZE_MAX
/* The bound of moments and durations in a file, 9 years: sums of a few dozen of them fit. */
#define ROW_NS_MAX (UINT64_C(1) << 58)

struct row_type {
        const char *table;
        const char *const *columns; /* of integers; the first has "PRIMARY KEY" if it is one */
        size_t n_columns;
        /* this many of them are in every row; the others are NULL in most */
        size_t n_usual;
        const char *text_column; /* it follows the usual ones; NULL: none */
        /* rows are read in this order: the key, so that nothing must be sorted */
        const char *order;
        size_t size;             /* of the struct */
        size_t text_at;          /* its struct muster_str; ROW_NO_TEXT */
        const uint16_t *moments; /* their offsets in the struct */
        size_t n_moments;
        uint16_t begin_at, end_at; /* two moments that every row has; both 0: it has none */
        void (*put)(const void *row, int64_t values[ROW_VALUES_MAX]);
        /* Fill in a zeroed row. False: no run can have had such a row. */
        bool (*get)(const int64_t values[ROW_VALUES_MAX], void *ret_row);
};

extern const struct row_type *const row_types[ROW_N_KINDS];

/*
 * Make moments of the monotonic clock relative to `start_ns`; a moment that happened is never 0. A
 * beginning and an end are put in order.
 */
void row_rebase(enum row_kind kind, void *row, uint64_t start_ns);

/* The text of a row; NULL for a kind without text. */
struct muster_str *row_text(enum row_kind kind, void *row);

/* --- for the kinds --------------------------------------------------------------------------- */

extern const struct row_type row_type_origin, row_type_attempt, row_type_conn, row_type_try,
        row_type_lookup, row_type_turn, row_type_sample;

static inline int64_t row_since(uint64_t moment_ns, uint64_t from_ns)
{
        return moment_ns ? (int64_t)(moment_ns - from_ns) : ROW_NULL;
}

/* A number for the file; one that no counter reaches is cut. */
static inline int64_t row_cut(uint64_t number)
{
        return (int64_t)(min_u64(number, ROW_NS_MAX));
}

/* For get functions: a value out of range clears *is_good. NULL is 0. */
uint64_t row_number(int64_t value, uint64_t max, bool *is_good);
uint64_t row_moment(int64_t value, uint64_t from_ns, bool *is_good);

/* What may be not known: -1 in a row, NULL in a table. */
static inline int64_t row_put_known(int64_t number)
{
        return number < 0 ? ROW_NULL : row_cut((uint64_t)number);
}
int64_t row_known(int64_t value, bool *is_good);

/* The number of an engine; NULL is 1, as where there were no others. */
uint8_t row_engine(int64_t value, bool *is_good);

#endif
