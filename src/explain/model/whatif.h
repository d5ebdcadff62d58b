/* SPDX-License-Identifier: MIT */
/*
 * What if: replays with a change that several causes are about
 *
 * Connections that are kept: a request opens one only while its origin has fewer than were in use
 * there at once. Every other request finds one that is there, and looks up no name, connects to
 * nothing and makes no handshake.
 */
#ifndef EXPLAIN_WHATIF_H
#define EXPLAIN_WHATIF_H

#include "replay.h"

struct whatif {
        /* each request's last attempt alone, as if the first one had led there */
        bool is_last_only;
        bool keeps_conns;
        uint64_t concurrency; /* 0: as it was */
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

#endif
