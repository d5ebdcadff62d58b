/* SPDX-License-Identifier: MIT */
#include "cookie_send.h"

#include "cookie_match.h"
#include <assert.h>
#include <stdlib.h>

/* A request, as far as cookies ask. */
struct place {
        struct muster_str host, path;
        bool is_secure;
        struct muster_str own;
        int64_t now_s;
};

static bool fits(const struct cookie *cookie, const struct place *place)
{
        return (!cookie->is_host_only || cookie->domain->name.len == place->host.len) &&
               (!cookie->is_secure || place->is_secure) &&
               cookie_path_matches(place->path, cookie->path);
}

/* Is a cookie of that name among the caller's own? */
static bool is_own(struct muster_str own, struct muster_str name)
{
        struct muster_str pair, own_name;

        while (own.len && str_split(&own, ';', &pair)) {
                pair = str_trim(pair);
                if (str_has_char(pair, '=') && str_split(&pair, '=', &own_name) &&
                        str_eq(str_trim(own_name), name))
                        return true;
        }
        return false;
}

/* Collect the cookies of a domain that fit. *n_expired counts those that are out of date. */
static int collect(struct buf *to, const struct cookie_domain *domain, const struct place *place,
        size_t *n_expired)
{
        int r = 0;

        for (struct list *link = domain->cookies.next; r == 0 && link != &domain->cookies;
                link = link->next) {
                struct cookie *cookie = cookie_of_link(link);

                if (cookie_is_expired(cookie, place->now_s))
                        ++*n_expired;
                else if (fits(cookie, place) && !is_own(place->own, cookie->name))
                        r = buf_add(to, &cookie, sizeof(cookie));
        }
        return r;
}

static struct cookie *find_expired(const struct cookie_jar *jar, const struct place *place)
{
        const struct cookie_domain *domain = cookie_jar_find(jar, place->host);

        for (; domain; domain = domain->parent)
                for (struct list *link = domain->cookies.next; link != &domain->cookies;
                        link = link->next)
                        if (cookie_is_expired(cookie_of_link(link), place->now_s))
                                return cookie_of_link(link);
        return NULL;
}

/* Longer paths first, then older cookies. */
static int compare(const void *a, const void *b)
{
        const struct cookie *one = *(struct cookie *const *)a, *other = *(struct cookie *const *)b;

        if (one->path.len != other->path.len)
                return one->path.len > other->path.len ? -1 : 1;
        return (one->created > other->created) - (one->created < other->created);
}

static int add_pair(struct buf *to, size_t begin, const struct cookie *cookie)
{
        int r = to->len > begin ? buf_add(to, "; ", 2) : 0;

        if (r == 0 && cookie->name.len)
                r = buf_add_str(to, cookie->name);
        if (r == 0 && cookie->name.len)
                r = buf_add_char(to, '=');
        return r == 0 ? buf_add_str(to, cookie->value) : r;
}

/* Write what was collected, as far as a server takes it. */
static int write_pairs(struct cookie_jar *jar, struct cookie **list, size_t n, struct buf *to)
{
        size_t begin = to->len;
        int r = 0;

        for (size_t i = 0; r == 0 && i < n && i < COOKIES_SENT_MAX; i++) {
                size_t bytes = list[i]->name.len + list[i]->value.len + 3;

                if (to->len - begin + bytes > COOKIES_SENT_BYTES_MAX)
                        break;
                list[i]->used = ++jar->n_events;
                r = add_pair(to, begin, list[i]);
        }
        return r;
}

/* Removing a cookie may remove domains as well, so that is done when all are collected. */
static int collect_all(struct cookie_jar *jar, const struct place *place)
{
        const struct cookie_domain *domain = cookie_jar_find(jar, place->host);
        size_t n_expired = 0;
        int r = 0;

        jar->scratch.len = 0;
        for (; r == 0 && domain; domain = domain->parent)
                r = collect(&jar->scratch, domain, place, &n_expired);
        for (; r == 0 && n_expired; n_expired--)
                cookie_jar_remove(jar, find_expired(jar, place));
        return r;
}

int cookie_jar_get(struct cookie_jar *jar, const struct url *url, int64_t now_s,
        struct muster_str own, struct buf *to)
{
        const struct place place = { .host = url_part(url, url->host),
                .path = cookie_path_of(url),
                .is_secure = cookie_url_is_secure(url),
                .own = own,
                .now_s = now_s };
        size_t before = to->len, n;
        struct cookie **list;
        int r = jar->n ? collect_all(jar, &place) : 0;

        assert(place.host.len && place.path.len);
        list = (struct cookie **)(void *)jar->scratch.at;
        n = jar->n ? jar->scratch.len / sizeof(*list) : 0;
        if (r == 0 && n > 1)
                qsort(list, n, sizeof(*list), compare);
        if (r == 0 && n)
                r = write_pairs(jar, list, n, to);
        if (r == 0 && own.len && to->len > before)
                r = buf_add(to, "; ", 2);
        if (r == 0)
                r = buf_add_str(to, own);
        if (r < 0)
                to->len = before;
        return r;
}
