/* SPDX-License-Identifier: MIT */
/*
 * Refusals: responses by which an origin says "not now"
 *
 * These are 429 (Too Many Requests, RFC 6585 section 4), and 503 with Retry-After (RFC 9110
 * sections 15.6.4 and 10.2.3). Such a server is not in trouble: it has a limit. Its origin rests as
 * long as the server asks, and then gets requests at a pace that the server accepts (throttle.h).
 * Refused requests are retried outside the retry budget, so that none is lost.
 *
 * A 503 without Retry-After may come from one broken resource or from a server in trouble. It slows
 * the origin down as well, if many of the last responses were 503 and others were not: some servers
 * limit in this way only. Whether they do is found out by a trial (doubt.h). Retries after it are
 * paid from the budget.
 *
 * If the request may not be retried (no retries), a refusal is a response like any other, and
 * nothing waits.
 */
#ifndef CORE_REFUSAL_H
#define CORE_REFUSAL_H

#include "request.h"

/* Is a response with this status a refusal? `says_when`: it has Retry-After. */
bool refusal_is_one(int status, bool says_when);

/*
 * The head of a response is there. `asked_ns` is the wait that its Retry-After asks for, 0 without
 * one.
 */
void refusal_heard(struct muster_request *request, int status, uint64_t asked_ns);

#endif
