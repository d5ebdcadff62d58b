/* SPDX-License-Identifier: MIT */
/*
 * What the line of a stranger may ask for (--untrusted-input): GET or HEAD of a URL, with a few
 * header fields that say what kind of answer is wanted
 *
 * Not a body, and so no file of this machine; not credentials; no other header field. Where the URL
 * leads is for the client to check (deny_private).
 */
#ifndef CLI_INPUT_UNTRUSTED_H
#define CLI_INPUT_UNTRUSTED_H

#include "input.h"
#include <jansson.h>

/* 0; negative with item->error: the line is refused. `is_result`: it is the line of a result. */
int untrusted_check_object(struct input_item *item, const json_t *object, bool is_result);
int untrusted_check_url(struct input_item *item, const char *url);

#endif
