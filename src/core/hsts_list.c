/* SPDX-License-Identifier: MIT */
#include "hsts_list.h"

#include <assert.h>
#include <base/clock.h>
#include <base/error.h>
#include <base/file.h>
#include <base/mem.h>

#define FILE_BYTES_MAX (16u * 1024 * 1024) /* ten times what the largest list takes */

static int64_t now_s(void)
{
        return (int64_t)(clock_ns_of(CLOCK_REALTIME) / NS_PER_S);
}

/* --- holding it ------------------------------------------------------------------------------ */

struct muster_hsts *muster_hsts_new(void)
{
        struct muster_hsts *list = mem_zalloc(sizeof(*list));

        if (!list)
                return NULL;
        pthread_mutex_init(&list->lock, NULL);
        atomic_init(&list->n_refs, 1);
        hsts_init(&list->hsts);
        return list;
}

struct muster_hsts *muster_hsts_ref(struct muster_hsts *list)
{
        if (list)
                atomic_fetch_add(&list->n_refs, 1);
        return list;
}

struct muster_hsts *muster_hsts_free(struct muster_hsts *list)
{
        if (!list || atomic_fetch_sub(&list->n_refs, 1) > 1)
                return NULL;
        hsts_deinit(&list->hsts);
        pthread_mutex_destroy(&list->lock);
        return mem_free(list);
}

/* --- used by requests ------------------------------------------------------------------------ */

static struct muster_str host_of(const struct url *url)
{
        return url_part(url, url->host);
}

int hsts_list_take(struct muster_hsts *list, const struct url *url, const struct fields *fields)
{
        struct muster_str value = fields_find(fields, "Strict-Transport-Security");
        int r;

        if (url->scheme != URL_HTTPS || url->host_kind != URL_HOST_NAME || !value.at)
                return 0;
        pthread_mutex_lock(&list->lock);
        r = hsts_note(&list->hsts, host_of(url), value, now_s());
        pthread_mutex_unlock(&list->lock);
        return r < 0 ? r : 0;
}

static bool applies(struct muster_hsts *list, const struct url *url)
{
        bool has;

        if (url->scheme != URL_HTTP || url->host_kind != URL_HOST_NAME)
                return false;
        pthread_mutex_lock(&list->lock);
        has = hsts_has(&list->hsts, host_of(url), now_s());
        pthread_mutex_unlock(&list->lock);
        return has;
}

int hsts_list_upgrade(struct muster_hsts *list, struct url *url)
{
        struct url upgraded = { 0 };
        struct buf text = { 0 };
        int r = 0;

        if (!applies(list, url))
                return 0;
        assert(url->text.len > 4);
        /* A port that is named stays, but for 80, which is not in a normal URL (section 8.3). */
        if (buf_add_text(&text, "https") < 0 ||
                buf_add(&text, url->text.at + 4, url->text.len - 4) < 0)
                r = MUSTER_E_RESOURCE;
        if (r == 0)
                r = url_parse(&upgraded, buf_str(&text), NULL, NULL);
        if (r == 0)
                r = url_copy(url, &upgraded);
        url_deinit(&upgraded);
        buf_deinit(&text);
        return r;
}

/* --- used by the caller ---------------------------------------------------------------------- */

int muster_hsts_set(struct muster_hsts *list, const char *url, const char *value)
{
        struct url parsed = { 0 };
        int r = MUSTER_E_INVALID;

        if (!list || !url || !value)
                return MUSTER_E_INVALID;
        if (url_parse(&parsed, str_of(url), NULL, NULL) < 0)
                return MUSTER_E_URL;
        if (parsed.scheme == URL_HTTPS && parsed.host_kind == URL_HOST_NAME) {
                pthread_mutex_lock(&list->lock);
                r = hsts_note(&list->hsts, host_of(&parsed), str_of(value), now_s());
                pthread_mutex_unlock(&list->lock);
        }
        url_deinit(&parsed);
        return r == HSTS_IGNORED ? MUSTER_E_INVALID : r;
}

bool muster_hsts_applies(struct muster_hsts *list, const char *url)
{
        struct url parsed = { 0 };
        bool r = list && url && url_parse(&parsed, str_of(url), NULL, NULL) == 0 &&
                 applies(list, &parsed);

        url_deinit(&parsed);
        return r;
}

bool muster_hsts_has_changed(struct muster_hsts *list)
{
        bool has_changed;

        if (!list)
                return false;
        pthread_mutex_lock(&list->lock);
        has_changed = list->hsts.has_changed;
        pthread_mutex_unlock(&list->lock);
        return has_changed;
}

static int refuse(struct muster_error *error)
{
        return error_set(error, MUSTER_E_INVALID, MUSTER_PHASE_QUEUE, 0,
                "invalid: no HSTS list, or no file for it");
}

int muster_hsts_load(struct muster_hsts *list, const char *path, struct muster_error *error)
{
        struct buf text = { 0 };
        int r;

        if (error)
                error_clear(error);
        if (!list || !path)
                return refuse(error);
        r = file_load(path, FILE_BYTES_MAX, &text, error);
        if (r == 0) {
                pthread_mutex_lock(&list->lock);
                r = hsts_read(&list->hsts, buf_str(&text), path, now_s(), error);
                pthread_mutex_unlock(&list->lock);
        }
        buf_deinit(&text);
        return r == FILE_NONE ? 0 : r;
}

int muster_hsts_save(struct muster_hsts *list, const char *path, struct muster_error *error)
{
        struct buf text = { 0 };
        int r;

        if (error)
                error_clear(error);
        if (!list || !path)
                return refuse(error);
        pthread_mutex_lock(&list->lock);
        r = hsts_write(&list->hsts, &text, now_s());
        if (r == 0)
                list->hsts.has_changed = false;
        pthread_mutex_unlock(&list->lock);
        r = r < 0 ? error_set_memory(error, MUSTER_PHASE_QUEUE)
                  : file_replace(path, buf_str(&text), FILE_MODE_AS_IS, error);
        if (r < 0) {
                pthread_mutex_lock(&list->lock);
                list->hsts.has_changed = true;
                pthread_mutex_unlock(&list->lock);
        }
        buf_deinit(&text);
        return r;
}
