/* SPDX-License-Identifier: MIT */
/*
 * Sightings: processes and connections as they are seen from outside
 */
#ifndef CLI_WATCH_SIGHTING_H
#define CLI_WATCH_SIGHTING_H

#include "executable.h"
#include "filter.h"
#include "outside_log.h"
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define SIGHTINGS_MAX 1000000 /* connections; more are only let through */

struct sighted_process {
        pid_t pid;
        int pid_fd;      /* -1: it is over */
        int listener;    /* that told of it */
        bool is_outside; /* no library is in it that sees more */
        enum executable_kind kind;
        char name[64];      /* of its file, without folders */
        uint64_t judged_ns; /* when that was found out: another program may be in its place */
        bool is_refused;    /* its descriptors cannot be had */
        uint32_t *conns;    /* by descriptor: the last one, its number; 0: none */
        size_t n_conns;
        struct outside_log log;
};

union sighted_address {
        sa_family_t family;
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
};

/* A connection of TCP; or a datagram socket that asks a name server. */
struct sighted_conn {
        uint32_t process; /* its index */
        int fd;
        bool is_open, is_lookup, was_reported;
        bool is_over; /* nothing more will be heard of it */
        int sys;      /* why it could not connect; 0: it could, or is not known */
        union sighted_address address;
        socklen_t address_size;
        uint64_t cookie; /* of the socket: another one may have its number */
        uint64_t opened_ns, connected_ns;
        uint64_t last_ns; /* it was seen to be open */
        uint64_t gone_ns; /* then it was open no more; 0: not known */
        uint64_t n_sent, n_received, n_exchanges;
        uint64_t sent_ns, answered_ns; /* the last of each */
        uint64_t quickest_ns;          /* from sending to an answer's beginning; 0: not known */
        uint32_t rtt_us, min_rtt_us, n_retransmits, n_segments_sent;
        uint8_t state;     /* of TCP */
        bool has_answer;   /* what was sent last was answered */
        bool knows_sent;   /* sent_ns is exact */
        uint32_t n_pieces; /* data segments sent */
};

struct sightings {
        const char *folder;
        struct sighted_process *processes;
        size_t n_processes;
        pid_t *tids;      /* a table: of threads that have called, */
        uint32_t *owners; /* ... their process's index + 1 */
        size_t n_tids, tids_size;
        struct sighted_conn *conns;
        size_t n_conns, conns_size;
        uint32_t *open; /* numbers of those that are open */
        size_t n_open, open_size;
        uint32_t *by_cookie; /* a table: numbers */
        size_t by_cookie_size;
        uint64_t tick_ns; /* in such steps the kernel tells how long ago something was */
        uint64_t n_lost;  /* calls of which nothing was kept */
        int refused;      /* the errno of descriptors that could not be had; 0: they could */
};

/* Did the server end it first? As far as it was seen. */
bool sighted_was_left(const struct sighted_conn *conn);

void sightings_init(struct sightings *seen, const char *folder);
void sightings_deinit(struct sightings *seen);

/*
 * A process calls connect(). The connection's number, for which `sockets_fd` is to report; 0: it is
 * none to follow.
 */
uint32_t sightings_connect(struct sightings *seen, int listener, const struct filter_call *call,
        int sockets_fd, uint64_t now_ns);

/* All processes that this listener told of are over. */
void sightings_leave(struct sightings *seen, int listener);

/* Bytes have come for a connection, or its state is another. */
void sightings_look(struct sightings *seen, uint32_t number, uint64_t now_ns);

/* The kernel's last words about a socket, of whomever. */
struct last_words;
void sightings_hear(struct sightings *seen, const struct last_words *words, uint64_t now_ns);

/* All that are open. */
void sightings_look_at_all(struct sightings *seen, uint64_t now_ns);

/* Is there a connection of which nobody knows yet how it ended? */
bool sightings_are_open(const struct sightings *seen);

/* The longest round trip of those. */
uint64_t sightings_farthest_ns(const struct sightings *seen);

/* Nothing more is seen: write the logs. */
void sightings_end(struct sightings *seen, uint64_t now_ns);

/* In numbers. */
struct sighted_sums {
        size_t n_processes; /* that opened one */
        size_t n_conns, n_failed, n_lookups, n_addresses;
        size_t most_open; /* at once */
        size_t n_closed_by_server;
        size_t n_single; /* connections with one exchange */
        uint64_t n_exchanges, n_sent, n_received, n_retransmits, n_segments_sent;
        uint64_t connect_p50_ns, connect_max_ns, life_p50_ns, lookup_p50_ns, lookup_max_ns;
        uint32_t rtt_p50_us;
        uint64_t n_lost;
        int refused;
};

/* MUSTER_E_RESOURCE. */
int sightings_sum(const struct sightings *seen, struct sighted_sums *ret_sums);

#endif
