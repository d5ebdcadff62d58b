/* SPDX-License-Identifier: MIT */
/*
 * Where requests come from: arguments and files, in order, read lazily
 *
 * A format turns a line into an item; each is a const value in the table of input.c. Which one a file has is told by its first line,
 * unless an option says so.
 */
#ifndef CLI_INPUT_INPUT_H
#define CLI_INPUT_INPUT_H

#include "reader.h"
#include <muster/muster.h>

/* One input item: what to ask, or why that could not be read. */
struct input_item {
        /* Of a plain line; terminated, borrowed until the next item; NULL with `request`. */
        const char *url;
        struct muster_request *request; /* the caller's; NULL for a plain line */
        struct buf id;                  /* as JSON; empty: none. Kept from item to item */
        uint64_t line;                  /* in its file, from 1; 0 for an argument */
        struct muster_str
                text; /* the line as it stands, borrowed until the next item; empty for an argument */
        const struct input_format *format; /* that reads it; NULL for an argument */
        bool is_unsafe;            /* it names a method that may change something on the server */
        struct muster_error error; /* set: the item is a failure */
};

#define INPUT_SKIP 1 /* nothing on this line: blank, or a comment */

struct input_format {
        const char *name;

        /* Parse a line that is not blank. 0, INPUT_SKIP, or negative with item->error set. */
        int (*parse)(struct muster_str line, struct buf *scratch, struct input_item *item);

        /* Does a file whose first line is this look like one of this format? */
        bool (*fits)(struct muster_str line);
};

extern const struct input_format input_lines, input_jsonl;

/* The format of that name, NULL for an unknown one. */
const struct input_format *input_format_find(const char *name);

struct input {
        const char *const *urls;                /* NULL-ended */
        const char *const *files;               /* NULL-ended; "-" is standard input */
        const struct input_format *format;      /* NULL: tell by the first line */
        const struct input_format *file_format; /* of the file that is open */
        const char *file;
        struct reader reader;
        bool is_open;
        struct buf scratch;
        uint64_t n_items;
};

#define INPUT_END  1
#define INPUT_WAIT 2 /* poll input->reader.fd */

/* `urls` come first, then `files`. */
void input_init(struct input *input, const char *const *urls, const char *const *files,
                const struct input_format *format);
void input_deinit(struct input *input);

/*
 * The next item. 0: also when the item is a failure. INPUT_END, INPUT_WAIT. MUSTER_E_INPUT with *error: a file cannot be read, and nothing more comes.
 */
int input_next(struct input *input, struct input_item *item, struct muster_error *error);

/* How much of all files was read, from 0 to 1; negative when that is not known. */
double input_progress(const struct input *input);

#endif
