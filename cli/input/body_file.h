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

/* Make it the body of a request. As file_read(). */
int body_from_file(struct muster_request *request, const char *path, struct muster_error *error);

#endif
