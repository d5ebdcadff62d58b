/* SPDX-License-Identifier: MIT */
/*
 * The stand-in: a process that lets calls go on when we do not
 *
 * A program whose calls wait for us (filter.h) must not suffer if we are killed, are stopped, or end
 * before all of its processes do. The stand-in is a small process beside us that has the listener, too.
 * It does nothing while we answer. When we are gone it answers until nobody has the filter any more;
 * and while we live, when a call has waited for half a second to a second.
 */
#ifndef CLI_WATCH_STAND_IN_H
#define CLI_WATCH_STAND_IN_H

#include "filter.h"

/* What both processes see. */
struct stand_in_desk {
        union filter_room room;     /* where calls are taken: tells which one was not let go */
        uint64_t n_taken, n_let_go; /* atomic */
};

struct stand_in {
        pid_t pid; /* 0: none */
        int lifeline;
        struct stand_in_desk *desk;
};

/* Start it. MUSTER_E_RESOURCE: there is none. */
int stand_in_init(struct stand_in *stand_in, int listener);

/* Nobody answers any more but the stand-in, for as long as the program's processes need it. */
void stand_in_deinit(struct stand_in *stand_in, int listener);

#endif
