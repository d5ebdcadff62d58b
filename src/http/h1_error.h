/* SPDX-License-Identifier: MIT */
/*
 * Errors about bytes that were received as HTTP/1, in words
 *
 * The bytes are foreign, so they are quoted shortened and escaped, and are safe to show on a
 * terminal.
 */
#ifndef HTTP_H1_ERROR_H
#define HTTP_H1_ERROR_H

#include <muster/error.h>
#include <stdbool.h>

/* Set a protocol error that quotes the offending bytes. Returns MUSTER_E_PROTOCOL. */
int h1_protocol_error(struct muster_error *error, const char *what, struct muster_str bytes);

/* Can a response begin like this? True as long as the bytes match "HTTP/". */
bool h1_may_begin(struct muster_str bytes);

/*
 * Set a protocol error about bytes for which h1_may_begin() is false. It names the protocol that
 * they look like. Returns MUSTER_E_PROTOCOL.
 */
int h1_not_http(struct muster_error *error, struct muster_str bytes);

#endif
