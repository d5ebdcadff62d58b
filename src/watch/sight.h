/* SPDX-License-Identifier: MIT */
/*
 * Sight: what one process did, from its log
 *
 * Goes through the events of a log in their order and tells sockets, talk and loops. A thread that
 * speaks TLS by way of memory, as asyncio does, tells no descriptor: its SSL belongs to the socket
 * from which the thread received last, if that has no other; or, before anything was received, to
 * the one to which it sends next.
 */
#ifndef WATCH_SIGHT_H
#define WATCH_SIGHT_H

#include "log.h"
#include "sockets.h"

/* A child takes over the descriptors of its parent. */
struct inheritance {
        int32_t child; /* its pid */
        struct sockets sockets;
};

/*
 * Read a log to its end, as a process of its own; logs come in the order of their beginnings.
 * `heirs` are struct inheritance. MUSTER_E_RESOURCE.
 */
int sight_read(struct watched *all, struct log *log, struct rows *heirs);

#endif
