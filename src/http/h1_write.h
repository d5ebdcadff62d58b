/* SPDX-License-Identifier: MIT */
/*
 * Request writer for HTTP/1 (RFC 9112 section 3)
 */
#ifndef HTTP_H1_WRITE_H
#define HTTP_H1_WRITE_H

#include "url.h"

struct h1_request_field {
        /* value.at NULL: do not send this field, not even by default. */
        struct muster_str name, value;
};

/* A request to write; everything is borrowed during the call. */
struct h1_request {
        struct muster_str method;
        const struct url *url;
        /* The caller's own fields; they replace the defaults below. */
        const struct h1_request_field *fields;
        size_t n_fields;
        struct muster_str user_agent;      /* empty: none */
        struct muster_str accept_encoding; /* empty: none */
        /* The whole value, e.g. "Basic ..."; empty: none. The caller's own field wins. */
        struct muster_str authorization;
        uint64_t body_bytes;
        bool is_chunked; /* the body is sent in chunks, as its length is unknown */
        /* send Content-Length; POST, PUT and PATCH send it in any case, as 0 if there is no body */
        bool has_body;
        /* leave out credentials: the caller's fields and `authorization` (redirect.h) */
        bool drops_credentials;
        bool drops_body_fields; /* leave out fields that describe a body */
        bool http_1_0;
        bool closes; /* ask for the connection to be closed after the response */
};

/*
 * Append the head. MUSTER_E_INVALID with *error if a method or name is no token, or a value has a
 * CR, LF or NUL: the setters refuse these earlier, this is the last check. MUSTER_E_RESOURCE.
 */
int h1_write_head(const struct h1_request *request, struct buf *to, struct muster_error *error);

/* Is the method defined to be idempotent (RFC 9110 section 9.2.2)? */
bool h1_method_is_idempotent(struct muster_str method);

#endif
