/* SPDX-License-Identifier: MIT */
#include "skips.h"

#include <assert.h>
#include <base/mem.h>
#include <muster/error.h>

int skips_init(struct skips *skips, size_t n)
{
        *skips = (struct skips){ .down = mem_array(n + 2, sizeof(*skips->down)),
                .up = mem_array(n + 2, sizeof(*skips->up)),
                .n = n };
        if (!skips->down || !skips->up)
                return MUSTER_E_RESOURCE;
        for (size_t i = 0; i < n + 2; i++)
                skips->down[i] = skips->up[i] = i;
        return 0;
}

void skips_deinit(struct skips *skips)
{
        mem_free(skips->down);
        mem_free(skips->up);
        *skips = (struct skips){ 0 };
}

void skips_use(struct skips *skips, size_t place)
{
        assert(place < skips->n);
        skips->down[place + 1] = place;
        skips->up[place + 1] = place + 2;
}

/* Where the links from `at` end; all on the way lead there from now on. */
static size_t end_of(size_t *links, size_t at)
{
        size_t end = at;

        while (links[end] != end)
                end = links[end];
        while (at != end) {
                size_t next = links[at];

                links[at] = end;
                at = next;
        }
        return end;
}

size_t skips_down(struct skips *skips, size_t place)
{
        size_t end;

        assert(place < skips->n);
        end = end_of(skips->down, place + 1);
        return end ? end - 1 : SKIPS_NONE;
}

size_t skips_up(struct skips *skips, size_t place)
{
        size_t end;

        assert(place <= skips->n);
        end = end_of(skips->up, place + 1);
        return end <= skips->n ? end - 1 : SKIPS_NONE;
}
