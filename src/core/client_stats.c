/* SPDX-License-Identifier: MIT */
/*
 * Counters of a client, over all of its engines
 */
#include "client.h"

#include <base/mem.h>

void muster_client_stats(const struct muster_client *client, struct muster_client_stats *ret_stats,
        size_t size)
{
        struct muster_client_stats stats;

        if (!client || !ret_stats)
                return;
        stats = client->lanes ? lanes_stats(client->lanes) : engine_stats(&client->engine);
        stats.body_bytes = body_share_sum(client->body_share);
        stats.n_body_waiting = atomic_load(&client->body_memory.n_waiting);
        stats.n_body_waits = atomic_load(&client->body_memory.n_waited);
        mem_copy_known(ret_stats, size, &stats, sizeof(stats));
}
