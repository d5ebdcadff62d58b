/* SPDX-License-Identifier: MIT */
/*
 * The sending side of an exchange: from a ready connection until everything is sent
 */
#ifndef CORE_EXCHANGE_SEND_H
#define CORE_EXCHANGE_SEND_H

#include "request.h"

/* Write the request to its connection, which is ready and has room. Negative with *error. */
int exchange_send_begin(struct muster_request *request, uint64_t now_ns,
        struct muster_error *error);

/*
 * Write what a connection's exchanges have to send, and note which of them are sent. Negative with
 * *error: the request *ret_request fails, or all that use the connection if that is NULL.
 */
int exchange_send_on(struct conn *conn, struct muster_request **ret_request,
        struct muster_error *error);

/*
 * The body waits for 100 (Continue), and that has come or is not waited for any longer: send it.
 * Negative with *error.
 */
int exchange_send_body(struct muster_request *request, struct muster_error *error);

#endif
