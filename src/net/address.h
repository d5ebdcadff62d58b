/* SPDX-License-Identifier: MIT */
/*
 * Addresses, as text and as the kernel takes them
 */
#ifndef NET_ADDRESS_H
#define NET_ADDRESS_H

#include <base/str.h>
#include <netinet/in.h>
#include <sys/socket.h>

/* An address without port. */
struct net_address {
        sa_family_t family; /* AF_INET or AF_INET6 */
        union {
                struct in_addr v4;
                struct in6_addr v6;
        } u;
};

#define ADDRESS_TEXT_MAX 64 /* holds "[ffff:...]:65535" */

/*
 * Write "192.0.2.1:443", "[2001:db8::1]:443" or "unix:/path" ("unix:@name" in the abstract namespace)
 * into `text`, cut if it is too long; "" for another family.
 */
void address_text(const struct sockaddr *address, char *text, size_t size);

/* Parse an IPv4 or IPv6 literal, the latter with or without brackets. False if it is neither. */
bool address_parse(struct muster_str text, struct net_address *ret_address);

bool address_eq(const struct net_address *a, const struct net_address *b);

/* Make the address and a port into what connect() takes. Returns its length. */
socklen_t address_to_sockaddr(const struct net_address *address, uint16_t port,
        struct sockaddr_storage *ret_sockaddr);

#endif
