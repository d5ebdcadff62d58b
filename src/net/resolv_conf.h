/* SPDX-License-Identifier: MIT */
/*
 * What c-ares makes of /etc/resolv.conf, as far as errors and searching need it
 */
#ifndef NET_RESOLV_CONF_H
#define NET_RESOLV_CONF_H

#include <base/str.h>

#define RESOLV_CONF "/etc/resolv.conf"

/*
 * The name servers that the file at `path` names, in words: "10.0.0.1, 10.0.0.2
 * (/etc/resolv.conf)"; where it names none, or cannot be read, the one that is asked then, and why.
 */
void resolv_conf_describe(const char *path, char *text, size_t size);

#define RESOLV_CONF_SEARCH_MAX 2048

/*
 * The domains in which short names are looked for, with blanks and commas between them: those of
 * the environment's LOCALDOMAIN, else those that the last such line of the file at `path` names.
 * Empty when there are none. Newer versions of c-ares do not tell.
 */
void resolv_conf_search(const char *path, char text[RESOLV_CONF_SEARCH_MAX]);

/*
 * Can a name be looked for in this domain? Not in "." (`search .`, which systemd writes where there
 * is none), nor in one with an empty label or a label that is too long.
 */
bool resolv_conf_is_domain(const char *domain);

#endif
