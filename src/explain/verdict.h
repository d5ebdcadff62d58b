/* SPDX-License-Identifier: MIT */
/*
 * The verdict: one sentence that a busy person can act upon
 *
 * With a finding: what the matter is, and what the remedy gains. Without one: what the time went
 * into, by what the end waited for. Most of the time in one part is never called mixed; where a
 * resource that is about something else had to be used for as long, that is said beside it. Where many failed, or were
 * answered with an error, that is said first: how many, by what, and what kept them from another
 * try; then what limited the rest. Of a record with holes the verdict says that they are there.
 */
#ifndef EXPLAIN_VERDICT_H
#define EXPLAIN_VERDICT_H

#include "ranking.h"
#include <explain/model/bounds.h>

#define VERDICT_TEXT (3 * FINDING_TEXT)

void verdict_write(char text[VERDICT_TEXT], const struct facts *facts,
        const struct ranking *ranking, const struct bound *bounds, size_t n_bounds);

#endif
