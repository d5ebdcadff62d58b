/* SPDX-License-Identifier: MIT */
/*
 * Sink: where a response's body goes, which is memory, a descriptor, a file, or a reader
 *
 * The decoded body goes into the result's buffer, and the sink empties that buffer. While it
 * cannot, we do not read from the connection: the kernel's window fills, and the server waits.
 *
 *      MEMORY   stays there                              FILE    as FD, under another name until it is whole
 *      FD       written as long as that does not block   STREAM  taken by muster_result_read()
 */
#ifndef CORE_SINK_H
#define CORE_SINK_H

#include <base/buf.h>
#include <muster/error.h>
#include <net/loop.h>

#define SINK_STREAM_BYTES_MAX (256 * 1024) /* the most that waits for the reader */

enum sink_kind { SINK_MEMORY, SINK_FD, SINK_FILE, SINK_STREAM };

/* Zeroed is memory. */
struct sink {
        enum sink_kind kind;
        int given_fd; /* FD: the caller's */
        char *path;   /* FILE: the final name */

        char *temporary; /* FILE: its name until the body is complete; NULL: none */
        int fd;          /* our own descriptor, while is_open */
        bool is_open;
        bool never_blocks;       /* a regular file: writes do not wait */
        struct loop_watch watch; /* while it is blocked */
        bool is_blocked;
        bool is_ending;   /* the response is over, but some of it is still to be written */
        uint64_t n_bytes; /* written, or read */
        size_t read_at;   /* STREAM: how much of the buffer was read */
};

/* Release the sink. May be called twice. */
void sink_deinit(struct sink *sink);

/* Begin the body of the response that is the result. MUSTER_E_RESOURCE with *error. */
int sink_begin(struct sink *sink, struct muster_error *error);

#define SINK_BLOCKED 1

/*
 * Take as much of `body` as possible. 0: all of it. SINK_BLOCKED: call again when sink->fd is
 * writable, or the stream was read. MUSTER_E_RESOURCE with *error.
 */
int sink_take(struct sink *sink, struct buf *body, struct muster_error *error);

/* The body is complete: a file gets its final name. MUSTER_E_RESOURCE with *error. */
int sink_finish(struct sink *sink, struct muster_error *error);

/* End the sink in any case; an unfinished file is deleted. */
void sink_end(struct sink *sink);

#endif
