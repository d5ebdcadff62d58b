/* SPDX-License-Identifier: MIT */
/*
 * Upload: a request's body that is not in memory, from a file, the caller's function or a form
 *
 * Pieces are read as the connection takes them, framed by Content-Length or in chunks. Each attempt
 * begins anew if the source allows it. A pipe that has nothing yet is waited for by the loop.
 */
#ifndef CORE_UPLOAD_H
#define CORE_UPLOAD_H

#include "form_reader.h"
#include <base/buf.h>
#include <net/loop.h>
#include <muster/request.h>

enum upload_kind { UPLOAD_NONE, UPLOAD_FILE, UPLOAD_PULL, UPLOAD_FORM };

/* Zeroed is no upload. */
struct upload {
        enum upload_kind kind;
        char *path;
        bool takes_pipe; /* FILE: of any kind, not only a regular one */
        muster_pull_fn pull;
        muster_rewind_fn rewind;
        void *argument;
        uint64_t given_bytes;           /* PULL: the size that the caller gave */
        const struct muster_form *form; /* FORM: the request's */
        struct form_reader reader;

        int fd;               /* FILE: open while an attempt sends it */
        bool is_open;         /* an attempt is sending it */
        bool was_begun;       /* an attempt has read from it */
        bool is_over;         /* the last piece was returned */
        uint64_t total_bytes; /* MUSTER_SIZE_UNKNOWN: sent in chunks */
        uint64_t n_bytes;     /* read so far */
        struct buf piece;
        struct loop_watch watch; /* FILE: while the pipe has nothing */
};

/* Release the upload. May be called twice. */
void upload_deinit(struct upload *upload);

static inline bool upload_is_there(const struct upload *upload)
{
        return upload->kind != UPLOAD_NONE;
}

/* Can another attempt send it from the beginning? */
bool upload_can_repeat(const struct upload *upload);

/*
 * Begin an attempt's upload and set upload->total_bytes. upload->watch.ready is set. MUSTER_E_INPUT
 * with *error.
 */
int upload_begin(struct upload *upload, struct muster_error *error);

#define UPLOAD_WAITS 1 /* the pipe has nothing yet; upload->watch.ready is called when it has */

/*
 * Read the next piece into *ret_piece, borrowed until the next call. Framing that goes before it is
 * appended to `frame`. The last piece sets upload->is_over. UPLOAD_WAITS. MUSTER_E_INPUT,
 * MUSTER_E_RESOURCE with *error.
 */
int upload_next(struct upload *upload, struct loop *loop, struct buf *frame,
        struct muster_str *ret_piece, struct muster_error *error);

/* Does it wait for its pipe? */
static inline bool upload_waits(const struct upload *upload)
{
        return upload->watch.loop;
}

/* The pipe has something, or is not waited for any longer. */
void upload_stop_waiting(struct upload *upload);

/* End the attempt's upload. May be called twice. */
void upload_end(struct upload *upload);

#endif
