/* SPDX-License-Identifier: MIT */
/*
 * URLs of http and https
 *
 * Accepts what a browser accepts: the basic URL parser of the WHATWG URL Standard, restricted to
 * these two special schemes. The result is normalised: scheme and host in lower case, IDN in ASCII
 * (UTS 46), IPv4 in dotted decimal from all forms that browsers take, IPv6 compressed (RFC 5952),
 * default port dropped, dot segments resolved, everything outside the allowed sets percent-encoded,
 * fragment cut off (it is never sent).
 *
 * The standard silently strips or replaces some characters: tabs, line ends, blanks and control
 * characters at the ends, backslashes. In a URL from a server, which has a base, this happens as in
 * browsers. In a URL from a person, which has none, such a character is an error, as with curl, Go
 * and Python.
 */
#ifndef HTTP_URL_H
#define HTTP_URL_H

#include <base/buf.h>
#include <muster/error.h>

/* longer than any server takes (8 to 32 KiB): a longer URL is an accident */
#define URL_BYTES_MAX (64 * 1024)

enum url_scheme { URL_HTTP, URL_HTTPS };

enum url_host_kind { URL_HOST_NAME, URL_HOST_IPV4, URL_HOST_IPV6 };

struct url_span {
        uint32_t at, len;
};

/*
 * A URL; zeroed is empty. Spans are places in `text`. Parsing another URL into the same struct
 * reuses its memory.
 */
struct url {
        /* Normalised, e.g. "http://user:pw@[2001:db8::1]:8080/a?b", not terminated. */
        struct buf text;
        /* Percent-encoded as in the text; empty when there are none. */
        struct url_span user, password;
        struct url_span host; /* without brackets */
        /*
         * "[2001:db8::1]:8080": the Host field (RFC 9110 section 7.2), with the port unless it is
         * the default.
         */
        struct url_span authority;
        struct url_span target; /* "/a?b": the request target in origin form */
        enum url_scheme scheme;
        enum url_host_kind host_kind;
        uint16_t port;
};

void url_deinit(struct url *url);

/*
 * Parse `text` into `url`, relative to `base` unless that is NULL. `url` must not be `base`.
 * MUSTER_E_URL with *error saying what is wrong and where, with the input shortened;
 * MUSTER_E_RESOURCE. On failure `url` is empty.
 */
int url_parse(struct url *url, struct muster_str text, const struct url *base,
        struct muster_error *error);

/*
 * The same without a base. Where the text begins with the origin of `near`, that is not parsed
 * again. `near` may be empty; `url` must not be `near`.
 */
int url_parse_near(struct url *url, struct muster_str text, const struct url *near,
        struct muster_error *error);

/* Copy a URL. MUSTER_E_RESOURCE: *to is empty. */
int url_copy(struct url *to, const struct url *from);

static inline struct muster_str url_part(const struct url *url, struct url_span span)
{
        return (struct muster_str){ url->text.at + span.at, span.len };
}

/* Same scheme, host and port (RFC 6454 section 4)? */
bool url_same_origin(const struct url *a, const struct url *b);

/* Append "http://host:port/path" without user name and password. 0 or MUSTER_E_RESOURCE. */
int url_add_public(const struct url *url, struct buf *to);

/* Append the origin as a key: "http://host:port", always with the port. 0 or MUSTER_E_RESOURCE. */
int url_add_origin(const struct url *url, struct buf *to);

#endif
