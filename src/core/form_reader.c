/* SPDX-License-Identifier: MIT */
#include "form_reader.h"

#include "callback.h"
#include <assert.h>
#include <base/error.h>
#include <base/fd.h>
#include <base/file.h>
#include <base/minmax.h>
#include <errno.h>
#include <unistd.h>

#define RAW_BYTES (16 * 1024) /* read at once to be encoded */

void form_reader_end(struct form_reader *reader)
{
        if (reader->is_open)
                close(reader->fd);
        reader->is_open = false;
}

void form_reader_deinit(struct form_reader *reader)
{
        form_reader_end(reader);
        buf_deinit(&reader->sizes);
        buf_deinit(&reader->raw);
        buf_deinit(&reader->encoded);
        *reader = (struct form_reader){ 0 };
}

static int fail(const struct form_piece *piece, int sys, const char *what,
        struct muster_error *error)
{
        return error_set(error, MUSTER_E_INPUT, MUSTER_PHASE_SEND, sys, "input: %s %s%s%s", what,
                piece->path ? piece->path : "a part of the form", sys ? ": " : "",
                sys ? error_sys_text(sys) : "");
}

/* --- beginning ------------------------------------------------------------------------------- */

static int open_file(const struct form_piece *piece, int *ret_fd, uint64_t *ret_bytes,
        struct muster_error *error)
{
        struct stat status;
        int r = file_open(piece->path, false, ret_fd, &status);

        if (r == FILE_IS_ODD)
                return error_set(error, MUSTER_E_INPUT, MUSTER_PHASE_SEND, 0,
                        "input: %s is %s, and only regular files are sent in forms", piece->path,
                        file_kind(status.st_mode));
        if (r < 0)
                return fail(piece, -r, "cannot open", error);
        *ret_bytes = (uint64_t)status.st_size;
        return 0;
}

static int size_of_file(const struct form_piece *piece, uint64_t *ret_bytes,
        struct muster_error *error)
{
        int fd = -1;
        int r = open_file(piece, &fd, ret_bytes, error);

        fd_close(&fd);
        return r;
}

static int rewind_pull(const struct form_piece *piece, struct muster_error *error)
{
        int r;

        if (!piece->rewind)
                return fail(piece, 0, "without a rewind function it is not possible to send again",
                        error);
        callback_enter();
        r = piece->rewind(piece->argument);
        callback_leave();
        return r < 0 ? fail(piece, 0, "the caller's rewind function failed for", error) : 0;
}

/* How many bytes the source of a piece has. */
static int measure(const struct form_piece *piece, bool was_begun, uint64_t *ret_bytes,
        struct muster_error *error)
{
        switch (piece->kind) {
        case FORM_TEXT:
                *ret_bytes = piece->len;
                return 0;
        case FORM_FILE:
                return size_of_file(piece, ret_bytes, error);
        case FORM_PULL:
                *ret_bytes = piece->pull_bytes;
                return was_begun ? rewind_pull(piece, error) : 0;
        }
        return 0;
}

static uint64_t add_sizes(uint64_t a, uint64_t b)
{
        uint64_t sum;

        return a == MUSTER_SIZE_UNKNOWN || b == MUSTER_SIZE_UNKNOWN ||
                               __builtin_add_overflow(a, b, &sum)
                       ? MUSTER_SIZE_UNKNOWN
                       : sum;
}

int form_reader_begin(struct form_reader *reader, const struct muster_form *form, bool was_begun,
        uint64_t *ret_bytes, struct muster_error *error)
{
        uint64_t total = 0;

        form_reader_end(reader);
        reader->i = reader->encoded_at = 0;
        reader->n_bytes = 0;
        reader->sizes.len = reader->encoded.len = 0;
        for (size_t i = 0; i < form_n_pieces(form); i++) {
                const struct form_piece *piece = form_piece(form, i);
                uint64_t bytes = 0;
                int r = measure(piece, was_begun, &bytes, error);

                if (r < 0)
                        return r;
                if (buf_add(&reader->sizes, &bytes, sizeof(bytes)) < 0)
                        return error_set_memory(error, MUSTER_PHASE_SEND);
                total = add_sizes(total, transfer_encoded_bytes(piece->encoding, bytes));
        }
        *ret_bytes = total;
        return 0;
}

/* --- a source -------------------------------------------------------------------------------- */

static uint64_t expected_bytes(const struct form_reader *reader)
{
        return ((const uint64_t *)(const void *)reader->sizes.at)[reader->i];
}

static int read_file(struct form_reader *reader, const struct form_piece *piece, void *to,
        size_t size, size_t *ret_n, struct muster_error *error)
{
        uint64_t bytes;
        ssize_t n;

        if (!reader->is_open) {
                int r = open_file(piece, &reader->fd, &bytes, error);

                if (r < 0)
                        return r;
                reader->is_open = true;
        }
        do
                n = read(reader->fd, to, size);
        while (n < 0 && errno == EINTR);
        if (n < 0)
                return fail(piece, errno, "cannot read", error);
        *ret_n = (size_t)n;
        return 0;
}

static int call_pull(struct form_reader *reader, const struct form_piece *piece, void *to,
        size_t size, size_t *ret_n, struct muster_error *error)
{
        size_t n = 0;
        int r;

        if (reader->n_bytes == expected_bytes(reader)) {
                *ret_n = 0; /* it is not asked for more than it has */
                return 0;
        }
        callback_enter();
        r = piece->pull(piece->argument, to, size, &n);
        callback_leave();
        if (r < 0 || n > size)
                return fail(piece, 0, "the caller's pull function failed for", error);
        *ret_n = n;
        return 0;
}

/* Read of a file or function; 0 bytes: it has no more. */
static int read_source(struct form_reader *reader, const struct form_piece *piece, void *to,
        size_t size, size_t *ret_n, struct muster_error *error)
{
        uint64_t expected = expected_bytes(reader);
        size_t n = 0;
        int r = piece->kind == FORM_FILE ? read_file(reader, piece, to, size, &n, error)
                                         : call_pull(reader, piece, to, size, &n, error);

        assert(piece->kind != FORM_TEXT);
        if (r < 0)
                return r;
        reader->n_bytes += n;
        if (expected != MUSTER_SIZE_UNKNOWN && reader->n_bytes > expected)
                return fail(piece, 0, "more bytes came than were announced for", error);
        if (expected != MUSTER_SIZE_UNKNOWN && n == 0 && reader->n_bytes < expected)
                return fail(piece, 0, "fewer bytes came than were announced for", error);
        *ret_n = n;
        return 0;
}

static void next_piece(struct form_reader *reader)
{
        form_reader_end(reader);
        reader->i++;
        reader->n_bytes = 0;
        reader->encoder = (struct transfer_encoder){ 0 };
}

/* --- what comes next ------------------------------------------------------------------------- */

static size_t copy_text(struct form_reader *reader, const struct muster_form *form, char *to,
        size_t size)
{
        const struct form_piece *piece = form_piece(form, reader->i);
        size_t n = min_size(size, piece->len - (size_t)reader->n_bytes);

        memcpy(to, form->text.at + piece->at + reader->n_bytes, n);
        reader->n_bytes += n;
        if (reader->n_bytes == piece->len)
                next_piece(reader);
        return n;
}

static size_t copy_encoded(struct form_reader *reader, char *to, size_t size)
{
        size_t n = min_size(size, reader->encoded.len - reader->encoded_at);

        memcpy(to, reader->encoded.at + reader->encoded_at, n);
        reader->encoded_at += n;
        if (reader->encoded_at == reader->encoded.len)
                reader->encoded_at = reader->encoded.len = 0;
        return n;
}

/* Read of a source that has an encoding, into reader->encoded. */
static int encode_some(struct form_reader *reader, const struct form_piece *piece,
        struct muster_error *error)
{
        size_t n = 0;
        int r;

        assert(reader->encoded.len == 0);
        if (buf_reserve(&reader->raw, RAW_BYTES) < 0)
                return error_set_memory(error, MUSTER_PHASE_SEND);
        r = read_source(reader, piece, reader->raw.at, RAW_BYTES, &n, error);
        if (r < 0)
                return r;
        reader->encoder.encoding = piece->encoding;
        r = transfer_encode(&reader->encoder, (struct muster_str){ reader->raw.at, n }, n == 0,
                &reader->encoded);
        if (r == TRANSFER_NOT_7BIT)
                return fail(piece, 0, "a byte that 7bit cannot hold came from", error);
        if (r < 0)
                return error_set_memory(error, MUSTER_PHASE_SEND);
        if (n == 0)
                next_piece(reader);
        return 0;
}

/* Is there certainly more to read at once? A pipe may be silent for a while. */
static bool goes_on(const struct form_reader *reader, const struct muster_form *form)
{
        return reader->i < form_n_pieces(form) && expected_bytes(reader) != MUSTER_SIZE_UNKNOWN;
}

/* Read of the present piece. *ret_n may be 0. */
static int read_piece(struct form_reader *reader, const struct muster_form *form, char *to,
        size_t size, size_t *ret_n, struct muster_error *error)
{
        const struct form_piece *piece = form_piece(form, reader->i);
        int r;

        *ret_n = 0;
        if (piece->kind == FORM_TEXT) {
                *ret_n = copy_text(reader, form, to, size);
                return 0;
        }
        if (piece->encoding != TRANSFER_NONE)
                return encode_some(reader, piece, error);
        r = read_source(reader, piece, to, size, ret_n, error);
        if (r == 0 && *ret_n == 0)
                next_piece(reader);
        return r;
}

int form_reader_next(struct form_reader *reader, const struct muster_form *form, void *buffer,
        size_t size, size_t *ret_n, struct muster_error *error)
{
        size_t n = 0;

        assert(form->is_closed && size > 0);
        while (n < size) {
                char *to = (char *)buffer + n;
                size_t one = 0;
                int r = 0;

                if (reader->encoded.len)
                        one = copy_encoded(reader, to, size - n);
                else if (reader->i < form_n_pieces(form) && (n == 0 || goes_on(reader, form)))
                        r = read_piece(reader, form, to, size - n, &one, error);
                else
                        break;
                if (r < 0)
                        return r;
                n += one;
        }
        *ret_n = n;
        return 0;
}
