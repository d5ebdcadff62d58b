/* SPDX-License-Identifier: MIT */
/*
 * Which hosts are reached without a proxy: --noproxy and NO_PROXY, as curl reads them
 *
 *      example.com     that host, and every host below it; so does .example.com
 *      192.0.2.7       that address; ::1, with or without brackets
 *      192.0.2.0/24    all addresses that begin with so many bits
 *      *               alone in the list: all hosts
 *
 * Commas or blanks separate the entries. Names are compared without case and without a dot at the
 * end. A name is never looked up, so an address in the list says nothing about names that lead to
 * it. Beyond curl, and as Go has it, an entry may end in a port: then only that port is meant.
 */
#ifndef HTTP_NO_PROXY_H
#define HTTP_NO_PROXY_H

#include <base/str.h>

/* Does the list name this host (as in a URL, without brackets)? */
bool no_proxy_has(struct muster_str list, struct muster_str host, uint16_t port);

#endif
