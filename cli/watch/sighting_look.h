/* SPDX-License-Identifier: MIT */
/*
 * What looking at a connection (sighting_look.c) and opening one (sighting.c) have in common
 */
#ifndef CLI_WATCH_SIGHTING_LOOK_H
#define CLI_WATCH_SIGHTING_LOOK_H

#include "sighting.h"

static inline struct sighted_conn *sighted_at(const struct sightings *seen, uint32_t number)
{
        return &seen->conns[number - 1];
}

/* A descriptor of a process, to be closed at once; or -errno. */
int sighted_borrow(const struct sighted_process *process, int fd);

/* The socket's own number; 0: not known. */
uint64_t sighted_cookie(int fd);

/* Its last words are found by it. */
void sighted_keep_cookie(struct sightings *seen, uint32_t number);

/* In the log a connection has its number in the place of a descriptor, which another may have. */
void sighted_tell(struct sightings *seen, const struct sighted_conn *conn,
        struct outside_event event);

/* The program has closed it. Its last words are to come. */
void sighted_gone(struct sighted_conn *conn, uint64_t at_ns);

/* It is over, and all that is known of it is noted. May be called twice. */
void sighted_over(struct sightings *seen, struct sighted_conn *conn);

#endif
