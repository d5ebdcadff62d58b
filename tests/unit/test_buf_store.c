/* SPDX-License-Identifier: MIT */
/*
 * Memory of large buffers that is used again
 */
#include "unit.h"

#include <base/buf_store.h>
#include <pthread.h>

#define KIB 1024u
#define MIB (1024u * 1024)

/* A buffer as large as it must be, all of it written to. */
static struct buf taken(struct buf_store *store, size_t size)
{
        struct buf buf = { 0 };

        assert_int_equal(buf_store_take(store, &buf, size), 0);
        assert_true(buf.at && buf.size >= size && buf.len == 0);
        memset(buf.at, 'x', size);
        return buf;
}

static void give(struct buf_store *store, struct buf *buf)
{
        buf->len = buf->size / 2;
        buf_store_give(store, buf);
        assert_true(!buf->at && !buf->len && !buf->size);
        buf_store_give(store, buf); /* one that owns nothing */
}

static void test_memory_is_used_again(void **state)
{
        struct buf_store store;
        struct buf first, second;
        const char *at[2];

        (void)state;
        buf_store_init(&store, 64 * MIB);
        first = taken(&store, 10 * MIB);
        second = taken(&store, 9 * MIB);
        at[0] = first.at;
        at[1] = second.at;
        give(&store, &first);
        give(&store, &second);
        assert_int_equal(store.n_bytes, 32 * MIB);
        first = taken(&store, 16 * MIB); /* of the same class: the one that came last */
        second = taken(&store, 8 * MIB + 1);
        assert_ptr_equal(first.at, at[1]);
        assert_ptr_equal(second.at, at[0]);
        assert_int_equal(store.n_bytes, 0);
        buf_deinit(&first);
        buf_deinit(&second);
        buf_store_deinit(&store);
}

/* None is given to one that it would be too small for, or much too large. */
static void test_classes(void **state)
{
        static const size_t sizes[] = { 64 * KIB, 128 * KIB, 256 * KIB, 512 * KIB, MIB, 2 * MIB,
                4 * MIB, 8 * MIB, 16 * MIB };
        struct buf_store store;

        (void)state;
        buf_store_init(&store, 64 * MIB);
        for (size_t i = 0; i < LENGTH(sizes); i++) {
                struct buf buf = taken(&store, sizes[i]);

                assert_int_equal(buf.size, sizes[i]);
                give(&store, &buf);
        }
        assert_int_equal(store.n_bytes, 32 * MIB - 64 * KIB);
        for (size_t i = 0; i < LENGTH(sizes); i++) {
                size_t before = store.n_bytes;
                struct buf buf = taken(&store, sizes[i] - (i ? sizes[i] / 2 - 1 : 0));

                assert_int_equal(buf.size, sizes[i]);
                assert_int_equal(store.n_bytes, before - sizes[i]);
                buf_deinit(&buf);
        }
        assert_int_equal(store.n_bytes, 0);
        buf_store_deinit(&store);
}

/* What is small, larger than all, or has grown otherwise goes back to the system. */
static void test_what_is_not_kept(void **state)
{
        struct buf_store store;
        struct buf small, large, odd = { mem_alloc(100 * KIB), 0, 100 * KIB };

        (void)state;
        buf_store_init(&store, SIZE_MAX);
        small = taken(&store, 64 * KIB - 1);
        buf_deinit(&small);
        small = taken(&store, 1000);
        large = taken(&store, 16 * MIB + 1);
        give(&store, &small);
        give(&store, &large);
        give(&store, &odd);
        assert_int_equal(store.n_bytes, 0);
        buf_store_deinit(&store);
}

static void test_bound(void **state)
{
        struct buf_store store;
        struct buf bufs[4];

        (void)state;
        buf_store_init(&store, MIB);
        for (size_t i = 0; i < LENGTH(bufs); i++)
                bufs[i] = taken(&store, 400 * KIB);
        for (size_t i = 0; i < LENGTH(bufs); i++)
                give(&store, &bufs[i]);
        assert_int_equal(store.n_bytes, MIB);
        buf_store_empty(&store);
        assert_int_equal(store.n_bytes, 0);
        bufs[0] = taken(&store, 400 * KIB); /* it may be used on */
        give(&store, &bufs[0]);
        assert_int_equal(store.n_bytes, 512 * KIB);
        buf_store_deinit(&store);
}

static void take_without_memory(void)
{
        struct buf_store store;
        struct buf buf = { 0 };

        buf_store_init(&store, MIB);
        if (buf_store_take(&store, &buf, 100 * KIB) < 0)
                assert_true(!buf.at && !buf.size);
        buf_store_give(&store, &buf);
        buf_store_deinit(&store);
}

static void test_memory(void **state)
{
        (void)state;
        for_each_failing_allocation(take_without_memory);
}

static void *take_and_give(void *at)
{
        struct buf_store *store = at;

        for (size_t i = 0; i < 2000; i++) {
                struct buf buf = { 0 };

                if (buf_store_take(store, &buf, (64 + i % 300) * KIB) == 0)
                        memset(buf.at, 'x', 64);
                buf_store_give(store, &buf);
                if (i % 100 == 0)
                        buf_store_empty(store);
        }
        return NULL;
}

static void test_threads(void **state)
{
        struct buf_store store;
        pthread_t threads[2];

        (void)state;
        buf_store_init(&store, MIB);
        for (size_t i = 0; i < LENGTH(threads); i++)
                assert_int_equal(pthread_create(&threads[i], NULL, take_and_give, &store), 0);
        for (size_t i = 0; i < LENGTH(threads); i++)
                pthread_join(threads[i], NULL);
        assert_true(store.n_bytes <= MIB);
        buf_store_deinit(&store);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_memory_is_used_again),
                cmocka_unit_test(test_classes),
                cmocka_unit_test(test_what_is_not_kept),
                cmocka_unit_test(test_bound),
                cmocka_unit_test(test_memory),
                cmocka_unit_test(test_threads),
        };

        return cmocka_run_group_tests_name("buf_store", tests, NULL, NULL);
}
