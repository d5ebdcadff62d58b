/* SPDX-License-Identifier: MIT */
/*
 * A process's descriptors, and the connections behind them
 *
 * A descriptor's number is used again and again: each connect() begins another connection. One that
 * is used and whose beginning is not in the log, because it was inherited, makes a connection of
 * which the beginning is not known.
 */
#ifndef WATCH_SOCKETS_H
#define WATCH_SOCKETS_H

#include "event.h"
#include "watched.h"

#define SOCKETS_FD_MAX (1 << 20) /* what Linux allows */

/* Zeroed is empty. */
struct sockets {
        uint32_t *links; /* by descriptor; 0: none */
        size_t n;
};

void sockets_deinit(struct sockets *sockets);
/* MUSTER_E_RESOURCE: *to is empty. */
int sockets_copy(struct sockets *to, const struct sockets *from);

/* The connection behind a descriptor; 0: none. */
uint32_t sockets_get(const struct sockets *sockets, int32_t fd);

/* A connection that is there already when it is first seen. 0: memory is out. */
uint32_t sockets_adopt(struct sockets *sockets, struct watched *all, int32_t fd, uint32_t process,
        uint32_t thread, uint64_t at_ns);

/* MUSTER_E_RESOURCE. */
int sockets_connect(struct sockets *sockets, struct watched *all, const struct watch_event *event,
        uint32_t process, uint32_t thread);
int sockets_accept(struct sockets *sockets, struct watched *all, const struct watch_event *event,
        uint32_t process, uint32_t thread);
int sockets_dup(struct sockets *sockets, struct watched *all, const struct watch_event *event);
void sockets_connected(struct watched *all, uint32_t link, uint64_t at_ns, int64_t sys);
void sockets_close(struct sockets *sockets, struct watched *all, const struct watch_event *event);
/* The process is over: what is open is closed with it. Its links are those behind `n_before`. */
void sockets_end(struct sockets *sockets, struct watched *all, size_t n_before, uint64_t at_ns);

#endif
