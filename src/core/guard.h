/* SPDX-License-Identifier: MIT */
/*
 * Guard: which hosts, addresses and ports a client may reach
 *
 *      ports   if some are given, the URL's must be one of them
 *      names   if the URL's host is one of them, or beneath it: wherever that leads
 *      other   each address is checked: those of the internet with `denies_private`, and those in
 *              the networks that are given
 *
 * Host and port are checked before anything is looked up, addresses when they are about to be
 * connected, so that nothing can change in between. Each connection is checked, whether for a first
 * request, a redirect or a retry, and serves no other origin. The guard is pure and constant.
 */
#ifndef CORE_GUARD_H
#define CORE_GUARD_H

#include <muster/client.h>
#include <net/dial.h>

struct guard_host;
struct guard_ports;

/* Zeroed allows everything. */
struct guard {
        struct dial_filter filter;
        bool denies_private;
        struct guard_host *hosts;
        size_t n_hosts;
        bool has_networks; /* some of `hosts` are */
        struct guard_ports *ports;
        size_t n_ports;
};

/* Read the options. MUSTER_E_INVALID, MUSTER_E_RESOURCE with *error; deinit is needed in any case. */
int guard_init(struct guard *guard, const struct muster_client_options *options,
        struct muster_error *error);
void guard_deinit(struct guard *guard);

/* Is anything denied? */
static inline bool guard_is_active(const struct guard *guard)
{
        return guard->denies_private || guard->n_hosts || guard->n_ports;
}

/*
 * May host and port of a URL be asked for? `host` is as URLs have it, without brackets. 0: wherever
 * it leads. GUARD_BY_ADDRESS: to addresses that pass guard->filter. MUSTER_E_DENIED with *error.
 */
#define GUARD_BY_ADDRESS 1
int guard_check_host(const struct guard *guard, struct muster_str host, uint16_t port,
        struct muster_error *error);

#endif
