/* SPDX-License-Identifier: MIT */
/*
 * Refusals: answers that say "not now" to an origin's requests
 *
 * 429 (Too Many Requests, RFC 6585 section 4), and 503 with Retry-After (RFC 9110 sections 15.6.4
 * and 10.2.3). A server that says so is in no trouble: it says how it wants to be asked. Its origin
 * is left alone until then and asked at a pace that it takes (throttle.h), and what it refused is
 * tried again outside the retry budget, so that none of it is lost.
 *
 * A 503 without Retry-After may be of one broken resource, or of a server in trouble. It slows its
 * origin down, too, where many of the last answers were such and others were not: some servers
 * limit with nothing but that. Its retries count against the budget.
 *
 * Where nothing is to be tried again (no retries) a refusal is an answer like any other, and
 * nothing waits for it.
 */
#ifndef CORE_REFUSAL_H
#define CORE_REFUSAL_H

#include "request.h"

/* Does an answer of this status say when, or how often, its origin may be asked? */
bool refusal_is_one(int status, bool says_when);

/* The head of an answer has come; `asked_ns` is what its Retry-After asks to wait, 0 without. */
void refusal_heard(struct muster_request *request, int status, uint64_t asked_ns);

#endif
