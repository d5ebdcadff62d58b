/* SPDX-License-Identifier: MIT */
#include "origin.h"

#include "split.h"
#include <assert.h>
#include <base/mem.h>
#include <muster/error.h>
#include <tls/tls.h>

static struct origin *origin_of_node(struct map_node *node)
{
        return LIST_OWNER(node, struct origin, node);
}

static struct origin *origin_of_unused_link(struct list *link)
{
        return LIST_OWNER(link, struct origin, unused_link);
}

static bool is_unused(const struct origin *origin)
{
        return !origin->n_queued && !origin->n_running && !origin->n_conns;
}

static struct origin *origin_free(struct origin *origin)
{
        if (origin->part)
                origin->part->origin = NULL;
        tls_sessions_free(origin->sessions);
        auth_sessions_deinit(&origin->auth);
        mem_free(origin->throttle);
        buf_deinit(&origin->key);
        buf_deinit(&origin->host);
        return mem_free(origin);
}

void origins_init(struct origins *origins)
{
        *origins = (struct origins){ 0 };
        map_init(&origins->map);
        list_init(&origins->unused);
}

static void mark_used(struct origins *origins, struct origin *origin)
{
        assert(!list_is_linked(&origin->unused_link) || origins->n_unused);
        if (list_is_linked(&origin->unused_link))
                origins->n_unused--;
        list_remove(&origin->unused_link);
}

static void forget_origin(struct origins *origins, struct origin *origin)
{
        assert(is_unused(origin));
        mark_used(origins, origin);
        map_remove(&origins->map, &origin->node);
        if (origins->last == origin)
                origins->last = NULL;
        origin_free(origin);
}

void origins_deinit(struct origins *origins)
{
        struct map_node *node;

        while ((node = map_any(&origins->map)))
                forget_origin(origins, origin_of_node(node));
        map_deinit(&origins->map);
        buf_deinit(&origins->key);
}

static int make_origin(struct origins *origins, const struct url *url, struct origin **ret_origin)
{
        struct origin *origin = mem_zalloc(sizeof(*origin));

        if (!origin)
                return MUSTER_E_RESOURCE;
        list_init(&origin->queue);
        list_init(&origin->planned);
        list_init(&origin->usable);
        list_init(&origin->awaited);
        origin->port = url->port;
        origin->is_tls = url->scheme == URL_HTTPS;
        if (buf_add_str(&origin->key, buf_str(&origins->key)) < 0 ||
                buf_add_str(&origin->host, url_part(url, url->host)) < 0 ||
                map_add(&origins->map, &origin->node, buf_str(&origin->key)) < 0) {
                origin_free(origin);
                return MUSTER_E_RESOURCE;
        }
        origin->route =
                routes_find(origins->routes, origin->is_tls, buf_str(&origin->host), origin->port);
        *ret_origin = origin;
        return 0;
}

int origins_get(struct origins *origins, const struct url *url, struct origin **ret_origin)
{
        struct map_node *node;
        int r = 0;

        origins->key.len = 0;
        if (url_add_origin(url, &origins->key) < 0)
                return MUSTER_E_RESOURCE;
        if (!origins->last || !str_eq(buf_str(&origins->last->key), buf_str(&origins->key))) {
                node = map_find(&origins->map, buf_str(&origins->key));
                if (node)
                        origins->last = origin_of_node(node);
                else
                        r = make_origin(origins, url, &origins->last);
        }
        if (r < 0)
                return r;
        mark_used(origins, origins->last);
        *ret_origin = origins->last;
        return 0;
}

void origins_release(struct origins *origins, struct origin *origin)
{
        if (!is_unused(origin))
                return;
        mark_used(origins, origin);
        origins->n_unused++;
        list_push_back(&origins->unused, &origin->unused_link);
        if (origins->n_unused > ORIGINS_KEPT)
                forget_origin(origins, origin_of_unused_link(list_first(&origins->unused)));
}
