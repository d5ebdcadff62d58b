/* SPDX-License-Identifier: MIT */
/*
 * Methods that may be used again and again
 */
#ifndef CLI_INPUT_METHOD_H
#define CLI_INPUT_METHOD_H

#include <stdbool.h>

/*
 * Does it only read, so that asking once more changes nothing (RFC 9110 section 9.2.1): GET, HEAD,
 * OPTIONS? NULL is GET.
 */
bool method_is_safe(const char *method);

#endif
