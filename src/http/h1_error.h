/* SPDX-License-Identifier: MIT */
/*
 * Words for what is wrong with bytes that were received as HTTP/1
 *
 * The bytes are somebody else's: they are quoted shortened, and with what is no plain character
 * escaped, so that they can be shown on a terminal.
 */
#ifndef HTTP_H1_ERROR_H
#define HTTP_H1_ERROR_H

#include <muster/error.h>
#include <stdbool.h>

/* A protocol error that shows the offending bytes. Returns MUSTER_E_PROTOCOL. */
int h1_protocol_error(struct muster_error *error, const char *what, struct muster_str bytes);

/* May a response begin like this? True as long as what has come of "HTTP/" is right. */
bool h1_may_begin(struct muster_str bytes);

/*
 * A protocol error about bytes that h1_may_begin() denied; it names the protocol that they are of.
 * Returns MUSTER_E_PROTOCOL.
 */
int h1_not_http(struct muster_error *error, struct muster_str bytes);

#endif
