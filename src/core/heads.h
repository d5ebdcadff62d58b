/* SPDX-License-Identifier: MIT */
/*
 * The heads of a request's attempts as text, for people who look at one that puzzles them
 *
 *      * attempt 1 on connection 3 to 192.0.2.1:443
 *      > GET /a HTTP/1.1
 *      > Host: example.com
 *      < HTTP/1.1 302 Found
 *      < Location: /b
 *
 * Kept only with the option keep_heads. Credentials are left out, those of the fields that are
 * known to hold some.
 */
#ifndef CORE_HEADS_H
#define CORE_HEADS_H

#include <http/event.h>

struct muster_request;

/* more than that is no longer read by people; the rest is left out */
#define HEADS_BYTES_MAX (256 * 1024)

/* The head of the present attempt is being sent. Without memory its text is left out. */
void heads_note_sent(struct muster_request *request);

/* A head came, final or interim. Without memory its text is left out. */
void heads_note_received(struct muster_request *request, const struct http_head *head);

#endif
