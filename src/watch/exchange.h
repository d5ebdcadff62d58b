/* SPDX-License-Identifier: MIT */
/*
 * Exchanges: what counts as a request where only connections were seen
 *
 * Of a program that is seen from outside it is known when bytes were sent on a connection, and when
 * others came behind. With HTTP/1 that is a request and its response. Where several requests share a
 * connection it is not: HTTP/2 does so, which programs speak under TLS. There exchanges are only
 * made of connections that were used once.
 */
#ifndef WATCH_EXCHANGE_H
#define WATCH_EXCHANGE_H

#include "watched.h"

/* Make calls of bursts. MUSTER_E_RESOURCE. */
int exchange_make(struct watched *all);

#endif
