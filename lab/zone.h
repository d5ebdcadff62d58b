/* SPDX-License-Identifier: MIT */
/*
 * The names that the lab's DNS server knows, and what trouble it makes with each
 *
 * A name is given as one text, words separated by blanks or commas:
 *
 *      NAME                    "a.test", "*.test" for all below it, "*" for all; an exact one wins,
 *                              then the longest
 *      192.0.2.1, 2001:db8::1  an address; as many as wanted
 *      cname=OTHER             it is another name for OTHER
 *      ttl=30s                 how long answers may be kept
 *      delay=100ms             answers come that much later; a spread (spread.h)
 *      delay-aaaa=100ms        the same for AAAA only, in place of delay=
 *      loss=50%                share of the questions that get no answer
 *      loss-first=2            so many questions get none at first, whatever their type
 *      silent, silent-aaaa     no question gets one; no AAAA
 *      servfail, nxdomain, refused     the answer is this; at most one of them
 *      broken-aaaa             AAAA is answered with SERVFAIL
 *      truncate                over UDP only that there is more; over TCP all
 *
 * A name without address of the type asked exists: NOERROR without records.
 */
#ifndef LAB_ZONE_H
#define LAB_ZONE_H

#include "dns_message.h"
#include "spread.h"
#include <base/map.h>
#include <net/address.h>

#define ZONE_ADDRESSES_MAX 1000 /* of one name: all of them fit in an answer over TCP */
#define ZONE_TTL_S         60

/* The answers of a name, or of all names that one with a "*" covers. */
struct zone_name {
        struct map_node node;
        char *name; /* lower case, no dot at the end */
        char *cname;
        struct net_address *addresses;
        size_t n_addresses;
        uint32_t ttl_s;
        enum dns_rcode rcode;
        struct spread delay, delay_aaaa;
        double loss; /* 0 to 1 */
        uint64_t n_loss_first;
        uint64_t n_asked; /* counted by the server */
        bool has_delay_aaaa;
        bool is_silent, is_silent_aaaa;
        bool has_broken_aaaa;
        bool is_truncated;
};

/* Zeroed is empty. */
struct zone {
        struct map names;
};

/* Release all names. May be called twice. */
void zone_deinit(struct zone *zone);

/*
 * Add a name. MUSTER_E_INVALID: the text says which word is wrong and what is accepted.
 * MUSTER_E_RESOURCE: memory is out.
 */
int zone_add(struct zone *zone, struct muster_str spec, struct muster_error *error);

/* Look up a name in lower case. Borrowed until zone_deinit(); NULL: there is none. */
struct zone_name *zone_find(const struct zone *zone, struct muster_str name);

#endif
