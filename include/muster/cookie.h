/* SPDX-License-Identifier: MIT */
/*
 * Cookies (RFC 6265bis): a jar that clients fill and send from
 *
 *      struct muster_jar *jar = muster_jar_new();
 *      muster_jar_load(jar, "cookies.txt", &error);
 *      muster_client_new(&client, &(struct muster_client_options){ .cookies = jar });
 *      ...
 *      muster_jar_save(jar, "cookies.txt", &error);
 *      muster_jar_free(jar);
 *
 * A client has no cookies unless it is given a jar, or a request is (request.h). With one, each
 * attempt of a request sends the cookies that belong to its URL, and those in its response are
 * kept: in redirects and in responses that are tried again, too, but not in interim ones (1xx).
 *
 * Several clients, requests and threads may use one jar at the same time: it has a lock. A jar
 * counts who holds it, and is gone when the last has let go.
 *
 * Limits: name and value of a cookie have 4,096 bytes at most, an attribute 1,024; a domain has 180
 * cookies, a jar 20,000. Beyond that the ones that are out of date go first, then those that were
 * not used for the longest time: RFC 6265bis section 5.7 has the order. A request sends 150 cookies
 * and 8,190 bytes of them at most.
 *
 * SameSite is kept, but withholds nothing: a request that no page makes is always of the same site
 * (section 5.2). A cookie with SameSite=None must have Secure. `Secure` means https, or a server on
 * this machine: localhost, 127.0.0.0/8, ::1.
 */
#ifndef MUSTER_COOKIE_H
#define MUSTER_COOKIE_H

#include <muster/error.h>
#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct muster_jar;

/* Conditions of muster_jar_set(), muster_jar_read() and muster_jar_load(). */
#define MUSTER_COOKIE_IGNORED 6 /* not a cookie, or not one that may be set here */
#define MUSTER_LINES_SKIPPED  7 /* some lines are no cookies; the others were read */

/* An empty jar. NULL if memory is out. */
MUSTER_PUBLIC struct muster_jar *muster_jar_new(void);

/* Hold the jar once more. Returns it. NULL is allowed. */
MUSTER_PUBLIC struct muster_jar *muster_jar_ref(struct muster_jar *jar);

/* Let go of the jar. It is freed when nobody holds it. NULL is allowed. Returns NULL. */
MUSTER_PUBLIC struct muster_jar *muster_jar_free(struct muster_jar *jar);

/* A new jar with the same cookies. NULL if memory is out. */
MUSTER_PUBLIC struct muster_jar *muster_jar_copy(struct muster_jar *jar);

/*
 * Set a cookie as if a response from `url` had the field "Set-Cookie: `line`". 0,
 * MUSTER_COOKIE_IGNORED, MUSTER_E_INVALID for NULL, MUSTER_E_URL, MUSTER_E_RESOURCE.
 */
MUSTER_PUBLIC int muster_jar_set(struct muster_jar *jar, const char *url, const char *line);

/*
 * Add the cookies of a file, or of its text: in Netscape format, as curl and browsers have it, or
 * lines that begin with "Set-Cookie:" and name a domain. A cookie that is in the jar already is
 * replaced. 0; MUSTER_LINES_SKIPPED, `error` has their number; MUSTER_E_INPUT: the file cannot be
 * read, error->sys has the reason (ENOENT: there is none); MUSTER_E_TOO_LARGE; MUSTER_E_RESOURCE;
 * MUSTER_E_INVALID. `error` may be NULL.
 */
MUSTER_PUBLIC int muster_jar_load(struct muster_jar *jar, const char *path,
        struct muster_error *error);
MUSTER_PUBLIC int muster_jar_read(struct muster_jar *jar, const char *text, size_t size,
        struct muster_error *error);

/*
 * Write the cookies into a file in Netscape format, whole or not at all: what was there before
 * stays until the new file is complete. A new file can be read by its owner only. MUSTER_E_RESOURCE
 * with the reason in `error`, which may be NULL; MUSTER_E_INVALID.
 */
MUSTER_PUBLIC int muster_jar_save(struct muster_jar *jar, const char *path,
        struct muster_error *error);

/* Drop all cookies, or those that have no date and end with the session. */
MUSTER_PUBLIC void muster_jar_clear(struct muster_jar *jar);
MUSTER_PUBLIC void muster_jar_clear_session(struct muster_jar *jar);

enum muster_same_site {
        MUSTER_SAME_SITE_UNSET,
        MUSTER_SAME_SITE_NONE,
        MUSTER_SAME_SITE_LAX,
        MUSTER_SAME_SITE_STRICT,
};

/* A cookie. Members are appended in later versions, never moved. */
struct muster_cookie {
        const char *name, *value;
        const char *domain; /* in lower case, without a dot in front */
        const char *path;
        int64_t expires_s; /* Unix time; 0: it ends with the session */
        bool is_host_only; /* for the host `domain` alone, not for those below it */
        bool is_secure, is_http_only;
        enum muster_same_site same_site;
};

/* What a jar had at one time: later changes do not show. */
struct muster_cookies;

/* The jar's cookies that are not out of date, the oldest first. NULL if memory is out. */
MUSTER_PUBLIC struct muster_cookies *muster_cookies_new(struct muster_jar *jar);

/* NULL is allowed. Returns NULL. */
MUSTER_PUBLIC struct muster_cookies *muster_cookies_free(struct muster_cookies *cookies);

MUSTER_PUBLIC size_t muster_cookies_count(const struct muster_cookies *cookies);

/* The cookie at `index`, NULL if there is none. Borrowed until muster_cookies_free(). */
MUSTER_PUBLIC const struct muster_cookie *muster_cookies_at(const struct muster_cookies *cookies,
        size_t index);

/* All of them as a file has them. Terminated, and borrowed until muster_cookies_free(). */
MUSTER_PUBLIC struct muster_str muster_cookies_text(const struct muster_cookies *cookies);

#ifdef __cplusplus
}
#endif

#endif
