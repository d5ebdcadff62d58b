/* SPDX-License-Identifier: MIT */
/*
 * Names to addresses
 *
 * c-ares, driven by the loop: /etc/hosts and DNS, A and AAAA asked apart. One lookup serves all who
 * wait for the same name. Answers are kept for their TTL (at least 1 s, at most RESOLVE_TTL_MAX_S,
 * and of bounded number, the oldest go first), failures for RESOLVE_FAILURE_TTL_S. Overrides
 * (--resolve) come before everything; an address literal and "localhost" (RFC 6761 section 6.3) are
 * answered without asking anybody.
 *
 * A waiter hears of addresses as RFC 8305 section 3 wants it: at once when AAAA is there; when A is
 * there first, after the resolution delay of 50 ms or when AAAA has come, whichever is earlier.
 * What comes later comes as one more event.
 */
#ifndef NET_RESOLVE_H
#define NET_RESOLVE_H

#include "address.h"
#include "loop.h"
#include <base/map.h>
#include <muster/error.h>

#define RESOLVE_DELAY_NS      (50 * NS_PER_MS) /* RFC 8305 section 8 */
#define RESOLVE_TTL_MAX_S     3600  /* a long-lived program should see a move within the hour */
#define RESOLVE_FAILURE_TTL_S 1     /* long enough to spare the server a batch's herd */
#define RESOLVE_NAMES_MAX     10000 /* names kept; about 4 MB */
#define RESOLVE_ADDRESSES_MAX 32    /* of one name; more would never be tried */

struct resolve_answer {
        /*
         * In the order to try them, families interleaved; borrowed until the resolver is asked
         * again or the waiter returns.
         */
        const struct net_address *addresses;
        size_t n;
        bool is_final;                    /* no more will come */
        const struct muster_error *error; /* final and n == 0: why; borrowed */
};

struct resolve_waiter;
typedef void (*resolve_answered)(struct resolve_waiter *waiter,
        const struct resolve_answer *answer);

/* Somebody who waits for a name. Embed it; zeroed waits for nothing. */
struct resolve_waiter {
        /* one or two calls, the last with is_final; all addresses known so far each time */
        resolve_answered answered;
        struct list waiter_link;
        bool was_told; /* of a part */
};

struct resolver;

/* A question that was answered, or not; borrowed. */
struct resolve_lookup {
        const char *host;
        uint64_t start_ns;
        int code; /* enum muster_code */
        size_t n_addresses;
};

struct resolver_options {
        const char *servers; /* "ADDRESS[:PORT],..." or NULL for the system's */
        const char *const *
                /*
                 * "HOST:PORT:ADDRESS[,ADDRESS...]", NULL-ended, or NULL; IPv6 in brackets or bare
                 */
                overrides;
        void (*looked_up)(void *observer,
                const struct resolve_lookup *lookup); /* NULL: no matter */
        void *observer;
};

/* MUSTER_E_INVALID (options), MUSTER_E_RESOURCE; *error says it. */
int resolver_new(struct resolver **ret_resolver, struct loop *loop,
        const struct resolver_options *options, struct muster_error *error);

/* Waiters are dropped unanswered. Returns NULL, takes NULL. */
struct resolver *resolver_free(struct resolver *resolver);

/*
 * Ask for a host (as in a URL: name, IPv4, or IPv6 without brackets). 0: the final answer is known
 * now, and is in *ret_answer; the waiter is not called. RESOLVE_WAIT: the waiter will be called
 * from the loop. MUSTER_E_RESOURCE: memory is out.
 */
#define RESOLVE_WAIT 1
int resolver_ask(struct resolver *resolver, struct resolve_waiter *waiter, struct muster_str host,
        uint16_t port, struct resolve_answer *ret_answer);

/*
 * Wait no more. Nothing happens to a waiter that does not wait. The lookup goes on for others and
 * for the cache.
 */
void resolve_waiter_cancel(struct resolve_waiter *waiter);

/* Lookups begun: what was answered from the cache or by joining another does not count. */
uint64_t resolver_n_lookups(const struct resolver *resolver);

#endif
