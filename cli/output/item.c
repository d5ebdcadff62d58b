/* SPDX-License-Identifier: MIT */
#include "item.h"

#include <assert.h>
#include <base/mem.h>

int items_init(struct items *items, size_t size)
{
        size_t n = 64;

        while (n < size)
                n *= 2;
        *items = (struct items){ .size = n, .ring = mem_array(n, sizeof(struct item)) };
        return items->ring ? 0 : MUSTER_E_RESOURCE;
}

static struct item *place(const struct items *items, uint64_t n)
{
        return &items->ring[n & (items->size - 1)];
}

void item_deinit(struct item *item)
{
        item->result = muster_result_free(item->result);
        item->error = mem_free(item->error);
        item->id = mem_free(item->id);
        item->own = mem_free(item->own);
        buf_deinit(&item->sent_files);
}

void items_deinit(struct items *items)
{
        for (size_t i = 0; items->ring && i < items->size; i++)
                item_deinit(&items->ring[i]);
        items->ring = mem_free(items->ring);
}

struct item *items_begin(struct items *items, const struct item *take_item)
{
        struct item *item = place(items, items->n_begun);

        assert(!items_are_full(items) && !take_item->is_written);
        items->n_begun++;
        *item = *take_item;
        return item;
}

struct item *items_oldest(struct items *items)
{
        return items->n_released < items->n_begun ? place(items, items->n_released) : NULL;
}

void items_written(struct items *items, struct item *item)
{
        struct item *oldest;

        item_deinit(item);
        item->is_written = true;
        while ((oldest = items_oldest(items)) && oldest->is_written)
                items->n_released++;
}
