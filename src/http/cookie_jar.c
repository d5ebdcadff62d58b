/* SPDX-License-Identifier: MIT */
#include "cookie_jar.h"

#include "cookie_evict.h"
#include "cookie_match.h"
#include <assert.h>
#include <base/mem.h>
#include <stdlib.h>

static struct cookie_domain *domain_of_node(struct map_node *node)
{
        return LIST_OWNER(node, struct cookie_domain, node);
}

void cookie_jar_init(struct cookie_jar *jar)
{
        *jar = (struct cookie_jar){ 0 };
        map_init(&jar->domains);
        list_init(&jar->all);
}

void cookie_jar_deinit(struct cookie_jar *jar)
{
        cookie_jar_clear(jar);
        map_deinit(&jar->domains);
        buf_deinit(&jar->scratch);
}

/* --- domains --------------------------------------------------------------------------------- */

static struct cookie_domain *find_domain(const struct cookie_jar *jar, struct muster_str name)
{
        struct map_node *node = map_find(&jar->domains, name);

        return node ? domain_of_node(node) : NULL;
}

struct cookie_domain *cookie_jar_find(const struct cookie_jar *jar, struct muster_str host)
{
        bool is_address = cookie_host_is_address(host);
        struct cookie_domain *domain = NULL;
        struct muster_str label;

        while (host.len && !(domain = find_domain(jar, host)) && !is_address)
                str_split(&host, '.', &label);
        return domain;
}

/* Remove a domain without cookies and children, and those above it that were there for it alone. */
static void prune(struct cookie_jar *jar, struct cookie_domain *domain)
{
        while (domain && !domain->n && list_is_empty(&domain->children)) {
                struct cookie_domain *parent = domain->parent;

                assert(!domain->n_secure_below && list_is_empty(&domain->cookies));
                list_remove(&domain->sibling_link);
                list_remove(&domain->all_link);
                map_remove(&jar->domains, &domain->node);
                mem_free(domain);
                domain = parent;
        }
}

static struct cookie_domain *add_domain(struct cookie_jar *jar, struct muster_str name,
        struct cookie_domain *parent)
{
        struct cookie_domain *domain = mem_zalloc(sizeof(*domain) + name.len + 1);

        if (!domain)
                return NULL;
        memcpy(domain->text, name.at, name.len);
        domain->name = (struct muster_str){ domain->text, name.len };
        list_init(&domain->children);
        list_init(&domain->cookies);
        if (map_add(&jar->domains, &domain->node, domain->name) < 0)
                return mem_free(domain);
        domain->parent = parent;
        list_push_back(&jar->all, &domain->all_link);
        if (parent)
                list_push_back(&parent->children, &domain->sibling_link);
        return domain;
}

/* The end of a name, one label longer than its last `len` bytes, which are a domain or none. */
static struct muster_str longer_end(struct muster_str name, size_t len)
{
        size_t at = name.len - len;

        assert(len < name.len);
        at -= len > 0; /* the dot, which may be all that is left */
        if (at > 0)
                at--;
        while (at > 0 && name.at[at - 1] != '.')
                at--;
        return str_after(name, at);
}

/* The domain of that name, made if need be, from the top-level domain down. NULL: no memory. */
static struct cookie_domain *get_domain(struct cookie_jar *jar, struct muster_str name)
{
        struct cookie_domain *domain = cookie_jar_find(jar, name);
        bool is_address = cookie_host_is_address(name);

        while (!domain || domain->name.len < name.len) {
                struct muster_str next =
                        is_address ? name : longer_end(name, domain ? domain->name.len : 0);
                struct cookie_domain *child = add_domain(jar, next, domain);

                if (!child) {
                        prune(jar, domain);
                        return NULL;
                }
                domain = child;
        }
        return domain;
}

/* --- cookies --------------------------------------------------------------------------------- */

static void count_secure(struct cookie_domain *domain, bool is_more)
{
        for (; domain; domain = domain->parent) {
                assert(is_more || domain->n_secure_below > 0);
                domain->n_secure_below += is_more ? 1 : (size_t)-1;
        }
}

/* Copy a text behind the struct. */
static struct muster_str place_text(char **at, struct muster_str text)
{
        struct muster_str placed = { *at, text.len };

        if (text.len)
                memcpy(*at, text.at, text.len);
        *at += text.len + 1;
        return placed;
}

static struct cookie *make_cookie(const struct set_cookie *set)
{
        struct cookie *cookie =
                mem_zalloc(sizeof(*cookie) + set->name.len + set->value.len + set->path.len + 3);
        char *at;

        if (!cookie)
                return NULL;
        at = cookie->text;
        cookie->name = place_text(&at, set->name);
        cookie->value = place_text(&at, set->value);
        cookie->path = place_text(&at, set->path);
        cookie->expires_s = set->expires_s;
        cookie->is_secure = set->is_secure;
        cookie->is_http_only = set->is_http_only;
        cookie->same_site = set->same_site;
        return cookie;
}

static void link_cookie(struct cookie_jar *jar, struct cookie_domain *domain, struct cookie *cookie)
{
        cookie->domain = domain;
        list_push_back(&domain->cookies, &cookie->link);
        domain->n++;
        jar->n++;
        if (cookie->is_secure)
                count_secure(domain, true);
}

/* Take a cookie out and free it. The domain stays. */
static void drop_cookie(struct cookie_jar *jar, struct cookie *cookie)
{
        struct cookie_domain *domain = cookie->domain;

        assert(jar->n > 0 && domain->n > 0);
        if (cookie->is_secure)
                count_secure(domain, false);
        list_remove(&cookie->link);
        domain->n--;
        jar->n--;
        mem_free(cookie);
}

void cookie_jar_remove(struct cookie_jar *jar, struct cookie *cookie)
{
        struct cookie_domain *domain = cookie->domain;

        drop_cookie(jar, cookie);
        prune(jar, domain);
}

static struct cookie *find_same(const struct cookie_domain *domain, const struct set_cookie *like,
        bool is_host_only)
{
        for (struct list *link = domain->cookies.next; link != &domain->cookies;
                link = link->next) {
                struct cookie *cookie = cookie_of_link(link);

                if (cookie->is_host_only == is_host_only && str_eq(cookie->name, like->name) &&
                        str_eq(cookie->path, like->path))
                        return cookie;
        }
        return NULL;
}

struct cookie *cookie_jar_find_same(const struct cookie_jar *jar, struct muster_str name,
        const struct set_cookie *like, bool is_host_only)
{
        struct cookie_domain *domain = find_domain(jar, name);

        return domain ? find_same(domain, like, is_host_only) : NULL;
}

int cookie_jar_put(struct cookie_jar *jar, struct muster_str name, const struct set_cookie *set,
        bool is_host_only, int64_t now_s)
{
        struct cookie *old = cookie_jar_find_same(jar, name, set, is_host_only), *cookie;
        struct cookie_domain *domain;

        assert(name.len && set->path.at);
        if (set->expires_s != COOKIE_SESSION && set->expires_s <= now_s) {
                if (old)
                        cookie_jar_remove(jar, old);
                return 0;
        }
        cookie = make_cookie(set);
        domain = cookie ? get_domain(jar, name) : NULL;
        if (!domain) {
                mem_free(cookie);
                return MUSTER_E_RESOURCE;
        }
        cookie->is_host_only = is_host_only;
        cookie->created = old ? old->created : ++jar->n_events;
        cookie->used = ++jar->n_events;
        if (old)
                drop_cookie(jar, old);
        link_cookie(jar, domain, cookie);
        return cookie_evict(jar, domain, now_s);
}

/* --- all of them ----------------------------------------------------------------------------- */

/* From the back: a domain stands behind its parent, so the last one has no children. */
void cookie_jar_clear(struct cookie_jar *jar)
{
        struct list *last, *link;

        while ((last = list_last(&jar->all))) {
                struct cookie_domain *domain = cookie_domain_of_all_link(last);

                while ((link = list_first(&domain->cookies)))
                        drop_cookie(jar, cookie_of_link(link));
                prune(jar, domain);
        }
        assert(jar->n == 0);
}

static int list_domain(struct buf *to, const struct cookie_domain *domain)
{
        int r = 0;

        for (struct list *link = domain->cookies.next; r == 0 && link != &domain->cookies;
                link = link->next) {
                struct cookie *cookie = cookie_of_link(link);

                r = buf_add(to, &cookie, sizeof(cookie));
        }
        return r;
}

static int compare_created(const void *a, const void *b)
{
        const struct cookie *one = *(struct cookie *const *)a, *other = *(struct cookie *const *)b;

        return (one->created > other->created) - (one->created < other->created);
}

int cookie_jar_list(struct cookie_jar *jar, struct cookie ***ret_list, size_t *ret_n)
{
        struct buf *list = &jar->scratch;

        list->len = 0;
        for (struct list *link = jar->all.next; link != &jar->all; link = link->next)
                if (list_domain(list, cookie_domain_of_all_link(link)) < 0)
                        return MUSTER_E_RESOURCE;
        *ret_list = (struct cookie **)(void *)list->at;
        *ret_n = list->len / sizeof(struct cookie *);
        if (*ret_n)
                qsort(*ret_list, *ret_n, sizeof(**ret_list), compare_created);
        return 0;
}

void cookie_jar_clear_session(struct cookie_jar *jar)
{
        struct cookie **list;
        size_t n;

        /* Without memory for the list nothing is kept that should go. */
        if (cookie_jar_list(jar, &list, &n) < 0) {
                cookie_jar_clear(jar);
                return;
        }
        for (size_t i = 0; i < n; i++)
                if (list[i]->expires_s == COOKIE_SESSION)
                        cookie_jar_remove(jar, list[i]);
}

int cookie_jar_add_all(struct cookie_jar *jar, struct cookie_jar *from, int64_t now_s)
{
        struct cookie **list;
        size_t n;
        int r = cookie_jar_list(from, &list, &n);

        assert(jar != from);
        for (size_t i = 0; r == 0 && i < n; i++) {
                const struct set_cookie set = { .name = list[i]->name,
                        .value = list[i]->value,
                        .path = list[i]->path,
                        .is_secure = list[i]->is_secure,
                        .is_http_only = list[i]->is_http_only,
                        .same_site = list[i]->same_site,
                        .expires_s = list[i]->expires_s };

                r = cookie_jar_put(jar, list[i]->domain->name, &set, list[i]->is_host_only, now_s);
        }
        return r;
}
