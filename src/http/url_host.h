/* SPDX-License-Identifier: MIT */
/*
 * The host of a URL (WHATWG URL Standard, section 3.5): names, IPv4 in all its spellings, IPv6
 */
#ifndef HTTP_URL_HOST_H
#define HTTP_URL_HOST_H

#include "url.h"

/*
 * Parse the text between "//" and the port, brackets included, and append the host normalised and
 * without brackets. MUSTER_E_URL with *error, MUSTER_E_RESOURCE.
 */
int url_host_parse(struct muster_str text, struct buf *to, enum url_host_kind *ret_kind,
        struct muster_error *error);

#endif
