/* SPDX-License-Identifier: MIT */
/*
 * What if: replays with a change that several causes are about
 *
 * Connections that are kept: a request opens one only while its origin has fewer than were in use
 * there at once. Every other request finds one that is there, and looks up no name, connects to
 * nothing and makes no handshake.
 *
 * Where answers waited beside the handshakes of others (measure/contention.h) they no longer do when
 * these are gone: then they take what they took beside few.
 */
#ifndef EXPLAIN_WHATIF_H
#define EXPLAIN_WHATIF_H

#include "replay.h"

enum whatif_contention {
        WHATIF_CONTENTION_GONE, /* an answer takes what it took beside few handshakes */
        /*
         * ... what the quick ones took; so do the connections that are left and our own work, as
         * these waited for handshakes, too
         */
        WHATIF_CONTENTION_LEAST,
        WHATIF_CONTENTION_KEPT, /* ... what it took */
};

struct whatif {
        /* each request's last attempt alone, as if the first one had led there */
        bool is_last_only;
        bool keeps_conns;
        enum whatif_contention contention; /* of answers whose neighbours shake no hands any more */
        uint64_t concurrency, per_host;    /* 0: as it was */
        bool is_alone;                     /* not scaled (replay.h) */
        double server_per_s; /* answers that the servers can give, as in a replay; 0: no limit */
        bool all_at_once;    /* submitted at the start, all of them */
        /*
         * What else is different; NULL: nothing. Called after the above; is_warm: its connection
         * had been used by another before.
         */
        void (*change)(struct replay_request *request, const struct facts *facts, bool is_warm,
                void *argument);
        void *argument;
};

/* The wall time. UINT64_MAX: out of memory. */
uint64_t whatif_wall_ns(const struct whatif *whatif, const struct facts *facts);

/*
 * The same with its range: of requests drawn anew (replay.h), and of what answers take when nobody
 * shakes hands beside them. Changes each request three times: the argument must not count them.
 */
void whatif_range_of(struct replay_range *range, const struct whatif *whatif,
        const struct facts *facts);

#endif
