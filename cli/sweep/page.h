/* SPDX-License-Identifier: MIT */
/*
 * The output of a sweep: table and text, or JSON
 */
#ifndef CLI_SWEEP_PAGE_H
#define CLI_SWEEP_PAGE_H

#include "../measure/curve.h"
#include "../measure/remarks.h"
#include <stdio.h>

/* What the curve means: the limit to use, first. */
void sweep_explain(const struct curve *curve, struct remarks *remarks);

void sweep_print(const struct curve *curve, const struct remarks *remarks, FILE *to);

/* One JSON object and a line end. MUSTER_E_RESOURCE. */
int sweep_print_json(const struct curve *curve, const struct remarks *remarks, FILE *to);

#endif
