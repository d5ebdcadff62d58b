/* SPDX-License-Identifier: MIT */
/*
 * Logging in at a proxy that is sent whole URLs: what an answer of 407 leads to
 *
 * A tunnel logs in by itself (http/tunnel.h). What either learns serves both, and all later
 * requests and tunnels of the engine.
 */
#ifndef CORE_PROXY_LOGIN_H
#define CORE_PROXY_LOGIN_H

#include <http/event.h>

struct muster_request;

/*
 * Hear the head of an answer. 0: it has nothing to do with it; if the proxy asks for what it cannot
 * be given, the result gets a warning. PROXY_LOGIN_AGAIN: make the request again.
 * MUSTER_E_RESOURCE.
 */
#define PROXY_LOGIN_AGAIN 1 /* as LOGIN_AGAIN */
int proxy_login_heard(struct muster_request *request, const struct http_head *head);

#endif
