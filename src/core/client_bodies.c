/* SPDX-License-Identifier: MIT */
#include "client_bodies.h"

/* Memory that is kept for the next bodies must not be much beside what bodies may have. */
void client_bodies_init(struct muster_client *client)
{
        uint64_t cap = client->settings.body_memory_bytes;

        if (client->bodies.max_bytes > cap / 4)
                client->bodies.max_bytes = cap / 4;
        client->body_memory.cap_bytes = cap ? cap : UINT64_MAX;
        client->body_share = &client->engine.body_share;
        if (client->settings.threads == 1)
                return;
        client->body_share = &client->caller_share;
        body_share_init(client->body_share, &client->body_memory, NULL);
}

/* Is nothing outstanding, and does the caller have no result? */
static bool is_idle(const struct muster_client *client)
{
        return client->engine.n_held == 0 && list_is_empty(&client->taken);
}

void client_bodies_keep(struct muster_client *client, struct buf *body)
{
        if (body->size >= BUF_STORE_LEAST_BYTES)
                buf_store_give(&client->bodies, body);
        if (is_idle(client))
                buf_store_empty(&client->bodies);
}

void client_bodies_freed(struct muster_client *client, struct muster_request *request)
{
        if (request->hold.state != BODY_NONE)
                body_hold_free(&client->body_memory, &request->hold);
        else if (!request->uses_sink)
                body_share_count(client->body_share, -(int64_t)request->result.body.len);
}

void client_bodies_tell(struct muster_client *client)
{
        uint64_t bytes = 0;

        body_share_settle(client->body_share);
        if (!body_share_is_full(client->body_share))
                return;
        for (struct list *link = client->taken.next; link != &client->taken; link = link->next) {
                const struct muster_request *request = request_of_link(link);

                if (!request->relay && !request->uses_sink && request->hold.state == BODY_NONE)
                        bytes += request->result.body.len;
        }
        body_memory_caller_has(&client->body_memory, bytes);
}
