/* SPDX-License-Identifier: MIT */
/*
 * Form: a body of several parts, as text with places where files and functions give the rest
 *
 * A form grows part by part. Heads, and contents that are in memory, become text at once; what is
 * read later is a piece between. With its first request it is closed: nothing changes any more, and
 * requests in all threads share it. form_reader.h reads it.
 *
 *      text ▷ file ▷ text ▷ pull ▷ text
 */
#ifndef CORE_FORM_H
#define CORE_FORM_H

#include <http/transfer_encode.h>
#include <muster/form.h>
#include <stdatomic.h>

enum form_piece_kind { FORM_TEXT, FORM_FILE, FORM_PULL };

struct form_piece {
        enum form_piece_kind kind;
        size_t at, len; /* TEXT: in form->text */
        char *path;     /* FILE */
        muster_pull_fn pull;
        muster_rewind_fn rewind;
        void *argument;
        uint64_t pull_bytes;
        enum transfer_encoding encoding; /* FILE, PULL */
};

struct muster_form {
        atomic_uint n_refs;
        bool is_closed;
        bool escapes_with_backslash;
        bool has_pull;     /* and so is for one request only */
        struct buf type;   /* the value of Content-Type, terminated */
        struct buf text;   /* what the TEXT pieces point into */
        struct buf pieces; /* of struct form_piece */
        struct buf groups; /* of struct group, the innermost last: form.c */
        struct muster_error error;
};

static inline size_t form_n_pieces(const struct muster_form *form)
{
        return form->pieces.len / sizeof(struct form_piece);
}

static inline const struct form_piece *form_piece(const struct muster_form *form, size_t i)
{
        return &((const struct form_piece *)(const void *)form->pieces.at)[i];
}

/*
 * Close it if it is not closed, and hold it: form_unref() releases it. MUSTER_E_INVALID with
 * form->error: a group is open, or it can be sent only once and was given to a request.
 */
int form_ref(struct muster_form *form);

/* Takes NULL, returns NULL. */
struct muster_form *form_unref(struct muster_form *form);

/* Is a closed form only text? It is the whole body then. */
bool form_is_text(const struct muster_form *form);

/* Can a closed form be read more than once? */
bool form_can_repeat(const struct muster_form *form);

#endif
