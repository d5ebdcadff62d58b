/* SPDX-License-Identifier: MIT */
/*
 * Is the response whose head has come the result, a redirect, or to be tried again?
 */
#ifndef CORE_DECISION_H
#define CORE_DECISION_H

#include "request.h"
#include <http/event.h>

/*
 * Sets request->use, and what goes with it: retry_wait_ns, or next_url and what a redirect changes.
 * A retry is taken from the budget. Negative, with *error: the redirect must not be followed
 * (MUSTER_E_REDIRECT, MUSTER_E_URL), or MUSTER_E_RESOURCE.
 */
int decide_use(struct muster_request *request, const struct http_head *head,
        struct muster_error *error);

#endif
