/* SPDX-License-Identifier: MIT */
/*
 * Evidence that a server was not full: in the words of all rules that rest on it
 */
#ifndef EXPLAIN_FLAT_H
#define EXPLAIN_FLAT_H

#include "finding.h"
#include <explain/measure/load.h>

/* Nothing is told where that is not known. `so`: what follows from it, ": the server was not full". */
void flat_tell(struct finding *finding, const struct load *load, const char *so);

#endif
