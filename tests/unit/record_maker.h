/* SPDX-License-Identifier: MIT */
/*
 * Records without a run
 *
 *      struct record record;
 *
 *      record_make(&record, &(struct record_maker){ .n = 200, .slots = 4, .each.server_ns = 50 *
 *      NS_PER_MS });
 *      record.attempts[7].status = 429;
 *      ...
 *      record_deinit(&record);
 *
 * What a client would have told of `n` requests that take what they are said to: with slots, edges,
 * connections and samples that fit together. Requests take slots in the order in which they become
 * ready, the first one that is free; a slot keeps a connection to each host. The loop takes no time
 * but what `loop_ns` says in the samples. The first submission is at RECORD_MAKER_START_NS.
 */
#ifndef TESTS_UNIT_RECORD_MAKER_H
#define TESTS_UNIT_RECORD_MAKER_H

#include <base/clock.h>
#include <record/record.h>

#define RECORD_MAKER_START_NS (1 * NS_PER_MS)
#define RECORD_MAKER_HOSTS    8 /* at most: "http://host1.example:80" ... */

/* A request as it is to be: durations, 0 where it does not have that. */
struct record_maker_request {
        uint64_t submit_after_ns;                   /* a moment: counts from the first submission */
        uint32_t host;                              /* from 0 */
        uint64_t dns_ns, tcp_ns, tunnel_ns, tls_ns; /* when it opens a connection */
        uint64_t send_ns, network_ns, server_ns, lag_ns, receive_ns;
        uint64_t decode_ns; /* on the loop, behind receive */
        uint64_t process_ns, deliver_ns;
        uint64_t wire_bytes;
        int16_t status;      /* of its last attempt; 0: 200, or none when there is a code */
        int8_t code;         /* of its last attempt */
        unsigned n_retries;  /* attempts before, each as long, answered with 503 */
        uint64_t backoff_ns; /* behind each of them */
};

struct record_maker {
        size_t n;
        uint64_t slots;                   /* 0: 64 */
        uint64_t per_host;                /* 0: no limit */
        uint32_t n_hosts;                 /* 0: 1; requests take turns */
        double rate_per_s;                /* 0: none */
        uint64_t rtt_ns;                  /* of connections; 0: network_ns of each */
        uint64_t loop_ns;                 /* of the loop's thread, for each attempt */
        bool no_reuse;                    /* a new connection for each attempt */
        struct record_maker_request each; /* what they are like */
        /*
         * How they differ; NULL: they do not. Called for each, `i` from 0, with a copy of `each`.
         */
        void (*vary)(struct record_maker_request *request, size_t i,
                const struct record_maker *maker);
        void *argument; /* for it */
};

/* Into `record`, to be ended with record_deinit(). 0 or MUSTER_E_RESOURCE. */
int record_make(struct record *record, const struct record_maker *maker);

/* Add rows, which then are at the end: sort them yourself. 0 or MUSTER_E_RESOURCE. */
int record_make_turn(struct record *record, const struct trace_turn *turn);
int record_make_try(struct record *record, const struct trace_try *try);
int record_make_lookup(struct record *record, const struct trace_lookup *lookup);
int record_make_counter(struct record *record, const char *name, int64_t before, int64_t after);

#endif
