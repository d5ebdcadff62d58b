/* SPDX-License-Identifier: MIT */
#include "names.h"

#include <assert.h>
#include <base/mem.h>

struct name {
        struct map_node node;
        uint32_t number;
};

static struct name *name_of_node(struct map_node *node)
{
        return (struct name *)(void *)node;
}

int names_init(struct names *names, struct arena *arena, size_t n_max)
{
        assert(arena || n_max > 0);
        *names = (struct names){ .arena = arena, .n_max = n_max };
        map_init(&names->map);
        names->by_number = mem_array(n_max, sizeof(*names->by_number));
        return names->by_number ? 0 : MUSTER_E_RESOURCE;
}

void names_deinit(struct names *names)
{
        for (size_t i = 0; i < names->n; i++)
                mem_free(names->by_number[i]);
        mem_free(names->by_number);
        map_deinit(&names->map);
        *names = (struct names){ 0 };
}

static uint32_t add_name(struct names *names, struct muster_str text)
{
        struct name *name;
        struct muster_str copy;

        assert(names->n <= names->n_max);
        if (names->n == names->n_max || arena_add(names->arena, text, &copy) < 0)
                return 0;
        name = mem_zalloc(sizeof(*name));
        if (!name || map_add(&names->map, &name->node, copy) < 0) {
                mem_free(name);
                return 0;
        }
        names->by_number[names->n] = name;
        name->number = (uint32_t)++names->n;
        return name->number;
}

uint32_t names_number(struct names *names, struct muster_str text)
{
        struct map_node *node;

        /* Most often it is the same text as before. */
        if (names->last && str_eq(names_text(names, names->last), text))
                return names->last;
        node = map_find(&names->map, text);
        names->last = node ? name_of_node(node)->number : add_name(names, text);
        return names->last;
}

struct muster_str names_text(const struct names *names, uint32_t number)
{
        assert(number <= names->n);
        return number ? names->by_number[number - 1]->node.key : (struct muster_str){ "", 0 };
}

struct muster_str names_keep(struct names *names, struct muster_str text)
{
        return names_text(names, names_number(names, text));
}

struct muster_str names_path_of(struct muster_str url)
{
        const char *query = url.len ? memchr(url.at, '?', url.len) : NULL;

        return query ? (struct muster_str){ url.at, (size_t)(query - url.at) } : url;
}

/* FNV-1a, 64 bits: of a million URLs two have the same digest once in 30 million runs. */
uint64_t names_digest_of(struct muster_str text)
{
        uint64_t digest = 0xcbf29ce484222325;

        for (size_t i = 0; i < text.len; i++)
                digest = (digest ^ (unsigned char)text.at[i]) * 0x100000001b3;
        return digest ? digest : 1;
}
