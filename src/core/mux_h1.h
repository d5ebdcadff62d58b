/* SPDX-License-Identifier: MIT */
/*
 * HTTP/1.0 and 1.1 on a connection: one exchange at a time
 */
#ifndef CORE_MUX_H1_H
#define CORE_MUX_H1_H

#include "mux.h"

/* A mux for one connection; its ops free it. NULL if memory is out. */
struct mux *mux_h1_new(void);

#endif
