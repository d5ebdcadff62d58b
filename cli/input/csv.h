/* SPDX-License-Identifier: MIT */
/*
 * Rows of fields with a header (RFC 4180): commas, semicolons or tabs between them
 *
 * A row becomes a line of JSON, which everything behind it can keep, copy and parse again: the
 * columns url, id, method and body by these names, all others in the object "input", as strings.
 */
#ifndef CLI_INPUT_CSV_H
#define CLI_INPUT_CSV_H

#include "input.h"

struct csv_column;

/* Zeroed: there was no header yet. */
struct csv {
        struct csv_column *columns;
        size_t n;
        char delimiter;
        struct buf field, known, own; /* of the row */
};

/* Could this line be a header, with a column for URLs? */
bool csv_is_header(struct muster_str line, char delimiter, const struct input_options *options);

/*
 * The first row. 0: it is a header; CSV_IS_ROW: it is none, as --url-column named a place where
 * there is a URL, and columns are called column_1, column_2 and so on. MUSTER_E_INPUT with *error,
 * without the name of the file: no column has URLs, or a name is there twice.
 */
#define CSV_IS_ROW 1
int csv_begin(struct csv *csv, struct muster_str row, char delimiter,
        const struct input_options *options, struct muster_error *error);

/*
 * The first column that has the name of a member of JSON Lines that rows cannot have, such as data;
 * NULL: there is none. It is the caller's own.
 */
const struct buf *csv_misunderstood(const struct csv *csv);

/*
 * Write the JSON of a row into `line`. MUSTER_E_INPUT with item->error: it is not like the header.
 */
int csv_row(struct csv *csv, struct muster_str row, struct buf *line, struct input_item *item);

void csv_deinit(struct csv *csv);

#endif
