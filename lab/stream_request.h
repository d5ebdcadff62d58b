/* SPDX-License-Identifier: MIT */
/*
 * A request of HTTP/2: its fields, one by one, become what a request of HTTP/1 is to the lab
 */
#ifndef LAB_STREAM_REQUEST_H
#define LAB_STREAM_REQUEST_H

#include "request.h"

/* Zeroed is empty. */
struct stream_request {
        struct buf method, path, authority;
        struct buf lines;     /* of the fields that are no pseudo-fields */
        struct buf cookie;    /* the fields of this name, joined (RFC 9113 section 8.2.3) */
        uint64_t n_bytes;     /* as SETTINGS_MAX_HEADER_LIST_SIZE counts (section 6.5.2) */
        uint64_t n_bytes_max; /* beyond it nothing is kept */
};

void stream_request_deinit(struct stream_request *request);

/* Add a field. 0 or MUSTER_E_RESOURCE. */
int stream_request_add(struct stream_request *request, struct muster_str name,
        struct muster_str value);

/*
 * All fields are there: make a request of them, which borrows from them and from `scratch`.
 * MUSTER_E_PROTOCOL, MUSTER_E_TOO_LARGE, MUSTER_E_RESOURCE with *error.
 */
int stream_request_parse(struct stream_request *from, struct h1_scratch *scratch,
        struct request *ret_request, struct muster_error *error);

#endif
