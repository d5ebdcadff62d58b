/* SPDX-License-Identifier: MIT */
/*
 * Causes of slowness
 *
 * A cause is a value in the table of its family: a name and a rule that looks at the facts. The
 * rule answers false when the cause is not there or does not matter. When it answers true it has
 * filled the finding. Rules do not know of each other. Where two causes look alike, both rules look
 * at the fact that tells them apart.
 *
 *      causes_slots.c      too few at once, given up while waiting for a slot, a few that take long
 *      causes_input.c      nothing to do: slow input, barriers, rates
 *      causes_conns.c      connections that are not kept: closed, stale, expired
 *      causes_connect.c    opening them: ports, descriptors, dropped SYNs
 *      causes_herd.c       opening many at the same moment: they wait for each other
 *      causes_names.c      DNS and addresses
 *      causes_tls.c        handshakes
 *      causes_wire.c       Nagle, loss, redirects
 *      causes_window.c     slow start, a full link
 *      causes_streams.c    HTTP/2: too few streams, windows for uploads, a loss that stops them all
 *      causes_client.c     this program: its thread, the processor, the reader of the output
 *      causes_work.c       work on bodies: in the loop's thread, or with too few workers
 *      causes_server.c     slow, saturated
 *      causes_uneven.c     one host or path of several is slow
 *      causes_refused.c    throttling, and other answers that made us try again
 */
#ifndef EXPLAIN_CAUSE_H
#define EXPLAIN_CAUSE_H

#include "finding.h"
#include <explain/facts/facts.h>
#include <explain/model/bounds.h>
#include <explain/model/replay.h>

struct cause {
        const char *name;        /* stable: in JSON, in scenarios */
        enum muster_grade grade; /* at best; a rule may lower its finding's */
        bool (*rule)(const struct facts *facts, struct finding *finding);
};

/* The families: each ends with a zeroed value. */
extern const struct cause causes_slots[];
extern const struct cause causes_input[];
extern const struct cause causes_conns[];
extern const struct cause causes_connect[];
extern const struct cause causes_herd[];
extern const struct cause causes_names[];
extern const struct cause causes_tls[];
extern const struct cause causes_wire[];
extern const struct cause causes_window[];
extern const struct cause causes_streams[];
extern const struct cause causes_client[];
extern const struct cause causes_work[];
extern const struct cause causes_server[];
extern const struct cause causes_uneven[];
extern const struct cause causes_refused[];

#endif
