/* SPDX-License-Identifier: MIT */
/*
 * The request's part of an exchange: from a connection that is ready to all that is sent
 */
#ifndef CORE_EXCHANGE_SEND_H
#define CORE_EXCHANGE_SEND_H

#include "request.h"

/* Write the request to its connection, which is ready and has room. Negative, with *error. */
int exchange_send_begin(struct muster_request *request, uint64_t now_ns,
        struct muster_error *error);

/* What was written is with the kernel: go on, or note that it is all. Negative, with *error. */
int exchange_send_on(struct muster_request *request, struct muster_error *error);

#endif
