/* SPDX-License-Identifier: MIT */
/*
 * JSON documents of chosen size and depth
 */
#ifndef LAB_DOCUMENT_H
#define LAB_DOCUMENT_H

#include <base/buf.h>

#define DOCUMENT_DEPTH_MAX 1000

/*
 * Append a JSON object of exactly `n_bytes`, nested `depth` deep (1: one object), the innermost
 * with an array of records. 0, MUSTER_E_RESOURCE; MUSTER_E_INVALID when the size is too small for
 * the depth.
 */
int document_make(uint64_t n_bytes, unsigned depth, struct buf *to);

/*
 * Append text as a JSON string, quotes included; bytes that are not UTF-8 become U+FFFD. 0 or
 * MUSTER_E_RESOURCE.
 */
int document_add_string(struct buf *to, struct muster_str text);

#endif
