/* SPDX-License-Identifier: MIT */
/*
 * The head that an attempt sends: what was asked, and what the client adds
 *
 * Whatever the protocol, the head is made here, and the mux of a connection writes it.
 */
#ifndef CORE_ATTEMPT_HEAD_H
#define CORE_ATTEMPT_HEAD_H

#include <http/request_head.h>

#define ATTEMPT_FIELDS_MAX       256 /* of one request; servers refuse about 100 */
#define ATTEMPT_PROXY_FIELDS_MAX 64  /* those that are for the proxy */

struct muster_request;

struct attempt_head {
        struct http_request http; /* borrows from the request and from the members below */
        struct http_request_field fields[ATTEMPT_FIELDS_MAX + ATTEMPT_PROXY_FIELDS_MAX];
        struct buf cookie, proxy_authorization;
};

/*
 * Make the head of the present attempt, without touching more of `head` than is needed. The request
 * and its options are borrowed until deinit. MUSTER_E_RESOURCE: deinit is needed as well.
 */
int attempt_head_init(struct attempt_head *head, const struct muster_request *request);
void attempt_head_deinit(struct attempt_head *head);

/*
 * Add the names of what was given for the request's first origin and is not sent to the present one,
 * to which a redirect led: "X-Tenant, user name and password". Nothing where all is sent.
 * MUSTER_E_RESOURCE.
 */
int attempt_head_add_left_behind(const struct muster_request *request, struct buf *to);

#endif
