/* SPDX-License-Identifier: MIT */
/*
 * A URL or a reference to one, cut into its pieces in place (WHATWG URL section 4.4)
 */
#ifndef HTTP_URL_CUT_H
#define HTTP_URL_CUT_H

#include "url.h"

/* The pieces, in place in the input; `at` is NULL for a missing one. */
struct url_pieces {
        bool has_scheme;
        enum url_scheme scheme;
        struct muster_str authority, path, query;
};

/*
 * Cut a reference into zeroed pieces. After a special scheme any number of slashes begins the
 * authority. Without slashes and with the base's own scheme, what follows is relative to the base.
 * MUSTER_E_URL with *error: it has no scheme that we know, or none and there is no base.
 */
int url_cut(struct muster_str text, const struct url *base, struct url_pieces *pieces,
        struct muster_error *error);

/* Cut the fragment off. */
void url_cut_fragment(struct muster_str *text);

/* Cut what is behind the authority, without a fragment, into path and query. */
void url_cut_target(struct muster_str rest, struct url_pieces *pieces);

#endif
