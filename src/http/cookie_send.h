/* SPDX-License-Identifier: MIT */
/*
 * What is sent to a server: the retrieval algorithm of RFC 6265bis section 5.8.3
 */
#ifndef HTTP_COOKIE_SEND_H
#define HTTP_COOKIE_SEND_H

#include "cookie_jar.h"
#include "url.h"

/* As curl has them: servers refuse longer fields (Apache: 8,190 bytes), or more. */
#define COOKIES_SENT_MAX       150
#define COOKIES_SENT_BYTES_MAX 8190

/*
 * Append the value of Cookie for a request to `url`, nothing if there are no cookies for it. The
 * cookies of `own`, which is what the caller sends ("a=1; b=2"; may be empty), come last, and take
 * the place of those in the jar that have their names. 0 or MUSTER_E_RESOURCE.
 */
int cookie_jar_get(struct cookie_jar *jar, const struct url *url, int64_t now_s,
        struct muster_str own, struct buf *to);

#endif
