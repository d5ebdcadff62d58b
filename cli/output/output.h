/* SPDX-License-Identifier: MIT */
/*
 * Where result lines go: a file or standard output, through one large buffer
 *
 * Whole lines only: a line that does not fit any more goes out with the next flush, and where the
 * disk is full what was written of one is cut off again. A file that was there before keeps what it
 * has until there is a line to be written: a run that cannot begin takes nobody's results away. And
 * one that has something is written to only by who asked for that. Devices, pipes and terminals keep
 * nothing, so there is nothing to be asked.
 *
 * A run holds a lock on its file (flock), so that two runs do not mix their lines.
 */
#ifndef CLI_OUTPUT_OUTPUT_H
#define CLI_OUTPUT_OUTPUT_H

#include "channel.h"
#include "result_line.h"
#include "sync.h"
#include "write_out.h"
#include <muster/record.h>

#define OUTPUT_FLUSH_BYTES (128 * 1024)

/* What becomes of what a file has. */
enum output_way {
        OUTPUT_NEW,     /* it must have nothing */
        OUTPUT_REPLACE, /* it goes when there is a line to be written */
        OUTPUT_APPEND,  /* it stays, and lines go behind it */
        OUTPUT_GO_ON,   /* the caller reads it, and says how much of it stays */
};

struct output {
        const char *path;               /* NULL: standard output */
        const struct write_out *format; /* NULL: lines of JSON */
        int fd;
        bool is_terminal;
        bool is_file;      /* a regular one, and ours: it can be cut */
        bool is_new;       /* it was not there before */
        bool is_begun;     /* what is to go of what it had is gone */
        uint64_t begin_at; /* so many bytes stay */
        struct sync sync;
        struct channel channel;
        struct buf buf;
        uint64_t n_added;   /* lines */
        uint64_t n_written; /* lines that the kernel has, whole */
        uint64_t n_bytes;   /* of the file */
        uint64_t whole_at;  /* of these, up to the end of the last whole line */
};

/*
 * `borrow_format`: what is made of each result, instead of a line of JSON; NULL: none.
 * MUSTER_E_INVALID with *error: the file has something, and `way` does not say what becomes of it;
 * MUSTER_E_RESOURCE with *error naming the file.
 */
int output_open(struct output *output, const char *path, enum output_way way,
        const struct write_out *borrow_format, struct muster_error *error);

/* OUTPUT_GO_ON: so many bytes stay; what is behind them goes when the run has begun. */
void output_go_on(struct output *output, uint64_t begin_at);

/* What it is that results go to. */
enum muster_output output_kind(const struct output *output);

/* The run has begun, also where it has no line: what is to go of the file goes. As output_flush(). */
int output_begin(struct output *output, struct muster_error *error);

/* Add a line. OUTPUT_FULL: it was added, and it is time to flush. MUSTER_E_RESOURCE with *error. */
#define OUTPUT_FULL 1
int output_add(struct output *output, const struct result_line *line, struct muster_error *error);

/*
 * Hand to the kernel what is there. MUSTER_E_RESOURCE with *error saying how many lines were
 * written before.
 */
int output_flush(struct output *output, struct muster_error *error);

/*
 * The same, but only as much as is taken without waiting. OUTPUT_STALLS: something is left, and
 * output->channel has no room for it now.
 */
#define OUTPUT_STALLS 2
int output_offer(struct output *output, struct muster_error *error);

/*
 * Is there somebody to write for? As output_flush() when whoever read the lines has gone away, which
 * else the next line would find out, if there is to be one.
 */
int output_check_reader(const struct output *output, struct muster_error *error);

/* Is there so much to be written that no more is to be added? */
bool output_is_full(const struct output *output);

/* Is it that file? */
bool output_is(const struct output *output, const char *path);

/*
 * Flush and close, where that is wanted (--sync) after bringing all to the disk, and what was
 * written below `folder` (NULL: none). As output_flush().
 */
int output_close(struct output *output, const char *folder, struct muster_error *error);

/* Nothing is to be written: close it as it was before. Once closed this does nothing. */
void output_abandon(struct output *output);

/* Is all that was printed on standard output (stdio's) written? MUSTER_E_RESOURCE with *error. */
int output_end_page(struct muster_error *error);

#endif
