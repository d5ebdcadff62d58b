/* SPDX-License-Identifier: MIT */
/*
 * Thresholds that can be moved (judgement.c): only in builds with tests
 */
#ifndef EXPLAIN_JUDGEMENT_SWAY_H
#define EXPLAIN_JUDGEMENT_SWAY_H

#include <muster/error.h>
#include <stdbool.h>
#include <stddef.h>

/*
 * As MUSTER_SWAY in the environment has it, "NAME:FACTOR"; nothing without it. MUSTER_E_INVALID: it
 * names no threshold, or no factor. Only the first call in a process moves it.
 */
#ifdef JUDGEMENT_SWAYS
int judgement_sway(void);
#else
static inline int judgement_sway(void)
{
        return 0;
}
#endif

#endif
