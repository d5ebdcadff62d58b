/* SPDX-License-Identifier: MIT */
/*
 * The way of a request, from submit to result
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
 * Begin: a request that cannot even be queued is finished with its error. Its number and the moment
 * of its submission are set.
 */
void flow_submit(struct engine *engine, struct muster_request *request);

/*
 * Go on with a request that another engine has sent home, as its origin belongs to this one; or
 * finish it with an error.
 */
void flow_adopt(struct engine *engine, struct muster_request *request,
        const struct muster_error *error);

/* Requests that wait for a slot of an origin that belongs to another engine by now go there. */
void flow_send_home(struct engine *engine);

/* Give the free slots to those who wait. */
void flow_start_all(struct engine *engine);

/* End a request that is outstanding, in whatever state it is, with this error. */
void flow_abort(struct muster_request *request, const struct muster_error *error);

/* Workers are done with some requests: go on with these. */
void flow_take_processed(struct engine *engine);

/* What exchanges report goes on here. */
extern const struct exchange_ops flow_exchange_ops;

#endif
