/* SPDX-License-Identifier: MIT */
/*
 * A table of text with aligned columns
 *
 * The first column is aligned to the left, all others to the right. Cells are added row by row; the
 * widths are known when it is printed.
 */
#ifndef CLI_TEXT_TABLE_H
#define CLI_TEXT_TABLE_H

#include "layout.h"
#include <stdbool.h>

#define TABLE_COLUMNS_MAX 16
#define TABLE_ROWS_MAX    80
#define TABLE_CELL_MAX    48

struct table {
        char cells[TABLE_ROWS_MAX][TABLE_COLUMNS_MAX][TABLE_CELL_MAX];
        char notes[TABLE_ROWS_MAX][TABLE_CELL_MAX]; /* behind the last column */
        bool is_bold[TABLE_ROWS_MAX];
        unsigned spare[TABLE_COLUMNS_MAX], n_spare; /* the first to go first */
        unsigned n_rows, n_columns;
        unsigned at; /* column of the next cell of the last row */
};

/* A new row; there must be room. What follows is of this row. Text that is too long is cut. */
void table_row(struct table *table);
__attribute__((format(printf, 2, 3))) void table_cell(struct table *table, const char *format, ...);
void table_note(struct table *table, const char *note);
void table_bold(struct table *table);

/*
 * Columns that are left out where a terminal is too narrow for all, in this order. Not the first
 * column.
 */
void table_spare(struct table *table, const unsigned *columns, size_t n);

/* Two bold rows: what is above, and what is below, each column. */
void table_headings(struct table *table, const char *const (*names)[2], size_t n);

/* A duration, to the microsecond: digits behind are noise. `nothing` stands for less. */
void table_cell_ns(struct table *table, double ns, const char *nothing);

void table_print(const struct table *table, const struct page *page);

#endif
