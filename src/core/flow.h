/* SPDX-License-Identifier: MIT */
/*
 * The way of a request, from submit to result
 *
 *      submit ──▶ queue ──▶ start ──▶ (exchange) ──▶ attempt over ──▶ finish ──▶ taken
 *                   ▲                                    │
 *                   └───────── redirect, retry ◀─────────┘
 *
 * Every submitted request goes through flow_finish() exactly once.
 */
#ifndef CORE_FLOW_H
#define CORE_FLOW_H

#include "engine.h"

/* Begin: a request that cannot even be queued is finished with its error. */
void flow_submit(struct engine *engine, struct muster_request *request);

/* Give the free slots to those who wait. */
void flow_start_all(struct engine *engine);

/* The connection of a running request is ready: other timeouts hold from now on. */
void flow_connected(struct muster_request *request);

/*
 * The attempt of a running request is over, and it has no connection any more. `error` NULL: a
 * whole response came, and request->use says what to do with it.
 */
void flow_attempt_over(struct muster_request *request, const struct muster_error *error);

/* End a request that is outstanding, in whatever state it is, with this error. */
void flow_abort(struct muster_request *request, const struct muster_error *error);

/* The head of a stream's response is there: its result can be taken now. */
void flow_announce(struct muster_request *request, const struct muster_conn_info *conn);

/* The work on a response that is whole is done. */
void flow_processed(struct muster_request *request);

/* A request waits no longer to be tried again. */
void flow_backoff_over(struct muster_request *request);

#endif
