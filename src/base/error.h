/* SPDX-License-Identifier: MIT */
/*
 * Filling in errors
 *
 * Detail is filled in once, where the error happened. Later calls, on the way up, change nothing.
 */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

#include "str.h"
#include <muster/error.h>

/*
 * Set the error, unless it is set already. `error` may be NULL. `sys` is an errno or 0. Text that
 * does not fit is cut and ends in "...". Control characters become "?". Returns `code`, to be
 * forwarded.
 */
__attribute__((format(printf, 5, 6))) int error_set(struct muster_error *error,
        enum muster_code code, enum muster_phase stage, int sys, const char *format, ...);

/* Append to the text of an error that is set. Text that does not fit is cut. */
void error_add_text(struct muster_error *error, struct muster_str text);

/* Set the error for "out of memory". Returns MUSTER_E_RESOURCE. */
int error_set_memory(struct muster_error *error, enum muster_phase stage);

/* Make it "no error" again. */
void error_clear(struct muster_error *error);

/* The words for an errno, like strerror() but short and in lower case: "connection refused". */
const char *error_sys_text(int sys);

/*
 * The phases in the order in which a request passes through them: `i` is from 0 to MUSTER_N_PHASES.
 * Their numbers are in the order in which they were invented.
 */
enum muster_phase phase_in_order(int i);

/* The lowest of enum muster_code. */
#define MUSTER_E_LOWEST MUSTER_E_DENIED

/* Does this errno mean that the machine has run out of something: descriptors, ports, memory? */
bool error_sys_is_shortage(int sys);

#endif
