/* SPDX-License-Identifier: MIT */
/*
 * Form reader: the bytes of a form, for one attempt
 *
 * Sizes of files are looked at when an attempt begins. A file that has another size when it is read
 * fails the request, as the length was announced.
 */
#ifndef CORE_FORM_READER_H
#define CORE_FORM_READER_H

#include "form.h"

/* Zeroed is closed. */
struct form_reader {
        size_t i;         /* the piece that is read */
        uint64_t n_bytes; /* read of its source, before it is encoded */
        struct buf sizes; /* a uint64_t for each piece: bytes of its source, or unknown */
        int fd;
        bool is_open; /* the piece is a file, and open */
        struct transfer_encoder encoder;
        struct buf raw, encoded; /* of a piece that has an encoding */
        size_t encoded_at;       /* that far it was given out */
};

void form_reader_deinit(struct form_reader *reader);

/*
 * Begin. `was_begun`: an attempt before has read of it. *ret_bytes is MUSTER_SIZE_UNKNOWN where a
 * part's is. MUSTER_E_INPUT, MUSTER_E_RESOURCE with *error.
 */
int form_reader_begin(struct form_reader *reader, const struct muster_form *form, bool was_begun,
        uint64_t *ret_bytes, struct muster_error *error);

/* Read up to `size` bytes; *ret_n 0: the end. MUSTER_E_INPUT, MUSTER_E_RESOURCE with *error. */
int form_reader_next(struct form_reader *reader, const struct muster_form *form, void *buffer,
        size_t size, size_t *ret_n, struct muster_error *error);

/* Close what is open. May be called twice. */
void form_reader_end(struct form_reader *reader);

#endif
