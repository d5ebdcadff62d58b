/* SPDX-License-Identifier: MIT */
/*
 * A filter of system calls, as who has its listener sees it: connect() waits until we have looked
 *
 * Where no library can be loaded into a program, the kernel can still tell us which connections it
 * opens: a filter (seccomp) has connect() notify a listener, and lets all other calls pass. Only
 * connect() is asked for, as it is rare: one for each connection. Whoever has the listener says that
 * the call goes on as it is; nothing of it is changed.
 *
 * The filter holds for the program and for all that it starts, and cannot be taken away again. So
 * somebody has to have the listener for as long (stand_in.h): without one connect() fails with ENOSYS.
 */
#ifndef CLI_WATCH_FILTER_H
#define CLI_WATCH_FILTER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* A listener that was handed over. */
void filter_init(int listener);

/* A call that waits. */
struct filter_call {
        uint64_t id;
        pid_t tid;
        uint64_t arguments[6];
};

/* Where the kernel writes a call; zeroed. Memory that is shared tells others what came last. */
union filter_room {
        uint64_t id; /* of the call that was taken last */
        char bytes[512];
};

/* Take the next one. False: it went away, as did its process, or a signal came before us. */
bool filter_take(int listener, union filter_room *room, struct filter_call *ret_call);

/* Does it still wait? What was read of its process since is then of that process. */
bool filter_waits(int listener, uint64_t id);

/* Let it go on. One that went away is no error. */
void filter_let_go(int listener, uint64_t id);

#endif
