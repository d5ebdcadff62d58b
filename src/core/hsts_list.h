/* SPDX-License-Identifier: MIT */
/*
 * The caller's list of hosts that want https only (muster/hsts.h): behind a lock, with a count of
 * who holds it
 */
#ifndef CORE_HSTS_LIST_H
#define CORE_HSTS_LIST_H

#include <http/field.h>
#include <http/hsts.h>
#include <http/url.h>
#include <muster/hsts.h>
#include <pthread.h>
#include <stdatomic.h>

struct muster_hsts {
        pthread_mutex_t lock; /* of `hsts` */
        atomic_uint n_refs;
        struct hsts hsts;
};

/* Keep what a response from `url`, whose certificate was verified, says. 0 or MUSTER_E_RESOURCE. */
int hsts_list_take(struct muster_hsts *list, const struct url *url, const struct fields *fields);

/* Make an http URL of a host on the list an https one. 0 or MUSTER_E_RESOURCE. */
int hsts_list_upgrade(struct muster_hsts *list, struct url *url);

#endif
