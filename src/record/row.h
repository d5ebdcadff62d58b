/* SPDX-License-Identifier: MIT */
/*
 * Rows: what the tracer is told, as integers for a table and back
 *
 * A kind of row is described by a value of struct row_type; batch, memory, writer and reader treat
 * all kinds alike through it. A row is one of the structs of core/trace.h with its moments in ns
 * since the run's start; in its table it is integers, and at most one text. Moments within a row
 * are told relative to its own beginning, which keeps them short in the file; what did not happen
 * is NULL there.
 */
#ifndef RECORD_ROW_H
#define RECORD_ROW_H

#include <base/minmax.h>
#include <base/str.h>

enum row_kind {
        ROW_ORIGIN,
        ROW_ATTEMPT,
        ROW_CONN,
        ROW_LOOKUP,
        ROW_TURN,
        ROW_SAMPLE,
        ROW_N_KINDS,
};

#define ROW_VALUES_MAX 40
#define ROW_NULL       INT64_MIN
#define ROW_NO_TEXT    SIZE_MAX
/* Of moments and durations in a file, 9 years: sums of a few dozen of them fit. */
#define ROW_NS_MAX (UINT64_C(1) << 58)

struct row_type {
        const char *table;
        const char *const *columns; /* of integers; the first has "PRIMARY KEY" where it is one */
        size_t n_columns;
        size_t n_usual;          /* so many of these every row has; the others are NULL in most */
        const char *text_column; /* stands behind the usual ones; NULL: there is none */
        const char *order;       /* by which it is read: its key, so that nothing is to be sorted */
        size_t size;             /* of the struct */
        size_t text_at;          /* its struct muster_str; ROW_NO_TEXT */
        const uint16_t *moments; /* where in it they are */
        size_t n_moments;
        uint16_t begin_at, end_at; /* two of them that every row has; both 0: it has not */
        void (*put)(const void *row, int64_t values[ROW_VALUES_MAX]);
        /* Into a zeroed row. False: no run can have had such a row. */
        bool (*get)(const int64_t values[ROW_VALUES_MAX], void *ret_row);
};

extern const struct row_type *const row_types[ROW_N_KINDS];

/*
 * Moments of the monotonic clock become such since `start_ns`: none that happened is 0. A row that
 * has a beginning and an end has them in this order.
 */
void row_rebase(enum row_kind kind, void *row, uint64_t start_ns);

/* Where its text is; NULL for a kind without. */
struct muster_str *row_text(enum row_kind kind, void *row);

/* --- for the kinds --------------------------------------------------------------------------- */

extern const struct row_type row_type_origin, row_type_attempt, row_type_conn, row_type_lookup,
        row_type_turn, row_type_sample;

static inline int64_t row_since(uint64_t moment_ns, uint64_t from_ns)
{
        return moment_ns ? (int64_t)(moment_ns - from_ns) : ROW_NULL;
}

/* As a number for the file; what no counter reaches is cut. */
static inline int64_t row_cut(uint64_t number)
{
        return (int64_t)(min_u64(number, ROW_NS_MAX));
}

/* For get functions: what is out of its range clears *is_good. NULL is 0. */
uint64_t row_number(int64_t value, uint64_t max, bool *is_good);
uint64_t row_moment(int64_t value, uint64_t from_ns, bool *is_good);

/* The number of an engine; NULL is 1, as where there were no others. */
uint8_t row_engine(int64_t value, bool *is_good);

#endif
