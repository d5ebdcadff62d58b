/* SPDX-License-Identifier: MIT */
/*
 * The head of a response (RFC 9112 sections 4 and 5): finding its end, and parsing it
 */
#ifndef HTTP_H1_HEAD_H
#define HTTP_H1_HEAD_H

#include "h1_read.h"

/*
 * The length of the head at the front of `text`, its empty line included; 0 if its end is not there
 * yet. The search begins at `*scanned`, which moves on: bytes that arrive one by one are looked at
 * once.
 */
size_t h1_head_end(struct muster_str text, size_t *scanned);

#define H1_UNTIDY 1

/*
 * Parse a whole head, empty line included, into status, version, reason and fields. The fields go
 * into `scratch`. H1_UNTIDY: a field line is not well-formed, see h1_untidy.h. MUSTER_E_PROTOCOL
 * with *error.
 */
int h1_head_parse(struct muster_str raw, struct h1_scratch *scratch, struct http_head *ret_head,
        struct muster_error *error);

/*
 * Parse the first line of head->raw; *ret_rest is the text behind it. MUSTER_E_PROTOCOL with
 * *error.
 */
int h1_status_line_parse(struct http_head *head, struct muster_str *ret_rest,
        struct muster_error *error);

/*
 * Cut off and return a line, without its end, CRLF or a bare LF (RFC 9112 section 2.2). There must
 * be one.
 */
struct muster_str h1_take_line(struct muster_str *rest);

/*
 * Parse field lines into `scratch` up to the empty line, which must be there. Places are relative
 * to `head_at`. MUSTER_E_PROTOCOL, MUSTER_E_TOO_LARGE.
 */
int h1_fields_parse(struct muster_str rest, const char *head_at, struct h1_scratch *scratch,
        struct fields *ret_fields, struct muster_error *error);

/* Set a field's places from its name and value. */
void h1_field_put(struct field *field, const char *head_at, struct muster_str name,
        struct muster_str value);

/* Set the error for too many fields. Returns MUSTER_E_TOO_LARGE. */
int h1_too_many_fields(struct muster_error *error);

/*
 * Check one field line, without its line end, and cut it into *ret_name and *ret_value.
 * MUSTER_E_PROTOCOL with *error.
 */
int h1_field_parse(struct muster_str line, struct muster_str *ret_name,
        struct muster_str *ret_value, struct muster_error *error);

#endif
