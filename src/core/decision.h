/* SPDX-License-Identifier: MIT */
/*
 * What to do with a response, by its head: take it as the result, follow the redirect, or try again
 */
#ifndef CORE_DECISION_H
#define CORE_DECISION_H

#include "request.h"
#include <http/event.h>

/*
 * Set request->use and what belongs to it: retry_wait_ns, or next_url and the changes of a
 * redirect. A retry is paid from the budget. MUSTER_E_REDIRECT or MUSTER_E_URL with *error: the
 * redirect must not be followed. MUSTER_E_RESOURCE.
 */
int decide_use(struct muster_request *request, const struct http_head *head,
        struct muster_error *error);

#endif
