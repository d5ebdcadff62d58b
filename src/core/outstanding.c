/* SPDX-License-Identifier: MIT */
#include "outstanding.h"

#include <assert.h>
#include <base/mem.h>

#define CHAINS_MIN 64
#define CHAINS_MAX 65536

int outstanding_init(struct outstanding *outstanding, size_t n)
{
        size_t n_chains = CHAINS_MIN;

        while (n_chains < n && n_chains < CHAINS_MAX)
                n_chains *= 2;
        list_init(&outstanding->list);
        outstanding->mask = n_chains - 1;
        outstanding->chains = mem_array(n_chains, sizeof(*outstanding->chains));
        return outstanding->chains ? 0 : MUSTER_E_RESOURCE;
}

void outstanding_deinit(struct outstanding *outstanding)
{
        assert(list_is_empty(&outstanding->list));
        outstanding->chains = mem_free(outstanding->chains);
}

static struct muster_request **chain_of(const struct outstanding *outstanding, uint64_t id)
{
        return &outstanding->chains[id & outstanding->mask];
}

void outstanding_add(struct outstanding *outstanding, struct muster_request *request)
{
        struct muster_request **chain = chain_of(outstanding, request->id);

        assert(!list_is_linked(&request->all_link));
        request->next_of_id = *chain;
        *chain = request;
        list_push_back(&outstanding->list, &request->all_link);
}

void outstanding_remove(struct outstanding *outstanding, struct muster_request *request)
{
        struct muster_request **at = chain_of(outstanding, request->id);

        while (*at != request)
                at = &(*at)->next_of_id;
        *at = request->next_of_id;
        list_remove(&request->all_link);
}

struct muster_request *outstanding_find(const struct outstanding *outstanding, uint64_t id)
{
        struct muster_request *request = *chain_of(outstanding, id);

        while (request && request->id != id)
                request = request->next_of_id;
        return request;
}
