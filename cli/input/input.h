/* SPDX-License-Identifier: MIT */
/*
 * Where requests come from: arguments and files, in order, read lazily
 *
 * A format turns a line into an item; each is a const value in the table of input.c. Which one a
 * file has is told by its name, or else by its first line, unless an option says so; all its lines
 * are read by that one. So nobody who adds a line to a list of URLs can make it send a file.
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
        /* an object of the members that are the caller's own; empty: none. Kept, too */
        struct buf own;
        struct buf sent_files; /* paths, each with its zero, of what its line sends. Kept, too */
        uint64_t line;         /* in its file, from 1; 0 for an argument */
        /* the line as it stands, borrowed until the next item; empty for an argument */
        struct muster_str text;
        const struct input_format *format; /* that reads `text`; NULL for an argument */
        struct muster_str
                unknown;     /* the name of a member of its own, borrowed as `text`; empty: none */
        const char *nearest; /* what `unknown` may be meant to be; NULL: nothing that we know */
        const char *content_type; /* what its body is, unless an option says it; NULL: not known */
        /* that the line gives the request */
        bool has_headers, has_body, has_content_type, has_login;
        bool is_untrusted;         /* as the options say; set before it is parsed */
        bool takes_pipes;          /* given: its body_file need not be a regular file */
        bool is_unsafe;            /* it names a method that may change something on the server */
        struct muster_error error; /* set: the item is a failure */
};

struct input_options;

struct input_format {
        const char *name;
        const char *endings; /* of files' names, with blanks between them */
        char delimiter; /* it has rows of fields (csv.h) with this between them; 0: it has lines */

        /* Parse a line that is not blank. 0, or negative with item->error set. */
        int (*parse)(struct muster_str line, struct buf *scratch, struct input_item *item);

        /* Does a file whose first line is this look like one of this format? */
        bool (*fits)(struct muster_str line, const struct input_options *options);
};

extern const struct input_format input_lines, input_jsonl, input_csv, input_tsv;

/* The format of that name, NULL for an unknown one. */
const struct input_format *input_format_find(const char *name);

/* Zeroed is the default. */
struct input_options {
        const struct input_format *format; /* NULL: told by the file */
        const char *url_column;            /* of rows: a name, or a number from 1 on; NULL: "url" */
        bool is_strict;                    /* members that are not known are errors */
        bool is_untrusted;                 /* a stranger wrote them: untrusted.h */
        bool takes_pipes;                  /* as of an item */
};

struct csv;

/* What was read, to be read again (repeat.h). Zeroed it is empty. */
struct repeat {
        struct buf texts, list;
        size_t next; /* where in `list`, in bytes */
        bool is_too_long;
};

struct input {
        enum muster_input kind;   /* the slowest of them all */
        const char *const *urls;  /* NULL-ended */
        const char *const *files; /* NULL-ended; "-" is standard input */
        struct input_options options;
        const struct input_format *file_format; /* of the file that is open; NULL: not told yet */
        const char *file;
        struct reader reader;
        struct csv *csv; /* of the file that is open, if it has rows */
        bool is_open, has_begun,
                /* of it: its first line was read; it has rows, and their names are known */
                has_header;
        bool has_warned;
        struct buf scratch;
        uint64_t n_items;
        uint64_t n_most;  /* there are no more items; 0: as many as there are */
        bool is_repeated; /* after the end of all, from the beginning again */
        struct repeat repeat;
};

#define INPUT_END  1
#define INPUT_WAIT 2 /* poll input->reader.fd */

/* `urls` come first, then `files`. `n_most` and `is_repeated` may be set before the first item. */
void input_init(struct input *input, const char *const *urls, const char *const *files,
        const struct input_options *options);
void input_deinit(struct input *input);

/*
 * Can all files be read, as far as can be told without opening them? A pipe is not disturbed.
 * MUSTER_E_INPUT with *error naming one that cannot.
 */
int input_check(const struct input *input, struct muster_error *error);

/*
 * The next item. 0: also when the item is a failure. INPUT_END, INPUT_WAIT. MUSTER_E_INPUT with
 * *error: a file cannot be read, or is none of the formats, and nothing more comes.
 */
int input_next(struct input *input, struct input_item *item, struct muster_error *error);

/*
 * A member of this item is nearly one that is known, and that was not said before: "muster: ..."
 * for standard error. Else NULL.
 */
const char *input_warning(struct input *input, const struct input_item *item, char *text,
        size_t size);

void input_item_deinit(struct input_item *item);

/* How much of all files was read, from 0 to 1; negative when that is not known. */
double input_progress(const struct input *input);

#endif
