/* SPDX-License-Identifier: MIT */
#include "rows.h"

#include <assert.h>
#include <base/mem.h>
#include <stdlib.h>

#define ROOM_FIRST 64

void *rows_add(struct rows *rows)
{
        char *row;

        assert(rows->size > 0 && rows->n <= rows->room);
        if (rows->n == rows->room) {
                size_t room = rows->room ? rows->room * 2 : ROOM_FIRST;
                void *at = room <= SIZE_MAX / 2 / rows->size
                                   ? mem_realloc(rows->at, room * rows->size)
                                   : NULL;

                if (!at)
                        return NULL;
                rows->at = at;
                rows->room = room;
        }
        row = (char *)rows->at + rows->n++ * rows->size;
        memset(row, 0, rows->size);
        return row;
}

void rows_deinit(struct rows *rows)
{
        mem_free(rows->at);
        *rows = (struct rows){ .size = rows->size };
}

void *rows_give(struct rows *rows, size_t *ret_n)
{
        void *at = rows->at;

        *ret_n = rows->n;
        if (!rows->n) {
                rows_deinit(rows);
                return NULL;
        }
        *rows = (struct rows){ .size = rows->size };
        return at;
}

/* --- order ----------------------------------------------------------------------------------- */

struct place {
        uint64_t number;
        size_t at;
};

static int compare_places(const void *a, const void *b)
{
        const struct place *one = a, *other = b;

        if (one->number != other->number)
                return one->number < other->number ? -1 : 1;
        return one->at < other->at ? -1 : one->at > other->at;
}

int rows_sort(struct rows *rows, uint64_t (*number)(const void *row))
{
        struct place *places = mem_array(rows->n + 1, sizeof(*places));
        char *sorted = mem_array(rows->n + 1, rows->size);

        for (size_t i = 0; places && i < rows->n; i++)
                places[i] = (struct place){ number(rows_at(rows, i)), i };
        if (places && sorted && rows->n) {
                qsort(places, rows->n, sizeof(*places), compare_places);
                for (size_t i = 0; i < rows->n; i++)
                        memcpy(sorted + i * rows->size, rows_at(rows, places[i].at), rows->size);
                memcpy(rows->at, sorted, rows->n * rows->size);
        }
        mem_free(sorted);
        mem_free(places);
        return places && sorted ? 0 : MUSTER_E_RESOURCE;
}

/* --- keys ------------------------------------------------------------------------------------ */

struct keyed {
        struct map_node node;
        uint64_t key;
        uint32_t number;
};

static struct keyed *keyed_of(struct map_node *node)
{
        return (struct keyed *)(void *)node;
}

static struct muster_str text_of(const uint64_t *key)
{
        return (struct muster_str){ (const char *)key, sizeof(*key) };
}

void keys_init(struct keys *keys)
{
        map_init(&keys->map);
}

void keys_deinit(struct keys *keys)
{
        struct map_node *node;

        while ((node = map_any(&keys->map))) {
                map_remove(&keys->map, node);
                mem_free(keyed_of(node));
        }
        map_deinit(&keys->map);
        map_init(&keys->map);
}

uint32_t keys_get(const struct keys *keys, uint64_t key)
{
        struct map_node *node = map_find(&keys->map, text_of(&key));

        return node ? keyed_of(node)->number : 0;
}

int keys_set(struct keys *keys, uint64_t key, uint32_t number)
{
        struct map_node *node = map_find(&keys->map, text_of(&key));
        struct keyed *keyed;

        if (node) {
                keyed_of(node)->number = number;
                return 0;
        }
        if (!number)
                return 0;
        keyed = mem_zalloc(sizeof(*keyed));
        if (!keyed)
                return MUSTER_E_RESOURCE;
        keyed->key = key;
        keyed->number = number;
        if (map_add(&keys->map, &keyed->node, text_of(&keyed->key)) < 0) {
                mem_free(keyed);
                return MUSTER_E_RESOURCE;
        }
        return 0;
}
