/* SPDX-License-Identifier: MIT */
#include "blob.h"

#include <base/list.h>
#include <base/mem.h>

static struct blob *blob_of(struct map_node *node)
{
        return LIST_OWNER(node, struct blob, node);
}

static void *blob_free(struct blob *blob)
{
        buf_deinit(&blob->bytes);
        mem_free(blob->key);
        return mem_free(blob);
}

void blobs_init(struct blobs *blobs)
{
        *blobs = (struct blobs){ 0 };
        map_init(&blobs->map);
}

void blobs_deinit(struct blobs *blobs)
{
        struct map_node *node;

        while ((node = map_any(&blobs->map))) {
                map_remove(&blobs->map, node);
                blob_free(blob_of(node));
        }
        map_deinit(&blobs->map);
}

const struct blob *blobs_find(const struct blobs *blobs, const char *key)
{
        struct map_node *node = map_find(&blobs->map, str_of(key));

        return node ? blob_of(node) : NULL;
}

const struct blob *blobs_add(struct blobs *blobs, const char *key, struct buf *take_bytes)
{
        struct blob *blob = mem_zalloc(sizeof(*blob));

        if (!blob) {
                buf_deinit(take_bytes);
                return NULL;
        }
        blob->bytes = *take_bytes;
        *take_bytes = (struct buf){ 0 };
        blob->key = mem_strdup(key);
        if (!blob->key || blobs->map.n >= BLOBS_MAX ||
                blob->bytes.size > BLOBS_BYTES_MAX - blobs->n_bytes ||
                map_add(&blobs->map, &blob->node, str_of(blob->key)) < 0)
                return blob_free(blob);
        blobs->n_bytes += blob->bytes.size;
        return blob;
}
