/* SPDX-License-Identifier: MIT */
#include "map.h"

#include "mem.h"
#include "rand.h"
#include <assert.h>

#define MAP_CHAINS_MIN 16

static uint64_t rotate(uint64_t x, int n)
{
        return x << n | x >> (64 - n);
}

static void sip_round(uint64_t v[4])
{
        v[0] += v[1];
        v[2] += v[3];
        v[1] = rotate(v[1], 13) ^ v[0];
        v[3] = rotate(v[3], 16) ^ v[2];
        v[0] = rotate(v[0], 32);
        v[2] += v[1];
        v[0] += v[3];
        v[1] = rotate(v[1], 17) ^ v[2];
        v[3] = rotate(v[3], 21) ^ v[0];
        v[2] = rotate(v[2], 32);
}

/*
 * SipHash-1-3 (Aumasson and Bernstein), in native byte order: the value never leaves this process.
 */
uint64_t map_hash(const struct map *map, struct muster_str key)
{
        uint64_t v[4] = { map->seed[0] ^ 0x736f6d6570736575u, map->seed[1] ^ 0x646f72616e646f6du,
                map->seed[0] ^ 0x6c7967656e657261u, map->seed[1] ^ 0x7465646279746573u };
        uint64_t word = 0;
        size_t whole = key.len & ~(size_t)7;

        for (size_t i = 0; i < whole; i += 8) {
                memcpy(&word, key.at + i, 8);
                v[3] ^= word;
                sip_round(v);
                v[0] ^= word;
        }
        word = 0;
        if (key.len > whole)
                memcpy(&word, key.at + whole, key.len - whole);
        word |= (uint64_t)key.len << 56;
        v[3] ^= word;
        sip_round(v);
        v[0] ^= word;
        v[2] ^= 0xff;
        sip_round(v);
        sip_round(v);
        sip_round(v);
        return v[0] ^ v[1] ^ v[2] ^ v[3];
}

void map_init(struct map *map)
{
        *map = (struct map){ 0 };
        rand_seed_bytes(map->seed, sizeof(map->seed));
}

void map_deinit(struct map *map)
{
        map->chains = mem_free(map->chains);
        map->n_chains = map->n = map->first = 0;
}

static struct map_node **chain_of(const struct map *map, uint64_t hash)
{
        return &map->chains[hash & (map->n_chains - 1)];
}

struct map_node *map_find(const struct map *map, struct muster_str key)
{
        uint64_t hash;

        if (!map->n)
                return NULL;
        hash = map_hash(map, key);
        for (struct map_node *node = *chain_of(map, hash); node; node = node->next)
                if (node->hash == hash && str_eq(node->key, key))
                        return node;
        return NULL;
}

static void link_node(struct map *map, struct map_node *node)
{
        struct map_node **chain = chain_of(map, node->hash);
        size_t at = (size_t)(chain - map->chains);

        assert(map->n_chains > 0);
        if (at < map->first)
                map->first = at;
        node->next = *chain;
        *chain = node;
}

static int grow_chains(struct map *map)
{
        struct map old = *map;

        assert(map->n == map->n_chains);
        map->n_chains = old.n_chains ? old.n_chains * 2 : MAP_CHAINS_MIN;
        map->chains = mem_array(map->n_chains, sizeof(*map->chains));
        if (!map->chains) {
                *map = old;
                return MUSTER_E_RESOURCE;
        }
        for (size_t i = 0; i < old.n_chains; i++) {
                struct map_node *next;

                for (struct map_node *node = old.chains[i]; node; node = next) {
                        next = node->next;
                        link_node(map, node);
                }
        }
        mem_free(old.chains);
        return 0;
}

int map_add(struct map *map, struct map_node *node, struct muster_str key)
{
        assert(!map_find(map, key));
        if (map->n == map->n_chains && grow_chains(map) < 0)
                return MUSTER_E_RESOURCE;
        node->key = key;
        node->hash = map_hash(map, key);
        link_node(map, node);
        map->n++;
        return 0;
}

void map_remove(struct map *map, struct map_node *node)
{
        struct map_node **at = chain_of(map, node->hash);

        assert(map->n > 0 && map_find(map, node->key) == node);
        while (*at != node)
                at = &(*at)->next;
        *at = node->next;
        node->next = NULL;
        map->n--;
}

/* The first member of this chain or of a later one. */
static struct map_node *first_from(const struct map *map, size_t chain)
{
        for (size_t i = chain; i < map->n_chains; i++)
                if (map->chains[i])
                        return map->chains[i];
        return NULL;
}

struct map_node *map_any(struct map *map)
{
        if (!map->n)
                return NULL;
        while (!map->chains[map->first])
                map->first++;
        return map->chains[map->first];
}

struct map_node *map_next(const struct map *map, const struct map_node *node)
{
        assert(map->n > 0);
        return node->next ? node->next : first_from(map, (node->hash & (map->n_chains - 1)) + 1);
}
