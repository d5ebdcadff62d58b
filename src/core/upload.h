/* SPDX-License-Identifier: MIT */
/*
 * A request's body that is not in memory: a file, or a function of the caller's
 *
 * Read piece by piece as the connection takes them, framed by Content-Length or in chunks, and
 * begun anew for each attempt where that is possible.
 */
#ifndef CORE_UPLOAD_H
#define CORE_UPLOAD_H

#include <base/buf.h>
#include <muster/request.h>

enum upload_kind { UPLOAD_NONE, UPLOAD_FILE, UPLOAD_PULL };

/* Zeroed is none. */
struct upload {
        enum upload_kind kind;
        char *path;
        muster_pull_fn pull;
        muster_rewind_fn rewind;
        void *argument;
        uint64_t given_bytes; /* PULL: as the caller said */

        int fd;               /* FILE: while an attempt sends it; else -1 */
        bool is_open;         /* an attempt has begun it */
        bool was_begun;       /* some attempt has taken bytes of it */
        bool is_over;         /* the last piece was given out */
        uint64_t total_bytes; /* MUSTER_SIZE_UNKNOWN: in chunks */
        uint64_t n_bytes;     /* so far */
        struct buf piece;
};

/* Forget what was set; a memory body is not here. May be called twice. */
void upload_deinit(struct upload *upload);

static inline bool upload_is_there(const struct upload *upload)
{
        return upload->kind != UPLOAD_NONE;
}

/* Could another attempt send it from its beginning? */
bool upload_can_repeat(const struct upload *upload);

/* An attempt begins to send it: upload->total_bytes is known then. MUSTER_E_INPUT with *error. */
int upload_begin(struct upload *upload, struct muster_error *error);

/*
 * The next piece: what goes before it is appended to `frame`, the bytes themselves are in
 * *ret_piece, borrowed until the next call. After the last one upload->is_over. MUSTER_E_INPUT,
 * MUSTER_E_RESOURCE with *error.
 */
int upload_next(struct upload *upload, struct buf *frame, struct muster_str *ret_piece,
        struct muster_error *error);

/* The attempt is over. */
void upload_end(struct upload *upload);

#endif
