/* SPDX-License-Identifier: MIT */
/*
 * Programs that the watched one runs, and into which nothing can be loaded
 *
 * A shell, make or env starts programs that are linked statically, or in Go. The shim is the last of
 * ours that sees them begin. So it looks at the file before exec, and if it is such a one has the
 * kernel tell `muster watch` of its connections (watch/door.h). All that is done are system calls, and
 * what they need lies in pages of its own: a child of vfork(), or a handler on a small stack, may
 * call it, while other hooks do nothing.
 */
#ifndef SHIM_OUTSIDE_H
#define SHIM_OUTSIDE_H

#include <stdbool.h>

struct outside;

/*
 * What is known of it if `name` is such a program, to be freed; else NULL. Without a slash it is
 * looked for in PATH, if `in_path`.
 */
struct outside *outside_look(const char *name, bool in_path);

/* This process, or this thread, is about to be it. */
void outside_become(const struct outside *outside);

void outside_free(struct outside *outside); /* NULL is allowed */

/* All of them. */
void outside_exec(const char *name, bool in_path);

#endif
