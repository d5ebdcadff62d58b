/* SPDX-License-Identifier: MIT */
#include "jar.h"

#include <assert.h>
#include <base/clock.h>
#include <base/mem.h>
#include <http/cookie_send.h>
#include <http/cookie_store.h>
#include <muster/cookie.h>

int64_t jar_now_s(void)
{
        return (int64_t)(clock_ns_of(CLOCK_REALTIME) / NS_PER_S);
}

/* --- holding it ------------------------------------------------------------------------------ */

struct muster_jar *muster_jar_new(void)
{
        struct muster_jar *jar = mem_zalloc(sizeof(*jar));

        if (!jar)
                return NULL;
        pthread_mutex_init(&jar->lock, NULL);
        atomic_init(&jar->n_refs, 1);
        cookie_jar_init(&jar->cookies);
        return jar;
}

struct muster_jar *muster_jar_ref(struct muster_jar *jar)
{
        if (jar)
                atomic_fetch_add(&jar->n_refs, 1);
        return jar;
}

struct muster_jar *muster_jar_free(struct muster_jar *jar)
{
        if (!jar || atomic_fetch_sub(&jar->n_refs, 1) > 1)
                return NULL;
        cookie_jar_deinit(&jar->cookies);
        pthread_mutex_destroy(&jar->lock);
        return mem_free(jar);
}

/* --- used by requests ------------------------------------------------------------------------ */

int jar_get(struct muster_jar *jar, const struct url *url, struct muster_str own, struct buf *to)
{
        int r;

        pthread_mutex_lock(&jar->lock);
        r = cookie_jar_get(&jar->cookies, url, jar_now_s(), own, to);
        pthread_mutex_unlock(&jar->lock);
        return r;
}

int jar_take(struct muster_jar *jar, const struct url *url, const struct fields *fields)
{
        int64_t now_s = jar_now_s();
        int r = 0;

        for (size_t i = 0; r >= 0 && i < fields->n; i++) {
                if (!str_is_nocase(field_name(fields, i), "Set-Cookie"))
                        continue;
                pthread_mutex_lock(&jar->lock);
                r = cookie_jar_set(&jar->cookies, url, field_value(fields, i), now_s);
                pthread_mutex_unlock(&jar->lock);
        }
        return r < 0 ? r : 0;
}

/* --- used by the caller ---------------------------------------------------------------------- */

int muster_jar_set(struct muster_jar *jar, const char *url, const char *line)
{
        struct url parsed = { 0 };
        int r;

        if (!jar || !url || !line)
                return MUSTER_E_INVALID;
        r = url_parse(&parsed, str_of(url), NULL, NULL);
        if (r == 0) {
                pthread_mutex_lock(&jar->lock);
                r = cookie_jar_set(&jar->cookies, &parsed, str_of(line), jar_now_s());
                pthread_mutex_unlock(&jar->lock);
        }
        url_deinit(&parsed);
        return r == COOKIE_IGNORED ? MUSTER_COOKIE_IGNORED : r;
}

struct muster_jar *muster_jar_copy(struct muster_jar *jar)
{
        struct muster_jar *copy = jar ? muster_jar_new() : NULL;
        int r;

        if (!copy)
                return NULL;
        pthread_mutex_lock(&jar->lock);
        r = cookie_jar_add_all(&copy->cookies, &jar->cookies, jar_now_s());
        pthread_mutex_unlock(&jar->lock);
        return r == 0 ? copy : muster_jar_free(copy);
}

void muster_jar_clear(struct muster_jar *jar)
{
        if (!jar)
                return;
        pthread_mutex_lock(&jar->lock);
        cookie_jar_clear(&jar->cookies);
        pthread_mutex_unlock(&jar->lock);
}

void muster_jar_clear_session(struct muster_jar *jar)
{
        if (!jar)
                return;
        pthread_mutex_lock(&jar->lock);
        cookie_jar_clear_session(&jar->cookies);
        pthread_mutex_unlock(&jar->lock);
}
