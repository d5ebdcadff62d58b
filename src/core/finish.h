/* SPDX-License-Identifier: MIT */
/*
 * Finish: how a request becomes a result
 *
 *      response complete ──▶ work on it, if any (work.h) ──▶ finish ──▶ engine->finished
 *      failed, cancelled ───────────────────────────────────▶
 */
#ifndef CORE_FINISH_H
#define CORE_FINISH_H

#include "engine.h"

/*
 * Finish a request, which is a result from now on. Every request ends here, once. `error` NULL: as
 * the result says. `now_ns` is when its last attempt or back-off ended.
 */
void finish(struct muster_request *request, const struct muster_error *error, uint64_t now_ns);

/* Finish one that is in no queue and had no slot in this attempt. */
void finish_unqueued(struct muster_request *request, const struct muster_error *error);

/* The head of a stream's response is there: its result can be taken now. */
void finish_announce(struct muster_request *request, const struct muster_conn_info *conn);

/* A complete response, which is the result: begin the work on it, or finish the request. */
void finish_response(struct muster_request *request);

/* Finish the requests that the workers are done with. */
void finish_take_processed(struct engine *engine);

/* Finish one of which no worker has anything any more. The work ended at `end_ns`. */
void finish_processed(struct muster_request *request, const struct muster_error *error,
        uint64_t end_ns);

#endif
