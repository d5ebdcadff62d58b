/* SPDX-License-Identifier: MIT */
/*
 * Reading a list of requests from a file, item by item
 */
#ifndef TESTS_UNIT_READING_H
#define TESTS_UNIT_READING_H

#include "unit.h"

#include "input/input.h"

extern const char *const no_texts[];
extern const struct input_options as_csv, as_tsv;

/* A file with this text, open for reading and without a name. */
int file_with(const char *text, size_t len, char path[32]);

struct reading {
        struct input input;
        struct input_item item;
        struct muster_error error;
        char path[32];
        const char *files[2];
};

/* From a file with this text. */
void open_with(struct reading *reading, const char *text, size_t len,
        const struct input_options *options);
void open_text(struct reading *reading, const char *text, size_t len);
void close_text(struct reading *reading);

/* As input_next(). */
int next(struct reading *reading);

/* The next item is there, and this is what of it is the caller's own; "": nothing. */
void expect_own(struct reading *reading, const char *id, const char *own);

/* The next item is a failure. */
void expect_bad(struct reading *reading, const char *text);

/* The file is of no use, for the reason that stands behind its name. */
void expect_refused(const char *text, size_t len, const struct input_options *options,
        const char *why);

#endif
