/* SPDX-License-Identifier: MIT */
/*
 * Forms: bodies of several parts, as browsers send them (multipart/form-data, RFC 7578)
 *
 *      struct muster_form *form = muster_form_new(NULL);
 *      muster_form_add(form, &(struct muster_form_part){ .size = sizeof(struct muster_form_part),
 *              .name = "title", .data = "A cat", .data_bytes = 5 });
 *      muster_form_add(form, &(struct muster_form_part){ .size = sizeof(struct muster_form_part),
 *              .name = "photo", .file = "cat.jpg" });
 *      muster_request_set_form(request, form);
 *      muster_form_free(form);
 *
 * A form can be given to any number of requests, of several clients and threads. Files are read
 * while they are sent, again for each attempt, so memory stays flat. A function that fails leaves
 * the form as it was, and puts the reason into muster_form_error().
 */
#ifndef MUSTER_FORM_H
#define MUSTER_FORM_H

#include <muster/request.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Options of a form; zero is the default of each. */
struct muster_form_options {
        size_t size;      /* sizeof *this */
        const char *type; /* NULL: "multipart/form-data"; without a boundary, which is added */
        /* In names a quote is \" and not %22, as servers that read RFC 822 want it. */
        bool backslash_escapes;
};

/* A part of a form. All text and data are copied. */
struct muster_form_part {
        size_t size;      /* sizeof *this */
        const char *name; /* of the field; NULL: none */

        /* Its content: one of these; none: it is empty. */
        const void *data; /* memory */
        size_t data_bytes;
        const char *file;    /* a path; see muster_request_set_body_file() */
        muster_pull_fn pull; /* a function; see muster_request_set_body_pull() */
        uint64_t pull_bytes; /* or MUSTER_SIZE_UNKNOWN */
        muster_rewind_fn rewind;
        void *argument;

        /* What its head says. */
        const char *filename; /* NULL: of `file` the last part of its path, else none */
        /* NULL: by the ending of the filename; for a file of unknown ending
         * "application/octet-stream", else none */
        const char *type;
        /* How the content is encoded: "base64", "quoted-printable", "7bit", "8bit", "binary"; NULL:
         * it is not, and nothing is said of it. Servers of web forms understand no encoding. */
        const char *encoding;
        const char *const *headers; /* more fields, "Name: value", ..., NULL */
        bool no_filename;           /* send only the content of `file`, as a field like others */
};

/* Make a form; `options` may be NULL. NULL if memory is out or the type is not valid. */
MUSTER_PUBLIC struct muster_form *muster_form_new(const struct muster_form_options *options);

/* Free a form. Requests that it was given to keep what they need. NULL is allowed. Returns NULL. */
MUSTER_PUBLIC struct muster_form *muster_form_free(struct muster_form *form);

/*
 * Add a part. MUSTER_E_INVALID for NULL, for two contents, for text that cannot be sent in a head
 * (a line end, an unknown encoding, a type that is none), and after the form was given to a
 * request. MUSTER_E_RESOURCE. A file is opened only when it is sent.
 */
MUSTER_PUBLIC int muster_form_add(struct muster_form *form, const struct muster_form_part *part);

/*
 * Begin a part that consists of parts: those added until muster_form_end(). `part` has no content;
 * its type is "multipart/mixed" if NULL. At most 16 deep.
 */
MUSTER_PUBLIC int muster_form_begin(struct muster_form *form, const struct muster_form_part *part);
MUSTER_PUBLIC int muster_form_end(struct muster_form *form);

/*
 * Nothing more is added: from now on requests in any thread can be given the form. The first
 * request that gets it does this, too. MUSTER_E_INVALID: an end is missing.
 */
MUSTER_PUBLIC int muster_form_finish(struct muster_form *form);

/* Why the last function failed; valid until the next one. code is MUSTER_OK if none failed. */
MUSTER_PUBLIC const struct muster_error *muster_form_error(const struct muster_form *form);

#ifdef __cplusplus
}
#endif

#endif
