/* SPDX-License-Identifier: MIT */
/*
 * The error codes of HTTP/2 by their names (RFC 9113 section 7)
 */
#ifndef LAB_RESET_CODE_H
#define LAB_RESET_CODE_H

#include <base/str.h>

/* What reset_code_parse() takes, in words, for error texts. */
#define RESET_CODE_FORMS "names of RFC 9113 such as CANCEL, REFUSED_STREAM, ENHANCE_YOUR_CALM"

/* False when it is the name of none; the case of letters does not matter. */
bool reset_code_parse(struct muster_str name, uint32_t *ret_code);

#endif
