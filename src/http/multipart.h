/* SPDX-License-Identifier: MIT */
/*
 * Multipart bodies as text: boundaries, and the head of each part (RFC 7578, RFC 2046 section 5.1)
 *
 * Only what goes between contents is written here. Where the contents come from, and when, is the
 * caller's business.
 *
 *      head ▷ content ▷ head ▷ content ▷ ... ▷ end       each head and the end name the boundary
 */
#ifndef HTTP_MULTIPART_H
#define HTTP_MULTIPART_H

#include <base/buf.h>

/* 24 dashes, as curl has them, and 128 random bits; RFC 2046 allows 70 characters. */
#define MULTIPART_BOUNDARY_LEN    46
#define MULTIPART_BOUNDARY_DASHES 24
#define MULTIPART_RANDOM_BYTES    16

/* Terminated text. */
struct multipart_boundary {
        char text[MULTIPART_BOUNDARY_LEN + 1];
};

/* What the head of a part says; at NULL: nothing about that. All is borrowed during the call. */
struct multipart_head {
        const char *disposition; /* "form-data", "attachment" */
        struct muster_str name, filename;
        struct muster_str type;
        /* for a part that is a multipart body itself: what its parts are divided by */
        const struct multipart_boundary *boundary;
        const char *encoding; /* Content-Transfer-Encoding */
        /* More fields, each a line with CRLF. Content-Disposition and Content-Transfer-Encoding in
         * it replace those above; Content-Type is left out, it has to be given as `type`. */
        struct muster_str fields;
        bool escapes_with_backslash; /* in names: \" instead of %22 */
};

/* A boundary made of random bytes. */
struct multipart_boundary multipart_boundary(const unsigned char random[MULTIPART_RANDOM_BYTES]);

/*
 * Append the delimiter that goes before a part, and its head. `is_first`: no part went before. 0 or
 * MUSTER_E_RESOURCE.
 */
int multipart_add_head(struct buf *to, const struct multipart_boundary *boundary, bool is_first,
        const struct multipart_head *head);

/* Append the delimiter behind the last part. */
int multipart_add_end(struct buf *to, const struct multipart_boundary *boundary, bool is_first);

/* Where in the text of a form a boundary begins, its length where there is none. */
size_t multipart_find_boundary(struct muster_str text);

/* Append "TYPE; boundary=...". */
int multipart_add_type(struct buf *to, struct muster_str type,
        const struct multipart_boundary *boundary);

/* Can it be a name, a filename? Not with a NUL; with a line end only where those are escaped. */
bool multipart_is_name(struct muster_str name, bool escapes_with_backslash);

/* The value of the last field of that name in lines of fields; at NULL: there is none. */
struct muster_str multipart_field(struct muster_str fields, const char *name);

#endif
