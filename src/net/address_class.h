/* SPDX-License-Identifier: MIT */
/*
 * What an address is for, by the registries of special-purpose addresses (RFC 6890, RFC 8190): is it
 * one of the internet, or does it lead to this machine, into its own network, or nowhere?
 *
 * What only looks like an address of the internet is none: addresses of IPv6 that stand for one of
 * IPv4 are what that is (64:ff9b::/96, RFC 6052) or are refused as such, since what translates them
 * may be anywhere. What is not assigned to anybody is none either.
 */
#ifndef NET_ADDRESS_CLASS_H
#define NET_ADDRESS_CLASS_H

#include "address.h"

/* What is known of a network of addresses; constant. */
struct address_class {
        const char *network; /* "10.0.0.0/8" */
        const char *name;    /* for "10.0.0.1 is NAME": "a private address" */
};

/*
 * The class of an address; NULL: it is one of the internet. The most telling one, where several
 * hold: 169.254.169.254 is a metadata service before it is link-local.
 */
const struct address_class *address_class(const struct net_address *address);

#endif
