/* SPDX-License-Identifier: MIT */
/*
 * Proxied: what was said of the server was seen through a proxy
 */
#ifndef EXPLAIN_PROXIED_H
#define EXPLAIN_PROXIED_H

#include "finding.h"

/* The proxy of most connections, by its number among the origins; 0: they have none. */
uint32_t proxied_usual(const struct record *record);

/*
 * If most connections went to a proxy, say so in a finding about the server: it may be the proxy;
 * where connecting is what was slow, it was. Other findings stay as they are.
 */
void proxied_tell(struct finding *finding, const struct facts *facts);

#endif
