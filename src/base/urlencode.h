/* SPDX-License-Identifier: MIT */
/*
 * application/x-www-form-urlencoded (WHATWG URL Standard, section 5)
 */
#ifndef BASE_URLENCODE_H
#define BASE_URLENCODE_H

#include "buf.h"

/*
 * Append text encoded: a space is "+", and all but letters, digits and "-._~" is percent-encoded,
 * as curl has it. 0 or MUSTER_E_RESOURCE.
 */
int urlencode_add(struct buf *to, struct muster_str text);

/* The same for a segment of a path, where a space is "%20". */
int percent_add(struct buf *to, struct muster_str text);

#endif
