/* SPDX-License-Identifier: MIT */
/*
 * Origins: scheme, host and port, and everything that belongs to one
 *
 * An origin is made when the first request names it, and kept while anything belongs to it. The
 * last ORIGINS_KEPT that are unused are kept for what their servers were found to accept.
 */
#ifndef CORE_ORIGIN_H
#define CORE_ORIGIN_H

#include "auth_session.h"
#include "doubt.h"
#include "rate.h"
#include "route.h"
#include "throttle.h"
#include <base/buf.h>
#include <base/heap.h>
#include <base/list.h>
#include <base/map.h>
#include <http/url.h>

#define ORIGINS_KEPT 1024 /* unused ones; each takes about 300 bytes */

struct split_part;
struct tls_sessions;

/* Which protocol a server has chosen where it was offered both. */
enum origin_protocol { ORIGIN_UNKNOWN, ORIGIN_HTTP_1, ORIGIN_HTTP_2 };

struct origin {
        struct map_node node;    /* by key, "https://example.com:443" */
        struct list unused_link; /* in origins->unused while nothing belongs to it */
        struct buf key;
        struct buf host; /* without brackets */
        uint16_t port;
        bool is_tls;
        struct route route;
        /* for resumption, shared with other engines; NULL before the first handshake: tls.h */
        struct tls_sessions *sessions;

        struct auth_sessions auth; /* what it asked for: see login.h */

        struct list queue;      /* requests that wait for a slot */
        struct list ready_link; /* in sched->ready or sched->held while some wait */
        struct list usable;     /* connections of its own with room, newest first: see pool.h */
        unsigned n_queued, n_running, n_conns;
        uint32_t number;              /* in the record; 0: not recorded yet */
        uint64_t freed_by, held_mark; /* see sched.c */
        bool is_held;
        uint8_t held_why;
        /* Where requests share connections: see room.h. */
        struct list awaited;     /* connections that are being made, and that others may wait for */
        uint8_t protocol;        /* enum origin_protocol */
        bool was_in_vain;        /* the last one failed: await none */
        unsigned n_shared_conns; /* that are HTTP/2, or may become it */
        unsigned n_streams_allowed; /* on each, as far as known; 0: not */
        /* that the last one took, whose GOAWAY left other requests over; 0: none has */
        unsigned n_taken;
        bool takes_as_many;      /* the one before it took as many, so the next one will */
        bool bounds_streams;     /* requests wait for streams: n_streams_free counts */
        unsigned n_streams_free; /* so many more requests may start now */
        unsigned credit;         /* slots beyond its share that it has earned: see sched.h */
        /* this engine's part of its limit and its rate, if others have it as well: see split.h */
        struct split_part *part;
        unsigned n_hot_seen; /* places of hot origins that were searched for it: see lane.c */

        /* What the server refuses and accepts: see refusal.h. */
        struct throttle *throttle;   /* NULL: it has refused nothing */
        struct heap_node rest_node;  /* in sched->resting, until the throttle's next start */
        uint64_t first_start_ns;     /* of the first of its requests */
        unsigned n_let_in;           /* responses that were no refusals */
        bool refuses_expect;         /* answered 417 to Expect: 100-continue */
        uint16_t recent_unavailable; /* a bit for each of the last responses: was it 503? */
        struct doubt doubt;          /* are these a limit? */

        /* With a rate, requests wait for their moments first: see pace.h. */
        struct list planned; /* requests that wait for their moment; n_queued includes them */
        unsigned n_planned;
        struct list pace_link;       /* in pace->fresh or pace->turns */
        struct heap_node aside_node; /* in pace->asides */
        struct rate rate;
};

struct origins {
        const struct routes *routes; /* NULL: everything is reached directly */
        struct map map;
        struct list unused; /* oldest first */
        unsigned n_unused;
        struct buf key; /* scratch */
        /* the origin found last: lists tend to name one origin many times */
        struct origin *last;
};

static inline struct origin *origin_of_ready_link(struct list *link)
{
        return LIST_OWNER(link, struct origin, ready_link);
}

static inline struct origin *origin_of_pace_link(struct list *link)
{
        return LIST_OWNER(link, struct origin, pace_link);
}

void origins_init(struct origins *origins);

/* Release all origins, which must be unused. */
void origins_deinit(struct origins *origins);

/*
 * Find or make the origin of a URL. It stays until origins_release() is called when nothing belongs
 * to it. MUSTER_E_RESOURCE.
 */
int origins_get(struct origins *origins, const struct url *url, struct origin **ret_origin);

/* Call this when something no longer belongs to the origin. The origin may be gone afterwards. */
void origins_release(struct origins *origins, struct origin *origin);

#endif
