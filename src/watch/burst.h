/* SPDX-License-Identifier: MIT */
/*
 * Bursts: what was sent on a connection whose text is not seen, and what came until more was sent
 *
 * Of a program with a TLS of its own only bytes are seen. With what its library tells, they say when
 * a request was sent and answered: match_links.c.
 */
#ifndef WATCH_BURST_H
#define WATCH_BURST_H

#include "talk.h"

/* Bytes were sent, or received, below TLS. Of connections of which more is known nothing is kept. */
int burst_sent(struct watched *all, uint32_t link,
        const struct piece *piece); /* MUSTER_E_RESOURCE */
void burst_received(struct watched *all, struct link *link, const struct piece *piece);

#endif
