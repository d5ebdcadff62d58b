/* SPDX-License-Identifier: MIT */
/*
 * Addresses that the user gives for a host and port, like curl's --resolve:
 * "HOST:PORT:ADDRESS[,ADDRESS...]"
 */
#ifndef NET_RESOLVE_OVERRIDE_H
#define NET_RESOLVE_OVERRIDE_H

#include "address.h"
#include <muster/error.h>

struct override;

/*
 * Parse a NULL-ended list; NULL is an empty one. MUSTER_E_INVALID with the text in *error,
 * MUSTER_E_RESOURCE.
 */
int override_parse(const char *const *texts, struct override **ret_overrides,
        struct muster_error *error);

/* Takes NULL. */
void override_free(struct override *overrides);

/*
 * Copy the addresses of the last override that matches to `to`, which holds RESOLVE_ADDRESSES_MAX.
 * Returns how many there are, 0 for none.
 */
size_t override_find(const struct override *overrides, struct muster_str host, uint16_t port,
        struct net_address *to);

#endif
