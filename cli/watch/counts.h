/* SPDX-License-Identifier: MIT */
/*
 * Figures of a watched program, to compare it with another one
 */
#ifndef CLI_WATCH_COUNTS_H
#define CLI_WATCH_COUNTS_H

#include "session.h"
#include <stdio.h>

/* Times are ns. */
enum count {
        COUNT_WALL,     /* of the whole program */
        COUNT_RUN,      /* from its first request to its last answer */
        COUNT_REQUESTS, /* that ended */
        COUNT_FAILED,
        COUNT_REFUSED,   /* answered 4xx or 5xx */
        COUNT_BYTES,     /* received */
        COUNT_IN_FLIGHT, /* mean */
        COUNT_MOST_IN_FLIGHT,
        COUNT_LATENCY, /* mean of one request */
        COUNT_CONNS,   /* opened */
        COUNT_LOOKUPS,
        COUNT_HANDSHAKES,
        COUNT_QUEUED, /* requests that waited for their library's limit */
        COUNT_HELD,   /* the event loop, by one callback, in all */
        COUNT_CPU,
        N_COUNTS,
};

struct counts {
        double of[N_COUNTS];
        int status; /* exit status */
};

/* Of a program that was run and read. */
struct counts counts_of(const struct session *session);

const char *count_name(enum count count);  /* "connections": for machines, with the unit last */
const char *count_title(enum count count); /* "connections opened": for people */

/* The figure as people read it. */
void count_text(enum count count, double value, char *text, size_t size);

#endif
