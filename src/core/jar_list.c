/* SPDX-License-Identifier: MIT */
/*
 * What a jar has, as the caller reads it: a copy, as others may change the jar meanwhile
 */
#include "jar.h"

#include <assert.h>
#include <base/mem.h>
#include <http/cookie_file.h>
#include <muster/cookie.h>

struct muster_cookies {
        struct muster_cookie *list;
        size_t n;
        struct buf texts; /* names, values, domains and paths, each terminated */
        struct buf file;  /* terminated */
};

/* Where a text will be, as long as `texts` may still move. */
static const char *place_of(const struct buf *texts)
{
        return (const char *)(uintptr_t)texts->len;
}

static int add_text(struct buf *texts, struct muster_str text)
{
        int r = buf_add_str(texts, text);

        return r == 0 ? buf_add_char(texts, '\0') : r;
}

static int add_cookie(struct muster_cookies *cookies, const struct cookie *cookie)
{
        struct muster_cookie *to = &cookies->list[cookies->n];
        struct buf *texts = &cookies->texts;
        int r;

        *to = (struct muster_cookie){ .name = place_of(texts),
                .expires_s = cookie->expires_s,
                .is_host_only = cookie->is_host_only,
                .is_secure = cookie->is_secure,
                .is_http_only = cookie->is_http_only,
                .same_site = cookie->same_site };
        r = add_text(texts, cookie->name);
        to->value = place_of(texts);
        if (r == 0)
                r = add_text(texts, cookie->value);
        to->domain = place_of(texts);
        if (r == 0)
                r = add_text(texts, cookie->domain->name);
        to->path = place_of(texts);
        if (r == 0)
                r = add_text(texts, cookie->path);
        cookies->n += r == 0;
        return r;
}

static const char *settle(const struct buf *texts, const char *place)
{
        return texts->at + (uintptr_t)place;
}

static void settle_texts(struct muster_cookies *cookies)
{
        const struct buf *texts = &cookies->texts;

        for (size_t i = 0; i < cookies->n; i++) {
                struct muster_cookie *cookie = &cookies->list[i];

                cookie->name = settle(texts, cookie->name);
                cookie->value = settle(texts, cookie->value);
                cookie->domain = settle(texts, cookie->domain);
                cookie->path = settle(texts, cookie->path);
        }
}

static int copy_jar(struct muster_cookies *cookies, struct cookie_jar *jar, int64_t now_s)
{
        struct cookie **list;
        size_t n;
        int r = cookie_file_write(jar, now_s, &cookies->file);

        if (r == 0)
                r = buf_terminate(&cookies->file);
        if (r == 0)
                r = cookie_jar_list(jar, &list, &n);
        if (r < 0)
                return r;
        cookies->list = mem_array(n + 1, sizeof(*cookies->list));
        if (!cookies->list)
                return MUSTER_E_RESOURCE;
        for (size_t i = 0; r == 0 && i < n; i++)
                if (!cookie_is_expired(list[i], now_s))
                        r = add_cookie(cookies, list[i]);
        settle_texts(cookies);
        return r;
}

struct muster_cookies *muster_cookies_new(struct muster_jar *jar)
{
        struct muster_cookies *cookies = jar ? mem_zalloc(sizeof(*cookies)) : NULL;
        int r;

        if (!cookies)
                return NULL;
        r = copy_jar(cookies, jar_lock(jar), jar_now_s());
        jar_unlock(jar);
        return r == 0 ? cookies : muster_cookies_free(cookies);
}

struct muster_cookies *muster_cookies_free(struct muster_cookies *cookies)
{
        if (!cookies)
                return NULL;
        mem_free(cookies->list);
        buf_deinit(&cookies->texts);
        buf_deinit(&cookies->file);
        return mem_free(cookies);
}

size_t muster_cookies_count(const struct muster_cookies *cookies)
{
        return cookies ? cookies->n : 0;
}

const struct muster_cookie *muster_cookies_at(const struct muster_cookies *cookies, size_t index)
{
        return cookies && index < cookies->n ? &cookies->list[index] : NULL;
}

struct muster_str muster_cookies_text(const struct muster_cookies *cookies)
{
        return cookies ? buf_str(&cookies->file) : (struct muster_str){ "", 0 };
}
