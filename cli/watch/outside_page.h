/* SPDX-License-Identifier: MIT */
/*
 * What was seen of programs from outside, as it is shown
 */
#ifndef CLI_WATCH_OUTSIDE_PAGE_H
#define CLI_WATCH_OUTSIDE_PAGE_H

#include "../text/layout.h"
#include "executable.h"
#include "lookout.h"
#include <base/buf.h>

#define OUTSIDE_TEXT 500

/* Did a program that was seen from outside open any? */
bool outside_has_conns(const struct lookout *lookout);

/* What there is to say where no request could be told from another. */
void outside_verdict(const struct lookout *lookout, const struct executable *executable,
        char text[OUTSIDE_TEXT]);

/* Of the first program that ran and was not seen: its name, what kind it is and why. */
struct outside_words {
        char text[320];
};
struct outside_words outside_unseen(const struct lookout *lookout);

/* Rows of figures, what they leave out, and, if `with_unseen`, who else was not seen. */
void outside_print(const struct lookout *lookout, bool with_unseen, const struct page *page);

/* Members "unseen_programs" and "outside" of an object. MUSTER_E_RESOURCE. */
int outside_json(const struct lookout *lookout, struct buf *to);

#endif
