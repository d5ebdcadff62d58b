/* SPDX-License-Identifier: MIT */
/*
 * The arena: texts that live together
 */
#include "unit.h"

#include <base/arena.h>

/* Texts of all lengths, around the places where a new block begins. */
static void fill_arena(void)
{
        struct arena *arena = arena_new();
        struct muster_str copies[200];
        char text[9000];
        size_t n = 0;

        memset(text, 'a', sizeof(text));
        while (arena && n < LENGTH(copies) &&
                arena_add(arena, (struct muster_str){ text, n * 45 }, &copies[n]) == 0)
                n++;
        for (size_t i = 0; i < n; i++) {
                assert_int_equal(copies[i].len, i * 45);
                assert_int_equal(strlen(copies[i].at), i * 45);
                assert_memory_equal(copies[i].at, text, i * 45);
        }
        assert_true(n == LENGTH(copies) || mem_has_failed());
        arena_free(arena);
}

static void test_arena(void **state)
{
        (void)state;
        fill_arena();
        for_each_failing_allocation(fill_arena);
        assert_null(arena_free(NULL));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_arena),
        };

        return cmocka_run_group_tests_name("arena", tests, NULL, NULL);
}
