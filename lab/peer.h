/* SPDX-License-Identifier: MIT */
/*
 * A client's connection: reads requests, does what the plan for each says, one after the other
 *
 *      IDLE ──▶ BODY ──▶ WAITING ──▶ REPLYING ⇄ PAUSED ──▶ IDLE
 *       head     of the   for a           │
 *                request  worker, and     ├──▶ HANGING    until the client goes
 *                         the delay       └──▶ LINGERING  our side is closed, until the client's is
 *
 * What comes while a response is under way is kept and looked at afterwards.
 *
 * A connection that turns out to speak HTTP/2 is in one state, H2, until it lingers: its requests
 * are streams (peer_h2.h).
 */
#ifndef LAB_PEER_H
#define LAB_PEER_H

#include "task.h"
#include "wire.h"

struct peer_h2;
struct listener;

enum peer_state {
        PEER_IDLE,
        PEER_BODY,
        PEER_WAITING,
        PEER_REPLYING,
        PEER_PAUSED,
        PEER_HANGING,
        PEER_H2,
        PEER_LINGERING,
        PEER_DEAD, /* in the lab's list of these, freed after the loop's turn */
};

struct peer {
        struct listener *listener;
        struct list link; /* in the listener's list, or the lab's of the dead */
        struct wire wire;
        enum peer_state state;
        struct buf in;  /* bytes of requests to come */
        size_t scanned; /* of `in`: no end of a head before here */
        uint64_t n_requests;
        struct request_body body;
        bool keeps_alive, has_ended;
        bool is_beyond; /* the listener's limit of connections: all it gets is a 503 */
        int version;
        struct task task;             /* the request that is being served */
        struct peer_h2 *h2;           /* NULL: it speaks HTTP/1 */
        struct loop_timer timer;      /* pause, lingering */
        struct loop_timer idle_timer; /* while IDLE */
};

/*
 * Take an accepted connection; `is_beyond`: it is one too many. It frees itself in the end.
 * MUSTER_E_RESOURCE: it is closed.
 */
int peer_accept(struct listener *listener, int take_fd, bool is_beyond);

/* Close, and free with the next lab_reap(). */
void peer_close(struct peer *peer);

/* Free the memory of a dead one. */
void peer_free(struct peer *peer);

static inline struct peer *peer_of_link(struct list *link)
{
        return LIST_OWNER(link, struct peer, link);
}

#endif
