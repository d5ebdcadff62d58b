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

/* --- cookies that jars share ----------------------------------------------------------------- */

static struct jar_store *store_new(void)
{
        struct jar_store *store = mem_zalloc(sizeof(*store));

        if (!store)
                return NULL;
        pthread_mutex_init(&store->lock, NULL);
        atomic_init(&store->n_refs, 1);
        cookie_jar_init(&store->cookies);
        return store;
}

static struct jar_store *store_unref(struct jar_store *store)
{
        if (!store || atomic_fetch_sub(&store->n_refs, 1) > 1)
                return NULL;
        cookie_jar_deinit(&store->cookies);
        pthread_mutex_destroy(&store->lock);
        return mem_free(store);
}

/* The jar gets a store of its own, with the same cookies. Its lock is held. */
static int separate(struct muster_jar *jar)
{
        struct jar_store *own = store_new(), *shared = jar->store;
        int r;

        if (!own)
                return MUSTER_E_RESOURCE;
        pthread_mutex_lock(&shared->lock);
        r = cookie_jar_add_all(&own->cookies, &shared->cookies, jar_now_s());
        pthread_mutex_unlock(&shared->lock);
        if (r < 0) {
                store_unref(own);
                return r;
        }
        jar->store = own;
        store_unref(shared);
        return 0;
}

struct cookie_jar *jar_lock(struct muster_jar *jar)
{
        pthread_mutex_lock(&jar->lock);
        pthread_mutex_lock(&jar->store->lock);
        return &jar->store->cookies;
}

struct cookie_jar *jar_lock_to_change(struct muster_jar *jar)
{
        pthread_mutex_lock(&jar->lock);
        /* Who could share a store that only this jar has needs the lock that is held. */
        if (atomic_load(&jar->store->n_refs) > 1 && separate(jar) < 0) {
                pthread_mutex_unlock(&jar->lock);
                return NULL;
        }
        pthread_mutex_lock(&jar->store->lock);
        return &jar->store->cookies;
}

void jar_unlock(struct muster_jar *jar)
{
        pthread_mutex_unlock(&jar->store->lock);
        pthread_mutex_unlock(&jar->lock);
}

/* --- holding it ------------------------------------------------------------------------------ */

/* With cookies that it takes, also on failure. */
static struct muster_jar *jar_with(struct jar_store *take_store)
{
        struct muster_jar *jar = take_store ? mem_zalloc(sizeof(*jar)) : NULL;

        if (!jar) {
                store_unref(take_store);
                return NULL;
        }
        pthread_mutex_init(&jar->lock, NULL);
        atomic_init(&jar->n_refs, 1);
        jar->store = take_store;
        return jar;
}

struct muster_jar *muster_jar_new(void)
{
        return jar_with(store_new());
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
        store_unref(jar->store);
        pthread_mutex_destroy(&jar->lock);
        return mem_free(jar);
}

/* The cookies themselves are copied when the jar or its copy is changed. */
struct muster_jar *muster_jar_copy(struct muster_jar *jar)
{
        struct jar_store *shared;

        if (!jar)
                return NULL;
        pthread_mutex_lock(&jar->lock);
        shared = jar->store;
        atomic_fetch_add(&shared->n_refs, 1);
        pthread_mutex_unlock(&jar->lock);
        return jar_with(shared);
}

/* --- used by requests ------------------------------------------------------------------------ */

int jar_get(struct muster_jar *jar, const struct url *url, struct muster_str own, struct buf *to)
{
        int r = cookie_jar_get(jar_lock(jar), url, jar_now_s(), own, to);

        jar_unlock(jar);
        return r;
}

int jar_take(struct muster_jar *jar, const struct url *url, const struct fields *fields)
{
        int64_t now_s = jar_now_s();
        struct cookie_jar *cookies;
        int r = 0;

        for (size_t i = 0; r >= 0 && i < fields->n; i++) {
                if (!str_is_nocase(field_name(fields, i), "Set-Cookie"))
                        continue;
                cookies = jar_lock_to_change(jar);
                if (!cookies)
                        return MUSTER_E_RESOURCE;
                r = cookie_jar_set(cookies, url, field_value(fields, i), now_s);
                jar_unlock(jar);
        }
        return r < 0 ? r : 0;
}

/* --- used by the caller ---------------------------------------------------------------------- */

int muster_jar_set(struct muster_jar *jar, const char *url, const char *line)
{
        struct cookie_jar *cookies;
        struct url parsed = { 0 };
        int r;

        if (!jar || !url || !line)
                return MUSTER_E_INVALID;
        r = url_parse(&parsed, str_of(url), NULL, NULL);
        if (r == 0) {
                cookies = jar_lock_to_change(jar);
                r = cookies ? cookie_jar_set(cookies, &parsed, str_of(line), jar_now_s())
                            : MUSTER_E_RESOURCE;
                if (cookies)
                        jar_unlock(jar);
        }
        url_deinit(&parsed);
        return r == COOKIE_IGNORED ? MUSTER_COOKIE_IGNORED : r;
}

/*
 * As jar_lock_to_change(), for who must succeed: without memory the copies lose what is cleared as
 * well. Rather that than a session that goes on.
 */
static struct cookie_jar *lock_to_clear(struct muster_jar *jar)
{
        struct cookie_jar *cookies = jar_lock_to_change(jar);

        return cookies ? cookies : jar_lock(jar);
}

void muster_jar_clear(struct muster_jar *jar)
{
        if (!jar)
                return;
        cookie_jar_clear(lock_to_clear(jar));
        jar_unlock(jar);
}

void muster_jar_clear_session(struct muster_jar *jar)
{
        if (!jar)
                return;
        cookie_jar_clear_session(lock_to_clear(jar));
        jar_unlock(jar);
}
