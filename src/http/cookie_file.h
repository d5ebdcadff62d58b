/* SPDX-License-Identifier: MIT */
/*
 * The text of a cookie file in Netscape format
 *
 * A line has seven fields with tabs between them:
 *
 *      domain  TRUE|FALSE (also below it)  path  TRUE|FALSE (Secure)  expires  name  value
 *
 * "#HttpOnly_" before the domain is HttpOnly; other lines with "#" are comments. `expires` is Unix
 * time, 0 for the end of the session. The format has no place for SameSite and for the time at
 * which a cookie was set: the order of the lines is its order of age.
 */
#ifndef HTTP_COOKIE_FILE_H
#define HTTP_COOKIE_FILE_H

#include "cookie_jar.h"

/*
 * Put the cookies of the text into the jar. *ret_n_skipped is the number of lines that are neither
 * cookies nor comments. 0 or MUSTER_E_RESOURCE.
 */
int cookie_file_read(struct cookie_jar *jar, struct muster_str text, int64_t now_s,
        size_t *ret_n_skipped);

/*
 * Append the file of a jar, the oldest cookie first. Left out is what is out of date, and names
 * that have a tab, for which the format has no place. 0 or MUSTER_E_RESOURCE.
 */
int cookie_file_write(struct cookie_jar *jar, int64_t now_s, struct buf *to);

#endif
