/* SPDX-License-Identifier: MIT */
/*
 * Request writer for HTTP/1 (RFC 9112 section 3)
 */
#ifndef HTTP_H1_WRITE_H
#define HTTP_H1_WRITE_H

#include "request_head.h"

/*
 * Append the head: the request line, the fields, and those of this protocol's own
 * (Transfer-Encoding, Connection). MUSTER_E_INVALID with *error: see request_head_check().
 * MUSTER_E_RESOURCE.
 */
int h1_write_head(const struct http_request *request, struct buf *to, struct muster_error *error);

#endif
