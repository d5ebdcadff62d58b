/* SPDX-License-Identifier: MIT */
/*
 * Facts by host
 */
#ifndef EXPLAIN_HOSTS_H
#define EXPLAIN_HOSTS_H

#include "facts.h"

/* Fills facts->hosts, of as many as HOST_FACTS_MAX that had most attempts. MUSTER_E_RESOURCE. */
int hosts_measure(struct facts *facts);

#endif
