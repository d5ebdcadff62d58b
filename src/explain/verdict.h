/* SPDX-License-Identifier: MIT */
/*
 * The verdict: one sentence that a busy person can act upon
 *
 * With a finding: what the matter is, and what the remedy gains. Without one: what the time went
 * into, but only where two ways to look at it agree: what the end waited for, and what resource had
 * to be used that long. Where they do not agree, the run is "mixed". Where nearly all failed, or
 * were answered with an error, that is said first. Of a record with holes the verdict says that
 * they are there.
 */
#ifndef EXPLAIN_VERDICT_H
#define EXPLAIN_VERDICT_H

#include "ranking.h"
#include <explain/model/bounds.h>

#define VERDICT_TEXT (3 * FINDING_TEXT)

void verdict_write(char text[VERDICT_TEXT], const struct facts *facts,
        const struct ranking *ranking, const struct bound *bounds, size_t n_bounds);

#endif
