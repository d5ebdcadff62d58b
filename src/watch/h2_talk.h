/* SPDX-License-Identifier: MIT */
/*
 * What is said on a connection of HTTP/2
 *
 * A connection that began with the preface is kept piece by piece, each up to WATCH_TEXT_MAX bytes.
 * Frames are followed as long as nothing is missing between the pieces; behind a gap the compressed
 * heads cannot be read any more (RFC 7541), and the connection counts as one that is not
 * understood.
 */
#ifndef WATCH_H2_TALK_H
#define WATCH_H2_TALK_H

#include "talk.h"

struct h2_talk;

/* NULL is allowed; returns NULL. */
struct h2_talk *h2_talk_free(struct h2_talk *h2);

/* A piece was sent or received on a link whose speech is LINK_H2. MUSTER_E_RESOURCE. */
int h2_talk_sent(struct watched *all, uint32_t link, const struct piece *piece);
int h2_talk_received(struct watched *all, uint32_t link, const struct piece *piece);

#endif
