/* SPDX-License-Identifier: MIT */
/*
 * Where a response's body goes: memory, a descriptor, a file, or a reader
 *
 * The body is put into the result's buffer as it comes, decoded. A sink empties that buffer; when
 * it cannot, the connection is not read from until it can: the kernel's window fills, and the
 * server waits.
 *
 *      MEMORY   stays there                              FILE    as FD, under another name until it is whole
 *      FD       written as long as that does not block   STREAM  taken by muster_result_read()
 */
#ifndef CORE_SINK_H
#define CORE_SINK_H

#include <base/buf.h>
#include <muster/error.h>
#include <net/loop.h>

#define SINK_STREAM_BYTES_MAX (256 * 1024) /* that wait for the reader */

enum sink_kind { SINK_MEMORY, SINK_FD, SINK_FILE, SINK_STREAM };

/* Zeroed is memory. */
struct sink {
        enum sink_kind kind;
        int given_fd; /* FD: the caller's */
        char *path;   /* FILE: the final name */

        char *temporary; /* FILE: the name until then; NULL: there is none */
        int fd;          /* ours, while is_open */
        bool is_open;
        bool never_blocks;       /* a regular file: it is written to at once */
        struct loop_watch watch; /* while it is blocked */
        bool is_blocked;
        bool is_ending;   /* the response is over, what is left of it is to be written still */
        uint64_t n_bytes; /* written, or read */
        size_t read_at;   /* STREAM: of the buffer, what was read already */
};

/* Forget what was set. May be called twice. */
void sink_deinit(struct sink *sink);

/* A response's body begins, and it is the result. MUSTER_E_RESOURCE with *error. */
int sink_begin(struct sink *sink, struct muster_error *error);

#define SINK_BLOCKED 1

/*
 * Take from `body` what can be taken. 0: all of it. SINK_BLOCKED: call again when sink->fd is
 * writable. MUSTER_E_RESOURCE.
 */
int sink_take(struct sink *sink, struct buf *body, struct muster_error *error);

/* It is all there: a file gets its name. MUSTER_E_RESOURCE with *error. */
int sink_finish(struct sink *sink, struct muster_error *error);

/* It is over, one way or another: an unfinished file goes. */
void sink_end(struct sink *sink);

#endif
