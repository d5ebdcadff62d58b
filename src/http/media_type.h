/* SPDX-License-Identifier: MIT */
/*
 * What a file's name says of its content
 */
#ifndef HTTP_MEDIA_TYPE_H
#define HTTP_MEDIA_TYPE_H

#include <base/str.h>

/* The media type by the ending of a name, as curl tells it; NULL: it is none that is known. */
const char *media_type_of_name(struct muster_str name);

/* Is it "TYPE/SUBTYPE", with parameters or not, and can it be the value of a field? */
bool media_type_is_valid(struct muster_str type);

/* Is it this type, whatever its parameters? */
bool media_type_is(struct muster_str type, const char *name);

#endif
