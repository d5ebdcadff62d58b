/* SPDX-License-Identifier: MIT */
/*
 * Between programs a signal is meant for us: it ends us, and nothing is left
 *
 * While a program runs its signals are held back (subject.h). A thread waits for them from
 * leave_begin() to leave_end(), so that the page, which may take a while, can be done without.
 */
#ifndef CLI_WATCH_LEAVE_H
#define CLI_WATCH_LEAVE_H

#include "place.h"
#include <pthread.h>
#include <stdbool.h>

struct leave {
        pthread_t thread;
        bool is_begun;
};

/* `place` is removed then; it is borrowed until leave_end(). */
void leave_begin(struct leave *leave, struct place *place);

/* May be called twice. */
void leave_end(struct leave *leave);

#endif
