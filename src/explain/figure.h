/* SPDX-License-Identifier: MIT */
/*
 * Figures by name: "queue.p95", "error.rate"
 */
#ifndef EXPLAIN_FIGURE_H
#define EXPLAIN_FIGURE_H

#include <explain/facts/facts.h>

/* As muster_explanation_figure(); also MUSTER_E_RESOURCE. */
int figure_of(const struct facts *facts, const char *name, double *ret_value);

#endif
