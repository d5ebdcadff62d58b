/* SPDX-License-Identifier: MIT */
/*
 * What kind of file a command runs, and so what can be seen of it
 *
 * The loader puts the shim into a program. Where it does not, the program is seen from outside, or
 * not at all. Only the command itself is looked at here, through its #! lines; what it starts in turn
 * is looked at by the shim (watch/shim/outside.h).
 */
#ifndef CLI_WATCH_EXECUTABLE_H
#define CLI_WATCH_EXECUTABLE_H

#include <limits.h>
#include <stdbool.h>
#include <watch/image.h>

enum executable_kind {
        EXECUTABLE_UNKNOWN, /* not found, or not of a kind that is known */
        EXECUTABLE_DYNAMIC, /* the loader takes the shim */
        EXECUTABLE_STATIC,  /* there is no loader */
        EXECUTABLE_GO,      /* it asks the kernel itself, without libc */
        EXECUTABLE_SETUID,  /* it has more rights than we: the loader takes nothing of us */
        EXECUTABLE_FOREIGN, /* of another machine, or another C library: the shim would not fit */
};

struct executable {
        enum executable_kind kind;
        char path[PATH_MAX]; /* the file that runs in the end: a script's interpreter */
};

enum executable_kind executable_kind_of(enum image_kind kind);
enum image_kind executable_image(enum executable_kind kind); /* the other way round */

/* `name` is found as execvp() does. */
struct executable executable_look(const char *name);

/* May it be told to load the shim? Where nothing is known, it may: it is then a shell's script. */
bool executable_takes_shim(const struct executable *executable);

/* Does it have to be seen from outside (lookout.h), as nothing can be loaded into it? */
bool executable_is_seen_outside(enum executable_kind kind);

/* Why it cannot be seen, as what follows its name in a sentence; NULL: it can. A constant. */
const char *executable_unseen_words(enum executable_kind kind);

#endif
