/* SPDX-License-Identifier: MIT */
/*
 * Resolver: from names to addresses
 *
 * c-ares driven by the loop: /etc/hosts and DNS, with separate questions for A and AAAA. One lookup
 * serves all who wait for the same name. Answers are kept for their TTL (at least 1 s, at most
 * RESOLVE_TTL_MAX_S), failures for RESOLVE_FAILURE_TTL_S. The number of names is bounded; the
 * oldest go first. Overrides (--resolve) come before everything. Address literals and "localhost"
 * (RFC 6761 section 6.3) need no question.
 *
 * A waiter gets addresses as RFC 8305 section 3 says: at once when the AAAA answer is there. If the
 * A answer is first, it gets that after the resolution delay of 50 ms or together with AAAA,
 * whichever is earlier. Addresses that come later are one more call.
 */
#ifndef NET_RESOLVE_H
#define NET_RESOLVE_H

#include "address.h"
#include "loop.h"
#include <base/map.h>
#include <muster/error.h>

#define RESOLVE_DELAY_NS  (50 * NS_PER_MS) /* RFC 8305 section 8 */
#define RESOLVE_TTL_MAX_S 3600 /* a long-lived program should notice a move within the hour */
/* long enough that a batch does not ask the name server for each request */
#define RESOLVE_FAILURE_TTL_S 1
#define RESOLVE_NAMES_MAX     10000 /* names kept; about 4 MB */
#define RESOLVE_ADDRESSES_MAX 32    /* of one name; more would never be tried */

struct resolve_answer {
        /*
         * In the order in which to try them, families interleaved; borrowed until the resolver is
         * asked again or the waiter returns.
         */
        const struct net_address *addresses;
        size_t n;
        bool is_final; /* no more will come */
        /* why there is no address, if final and n == 0; borrowed */
        const struct muster_error *error;
};

struct resolve_waiter;
typedef void (*resolve_answered)(struct resolve_waiter *waiter,
        const struct resolve_answer *answer);

/* Somebody who waits for a name. Embed it; zeroed waits for nothing. */
struct resolve_waiter {
        /*
         * called once or twice, the last time with is_final; each time with all addresses known so
         * far
         */
        resolve_answered answered;
        struct list waiter_link;
        bool was_told; /* has been called with a part of the addresses */
};

struct resolver;

/* A lookup that is over, with or without addresses; borrowed. */
struct resolve_lookup {
        const char *host;
        uint64_t start_ns;
        int code; /* enum muster_code */
        size_t n_addresses;
};

struct resolver_options {
        const char *servers; /* "ADDRESS[:PORT],..." or NULL for the system's */
        /* "HOST:PORT:ADDRESS[,ADDRESS...]", NULL-ended, or NULL; IPv6 with or without brackets */
        const char *const *overrides;
        /* called when a lookup is over; may be NULL */
        void (*looked_up)(void *observer, const struct resolve_lookup *lookup);
        void *observer;
        sa_family_t family; /* AF_INET, AF_INET6: only these addresses; 0: both */
};

/* MUSTER_E_INVALID (options), MUSTER_E_RESOURCE, with *error. */
int resolver_new(struct resolver **ret_resolver, struct loop *loop,
        const struct resolver_options *options, struct muster_error *error);

/* Waiters are dropped unanswered. Returns NULL, takes NULL. */
struct resolver *resolver_free(struct resolver *resolver);

/*
 * Resolve a host (as in a URL: name, IPv4, or IPv6 without brackets). 0: *ret_answer is the final
 * answer; the waiter is not called. RESOLVE_WAIT: the loop will call the waiter. MUSTER_E_RESOURCE:
 * memory is out.
 */
#define RESOLVE_WAIT 1
int resolver_ask(struct resolver *resolver, struct resolve_waiter *waiter, struct muster_str host,
        uint16_t port, struct resolve_answer *ret_answer);

/*
 * Stop waiting. Does nothing if the waiter does not wait. The lookup goes on for others and for the
 * cache.
 */
void resolve_waiter_cancel(struct resolve_waiter *waiter);

/* Lookups begun. Answers from the cache and waiters that joined a lookup do not count. */
uint64_t resolver_n_lookups(const struct resolver *resolver);

#endif
