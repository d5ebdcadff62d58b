/* SPDX-License-Identifier: MIT */
/*
 * The head of a request as data, whatever its protocol (RFC 9110 sections 5, 6 and 9)
 *
 * It has what the caller asked for, what the client adds by itself, and what of both must be left
 * out. One function yields the fields to send, in order: a writer of a protocol only has to
 * serialise them, and adds what its own framing needs (h1_write.h).
 *
 *      caller's fields ─┐
 *      client's fields ─┼─▶ request_head_check ─▶ request_head_fields ─▶ HTTP/1 lines
 *      what is left out ┘                                              └▶ HTTP/2 field blocks
 */
#ifndef HTTP_REQUEST_HEAD_H
#define HTTP_REQUEST_HEAD_H

#include "url.h"

struct http_request_field {
        /* value.at NULL: do not send this field, not even by default. */
        struct muster_str name, value;
};

/* A request's head; everything is borrowed. */
struct http_request {
        struct muster_str method;
        const struct url *url;
        /* The caller's own fields; they replace those of the client. */
        const struct http_request_field *fields;
        size_t n_fields;

        /* What the client adds; empty: none. The caller's own field of that name wins. */
        struct muster_str user_agent;
        struct muster_str accept; /* empty: all types */
        struct muster_str accept_encoding;
        struct muster_str proxy_authorization; /* the whole value, e.g. "Basic ..." */
        struct muster_str authorization;
        struct muster_str cookie;
        struct muster_str content_type; /* of the body */
        struct muster_str expect;

        uint64_t body_bytes;
        /* the length of the body is unknown: no Content-Length, the protocol must frame it */
        bool is_chunked;
        /* send Content-Length; POST, PUT and PATCH send it in any case, as 0 if there is no body */
        bool has_body;
        bool drops_host;        /* the caller's Host is for another origin */
        bool drops_body_fields; /* leave out fields that describe a body */
        /*
         * it goes to a proxy, which is told the whole URL (RFC 9112 section 3.2.2); otherwise fields
         * for proxies are left out
         */
        bool to_proxy;
        bool http_1_0;
        bool closes; /* ask for the connection to be closed after the response */
};

/* Takes a field, which is borrowed during the call. Negative: stop, with this code. */
typedef int (*http_request_field_fn)(void *to, struct muster_str name, struct muster_str value);

/*
 * Give all fields to `add`, in the order in which they are sent: Host, the client's, the caller's,
 * Content-Length. Returns what `add` does if it fails.
 */
int request_head_fields(const struct http_request *request, http_request_field_fn add, void *to);

/*
 * The last check of what is sent; the setters refuse these earlier. MUSTER_E_INVALID with *error if
 * the method or a name is no token, or a value has a CR, LF or NUL.
 */
int request_head_check(const struct http_request *request, struct muster_error *error);

/* Is the method defined to be idempotent (RFC 9110 section 9.2.2)? */
bool request_method_is_idempotent(struct muster_str method);

#endif
