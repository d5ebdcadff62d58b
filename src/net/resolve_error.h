/* SPDX-License-Identifier: MIT */
/*
 * Why a name has no address, in words
 */
#ifndef NET_RESOLVE_ERROR_H
#define NET_RESOLVE_ERROR_H

#include "dns_channel.h"
#include <muster/error.h>

/*
 * Set the error for a status of c-ares, with the name servers if the fault is theirs. Returns the
 * code: MUSTER_E_RESOLVE, MUSTER_E_RESOURCE.
 */
int resolve_error_set(struct muster_error *error, const char *host, int status,
        const struct dns_channel *channel);

#endif
