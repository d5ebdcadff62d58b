/* SPDX-License-Identifier: MIT */
/*
 * May a connection be made at all? What the guard (guard.h) says of an origin and its route
 */
#ifndef CORE_CONN_WAY_H
#define CORE_CONN_WAY_H

#include "conn.h"

struct dial_filter;

/*
 * May the origin be reached by its route? *ret_filter, unless NULL, is for the addresses that are
 * dialled: the caller's own proxy is not checked. MUSTER_E_DENIED with *error.
 */
int conn_way_check(const struct conn *conn, const struct dial_filter **ret_filter,
        struct muster_error *error);

#endif
