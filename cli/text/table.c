/* SPDX-License-Identifier: MIT */
#include "table.h"

#include <assert.h>
#include <base/clock.h>
#include <base/words.h>
#include <stdarg.h>
#include <string.h>

#define GAP      "  "
#define LEFT_OUT (-1) /* as the width of a column */

void table_row(struct table *table)
{
        assert(table->n_rows < TABLE_ROWS_MAX);
        table->n_rows++;
        table->at = 0;
}

void table_cell(struct table *table, const char *format, ...)
{
        va_list arguments;

        assert(table->n_rows && table->at < TABLE_COLUMNS_MAX);
        va_start(arguments, format);
        vsnprintf(table->cells[table->n_rows - 1][table->at++], TABLE_CELL_MAX, format, arguments);
        va_end(arguments);
        if (table->at > table->n_columns)
                table->n_columns = table->at;
}

void table_note(struct table *table, const char *note)
{
        snprintf(table->notes[table->n_rows - 1], TABLE_CELL_MAX, "%s", note);
}

void table_bold(struct table *table)
{
        table->is_bold[table->n_rows - 1] = true;
}

void table_headings(struct table *table, const char *const (*names)[2], size_t n)
{
        for (int line = 0; line < 2; line++) {
                table_row(table);
                table_bold(table);
                for (size_t i = 0; i < n; i++)
                        table_cell(table, "%s", names[i][line]);
        }
}

void table_cell_ns(struct table *table, double ns, const char *nothing)
{
        uint64_t us = (uint64_t)(ns / 1e3 + 0.5);

        table_cell(table, "%s", us ? words_ns(us * NS_PER_US).text : nothing);
}

void table_spare(struct table *table, const unsigned *columns, size_t n)
{
        assert(table->n_spare + n <= TABLE_COLUMNS_MAX);
        for (size_t i = 0; i < n; i++) {
                assert(columns[i] > 0);
                table->spare[table->n_spare++] = columns[i];
        }
}

static int width_of(const struct table *table, unsigned column)
{
        size_t width = 0;

        for (unsigned row = 0; row < table->n_rows; row++) {
                size_t len = strlen(table->cells[row][column]);

                if (len > width)
                        width = len;
        }
        return (int)width;
}

/* The columns up to the last one that has text: no blanks at a line's end. */
static unsigned n_used(const struct table *table, unsigned row)
{
        unsigned n = table->n_columns;

        while (n > 1 && !table->cells[row][n - 1][0])
                n--;
        return n;
}

static void print_row(const struct table *table, unsigned row, const int *widths, FILE *to)
{
        unsigned n = table->notes[row][0] ? table->n_columns : n_used(table, row);

        fprintf(to, "%-*s", widths[0], table->cells[row][0]);
        for (unsigned column = 1; column < n; column++)
                if (widths[column] != LEFT_OUT)
                        fprintf(to, GAP "%*s", widths[column], table->cells[row][column]);
        if (table->notes[row][0])
                fprintf(to, GAP "%s", table->notes[row]);
}

static size_t whole_width(const struct table *table, const int *widths)
{
        size_t width = 0, note = 0;

        for (unsigned column = 0; column < table->n_columns; column++)
                if (widths[column] != LEFT_OUT)
                        width += (size_t)widths[column] + (column ? strlen(GAP) : 0);
        for (unsigned row = 0; row < table->n_rows; row++)
                if (table->notes[row][0] && strlen(GAP) + strlen(table->notes[row]) > note)
                        note = strlen(GAP) + strlen(table->notes[row]);
        return width + note;
}

static void fit(const struct table *table, int *widths, size_t terminal)
{
        for (unsigned i = 0; i < table->n_spare && whole_width(table, widths) > terminal; i++)
                widths[table->spare[i]] = LEFT_OUT;
}

void table_print(const struct table *table, const struct page *page)
{
        int widths[TABLE_COLUMNS_MAX];

        for (unsigned column = 0; column < table->n_columns; column++)
                widths[column] = width_of(table, column);
        if (page->terminal)
                fit(table, widths, page->terminal);
        for (unsigned row = 0; row < table->n_rows; row++) {
                if (table->is_bold[row])
                        page_bold(page, true);
                print_row(table, row, widths, page->to);
                if (table->is_bold[row])
                        page_bold(page, false);
                fputc('\n', page->to);
        }
}
