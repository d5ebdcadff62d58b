/* SPDX-License-Identifier: MIT */
#include "dated.h"

#include <base/mem.h>
#include <muster/error.h>
#include <stdlib.h>

int dated_init(struct dated_list *dated, size_t n_max)
{
        *dated = (struct dated_list){ .list = mem_array(n_max + 1, sizeof(*dated->list)) };
        return dated->list ? 0 : MUSTER_E_RESOURCE;
}

void dated_deinit(struct dated_list *dated)
{
        dated->list = mem_free(dated->list);
}

static int compare(const void *a, const void *b)
{
        const struct dated *one = a, *other = b;

        if (one->key != other->key)
                return one->key < other->key ? -1 : 1;
        if (one->at_ns != other->at_ns)
                return one->at_ns < other->at_ns ? -1 : 1;
        return one->number < other->number ? -1 : one->number > other->number;
}

void dated_sort(struct dated_list *dated)
{
        if (dated->n)
                qsort(dated->list, dated->n, sizeof(*dated->list), compare);
}

size_t dated_first(const struct dated_list *dated, uint64_t key, uint64_t at_ns)
{
        size_t low = 0, high = dated->n;

        while (low < high) {
                size_t middle = low + (high - low) / 2;
                const struct dated *one = &dated->list[middle];

                if (one->key < key || (one->key == key && one->at_ns < at_ns))
                        low = middle + 1;
                else
                        high = middle;
        }
        return low;
}
