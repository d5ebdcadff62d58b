/* SPDX-License-Identifier: MIT */
/*
 * Races: which of a host's addresses were tried before the one that connected, and what they cost
 *
 * A host's addresses are tried in turn. The next one has its turn when one has failed, or has not
 * answered for 250 ms (RFC 8305). So what a connection lost is known exactly: the time until the
 * address that connected was tried. Where the record does not say which addresses were tried
 * (record->has_tries), there are no races.
 */
#ifndef EXPLAIN_RACES_H
#define EXPLAIN_RACES_H

#include <explain/facts/facts.h>

/* What was wrong with the addresses before. */
enum race_fault {
        RACE_WON_AT_ONCE, /* nothing, or it is not known */
        RACE_REFUSED,     /* they refused */
        RACE_SILENT,      /* one did not answer, or there was no way there */
        RACE_SILENT_IPV6, /* the same, and all of them are of IPv6, but the one that connected */
        RACE_N_FAULTS,
};

struct race {
        enum race_fault fault;
        uint64_t lost_ns;
        const struct trace_try *first;  /* the one that is at fault */
        const struct trace_try *winner; /* NULL: won at once, or not known */
};

/* Of one connection. */
void race_of(struct race *race, const struct record *record, const struct trace_conn *conn);

/* All races of one fault. */
struct races {
        size_t n_conns; /* that came about, with or without a fault */
        size_t n;       /* of these, with it */
        uint64_t lost_ns;
        struct spread connected_ns;             /* how long it took the winners to connect */
        const struct trace_try *first, *winner; /* of the address that was at fault most often */
        size_t n_first;                         /* how often */
        size_t n_addresses;                     /* that were at fault */
        bool are_all_ipv4, are_won_by_ipv6;     /* the addresses at fault; the others */
        /* Hosts, without ports. Which: by origin, 1 where it is concerned; to be freed. */
        size_t n_names, n_all_names;
        uint8_t *is_concerned;
};

/* 0 or MUSTER_E_RESOURCE; then, and else at the end: races_deinit(). */
int races_of(struct races *races, const struct facts *facts, enum race_fault fault);
void races_deinit(struct races *races);

/* The number of the origin whose name was dialled: a proxy's, or the connection's own. */
uint32_t race_origin(const struct trace_conn *conn);

#endif
