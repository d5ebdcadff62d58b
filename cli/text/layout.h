/* SPDX-License-Identifier: MIT */
/*
 * Laying out a page of text: headings, labels, wrapped paragraphs
 *
 * What is shown may come from a record of anybody's: control characters are not passed on.
 */
#ifndef CLI_TEXT_LAYOUT_H
#define CLI_TEXT_LAYOUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#define PAGE_WIDTH_MAX   100
#define PAGE_WIDTH_MIN   60
#define PAGE_LABEL_WIDTH 13

struct page {
        FILE *to;
        bool has_colour;
        unsigned width;    /* columns of text */
        unsigned terminal; /* columns there are; 0: it is no terminal */
};

/* For a stream: colour and its width where it is a terminal, NO_COLOR respected. */
struct page page_on(FILE *to);

void page_bold(const struct page *page, bool is_on);

/* The label of a line, in its own column; the cursor is after it. */
void page_label(const struct page *page, const char *text);

/* A line by itself, after an empty one. */
void page_heading(const struct page *page, const char *text);

/* Words up to the page's width, later lines from column `indent`; the cursor is in column `at`. */
void page_wrap(const struct page *page, unsigned at, unsigned indent, const char *text);

/* Formatted, and wrapped. */
__attribute__((format(printf, 3, 4))) void page_paragraph(const struct page *page, unsigned indent,
        const char *format, ...);

/* The same behind a label, which has its own column. */
__attribute__((format(printf, 4, 5))) void page_row(const struct page *page, unsigned indent,
        const char *label, const char *format, ...);

/* How wide text is. */
unsigned text_columns(const char *text, size_t len);

#endif
