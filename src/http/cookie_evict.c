/* SPDX-License-Identifier: MIT */
#include "cookie_evict.h"

#include <assert.h>
#include <stdlib.h>

#define DOMAIN_BATCH 30   /* as Chrome has it */
#define JAR_BATCH    1000 /* a twentieth of the jar */

/* Who goes first: the order of the RFC. */
enum rank { RANK_EXPIRED, RANK_INSECURE_OF_MANY, RANK_OF_MANY, RANK_OTHER };

struct candidate {
        struct cookie *cookie;
        enum rank rank;
};

static enum rank rank_of(const struct cookie *cookie, size_t fair, int64_t now_s)
{
        if (cookie_is_expired(cookie, now_s))
                return RANK_EXPIRED;
        if (cookie->domain->n <= fair)
                return RANK_OTHER;
        return cookie->is_secure ? RANK_OF_MANY : RANK_INSECURE_OF_MANY;
}

static int add_candidate(struct buf *to, struct cookie *cookie, size_t fair, int64_t now_s)
{
        const struct candidate candidate = { cookie, rank_of(cookie, fair, now_s) };

        return buf_add(to, &candidate, sizeof(candidate));
}

static int compare(const void *a, const void *b)
{
        const struct candidate *one = a, *other = b;

        if (one->rank != other->rank)
                return one->rank < other->rank ? -1 : 1;
        return (one->cookie->used > other->cookie->used) -
               (one->cookie->used < other->cookie->used);
}

/* Remove those that are out of date, and `n_least` in all. */
static void remove_first(struct cookie_jar *jar, struct buf *candidates, size_t n_least)
{
        struct candidate *list = (struct candidate *)(void *)candidates->at;
        size_t n = candidates->len / sizeof(*list);

        assert(n_least <= n);
        qsort(list, n, sizeof(*list), compare);
        for (size_t i = 0; i < n && (i < n_least || list[i].rank == RANK_EXPIRED); i++)
                cookie_jar_remove(jar, list[i].cookie);
}

static int evict_from_domain(struct cookie_jar *jar, struct cookie_domain *domain, int64_t now_s)
{
        struct buf candidates = { 0 };
        int r = 0;

        for (struct list *link = domain->cookies.next; r == 0 && link != &domain->cookies;
                link = link->next)
                r = add_candidate(&candidates, cookie_of_link(link), 0, now_s);
        if (r == 0)
                remove_first(jar, &candidates, DOMAIN_BATCH);
        else
                cookie_jar_remove(jar, cookie_of_link(list_first(&domain->cookies)));
        buf_deinit(&candidates);
        return r;
}

static int evict_from_jar(struct cookie_jar *jar, struct cookie_domain *domain, int64_t now_s)
{
        struct buf candidates = { 0 };
        struct cookie **list;
        size_t n;
        int r = cookie_jar_list(jar, &list, &n);

        for (size_t i = 0; r == 0 && i < n; i++)
                r = add_candidate(&candidates, list[i], COOKIES_OF_DOMAIN_FAIR, now_s);
        if (r == 0)
                remove_first(jar, &candidates, JAR_BATCH);
        else
                cookie_jar_remove(jar, cookie_of_link(list_first(&domain->cookies)));
        buf_deinit(&candidates);
        return r;
}

int cookie_evict(struct cookie_jar *jar, struct cookie_domain *domain, int64_t now_s)
{
        int r = 0;

        assert(domain->n > 0);
        if (domain->n > COOKIES_OF_DOMAIN_MAX)
                r = evict_from_domain(jar, domain, now_s);
        else if (jar->n > COOKIES_MAX)
                r = evict_from_jar(jar, domain, now_s);
        return r;
}
