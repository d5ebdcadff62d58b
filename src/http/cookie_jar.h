/* SPDX-License-Identifier: MIT */
/*
 * A jar: cookies by domain, and how many there may be
 *
 * A domain is found by its name in a map and knows the domain above it. So the cookies of a host
 * are those of the deepest domain that is in the jar and of its parents, whatever else there is.
 *
 *      jar ──map──▶ shop.example.com ──▶ example.com ──▶ com
 *                     │ cookies            │ cookies       (none; it is there for its children)
 *
 * The jar has no clock and no lock. It counts changes and uses instead: the order of cookies is
 * exact even within one second.
 */
#ifndef HTTP_COOKIE_JAR_H
#define HTTP_COOKIE_JAR_H

#include "cookie_parse.h"
#include <base/buf.h>
#include <base/list.h>
#include <base/map.h>

/* As many as Chrome and Firefox keep; the RFC asks for 50. */
#define COOKIES_OF_DOMAIN_MAX 180

/* The RFC asks for 3,000. A batch sees more servers than a person, and this is some 10 MB. */
#define COOKIES_MAX 20000

/* Above that a domain has more than its part: its cookies go before those of others. */
#define COOKIES_OF_DOMAIN_FAIR 50

struct cookie_domain {
        struct map_node node;
        struct cookie_domain *parent; /* NULL: a top-level domain, or an address */
        struct list children;
        struct list sibling_link; /* in parent->children */
        struct list all_link;     /* in jar->all */
        struct list cookies;
        size_t n;
        size_t n_secure_below; /* cookies with Secure of this domain and of all below it */
        struct muster_str name;
        char text[];
};

struct cookie {
        struct list link; /* in domain->cookies */
        struct cookie_domain *domain;
        struct muster_str name, value, path; /* terminated */
        int64_t expires_s;                   /* Unix time; COOKIE_SESSION */
        uint64_t created, used;              /* of jar->n_events */
        bool is_host_only, is_secure, is_http_only;
        enum muster_same_site same_site;
        char text[];
};

struct cookie_jar {
        struct map domains;
        struct list all; /* domains, each behind its parent */
        size_t n;        /* cookies */
        uint64_t n_events;
        struct buf scratch; /* of struct cookie *, while cookies are looked for */
};

static inline struct cookie *cookie_of_link(struct list *link)
{
        return LIST_OWNER(link, struct cookie, link);
}

static inline struct cookie_domain *cookie_domain_of_sibling_link(struct list *link)
{
        return LIST_OWNER(link, struct cookie_domain, sibling_link);
}

static inline struct cookie_domain *cookie_domain_of_all_link(struct list *link)
{
        return LIST_OWNER(link, struct cookie_domain, all_link);
}

static inline bool cookie_is_expired(const struct cookie *cookie, int64_t now_s)
{
        return cookie->expires_s != COOKIE_SESSION && cookie->expires_s <= now_s;
}

void cookie_jar_init(struct cookie_jar *jar);
void cookie_jar_deinit(struct cookie_jar *jar);

/* The deepest domain in the jar that is `host` or above it. NULL: there is none. */
struct cookie_domain *cookie_jar_find(const struct cookie_jar *jar, struct muster_str host);

/* The cookie of this identity (RFC 6265bis section 5.7). NULL: there is none. */
struct cookie *cookie_jar_find_same(const struct cookie_jar *jar, struct muster_str domain,
        const struct set_cookie *like, bool is_host_only);

/*
 * Put a cookie into the jar; it replaces the one of the same identity and takes over its age. All
 * of `set` is copied; set->path must be there, set->domain is not looked at. One that is out of
 * date only removes the other. Makes room if the jar is full. 0 or MUSTER_E_RESOURCE.
 */
int cookie_jar_put(struct cookie_jar *jar, struct muster_str domain, const struct set_cookie *set,
        bool is_host_only, int64_t now_s);

/* Remove a cookie, and domains for which there is no reason any more. */
void cookie_jar_remove(struct cookie_jar *jar, struct cookie *cookie);

/* Remove all, or those that end with the session. */
void cookie_jar_clear(struct cookie_jar *jar);
void cookie_jar_clear_session(struct cookie_jar *jar);

/*
 * All cookies, the oldest first, in the jar's scratch: valid until the next call on this jar. 0 or
 * MUSTER_E_RESOURCE.
 */
int cookie_jar_list(struct cookie_jar *jar, struct cookie ***ret_list, size_t *ret_n);

/* Add all cookies of another jar. 0 or MUSTER_E_RESOURCE. */
int cookie_jar_add_all(struct cookie_jar *jar, struct cookie_jar *from, int64_t now_s);

#endif
