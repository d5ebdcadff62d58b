/* SPDX-License-Identifier: MIT */
/*
 * A response as it arrives: what it is used for, where its body goes
 *
 * Knows no protocol and no connection. What there is to be done beyond the request is answered.
 */
#ifndef CORE_RESPONSE_H
#define CORE_RESPONSE_H

#include "request.h"

#define RESPONSE_UNWANTED 1 /* reading the rest of the body is not worth it: drop it */
#define RESPONSE_BLOCKED  2 /* nothing more can be taken until its sink has room */

/* Something came: stamp it. `kernel_ns` 0: when the kernel had it is not known. */
void response_stamp(struct muster_request *request, uint64_t kernel_ns, uint64_t now_ns);

/* What came was an interim response (RFC 9110 section 15.2): go on waiting for the final one. */
void response_forget_arrival(struct muster_request *request);

/*
 * The head is there: decide what the response is used for (request->use), and make ready for its
 * body. 0. RESPONSE_UNWANTED. Negative, with *error.
 */
int response_head(struct muster_request *request, const struct http_head *head,
        struct muster_error *error);

/* A piece of the body. 0. RESPONSE_UNWANTED, RESPONSE_BLOCKED. Negative, with *error. */
int response_body(struct muster_request *request, struct muster_str bytes,
        struct muster_error *error);

/*
 * Where the next bytes of the body, of which `left` are to come, may be put without passing through
 * response_body(): none, where they are not kept in memory as they are. Valid until they are there or
 * the response is over; then response_placed().
 */
struct iovec response_room(struct muster_request *request, uint64_t left);
void response_placed(struct muster_request *request, size_t n);

/* There is room in the sink again. 0: nothing is left over. RESPONSE_BLOCKED. Negative. */
int response_drain(struct muster_request *request, struct muster_error *error);

/* It is whole, or what is left is not wanted. Negative, with *error. */
int response_end(struct muster_request *request, struct muster_error *error);

/* Does what has come have to wait for a sink before the response can end? */
bool response_waits(const struct muster_request *request);

/* The server broke off: does that matter, after what the head told to do? */
bool response_is_lost(const struct muster_request *request, enum muster_code code);

#endif
