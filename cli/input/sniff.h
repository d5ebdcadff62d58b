/* SPDX-License-Identifier: MIT */
/*
 * Files that are no lists, told by how they begin
 */
#ifndef CLI_INPUT_SNIFF_H
#define CLI_INPUT_SNIFF_H

#include <base/str.h>

/*
 * What a file is that begins with this line and cannot be read, and what makes it readable; NULL:
 * it may be a list.
 */
const char *sniff(struct muster_str first_line);

#endif
