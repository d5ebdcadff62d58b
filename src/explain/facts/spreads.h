/* SPDX-License-Identifier: MIT */
/*
 * How long things took: the spreads in struct facts
 */
#ifndef EXPLAIN_SPREADS_H
#define EXPLAIN_SPREADS_H

#include "facts.h"

/* Fills phase, service, latency, network and server; needs by_request. MUSTER_E_RESOURCE. */
int spreads_measure(struct facts *facts);

#endif
