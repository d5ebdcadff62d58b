/* SPDX-License-Identifier: MIT */
/*
 * Set-Cookie fields (RFC 6265bis section 5.6)
 *
 * What a server asks to be remembered, as it is written. Whether it may ask that is another
 * question, see cookie_store.h.
 */
#ifndef HTTP_COOKIE_PARSE_H
#define HTTP_COOKIE_PARSE_H

#include <base/str.h>
#include <muster/cookie.h>

#define COOKIE_PAIR_BYTES_MAX      4096 /* name and value: what the RFC asks of every client */
#define COOKIE_ATTRIBUTE_BYTES_MAX 1024 /* the RFC's; a longer attribute is ignored */
#define COOKIE_AGE_MAX_S           (INT64_C(400) * 24 * 3600) /* the RFC's; more is cut to this */

/* A cookie that ends with the session has no moment at which it expires. */
#define COOKIE_SESSION 0

/* A Set-Cookie field taken apart; borrowed from its text. */
struct set_cookie {
        struct muster_str name, value; /* the name may be empty */
        struct muster_str domain;      /* without a dot in front; empty: none was given */
        struct muster_str path;        /* `at` NULL: none that can be used */
        bool has_path;                 /* there is an attribute Path, whatever it says */
        bool is_secure, is_http_only;
        enum muster_same_site same_site;
        int64_t expires_s; /* Unix time; COOKIE_SESSION */
};

/*
 * Take a field's value apart; `now_s` is Unix time. False: it is to be ignored as a whole, as it
 * has control characters, is empty or is too long.
 */
bool set_cookie_parse(struct muster_str text, int64_t now_s, struct set_cookie *ret_cookie);

/* May these be a cookie's: no control characters, not both empty, not too long? */
bool cookie_pair_is_valid(struct muster_str name, struct muster_str value);

#endif
