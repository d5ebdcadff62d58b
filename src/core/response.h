/* SPDX-License-Identifier: MIT */
/*
 * Response: what an arriving response is used for, and where its body goes
 *
 * It knows no protocol and no connection. Return values say what the caller must do about these.
 */
#ifndef CORE_RESPONSE_H
#define CORE_RESPONSE_H

#include "request.h"

#define RESPONSE_UNWANTED 1 /* the rest of the body is not worth reading: drop it */
#define RESPONSE_BLOCKED  2 /* take no more until its sink, or our memory, has room */

/* Stamp an arrival. `kernel_ns` is when the kernel got it; 0: not known. */
void response_stamp(struct muster_request *request, uint64_t kernel_ns, uint64_t now_ns);

/* An interim response came (RFC 9110 section 15.2): keep waiting for the final one. */
void response_forget_arrival(struct muster_request *request);

/*
 * Take the head: decide what the response is used for (request->use), and prepare for its body. 0,
 * RESPONSE_UNWANTED, RESPONSE_BLOCKED, or negative with *error.
 */
int response_head(struct muster_request *request, const struct http_head *head,
        struct muster_error *error);

/* Take a piece of the body. 0, RESPONSE_UNWANTED, RESPONSE_BLOCKED, or negative with *error. */
int response_body(struct muster_request *request, struct muster_str bytes,
        struct muster_error *error);

/*
 * Memory into which the next of `left` remaining bytes of the body may be received directly,
 * instead of through response_body(). None if the body is not kept in memory as it is. Valid until
 * it is full or the response is over. response_placed() counts the bytes.
 */
struct iovec response_room(struct muster_request *request, uint64_t left);
void response_placed(struct muster_request *request, size_t n);

/* The sink has room again. 0: it took everything. RESPONSE_BLOCKED, or negative with *error. */
int response_drain(struct muster_request *request, struct muster_error *error);

/* End the response, which is complete or no longer wanted. Negative with *error. */
int response_end(struct muster_request *request, struct muster_error *error);

/* Must the response wait for its sink before it can end? */
bool response_waits(const struct muster_request *request);

/* Does it matter that the server broke off, once the head has told what to do? */
bool response_is_lost(const struct muster_request *request, enum muster_code code);

#endif
