/* SPDX-License-Identifier: MIT */
/*
 * Lists: pushed, popped, spliced
 */
#include "unit.h"

#include <base/list.h>

struct member {
        int n;
        struct list link;
};

static struct member *member_of(struct list *link)
{
        return LIST_OWNER(link, struct member, link);
}

static void test_list(void **state)
{
        struct member members[5] = { { .n = 0 }, { .n = 1 }, { .n = 2 }, { .n = 3 }, { .n = 4 } };
        struct list a, b;

        (void)state;
        list_init(&a);
        list_init(&b);
        assert_null(list_pop(&a));
        list_push_back(&a, &members[1].link);
        list_push_front(&a, &members[0].link);
        list_push_back(&b, &members[2].link);
        list_push_back(&b, &members[3].link);
        list_push_back(&b, &members[4].link);
        list_remove(&members[3].link);
        list_remove(&members[3].link); /* once more does no harm */
        assert_false(list_is_linked(&members[3].link));
        list_splice(&a, &b);
        assert_true(list_is_empty(&b));
        list_splice(&a, &b);
        assert_int_equal(member_of(list_last(&a))->n, 4);
        for (int expected = 0; expected < 5; expected += expected == 2 ? 2 : 1)
                assert_int_equal(member_of(list_pop(&a))->n, expected);
        assert_true(list_is_empty(&a));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_list),
        };

        return cmocka_run_group_tests_name("list", tests, NULL, NULL);
}
