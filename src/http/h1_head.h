/* SPDX-License-Identifier: MIT */
/*
 * The head of a response (RFC 9112 sections 4 and 5): where it ends, and what it says
 */
#ifndef HTTP_H1_HEAD_H
#define HTTP_H1_HEAD_H

#include "h1_read.h"

/*
 * Where the head that begins `text` ends: behind the first empty line; 0 when that is not there
 * yet. No line end before `*scanned` is the last one; it is moved on, so that bytes which arrive
 * one by one are looked at once.
 */
size_t h1_head_end(struct muster_str text, size_t *scanned);

#define H1_UNTIDY 1

/*
 * Parse a whole head, empty line included, into status, version, reason and fields, which are put
 * into `scratch`. H1_UNTIDY: a field line is not well-formed, see h1_untidy.h. MUSTER_E_PROTOCOL
 * with *error.
 */
int h1_head_parse(struct muster_str raw, struct h1_scratch *scratch, struct http_head *ret_head,
        struct muster_error *error);

/*
 * The first line of head->raw; what stands behind it goes to *ret_rest. MUSTER_E_PROTOCOL with
 * *error.
 */
int h1_status_line_parse(struct http_head *head, struct muster_str *ret_rest,
        struct muster_error *error);

/* Cut off a line and its end, CRLF or a bare LF (RFC 9112 section 2.2). There must be one. */
struct muster_str h1_take_line(struct muster_str *rest);

/*
 * Parse field lines up to the empty one, which is there, into `scratch`; places are relative to
 * `head_at`. MUSTER_E_PROTOCOL, MUSTER_E_TOO_LARGE.
 */
int h1_fields_parse(struct muster_str rest, const char *head_at, struct h1_scratch *scratch,
        struct fields *ret_fields, struct muster_error *error);

/* Note where name and value stand. */
void h1_field_put(struct field *field, const char *head_at, struct muster_str name,
        struct muster_str value);

/* MUSTER_E_TOO_LARGE. */
int h1_too_many_fields(struct muster_error *error);

/*
 * Check one field line, without its line end. MUSTER_E_PROTOCOL with *error; the parts are in
 * *ret_name and *ret_value.
 */
int h1_field_parse(struct muster_str line, struct muster_str *ret_name,
        struct muster_str *ret_value, struct muster_error *error);

#endif
