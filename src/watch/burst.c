/* SPDX-License-Identifier: MIT */
#include "burst.h"

#include <base/minmax.h>

/* Is what is said on it not seen? Only then the bytes alone have to tell when requests were made. */
static bool is_unseen(const struct link *link)
{
        return link->is_inet && !link->is_server && link->speech != LINK_H1 &&
               link->speech != LINK_H2;
}

int burst_sent(struct watched *all, uint32_t number, const struct piece *piece)
{
        struct link *link = watched_link(all, number);
        struct burst *burst = link->last_burst ? watched_burst(all, link->last_burst) : NULL;

        if (!is_unseen(link))
                return 0;
        if (!burst || burst->first_read_ns) {
                if (all->bursts.n == UINT32_MAX || !(burst = rows_add(&all->bursts)))
                        return MUSTER_E_RESOURCE;
                burst->link = number;
                burst->send_start_ns = piece->at_ns;
                link->last_burst = (uint32_t)all->bursts.n;
        }
        burst->send_end_ns = piece->end_ns;
        burst->n_sent += piece->n;
        burst->n_pieces += piece->n_pieces;
        return 0;
}

void burst_received(struct watched *all, struct link *link, const struct piece *piece)
{
        struct burst *burst = link->last_burst ? watched_burst(all, link->last_burst) : NULL;
        uint64_t kernel_ns =
                piece->kernel_ns ? min_u64(piece->kernel_ns, piece->end_ns) : piece->end_ns;

        if (!burst || !is_unseen(link))
                return;
        if (!burst->first_read_ns) {
                burst->first_kernel_ns = kernel_ns;
                burst->first_read_ns = piece->end_ns;
        } else if (!burst->second_read_ns) {
                burst->second_kernel_ns = kernel_ns;
                burst->second_read_ns = piece->end_ns;
        }
        burst->last_kernel_ns = kernel_ns;
        burst->last_read_ns = piece->end_ns;
        burst->n_received += piece->n;
        burst->n_receives++;
}
