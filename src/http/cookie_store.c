/* SPDX-License-Identifier: MIT */
#include "cookie_store.h"

#include "cookie_match.h"
#include <assert.h>

/* --- names that promise something ------------------------------------------------------------ */

static bool starts_nocase(struct muster_str text, const char *prefix)
{
        size_t len = strlen(prefix);

        return text.len >= len && str_is_nocase((struct muster_str){ text.at, len }, prefix);
}

bool cookie_prefix_is_kept(const struct set_cookie *set, bool is_host_only, bool has_path)
{
        /* The value of a cookie without a name looks like a name to a server. */
        if (!set->name.len)
                return !starts_nocase(set->value, "__Secure-") &&
                       !starts_nocase(set->value, "__Host-");
        if (starts_nocase(set->name, "__Secure-"))
                return set->is_secure;
        if (starts_nocase(set->name, "__Host-"))
                return set->is_secure && is_host_only && has_path && str_is(set->path, "/");
        return true;
}

/* --- cookies with Secure are left alone ------------------------------------------------------ */

static bool shadows(const struct cookie_domain *domain, const struct set_cookie *set)
{
        for (struct list *link = domain->cookies.next; link != &domain->cookies;
                link = link->next) {
                const struct cookie *cookie = cookie_of_link(link);

                if (cookie->is_secure && str_eq(cookie->name, set->name) &&
                        cookie_path_matches(set->path, cookie->path))
                        return true;
        }
        return false;
}

/* Go to the next domain of the subtree below `top`, in any order, `top` being the last. */
static const struct cookie_domain *next_below(const struct cookie_domain *domain,
        const struct cookie_domain *top)
{
        const struct list *sibling = domain->sibling_link.next;

        if (domain == top)
                return NULL;
        if (sibling == &domain->parent->children)
                return domain->parent;
        domain = cookie_domain_of_sibling_link(domain->sibling_link.next);
        while (!list_is_empty(&domain->children))
                domain = cookie_domain_of_sibling_link(list_first(&domain->children));
        return domain;
}

static bool shadows_below(const struct cookie_domain *top, const struct set_cookie *set)
{
        const struct cookie_domain *domain = top;

        while (!list_is_empty(&domain->children))
                domain = cookie_domain_of_sibling_link(list_first(&domain->children));
        for (; domain; domain = next_below(domain, top))
                if (shadows(domain, set))
                        return true;
        return false;
}

/*
 * Would a cookie from a connection that others can change take the place of one with Secure, as
 * servers see it? Looked at are the domain, those above it, and those below it.
 */
static bool touches_secure(const struct cookie_jar *jar, struct muster_str name,
        const struct set_cookie *set)
{
        const struct cookie_domain *domain = cookie_jar_find(jar, name);

        if (domain && domain->name.len == name.len) {
                if (domain->n_secure_below && shadows_below(domain, set))
                        return true;
                domain = domain->parent;
        }
        for (; domain; domain = domain->parent)
                if (shadows(domain, set))
                        return true;
        return false;
}

/* --- whose it is ----------------------------------------------------------------------------- */

static bool is_ascii(struct muster_str text)
{
        for (size_t i = 0; i < text.len; i++)
                if ((unsigned char)text.at[i] >= 0x80)
                        return false;
        return true;
}

/* In lower case, into `to`, which has room. */
static struct muster_str lower(struct muster_str text, char *to)
{
        for (size_t i = 0; i < text.len; i++)
                to[i] = char_lower(text.at[i]);
        return (struct muster_str){ to, text.len };
}

/*
 * Decide for which domain the cookie is; `domain` is what the server says, in lower case, or empty.
 * False: it may not set a cookie for that.
 */
static bool decide_domain(struct muster_str host, struct muster_str domain,
        struct muster_str *ret_domain, bool *ret_is_host_only)
{
        bool is_own = str_eq(domain, host);

        *ret_domain = host;
        *ret_is_host_only = true;
        if (!domain.len)
                return true;
        if (!is_ascii(domain) || !cookie_domain_matches(host, domain))
                return false;
        if (cookie_domain_is_public(domain))
                return is_own;
        *ret_is_host_only = is_own && cookie_host_is_address(host);
        *ret_domain = domain;
        return true;
}

int cookie_jar_set(struct cookie_jar *jar, const struct url *url, struct muster_str field,
        int64_t now_s)
{
        bool is_secure_origin = cookie_url_is_secure(url), is_host_only;
        char lowered[COOKIE_ATTRIBUTE_BYTES_MAX];
        struct muster_str domain;
        struct set_cookie set;

        assert(url->host.len > 0);
        if (!set_cookie_parse(field, now_s, &set) ||
                !decide_domain(url_part(url, url->host), lower(set.domain, lowered), &domain,
                        &is_host_only))
                return COOKIE_IGNORED;
        if (!set.path.at)
                set.path = cookie_path_default(cookie_path_of(url));
        if (set.is_secure && !is_secure_origin)
                return COOKIE_IGNORED;
        if (set.same_site == MUSTER_SAME_SITE_NONE && !set.is_secure)
                return COOKIE_IGNORED;
        if (!cookie_prefix_is_kept(&set, is_host_only, set.has_path))
                return COOKIE_IGNORED;
        if (!set.is_secure && !is_secure_origin && touches_secure(jar, domain, &set))
                return COOKIE_IGNORED;
        return cookie_jar_put(jar, domain, &set, is_host_only, now_s);
}
