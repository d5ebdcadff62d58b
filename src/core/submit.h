/* SPDX-License-Identifier: MIT */
/*
 * Submit: what is settled about a request before it waits
 */
#ifndef CORE_SUBMIT_H
#define CORE_SUBMIT_H

#include "engine.h"

/* Set its limits: its own, or else those of the settings. */
void submit_set_limits(struct muster_request *request, const struct settings *settings);

/*
 * Parse its URL, and refuse what cannot be asked: MUSTER_E_INVALID. Without memory
 * MUSTER_E_RESOURCE. Both with *error.
 */
int submit_check(struct muster_request *request, struct muster_error *error);

#endif
