/* SPDX-License-Identifier: MIT */
/*
 * Body wait: what an engine does while bodies have all the memory that they may have
 */
#ifndef CORE_BODY_WAIT_H
#define CORE_BODY_WAIT_H

#include "engine.h"

/*
 * Go on with the bodies that waited for memory and may have it. Returns a request that must fail
 * with *error, as the caller holds all of the memory and waits; NULL: none does. To be called until
 * then.
 */
struct muster_request *body_wait_refused(struct engine *engine, struct muster_error *error);

/*
 * How many requests may start: if the memory is used up none, as one more would only wait for it
 * with a connection; or one, if nothing is under way that frees some. UINT_MAX: any number.
 */
unsigned body_wait_n_may_start(struct engine *engine);

#endif
