/* SPDX-License-Identifier: MIT */
/*
 * Where --body has bodies go: into the result lines, nowhere, or into files
 */
#ifndef CLI_OUTPUT_BODY_PLACE_H
#define CLI_OUTPUT_BODY_PLACE_H

#include <muster/error.h>

enum body_place { BODY_INLINE, BODY_NONE, BODY_FILES };

/* "inline", also NULL; "none"; a directory or a template. */
enum body_place body_place(const char *spec);

/*
 * Is it a word that nearly means "inline" or "none"? MUSTER_E_INVALID with *error, which says how
 * to have a directory of that name.
 */
int body_place_check(const char *spec, struct muster_error *error);

#endif
