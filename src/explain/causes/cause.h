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
 *      causes_duplicates.c a list that asks for the same more than once
 *      causes_conns.c      connections that are not kept: closed, stale, expired
 *      causes_connect.c    opening them: ports, descriptors, dropped SYNs
 *      causes_herd.c       opening many at the same moment: they wait for each other
 *      causes_workers.c    opened, and not served
 *      causes_proxy.c      the proxy
 *      causes_names.c      DNS
 *      causes_addresses.c  addresses that are tried first and do not answer
 *      causes_tls.c        handshakes
 *      causes_wire.c       loss, redirects
 *      causes_pieces.c     responses that stop on the way: Nagle, pauses of the server
 *      causes_window.c     slow start
 *      causes_bodies.c     slow bodies: a full link, a rate of each connection, a server that drips
 *      causes_streams.c    HTTP/2: too few streams, windows for uploads, a loss that stops them all
 *      causes_processor.c  the machine: its processors used by others, quotas, this program stopped
 *      causes_client.c     this program: its thread, the reader of the output
 *      causes_work.c       work on bodies: in the loop's thread, with too few workers, or with such of the
 *                          program's own
 *      causes_server.c     slow, saturated
 *      causes_unsteady.c   a cold start, pauses in which a server answers nothing
 *      causes_uneven.c     one host or path of several is slow
 *      causes_refused.c    throttling, and other answers that made us try again
 *      causes_failed.c     what failed for another reason, and whether it was tried again
 *
 * and of programs that were watched, in the words of their libraries (library_words.h):
 *
 *      causes_program_flow.c   how many requests they have under way, and what bounds them
 *      causes_program_conns.c  clients, pools and connections that are made again and again
 *      causes_program_loop.c   what holds their loop or their interpreter
 *      causes_program_pauses.c what they sleep for between requests
 */
#ifndef EXPLAIN_CAUSE_H
#define EXPLAIN_CAUSE_H

#include "finding.h"
#include <explain/facts/facts.h>
#include <explain/facts/program.h>
#include <explain/model/bounds.h>
#include <explain/model/replay.h>

/* Whose runs a rule is about. */
enum cause_scope {
        CAUSE_OF_ALL,
        CAUSE_OF_OURS,     /* of our own client: its limits, its loop, its options */
        CAUSE_OF_PROGRAMS, /* of programs that were watched: facts->program is there */
};

struct cause {
        const char *name;        /* stable: in JSON, in scenarios */
        enum muster_grade grade; /* at best; a rule may lower its finding's */
        bool (*rule)(const struct facts *facts, struct finding *finding);
        enum cause_scope scope;
        /*
         * holds where only connections were seen (program.h): it looks at when bytes went and came,
         * and at what the kernel counts, and not at status, path or line, nor at who closed first
         */
        bool holds_outside;
};

/* May the rule be asked about such a run? */
static inline bool cause_is_about(const struct cause *cause, const struct facts *facts)
{
        if (facts->program && facts->program->is_outside && !cause->holds_outside)
                return false;
        return cause->scope == CAUSE_OF_ALL ||
               (cause->scope == CAUSE_OF_PROGRAMS) == (facts->program != NULL);
}

/* The families: each ends with a zeroed value. */
extern const struct cause causes_slots[];
extern const struct cause causes_input[];
extern const struct cause causes_duplicates[];
extern const struct cause causes_conns[];
extern const struct cause causes_connect[];
extern const struct cause causes_herd[];
extern const struct cause causes_workers[];
extern const struct cause causes_proxy[];
extern const struct cause causes_names[];
extern const struct cause causes_addresses[];
extern const struct cause causes_tls[];
extern const struct cause causes_wire[];
extern const struct cause causes_pieces[];
extern const struct cause causes_window[];
extern const struct cause causes_bodies[];
extern const struct cause causes_streams[];
extern const struct cause causes_processor[];
extern const struct cause causes_client[];
extern const struct cause causes_work[];
extern const struct cause causes_server[];
extern const struct cause causes_unsteady[];
extern const struct cause causes_uneven[];
extern const struct cause causes_refused[];
extern const struct cause causes_failed[];
extern const struct cause causes_program_flow[];
extern const struct cause causes_program_conns[];
extern const struct cause causes_program_loop[];
extern const struct cause causes_program_pauses[];

/* What many requests failed by, which is told beside the causes of slowness. */
extern const struct cause cause_failures[];

#endif
