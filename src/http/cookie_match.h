/* SPDX-License-Identifier: MIT */
/*
 * Which hosts and paths a cookie is for (RFC 6265bis sections 5.1.3 and 5.1.4)
 *
 * Hosts are normalised, as in a URL: lower case, names in ASCII, IPv6 without brackets.
 */
#ifndef HTTP_COOKIE_MATCH_H
#define HTTP_COOKIE_MATCH_H

#include "url.h"

/* Is it an IPv4 or IPv6 address? Addresses match only themselves. */
bool cookie_host_is_address(struct muster_str host);

/* Is the host the domain, or a name below it? */
bool cookie_domain_matches(struct muster_str host, struct muster_str domain);

/*
 * Is it a domain below which anybody can register names, such as "com" or "co.uk"? Asks the
 * system's public suffix list, which is loaded with the first question. Any single label is one.
 */
bool cookie_domain_is_public(struct muster_str domain);

/* Does the cookie's path match the path of a request? */
bool cookie_path_matches(struct muster_str request_path, struct muster_str path);

/* The path of a cookie that names none: that of the request up to its last slash. */
struct muster_str cookie_path_default(struct muster_str request_path);

/* The path of a URL, without its query. */
struct muster_str cookie_path_of(const struct url *url);

/* May Secure cookies go there: https, or a server on this machine? */
bool cookie_url_is_secure(const struct url *url);

#endif
