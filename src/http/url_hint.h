/* SPDX-License-Identifier: MIT */
/*
 * What somebody who wrote this for a URL may have meant
 *
 * Advice is given only where following it works: a text that is told to be written has been parsed.
 */
#ifndef HTTP_URL_HINT_H
#define HTTP_URL_HINT_H

#include <base/str.h>

/*
 * `text` does not begin with a scheme that we know: say what it looks like, and what to write.
 * Always MUSTER_E_URL.
 */
int url_hint_scheme(struct muster_str text, struct muster_error *error);

/* A scheme of somebody else's. Always MUSTER_E_URL. */
int url_hint_unsupported(struct muster_str scheme, struct muster_error *error);

/*
 * Is there a character that the URL Standard would strip or turn into another one: a tab, a line
 * end, another control character, a blank at one of the ends, a backslash before the query? A
 * person did not mean it, and is told. 0, or MUSTER_E_URL with its column.
 */
int url_hint_strays(struct muster_str text, struct muster_error *error);

#endif
