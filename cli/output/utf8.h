/* SPDX-License-Identifier: MIT */
/*
 * UTF-8 (RFC 3629): no overlong forms, no surrogates, nothing above U+10FFFF
 */
#ifndef CLI_OUTPUT_UTF8_H
#define CLI_OUTPUT_UTF8_H

#include <base/str.h>

/* The length of the character at the front of `len` bytes, at least one; 0 when it is none. */
size_t utf8_sequence(const char *at, size_t len);

bool utf8_is_valid(struct muster_str text);

#endif
