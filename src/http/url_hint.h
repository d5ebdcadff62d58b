/* SPDX-License-Identifier: MIT */
/*
 * Hints for a text that is no URL: what its writer may have meant
 *
 * A hint is given only if following it works: a text that it says to write has been parsed.
 */
#ifndef HTTP_URL_HINT_H
#define HTTP_URL_HINT_H

#include <base/str.h>

/*
 * For a text without a scheme that we know: say what it looks like and what to write. Always
 * MUSTER_E_URL.
 */
int url_hint_scheme(struct muster_str text, struct muster_error *error);

/* Set the error for a scheme that we do not support. Always MUSTER_E_URL. */
int url_hint_unsupported(struct muster_str scheme, struct muster_error *error);

/*
 * Refuse a character that the URL Standard would strip or replace, as no person means it: a tab, a
 * line end, another control character, a blank at an end, a backslash before the query. 0, or
 * MUSTER_E_URL with its column.
 */
int url_hint_strays(struct muster_str text, struct muster_error *error);

#endif
