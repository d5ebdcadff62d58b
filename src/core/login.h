/* SPDX-License-Identifier: MIT */
/*
 * Login: which credentials an attempt sends, and what an answer of 401 leads to
 *
 * Basic alone and a bearer token are sent with every attempt. With Digest the origin must be asked
 * what it wants first; what it said is kept (auth_session.h), so that all later requests send their
 * credentials at once.
 *
 *      ask ──▶ 401 with a challenge ──▶ the same request with credentials ──▶ result, also if it is 401
 *       │                                         ▲
 *       └──▶ another answer                       └── 401: the nonce was too old, or the realm is another one
 *
 * As with curl, an attempt that asks has no body: its Content-Length is 0. If its answer is not
 * 401, nothing was asked for, and the request is made again with its body. While the first request
 * of an origin asks, the others wait, so that they are not all answered with 401.
 *
 * A request answers a few challenges at most. A password that is wrong is tried once.
 */
#ifndef CORE_LOGIN_H
#define CORE_LOGIN_H

#include <http/event.h>

struct muster_request;

#define LOGIN_DONE  0 /* the answer has nothing to do with it */
#define LOGIN_AGAIN 1 /* make the request again: it has an answer to the challenge now */

/*
 * Begin an attempt, which has its origin: choose the credentials that it sends, request->auth.value.
 * MUSTER_E_RESOURCE.
 */
int login_begin(struct muster_request *request);

/*
 * Hear the head of the attempt's answer. LOGIN_DONE, LOGIN_AGAIN, MUSTER_E_RESOURCE. If the server
 * asks for what the request may not give, the result gets a warning.
 */
int login_heard(struct muster_request *request, const struct http_head *head);

/*
 * The answer is the request's result, as far as anybody else knows. LOGIN_AGAIN: it is not, as the
 * attempt only asked, without the request's body, and was not asked anything in return.
 */
int login_send_body(struct muster_request *request, int status);

/* End the attempt, whose origin is still there. */
void login_end(struct muster_request *request);

/* The next attempt goes to another URL, where everything begins anew. */
void login_redirected(struct muster_request *request);

#endif
