/* SPDX-License-Identifier: MIT */
/*
 * Request writer for HTTP/1 (RFC 9112 section 3)
 */
#ifndef HTTP_H1_WRITE_H
#define HTTP_H1_WRITE_H

#include "url.h"

struct h1_request_field {
        /* No value.at: do not send this field even where it would be by default. */
        struct muster_str name, value;
};

/* What to write; all borrowed during the call. */
struct h1_request {
        struct muster_str method;
        const struct url *url;
        /* The caller's own; they replace the defaults below. */
        const struct h1_request_field *fields;
        size_t n_fields;
        struct muster_str user_agent;      /* empty: none */
        struct muster_str accept_encoding; /* empty: none */
        /* Whole value, e.g. "Basic ..."; empty: none. A field of the caller's wins. */
        struct muster_str authorization;
        uint64_t body_bytes;
        bool is_chunked; /* the body comes in chunks, of unknown length */
        bool has_body; /* Content-Length is sent; also, as 0, for POST, PUT and PATCH without one */
        /* leave out the caller's credential fields and `authorization` (redirect.h) */
        bool drops_credentials;
        bool drops_body_fields; /* and those that describe a body */
        bool http_1_0;
        bool closes; /* ask for the connection to be closed after the response */
};

/*
 * Append the head. MUSTER_E_INVALID with *error when a method or field would break out of its place
 * (anything but a token, CR, LF, NUL): the setters refuse these before, this is the last line.
 * MUSTER_E_RESOURCE.
 */
int h1_write_head(const struct h1_request *request, struct buf *to, struct muster_error *error);

/* Is the method defined to be idempotent (RFC 9110 section 9.2.2)? */
bool h1_method_is_idempotent(struct muster_str method);

#endif
