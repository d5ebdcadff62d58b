/* SPDX-License-Identifier: MIT */
/*
 * The members of a JSON object as they are written
 *
 * A parser gives values; this gives their text, so that what is somebody else's comes out again as
 * it went in: 1.10, 1e5 or an integer of 30 digits. The text must be known to be a valid object.
 */
#ifndef CLI_INPUT_MEMBERS_H
#define CLI_INPUT_MEMBERS_H

#include <base/buf.h>

struct member {
        struct muster_str name;  /* without quotes; its escapes are as they are written */
        struct muster_str value; /* of any type, a string with its quotes */
};

/* Go through an object's members: `rest` is its text at first. False: there are no more. */
bool members_next(struct muster_str *rest, struct member *ret_member);

/* Is it of that name, whichever way it is written? */
bool member_is(const struct member *member, const char *name);

/*
 * Put 0, blanks behind it, in place of each number: for a parser that refuses numbers which it
 * cannot hold, and whose columns are to be right. What is no number stays.
 */
void members_blank_numbers(char *text, size_t len);

#endif
