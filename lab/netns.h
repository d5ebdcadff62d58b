/* SPDX-License-Identifier: MIT */
/*
 * Network namespaces: a network stack of one's own for a process
 *
 * Both functions change the calling process for good, and what it starts later: call them in a
 * child, before it has threads.
 */
#ifndef LAB_NETNS_H
#define LAB_NETNS_H

#include <base/str.h>

/*
 * Enter a new, empty network namespace. A process that may not do that enters a user namespace with
 * it, in which it is root. MUSTER_E_RESOURCE with what forbids it and what to do.
 */
int netns_enter(struct muster_error *error);

/*
 * Make this process and its children use the name server at `address`, by a mount namespace of its
 * own with another /etc/resolv.conf. MUSTER_E_RESOURCE: names are looked up as before.
 */
int netns_resolve_at(const char *address, struct muster_error *error);

#endif
