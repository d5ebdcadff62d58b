/* SPDX-License-Identifier: MIT */
/*
 * From a host to a connected socket
 *
 * Resolves and races the addresses (RFC 8305): the first is tried at once, the next one each time
 * that another DIAL_ATTEMPT_DELAY_NS has passed or one has failed, the first to connect wins and
 * the others are closed. Addresses that the resolver delivers late join the race. A failure is
 * reported when no address is left and the resolver has no more.
 */
#ifndef NET_DIAL_H
#define NET_DIAL_H

#include "resolve.h"

#define DIAL_ATTEMPT_DELAY_NS (250 * NS_PER_MS) /* RFC 8305 section 8 */
#define DIAL_RACERS_MAX       4                 /* sockets at once for one connection */

struct dial;
typedef void (*dial_done)(struct dial *dial, int r);

/* One attempt to reach a host. Embed it; zeroed does nothing. */
struct dial {
        struct loop *loop;
        /* called once, from the loop, as the last thing: the dial may be freed in it */
        dial_done done;
        struct muster_error error; /* done with r < 0: MUSTER_E_RESOLVE, _CONNECT, _RESOURCE */
        uint64_t dns_end_ns;       /* when the first address was known; 0 before */
        unsigned n_tried;          /* addresses */
        struct sockaddr_storage address; /* of the winner; while racing, of the last one tried */
        socklen_t address_len;

        struct muster_str host; /* borrowed until done or stopped */
        uint16_t port;
        struct resolve_waiter waiter;
        struct loop_timer timer; /* the next address is due, or the failure is to be told */
        struct net_address addresses[RESOLVE_ADDRESSES_MAX];
        size_t n_addresses, n_started;
        bool is_final; /* the resolver has no more */
        bool has_failed;
        struct dial_racer {
                struct loop_socket socket;
                struct dial *dial;
                struct net_address address;
        } racers[DIAL_RACERS_MAX];
        struct dial_racer *winner;
};

/*
 * Begin. `done` follows from a later point of the loop, whatever happens; negative only for
 * MUSTER_E_RESOURCE at once.
 */
int dial_start(struct dial *dial, struct loop *loop, struct resolver *resolver, dial_done done,
        struct muster_str borrow_host, uint16_t port);

/* Within done(dial, 0): move the connected socket to its owner. */
void dial_take_socket(struct dial *dial, struct loop_socket *to, loop_handler handle);

/* Give up, release everything; `done` is not called. May be called twice, and after done. */
void dial_stop(struct dial *dial);

#endif
