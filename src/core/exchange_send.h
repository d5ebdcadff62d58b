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
 * The kernel has what was written: continue, or note that everything is sent. Negative with *error.
 */
int exchange_send_on(struct muster_request *request, struct muster_error *error);

#endif
