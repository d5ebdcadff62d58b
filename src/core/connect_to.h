/* SPDX-License-Identifier: MIT */
/*
 * Other places to connect to, as curl's --connect-to: "HOST1:PORT1:HOST2:PORT2". Each part may be
 * empty: any host or port; the same host or port. An IPv6 address is in brackets.
 */
#ifndef CORE_CONNECT_TO_H
#define CORE_CONNECT_TO_H

#include <muster/error.h>
#include <stdbool.h>
#include <stdint.h>

struct connect_to;

/*
 * Parse a NULL-ended list; NULL is an empty one. MUSTER_E_INVALID with the text in *error,
 * MUSTER_E_RESOURCE.
 */
int connect_to_parse(const char *const *texts, struct connect_to **ret_list,
        struct muster_error *error);
void connect_to_free(struct connect_to *list);

/*
 * The first entry that is for *host and *port: they become those that it leads to, borrowed from
 * the list. False: there is none.
 */
bool connect_to_find(const struct connect_to *list, struct muster_str *host, uint16_t *port);

#endif
