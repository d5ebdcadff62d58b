/* SPDX-License-Identifier: MIT */
/*
 * Flow: the way of a request from submit to result
 *
 *      submit ──▶ queue ──▶ start ──▶ (exchange) ──▶ attempt over ──▶ finish ──▶ taken
 *                   ▲                                    │
 *                   └───────── redirect, retry ◀─────────┘
 *
 * Every submitted request is finished exactly once.
 */
#ifndef CORE_FLOW_H
#define CORE_FLOW_H

#include "engine.h"

/*
 * Submit a request, whose id and moment of submission are set. If it cannot be queued, it is
 * finished with an error.
 */
void flow_submit(struct engine *engine, struct muster_request *request);

/* Give free slots to requests that are due; sched_advance() was called for `now_ns`. */
void flow_start_all(struct engine *engine, uint64_t now_ns);

/* End an outstanding request in any state with this error. */
void flow_abort(struct muster_request *request, const struct muster_error *error);

/* Takes what exchanges report. */
extern const struct exchange_ops flow_exchange_ops;

#endif
