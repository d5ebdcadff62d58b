/* SPDX-License-Identifier: MIT */
/*
 * A request's body from a file
 */
#ifndef CLI_INPUT_BODY_FILE_H
#define CLI_INPUT_BODY_FILE_H

#include <base/buf.h>
#include <muster/request.h>

/*
 * Append a whole file, "-" being standard input, to `to`. MUSTER_E_INPUT with *error naming it,
 * MUSTER_E_RESOURCE.
 */
int file_read(const char *path, struct buf *to, struct muster_error *error);

/*
 * Can a line of input name this file, to be sent? It is looked at now, so that the line with the
 * mistake is told, and read when it is sent. Standard input cannot be named. `takes_pipe`: it may be
 * of any other kind. MUSTER_E_INPUT with *error.
 */
int body_file_check(const char *path, bool takes_pipe, struct muster_error *error);

/* Make it the body of a request. As body_file_check(). */
int body_from_file(struct muster_request *request, const char *path, bool takes_pipe,
        struct muster_error *error);

#endif
