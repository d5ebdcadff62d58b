/* SPDX-License-Identifier: MIT */
/*
 * Outstanding: the requests that an engine works on, in order of arrival and by number
 */
#ifndef CORE_OUTSTANDING_H
#define CORE_OUTSTANDING_H

#include "request.h"

struct outstanding {
        struct list list; /* of requests, by all_link */
        struct muster_request **chains;
        size_t mask;
};

/* `n`: about as many as will be there at once. MUSTER_E_RESOURCE: deinit it all the same. */
int outstanding_init(struct outstanding *outstanding, size_t n);

/* It must be empty. */
void outstanding_deinit(struct outstanding *outstanding);

void outstanding_add(struct outstanding *outstanding, struct muster_request *request);
void outstanding_remove(struct outstanding *outstanding, struct muster_request *request);

/* The request of that number; NULL when there is none. */
struct muster_request *outstanding_find(const struct outstanding *outstanding, uint64_t id);

#endif
