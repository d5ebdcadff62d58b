/* SPDX-License-Identifier: MIT */
/*
 * What the files of a peer share: its connection (peer.c), what it is asked (peer_request.c), how
 * it answers (peer_reply.c)
 */
#ifndef LAB_PEER_INTERNAL_H
#define LAB_PEER_INTERNAL_H

#include "lab.h"
#include "listener.h"
#include "peer.h"

/* --- its connection -------------------------------------------------------------------------- */

uint64_t peer_now(const struct peer *peer);

/*
 * Set one of the timers, to go off in `ns`. The peer may be DEAD afterwards, as after all functions
 * below.
 */
void peer_set_timer(struct peer *peer, struct loop_timer *timer, uint64_t ns);

/*
 * Our side ends; what the client sends still is dropped, so that a RST does not overtake the
 * response.
 */
void peer_linger(struct peer *peer);
void peer_reset(struct peer *peer);

/* It speaks HTTP/2 from here on. */
void peer_become_h2(struct peer *peer);

/* --- what it is asked ------------------------------------------------------------------------ */

/* Take received bytes, in any state. */
void peer_receive(struct peer *peer, struct muster_str bytes);

/* Bytes came; or a response is over, and what came meanwhile is looked at. */
void peer_read_on(struct peer *peer, struct muster_str bytes);

/* --- how it answers -------------------------------------------------------------------------- */

void peer_become_idle(struct peer *peer);

/* How the tasks of peers are answered. */
extern const struct task_ops peer_task_ops;

/* Begin to carry out the plan; go on with it. */
void peer_reply(struct peer *peer);
void peer_pump(struct peer *peer);

#endif
