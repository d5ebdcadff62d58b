/* SPDX-License-Identifier: MIT */
/*
 * Tries: the addresses that a dial tried, as rows for the tracer
 */
#ifndef CORE_TRIES_H
#define CORE_TRIES_H

struct conn;
struct dial;

/* Report the tries of a dial that is over. Does nothing without a tracer. */
void tries_report(const struct conn *conn, const struct dial *dial);

#endif
