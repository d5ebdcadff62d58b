/* SPDX-License-Identifier: MIT */
/*
 * What a server may set: the storage model of RFC 6265bis section 5.7
 */
#ifndef HTTP_COOKIE_STORE_H
#define HTTP_COOKIE_STORE_H

#include "cookie_jar.h"
#include "url.h"

#define COOKIE_IGNORED 1 /* it is no cookie, or the server may not set it */

/*
 * Take the value of a Set-Cookie field that came from `url`. 0, COOKIE_IGNORED, MUSTER_E_RESOURCE.
 */
int cookie_jar_set(struct cookie_jar *jar, const struct url *url, struct muster_str field,
        int64_t now_s);

/*
 * Does a name that begins with __Secure- or __Host- keep its promise? `has_path` tells whether
 * Path was written.
 */
bool cookie_prefix_is_kept(const struct set_cookie *set, bool is_host_only, bool has_path);

#endif
