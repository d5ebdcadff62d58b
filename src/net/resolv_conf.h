/* SPDX-License-Identifier: MIT */
/*
 * What c-ares reads from /etc/resolv.conf, as far as error messages and search domains need it
 */
#ifndef NET_RESOLV_CONF_H
#define NET_RESOLV_CONF_H

#include <base/str.h>

#define RESOLV_CONF "/etc/resolv.conf"

/*
 * The name servers of the file at `path`, in words: "10.0.0.1, 10.0.0.2 (/etc/resolv.conf)". If the
 * file names none or cannot be read: the default name server, and why it is used.
 */
void resolv_conf_describe(const char *path, char *text, size_t size);

#define RESOLV_CONF_SEARCH_MAX 2048

/*
 * The search domains for short names, separated by blanks and commas: those of the environment's
 * LOCALDOMAIN, else those of the last "search" or "domain" line of the file at `path`. Empty if
 * there are none. Newer versions of c-ares do not tell them.
 */
void resolv_conf_search(const char *path, char text[RESOLV_CONF_SEARCH_MAX]);

/*
 * Can a name be looked up in this domain? Not in "." (systemd writes `search .` if there is no
 * domain), nor in one with a label that is empty or too long.
 */
bool resolv_conf_is_domain(const char *domain);

#endif
