/* SPDX-License-Identifier: MIT */
/*
 * Behind the door (watch/door.h): who knocks, and what they hand over
 */
#ifndef CLI_WATCH_RECEPTION_H
#define CLI_WATCH_RECEPTION_H

#include <stdbool.h>
#include <watch/door.h>

/* The door of a folder; -errno: there is none. */
int reception_open(const char *folder);

struct visitor {
        int fd;
        struct door_knock knock;
        int listener; /* -1: it has none, */
        int why;      /* ... for this errno */
};

/*
 * Somebody knocks: let them in, and if `is_welcome` have them install the filter. False: they went
 * away. What is to be done then is reception_let_go(), which also closes all but the listener.
 */
bool reception_meet(int door_fd, bool is_welcome, struct visitor *ret_visitor);
void reception_let_go(struct visitor *visitor);

#endif
