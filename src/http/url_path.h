/* SPDX-License-Identifier: MIT */
/*
 * The path of a URL: segments, and what dots in them mean (WHATWG URL Standard section 4.4, path
 * state)
 */
#ifndef HTTP_URL_PATH_H
#define HTTP_URL_PATH_H

#include <base/buf.h>

/* In URLs of http and https a backslash is a slash. */
static inline bool url_is_slash(char c)
{
        return c == '/' || c == '\\';
}

/* Is the path already in normal form? */
bool url_path_is_plain(struct muster_str path);

/*
 * Append the segments of `path`, each after a slash and encoded. Dots are resolved against the path
 * that begins at `path_at` in `text`. 0 or MUSTER_E_RESOURCE.
 */
int url_path_add(struct buf *text, size_t path_at, struct muster_str path);

/* Cut off the last segment, but not beyond `path_at`. */
void url_path_shorten(struct buf *text, size_t path_at);

#endif
