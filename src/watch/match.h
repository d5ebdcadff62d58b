/* SPDX-License-Identifier: MIT */
/*
 * Match: which request of a library is which call on the wire
 *
 * Both know the thread, the method and the URL, and a request is sent between its start and its
 * end. Of several that are alike the one that had its connection first is sent first. What a hook
 * saw and the shim did not, as TLS in a static library, becomes a call of its own, with what the
 * hook knows.
 */
#ifndef WATCH_MATCH_H
#define WATCH_MATCH_H

#include "watched.h"

/* MUSTER_E_RESOURCE. */
int match_requests(struct watched *all);

/*
 * Find the connections of calls that only a hook saw: by port and time, and by when bytes were sent
 * on them. Those that were not sent have the connection that was being made. MUSTER_E_RESOURCE.
 */
int match_links(struct watched *all);

/* Find the requests that time-outs ended, once all have their calls. MUSTER_E_RESOURCE. */
int match_timeouts(const struct watched *all);

/* The code for the type of an exception, as its name tells. */
int match_code_of(struct muster_str error);

#endif
