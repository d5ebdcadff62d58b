/* SPDX-License-Identifier: MIT */
/*
 * Filling in errors
 *
 * Detail is filled once, where it happened: the first word is kept, later ones on the way up change
 * nothing.
 */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

#include "str.h"
#include <muster/error.h>

/*
 * Say what happened, unless something was said before. `error` may be NULL. `sys` is an errno or 0.
 * Text that does not fit is cut and ends in "...". Bytes of foreign origin in the text are made
 * printable. Returns `code`, to be forwarded.
 */
__attribute__((format(printf, 5, 6))) int error_set(struct muster_error *error,
        enum muster_code code, enum muster_phase stage, int sys, const char *format, ...);

/* Add to what was said; what does not fit is cut. `error` says something. */
void error_add_text(struct muster_error *error, struct muster_str text);

/* The standard words for "memory is out". Returns MUSTER_E_RESOURCE. */
int error_set_memory(struct muster_error *error, enum muster_phase stage);

/* Forget it. */
void error_clear(struct muster_error *error);

/*
 * What the system calls an errno, as strerror() but short and in lower case: "connection refused".
 */
const char *error_sys_text(int sys);

/* Does this errno say that the machine has no more of something: descriptors, ports, memory? */
bool error_sys_is_shortage(int sys);

#endif
