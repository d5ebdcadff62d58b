/* SPDX-License-Identifier: MIT */
/*
 * Client bodies: the memory of the bodies that a caller has, or had
 */
#ifndef CORE_CLIENT_BODIES_H
#define CORE_CLIENT_BODIES_H

#include "client.h"

/* Set up what bodies may have, once the settings are known. */
void client_bodies_init(struct muster_client *client);

/* Keep the memory of a large body for the next ones, unless the client is idle. */
void client_bodies_keep(struct muster_client *client, struct buf *body);

/* What count_body() in finish.c has counted is gone. */
void client_bodies_freed(struct muster_client *client, struct muster_request *request);

/* Say how much the caller has, where that counts: to look costs time for each of its results. */
void client_bodies_tell(struct muster_client *client);

#endif
