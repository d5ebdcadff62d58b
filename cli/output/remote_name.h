/* SPDX-License-Identifier: MIT */
/*
 * The name that a server has for what it sends: what curl's -O and -J call a file
 *
 *      http://example.com/files/report.pdf?v=2                    ──▶  report.pdf
 *      Content-Disposition: attachment; filename="C:\tmp\a.pdf"   ──▶  a.pdf
 *
 * Both take what stands behind the last slash, as it is written there. It may still be anything: a
 * dot at its beginning, control characters, more than a file system takes; body_name.h has what
 * becomes of that.
 */
#ifndef CLI_OUTPUT_REMOTE_NAME_H
#define CLI_OUTPUT_REMOTE_NAME_H

#include <base/buf.h>

/*
 * The last part of a URL's path, borrowed from it, without query and fragment, %XX as it stands.
 * Empty: the path ends with a slash, or in "." or "..", which are no names.
 */
struct muster_str remote_name_of_url(const char *url);

/*
 * Append what "filename" of a Content-Disposition (RFC 6266 section 4.3) has behind the last slash
 * or backslash. "filename*" is not looked at, as with curl. Nothing is appended where there is no
 * such name. MUSTER_E_RESOURCE.
 */
int remote_name_of_disposition(struct buf *to, struct muster_str value);

#endif
