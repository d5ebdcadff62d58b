/* SPDX-License-Identifier: MIT */
/*
 * Dialling: from a host to a connected socket
 *
 * Resolves the host and races its addresses (RFC 8305). The first address is tried at once, the
 * next one whenever DIAL_ATTEMPT_DELAY_NS have passed or an attempt has failed. The first to
 * connect wins; the others are closed. Addresses that the resolver delivers late join the race. The
 * dial fails when no address is left and the resolver has no more. Addresses that a filter refuses
 * do not take part; where it refuses all, its error for the first one is the dial's.
 */
#ifndef NET_DIAL_H
#define NET_DIAL_H

#include "resolve.h"

#define DIAL_ATTEMPT_DELAY_NS (250 * NS_PER_MS) /* RFC 8305 section 8 */
#define DIAL_PATH_RETRY_NS    (5 * NS_PER_MS)   /* a server accepts hundreds meanwhile */
#define DIAL_RACERS_MAX       4                 /* sockets at once for one connection */

#define DIAL_DENIED_MAX 4 /* refused addresses that are remembered */

/* What became of one address. */
enum dial_fate {
        DIAL_GOES_ON,
        DIAL_CONNECTED,
        DIAL_FAILED,    /* `sys` says why */
        DIAL_OVERTAKEN, /* another one connected meanwhile */
        DIAL_STOPPED,   /* by dial_stop() */
        DIAL_DENIED,    /* by the filter: nothing was sent */
};

/* A try of one address. */
struct dial_try {
        struct net_address address;
        uint64_t begin_ns, end_ns;
        int sys;
        enum dial_fate fate;
};

struct dial;
typedef void (*dial_done)(struct dial *dial, int r);

/* Which addresses may be connected: for whoever embeds it. */
struct dial_filter {
        /* Of a host, that it was resolved to. 0: it may. Negative with *error: it is left out. */
        int (*check)(const struct dial_filter *filter, struct muster_str host,
                const struct net_address *address, struct muster_error *error);
};

/* Whom to reach. */
struct dial_target {
        struct muster_str host; /* borrowed until `done` or dial_stop() */
        uint16_t port;
        const struct dial_filter *filter; /* NULL: all addresses; borrowed as `host` */
};

/* One attempt to reach a host. Embed it; zeroed does nothing. */
struct dial {
        struct loop *loop;
        /* called once, from the loop, as the last step: it may free the dial */
        dial_done done;
        /* set if `done` got r < 0: MUSTER_E_RESOLVE, _CONNECT, _RESOURCE, or the filter's */
        struct muster_error error;
        uint64_t dns_end_ns; /* when the first address became known; 0 before */
        unsigned n_tried;    /* addresses */
        /* of the winner; during the race, the one that failed last */
        struct sockaddr_storage address;
        socklen_t address_len;

        const char
                *path; /* of a socket in the file system, instead of a host; borrowed; NULL: none */
        struct dial_target target;
        struct resolve_waiter waiter;
        struct loop_timer timer; /* the next address is due, or the failure is to be reported */
        struct net_address addresses[RESOLVE_ADDRESSES_MAX];
        size_t n_addresses, n_started;
        struct dial_try tries[RESOLVE_ADDRESSES_MAX + DIAL_DENIED_MAX];
        size_t n_tries;  /* in the order in which they began; none of a path */
        size_t n_denied; /* of these; more than DIAL_DENIED_MAX are not remembered */
        bool is_final;   /* the resolver has no more */
        bool has_failed;
        struct dial_racer {
                struct loop_socket socket;
                struct dial *dial;
                struct net_address address;
                struct dial_try *try; /* NULL: a path */
        } racers[DIAL_RACERS_MAX];
        struct dial_racer *winner;
};

/*
 * Start dialling. 0: the loop calls `done` later, whatever happens. MUSTER_E_RESOURCE: memory is
 * out, and `done` is not called.
 */
int dial_start(struct dial *dial, struct loop *loop, struct resolver *resolver, dial_done done,
        const struct dial_target *target);

/*
 * The same to a socket in the file system, or in the abstract namespace, by a path that fits into
 * struct sockaddr_un. While too many wait there to be accepted it is tried again. It never fails at
 * once.
 */
void dial_start_path(struct dial *dial, struct loop *loop, dial_done done, const char *borrow_path,
        bool is_abstract);

/* Move the connected socket to its owner. For use within done(dial, 0). */
void dial_take_socket(struct dial *dial, struct loop_socket *to, loop_handler handle);

/* Stop and release everything without calling `done`. May be called twice, and after `done`. */
void dial_stop(struct dial *dial);

#endif
