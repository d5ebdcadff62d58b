/* SPDX-License-Identifier: MIT */
/*
 * Making room in a jar that is full (RFC 6265bis section 5.7)
 *
 * A batch of cookies goes at once, so that a server which sets one cookie after another has them
 * sorted rarely.
 */
#ifndef HTTP_COOKIE_EVICT_H
#define HTTP_COOKIE_EVICT_H

#include "cookie_jar.h"

/*
 * After a cookie of `domain` was added: remove cookies if the domain or the jar has too many. The
 * domain may be gone then. 0 or MUSTER_E_RESOURCE: as much was removed as could be without memory.
 */
int cookie_evict(struct cookie_jar *jar, struct cookie_domain *domain, int64_t now_s);

#endif
