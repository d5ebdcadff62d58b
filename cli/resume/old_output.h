/* SPDX-License-Identifier: MIT */
/*
 * What an output that another run left has: of each input item whether there is a result, which
 * request that is of, and how it went
 *
 *      bytes ──▶ lines ──▶ old_line ──▶ 4 bytes by number: how it went, and 30 bits of a hash of
 *                │                      method, URL and digest
 *                └─ the rest behind the last line end is torn: `whole_at` says where it begins
 *
 * Nothing is known of the bytes: see old_line.h. A file with one line that is not a result is not
 * an output of ours, or damaged, and is refused as a whole. So is one that ends in something that
 * was not on the way to be a line of ours: nobody's file is cut because of a wrong name.
 *
 * Of several lines of one number the last one counts, but one of a request that was only cancelled
 * never takes the place of a result.
 */
#ifndef CLI_RESUME_OLD_OUTPUT_H
#define CLI_RESUME_OLD_OUTPUT_H

#include "by_number.h"
#include "old_line.h"
#include <base/map.h>
#include <muster/error.h>

/* Is a body's file as its line says? `path` is that of line->body_file, terminated. */
typedef bool (*old_body_is_there)(void *argument, const struct old_line *line, const char *path);

struct old_output {
        const char *name;                /* of the file, for messages */
        old_body_is_there body_is_there; /* NULL: nobody asks */
        void *body_argument;
        bool fails_on_status;     /* one of 400 and above is a failure, whatever its line says */
        struct by_number entries; /* of uint32_t */
        struct map hash;          /* its seed */
        struct buf rest;          /* of a line whose end has not come */
        struct buf scratch;
        uint64_t n_bytes, whole_at; /* read; up to the end of the last whole line */
        uint64_t n_lines, n_last, n_highest;
        uint64_t n_finished, n_failed; /* items that have a result; those of them that failed */
        bool has_replaced;             /* some lines count no more */
        bool is_sorted;                /* by number */
};

/* `borrow_name` for messages. */
void old_output_init(struct old_output *old, const char *borrow_name,
        old_body_is_there body_is_there, void *body_argument);
void old_output_deinit(struct old_output *old);

/* More of its bytes. MUSTER_E_INPUT with *error saying which line is no result; MUSTER_E_RESOURCE. */
int old_output_feed(struct old_output *old, struct muster_str bytes, struct muster_error *error);

/* That was all. MUSTER_E_INPUT with *error: it ends in what is not ours. */
int old_output_end(struct old_output *old, struct muster_error *error);

/* How the item went; OLD_NONE: it has no result. *ret_print is the hash of its request. */
enum old_line_kind old_output_find(const struct old_output *old, uint64_t n, uint32_t *ret_print);

/* The same hash of a request; `url` NULL: of an item that was none. MUSTER_E_RESOURCE. */
int old_output_print(struct old_output *old, const char *method, struct muster_str url,
        uint64_t digest, uint32_t *ret_print);

#endif
