/* SPDX-License-Identifier: MIT */
/*
 * What is said on a connection of HTTP/1: from pieces to calls
 *
 * Of each message the log has the beginning, and of the rest how long it was. A response belongs to
 * the oldest request that was not answered. Where its length is not known, as with chunks, it lasts
 * until the next request is sent or the connection is closed.
 */
#ifndef WATCH_TALK_H
#define WATCH_TALK_H

#include "watched.h"

/* What one call of the program sent or received. */
struct piece {
        uint64_t at_ns, end_ns;
        uint64_t kernel_ns;     /* since when the kernel had it; 0: not known */
        uint64_t n;             /* bytes */
        struct muster_str data; /* the first of them, if they were kept */
        uint32_t thread;
        uint64_t n_pieces; /* segments that were sent; known from outside only */
        bool is_h2;
};

/* MUSTER_E_RESOURCE, as those below. */
int talk_sent(struct watched *all, uint32_t link, const struct piece *piece);
int talk_received(struct watched *all, uint32_t link, const struct piece *piece);

/* Bytes of TLS were handed to the kernel: what was to be sent is on its way since `end_ns`. */
void talk_handed_over(struct watched *all, uint32_t link, uint64_t end_ns);

/* No more will come: the server closed its side, or the connection is closed. */
void talk_server_ended(struct watched *all, uint32_t link, uint64_t at_ns, uint16_t sys);
void talk_closed(struct watched *all, uint32_t link, uint64_t at_ns);

/* Is no request under way, or only one whose end nobody told? */
bool talk_is_idle(struct watched *all, uint32_t link);

/* --- for other protocols ---------------------------------------------------------------------- */

/*
 * A request begins. `target` is a URL or the path on that host, and `host` may be empty.
 * MUSTER_E_RESOURCE.
 */
int talk_begin(struct watched *all, uint32_t link, const struct piece *piece,
        struct muster_str method, struct muster_str host, struct muster_str target,
        uint32_t *ret_call);

/* A piece of the response was read, be it of its head. */
void call_note_read(struct call *call, const struct piece *piece);
/* It is over, with what it has. */
void call_finish(struct call *call, uint64_t end_ns);
/* It failed, in the stage that it had reached. */
void call_fail(struct call *call, uint64_t end_ns, int code, uint16_t sys);

#endif
