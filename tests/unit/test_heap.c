/* SPDX-License-Identifier: MIT */
/*
 * The heap beside a naive model
 */
#include "unit.h"

#include <base/heap.h>
#include <base/rand.h>

#define N_NODES 300

/* Random operations beside a naive model: an array that is searched for its least key. */
static void test_heap(void **state)
{
        struct heap_node nodes[N_NODES] = { 0 };
        uint64_t keys[N_NODES];
        struct heap heap = { 0 };
        struct rand rand;

        (void)state;
        rand_init(&rand, 1);
        for (int i = 0; i < 20000; i++) {
                size_t n = rand_up_to(&rand, N_NODES - 1);
                uint64_t least = UINT64_MAX;

                if (rand_up_to(&rand, 2)) {
                        keys[n] = rand_up_to(&rand, 1000);
                        assert_int_equal(heap_set(&heap, &nodes[n], keys[n]), 0);
                        assert_int_equal(heap_key(&heap, &nodes[n]), keys[n]);
                } else {
                        heap_remove(&heap, &nodes[n]);
                }
                for (size_t j = 0; j < N_NODES; j++)
                        if (heap_has(&nodes[j]) && keys[j] < least)
                                least = keys[j];
                assert_int_equal(heap_top_key(&heap), least);
                if (heap_top(&heap))
                        assert_int_equal(keys[heap_top(&heap) - nodes], least);
        }
        heap_deinit(&heap);
        assert_false(heap_has(&nodes[0]));
        mem_fail_after(0);
        assert_int_equal(heap_set(&heap, &nodes[0], 1), MUSTER_E_RESOURCE);
        mem_fail_after(-1);
        assert_false(heap_has(&nodes[0]));
        heap_deinit(&heap);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_heap),
        };

        return cmocka_run_group_tests_name("heap", tests, NULL, NULL);
}
