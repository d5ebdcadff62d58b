/* SPDX-License-Identifier: MIT */
/*
 * Words for what is wrong with bytes that were received as HTTP/1
 */
#ifndef HTTP_H1_ERROR_H
#define HTTP_H1_ERROR_H

#include <muster/error.h>

/* A protocol error that shows the offending bytes, shortened. Returns MUSTER_E_PROTOCOL. */
int h1_protocol_error(struct muster_error *error, const char *what, struct muster_str bytes);

#endif
