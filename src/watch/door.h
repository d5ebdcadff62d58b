/* SPDX-License-Identifier: MIT */
/*
 * The door: how a process that is about to be a program into which nothing can be loaded has its
 * connections seen all the same
 *
 *      about to exec                          muster watch (cli/watch/lookout.h)
 *          struct door_knock  ──────────────▶
 *                             ◀──────────────  DOOR_COME
 *          install the filter
 *          struct door_pass + its listener ──▶
 *                             ◀──────────────  DOOR_GO: somebody answers the listener
 *      exec
 *
 * The filter (seccomp) has connect() wait for who has the listener, and lets all other calls pass. It
 * holds for the program and all that it starts, and cannot be taken away again: so it is installed
 * by the process that becomes the program, and no sooner than somebody is there for it.
 *
 * Both the shim and the command knock, so nothing is allocated here, and calls are made by a
 * function of the caller's.
 */
#ifndef WATCH_DOOR_H
#define WATCH_DOOR_H

#include "image.h"
#include <stdint.h>

#define DOOR_NAME     "door" /* a socket in the folder of logs (SOCK_SEQPACKET) */
#define DOOR_NAME_MAX 64

#define DOOR_COME 'c'
#define DOOR_GO   'g'

struct door_knock {
        uint32_t kind;            /* enum image_kind */
        char name[DOOR_NAME_MAX]; /* of the program's file, without its folders; ends with a NUL */
};

/* With the listener, if there is one. */
struct door_pass {
        int32_t why; /* 0; -errno: the filter could not be installed */
};

/* A system call: its result, or -errno. */
typedef long door_call(long number, long a, long b, long c, long d, long e, long f);

/*
 * The process is about to be the program in the file `path`, which is of a kind that has to be seen
 * from outside. Whatever fails, it may go on: then nothing is seen of it.
 *
 * Where the kernel wants that before it takes a filter, the process gives up the right to more
 * rights (no_new_privs): set-uid programs that it starts are then run without them.
 */
void door_knock(const char *folder, enum image_kind kind, const char *path, door_call *call);

#endif
