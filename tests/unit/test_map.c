/* SPDX-License-Identifier: MIT */
/*
 * The map beside a naive model
 */
#include "unit.h"

#include <base/map.h>
#include <base/rand.h>
#include <stdio.h>

#define N_KEYS 2000

static void test_map(void **state)
{
        static struct map_node nodes[N_KEYS];
        static char keys[N_KEYS][32];
        static bool is_in[N_KEYS];
        struct map map;
        struct rand rand;
        size_t n_in = 0, n_met = 0;

        (void)state;
        rand_init(&rand, 2);
        map_init(&map);
        for (int i = 0; i < N_KEYS; i++)
                snprintf(keys[i], sizeof(keys[i]), "%.*skey%d", i % 9, "aaaaaaaaa", i);
        for (int i = 0; i < 30000; i++) {
                size_t n = rand_up_to(&rand, N_KEYS - 1);
                struct map_node *found = map_find(&map, str_of(keys[n]));

                assert_ptr_equal(found, is_in[n] ? &nodes[n] : NULL);
                if (is_in[n])
                        map_remove(&map, &nodes[n]);
                else
                        assert_int_equal(map_add(&map, &nodes[n], str_of(keys[n])), 0);
                is_in[n] = !is_in[n];
                n_in = is_in[n] ? n_in + 1 : n_in - 1;
                assert_int_equal(map.n, n_in);
                if (i % 64 == 0)
                        assert_true(map_any(&map) ? n_in > 0 : n_in == 0);
        }
        for (struct map_node *node = map_any(&map); node; node = map_next(&map, node))
                n_met++;
        assert_int_equal(n_met, map.n);
        while (map_any(&map))
                map_remove(&map, map_any(&map));
        assert_int_equal(map.n, 0);
        map_deinit(&map);
        map_init(&map);
        mem_fail_after(0);
        assert_int_equal(map_add(&map, &nodes[0], str_of("x")), MUSTER_E_RESOURCE);
        mem_fail_after(-1);
        assert_null(map_find(&map, str_of("x")));
        map_deinit(&map);
}

/* A map that is emptied one by one is gone through once: from the front for each, it takes minutes. */
static void test_emptying(void **state)
{
        static struct map_node nodes[400000];
        static char keys[LENGTH(nodes)][8];
        struct map map;

        (void)state;
        map_init(&map);
        for (size_t i = 0; i < LENGTH(nodes); i++) {
                snprintf(keys[i], sizeof(keys[i]), "%zu", i);
                assert_int_equal(map_add(&map, &nodes[i], str_of(keys[i])), 0);
        }
        for (struct map_node *node; (node = map_any(&map));)
                map_remove(&map, node);
        assert_int_equal(map.n, 0);
        map_deinit(&map);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_map),
                cmocka_unit_test(test_emptying),
        };

        return cmocka_run_group_tests_name("map", tests, NULL, NULL);
}
