/* SPDX-License-Identifier: MIT */
/*
 * One request and its response on a connection
 *
 * The connection tells what happens; the exchange writes the request (exchange_request.c), reads
 * the response into the result, stamps, and when it is over gives the connection to the pool or
 * closes it and hands the request on (flow.h).
 */
#ifndef CORE_EXCHANGE_H
#define CORE_EXCHANGE_H

#include "conn.h"

/* --- told by the connection ------------------------------------------------------------------ */

/* Dialling is over; `dns_end_ns` is when an address was known, 0 if never. */
void exchange_dialled(struct conn *conn, uint64_t dns_end_ns, bool is_connected);

/* Requests can be sent. */
void exchange_ready(struct conn *conn);

/* The kernel has the whole request. */
void exchange_sent(struct conn *conn);

/* Bytes came; borrowed. `kernel_ns` 0: not known. The connection may be DEAD afterwards. */
void exchange_received(struct conn *conn, struct muster_str bytes, uint64_t kernel_ns);

/* The peer will send no more. */
void exchange_ended(struct conn *conn);

/* The connection is of no more use to its request. */
void exchange_failed(struct conn *conn, const struct muster_error *error);

/* An attempt may end while it is dialling: note how far that has come. */
void exchange_note_dial(struct conn *conn);

/* --- told by the flow ------------------------------------------------------------------------ */

/* Somebody has read of a stream that was held up: go on. */
void exchange_unblock(struct conn *conn);

/* What comes of a body that nobody wants takes too long: go on without it. */
void exchange_drop_rest(struct conn *conn);

/* Use a connection that is ready for a request that has a slot. */
void exchange_begin(struct conn *conn, struct muster_request *request);

#endif
