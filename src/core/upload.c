/* SPDX-License-Identifier: MIT */
#include "upload.h"

#include "callback.h"
#include <assert.h>
#include <base/error.h>
#include <base/file.h>
#include <base/mem.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <unistd.h>

#define PIECE_BYTES (64 * 1024)

void upload_deinit(struct upload *upload)
{
        if (upload->kind == UPLOAD_NONE)
                return;
        upload_end(upload);
        mem_free(upload->path);
        form_reader_deinit(&upload->reader);
        buf_deinit(&upload->piece);
        *upload = (struct upload){ 0 };
}

bool upload_can_repeat(const struct upload *upload)
{
        if (!upload->was_begun)
                return true;
        switch (upload->kind) {
        case UPLOAD_NONE:
                return true;
        case UPLOAD_FILE:
                return upload->total_bytes != MUSTER_SIZE_UNKNOWN; /* what a pipe gave is gone */
        case UPLOAD_PULL:
                return upload->rewind;
        case UPLOAD_FORM:
                return form_can_repeat(upload->form);
        }
        return true;
}

/* --- beginning ------------------------------------------------------------------------------- */

static int fail_upload(const struct upload *upload, int sys, const char *what,
        struct muster_error *error)
{
        return error_set(error, MUSTER_E_INPUT, MUSTER_PHASE_SEND, sys, "input: %s %s%s%s", what,
                upload->path ? upload->path : "the body", sys ? ": " : "",
                sys ? error_sys_text(sys) : "");
}

static int open_file(struct upload *upload, struct muster_error *error)
{
        struct stat status;
        int r = file_open(upload->path, upload->takes_pipe, &upload->fd, &status);

        if (r == FILE_IS_ODD)
                return error_set(error, MUSTER_E_INPUT, MUSTER_PHASE_SEND, 0,
                        "input: %s is %s, and only regular files are sent", upload->path,
                        file_kind(status.st_mode));
        if (r < 0)
                return fail_upload(upload, -r, "cannot open", error);
        upload->is_open = true;
        upload->total_bytes =
                S_ISREG(status.st_mode) ? (uint64_t)status.st_size : MUSTER_SIZE_UNKNOWN;
        return 0;
}

static int begin_pull(struct upload *upload, struct muster_error *error)
{
        int r;

        upload->total_bytes = upload->given_bytes;
        upload->is_open = true;
        if (!upload->was_begun)
                return 0;
        if (!upload->rewind)
                return fail_upload(upload, 0,
                        "without a rewind function it is not possible to send again", error);
        callback_enter();
        r = upload->rewind(upload->argument);
        callback_leave();
        return r < 0 ? fail_upload(upload, 0, "the caller's rewind function failed for", error) : 0;
}

static int begin_form(struct upload *upload, struct muster_error *error)
{
        upload->is_open = true;
        return form_reader_begin(&upload->reader, upload->form, upload->was_begun,
                &upload->total_bytes, error);
}

int upload_begin(struct upload *upload, struct muster_error *error)
{
        assert(upload_is_there(upload));
        upload_end(upload);
        upload->n_bytes = 0;
        upload->is_over = false;
        if (upload->kind == UPLOAD_FORM)
                return begin_form(upload, error);
        return upload->kind == UPLOAD_FILE ? open_file(upload, error) : begin_pull(upload, error);
}

void upload_stop_waiting(struct upload *upload)
{
        if (upload->watch.loop)
                (void)loop_watch_set(upload->watch.loop, &upload->watch, upload->fd, false, false);
}

void upload_end(struct upload *upload)
{
        upload_stop_waiting(upload);
        if (upload->is_open && upload->kind == UPLOAD_FILE)
                close(upload->fd);
        form_reader_end(&upload->reader);
        upload->is_open = false;
}

/* --- piece by piece -------------------------------------------------------------------------- */

static int call_pull(struct upload *upload, size_t size, size_t *ret_n, struct muster_error *error)
{
        int r;

        *ret_n = 0;
        callback_enter();
        r = upload->pull(upload->argument, upload->piece.at, size, ret_n);
        callback_leave();
        return r < 0 || *ret_n > size
                       ? fail_upload(upload, 0, "the caller's pull function failed for", error)
                       : 0;
}

/*
 * A pipe that nobody has opened for writing yet reads as one that is over, but is not ready. What
 * cannot be watched, as /dev/null, never waits.
 */
static bool pipe_has_nothing(const struct upload *upload)
{
        struct pollfd poll_fd = { .fd = upload->fd, .events = POLLIN };

        return upload->total_bytes == MUSTER_SIZE_UNKNOWN && poll(&poll_fd, 1, 0) == 0;
}

static int wait_for_pipe(struct upload *upload, struct loop *loop, struct muster_error *error)
{
        assert(upload->watch.ready);
        if (loop_watch_set(loop, &upload->watch, upload->fd, true, false) < 0)
                return fail_upload(upload, errno, "cannot wait for", error);
        return UPLOAD_WAITS;
}

static int read_file(struct upload *upload, struct loop *loop, size_t size, size_t *ret_n,
        struct muster_error *error)
{
        ssize_t n;

        if (pipe_has_nothing(upload))
                return wait_for_pipe(upload, loop, error);
        do
                n = read(upload->fd, upload->piece.at, size);
        while (n < 0 && errno == EINTR);
        if (n < 0 && errno == EAGAIN && upload->total_bytes == MUSTER_SIZE_UNKNOWN)
                return wait_for_pipe(upload, loop, error);
        if (n < 0)
                return fail_upload(upload, errno, "cannot read", error);
        *ret_n = (size_t)n;
        return 0;
}

/* Read up to `size` bytes into the piece; 0 bytes are the end. UPLOAD_WAITS. */
static int read_some(struct upload *upload, struct loop *loop, size_t size, size_t *ret_n,
        struct muster_error *error)
{
        if (upload->kind == UPLOAD_PULL)
                return call_pull(upload, size, ret_n, error);
        if (upload->kind == UPLOAD_FORM)
                return form_reader_next(&upload->reader, upload->form, upload->piece.at, size,
                        ret_n, error);
        return read_file(upload, loop, size, ret_n, error);
}

static int check_length(struct upload *upload, bool is_end, struct muster_error *error)
{
        if (upload->n_bytes > upload->total_bytes)
                return fail_upload(upload, 0, "more bytes came than were announced for", error);
        if (is_end && upload->n_bytes < upload->total_bytes)
                return fail_upload(upload, 0, "fewer bytes came than were announced for", error);
        return 0;
}

/* Append the end of the previous chunk and the size of the next, such as "1f4\r\n". */
static int add_chunk_size(struct upload *upload, struct buf *frame, size_t n)
{
        char text[32];
        int len = snprintf(text, sizeof(text), "%s%zx\r\n%s", upload->n_bytes > n ? "\r\n" : "", n,
                n ? "" : "\r\n");

        return buf_add(frame, text, (size_t)len);
}

int upload_next(struct upload *upload, struct loop *loop, struct buf *frame,
        struct muster_str *ret_piece, struct muster_error *error)
{
        bool is_chunked = upload->total_bytes == MUSTER_SIZE_UNKNOWN;
        size_t n = 0;
        int r;

        assert(upload->is_open && !upload->is_over);
        if (upload_waits(upload))
                return UPLOAD_WAITS;
        upload->was_begun = true;
        upload->piece.len = 0;
        if (buf_reserve(&upload->piece, PIECE_BYTES) < 0)
                return error_set_memory(error, MUSTER_PHASE_SEND);
        r = read_some(upload, loop, PIECE_BYTES, &n, error);
        if (r != 0)
                return r;
        upload->n_bytes += n;
        upload->is_over = n == 0;
        if (is_chunked && add_chunk_size(upload, frame, n) < 0)
                return error_set_memory(error, MUSTER_PHASE_SEND);
        if (!is_chunked) {
                r = check_length(upload, upload->is_over, error);
                /* A body of known length is over once all of it is there. A file may have grown. */
                upload->is_over |= r == 0 && upload->n_bytes == upload->total_bytes &&
                                   upload->kind != UPLOAD_FILE;
        }
        *ret_piece = (struct muster_str){ upload->piece.at, n };
        return r;
}
