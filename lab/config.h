/* SPDX-License-Identifier: MIT */
/*
 * What a lab is to be: its listeners and their conditions, names, link
 *
 * One table of settings serves the command line (`--workers 4`) and scenario files (`workers 4`,
 * scenario.h): setting by setting, in order. Those of a listener belong to the listener begun last;
 * the first one is there from the start.
 */
#ifndef LAB_CONFIG_H
#define LAB_CONFIG_H

#include "authority.h"
#include "link_spec.h"
#include "pauses.h"
#include "spread.h"
#include "zone.h"
#include <net/address.h>

#define LISTENERS_MAX 32
#define ALIASES_MAX   64

/* What to do with requests beyond the queue for a worker. */
enum refusal { REFUSE_503, REFUSE_CLOSE };

/* What becomes of connections beyond `max_connections`. */
enum beyond { BEYOND_WAITS, BEYOND_503, BEYOND_CLOSED };

/* A path that stands for a behaviour. */
struct alias {
        char *path;
        char *target;
};

/* How HTTP/2 is spoken; zeroed: not at all. */
struct h2_config {
        bool is_on;
        bool is_set;      /* one of the others was given */
        unsigned streams; /* at once; 0: 100 */
        bool has_window;
        uint32_t window_bytes;            /* of a stream, for what the client sends */
        uint32_t connection_window_bytes; /* 0: 64 KiB - 1 */
        /* between two WINDOW_UPDATEs; 0: as bytes come; UINT64_MAX: there are none */
        uint64_t window_interval_ns;
        uint32_t frame_bytes;       /* that the client may send; 0: 16 KiB */
        uint32_t header_list_bytes; /* of a request; 0: 64 KiB, and it is not told */
        uint32_t head_frame_bytes;  /* of a response's HEADERS and CONTINUATIONs; 0: 16 KiB */
        uint64_t goaway_after;      /* that many requests; 0: never */
        uint32_t goaway_code;       /* NO_ERROR: what was begun is answered still */
        double refuse_share;
        uint32_t refuse_code;
        uint64_t settings_delay_ns;
        bool no_pong;
};

struct listener_config {
        char *name;
        struct net_address address;
        uint16_t port; /* 0: a free one */

        /* connections */
        bool has_tls;
        enum tls_fault tls_fault;
        bool tls_no_resumption;
        unsigned tls_max_minor; /* as in tls_server.h */
        uint64_t tls_handshake_cost_ns;
        unsigned backlog;            /* 0: the system's most */
        uint64_t accept_interval_ns; /* 0: as they come */
        unsigned max_connections;    /* served at once; 0: any number */
        enum beyond beyond;
        bool no_keep_alive;
        uint64_t max_requests;    /* of a connection; 0: any number */
        uint64_t idle_timeout_ns; /* 0: none */
        bool no_nodelay;
        bool no_continue;     /* what Expect asks for is not answered */
        uint64_t write_bytes; /* sent at once at most; 0: all */
        uint64_t bytes_per_s; /* of a connection, sent at most; 0: as fast as it goes */
        char *congestion;     /* congestion control; NULL: the system's */
        struct h2_config h2;

        /* requests */
        struct spread delay;
        struct spread body_delay; /* between head and body */
        unsigned n_cold;          /* of the first requests */
        struct spread cold;       /* ... longer each waits */
        struct pauses pauses;     /* since_ns is the listener's */
        double error_share;
        double rate_per_s;    /* 0: no limit */
        double burst;         /* 0: 1 */
        int limit_status;     /* of what is above it; 0: 429 */
        bool limit_is_silent; /* without Retry-After */
        unsigned workers;     /* 0: no capacity model */
        struct spread service;
        double coherency;
        double contention;
        unsigned queue;
        bool has_queue; /* false: it has no bound */
        enum refusal refusal;
        struct alias aliases[ALIASES_MAX];
        unsigned n_aliases;
};

struct lab_config {
        struct listener_config listeners[LISTENERS_MAX];
        unsigned n_listeners;
        bool first_is_named; /* a `listener` line names the first one before it begins another */
        struct zone zone;
        bool has_names;
        struct buf certificate_names; /* of the zone, as authority_issue() takes them; terminated */
        struct net_address dns_address;
        uint16_t dns_port; /* 0: a free one */
        struct link_spec link;
        bool has_link;
        uint64_t seed;
        char *about; /* of a scenario: what it shows; NULL: nothing was said */
        char *run;   /* of a scenario: the command that shows it; NULL: none */
        /* of a scenario: the name of the cause that explain is to find first; NULL: none */
        char *cause;
};

struct config_setting {
        const char *group;    /* a heading; NULL: as the one before */
        const char *name;     /* NULL ends the table */
        const char *argument; /* NULL: takes none */
        const char *help;
        int (*set)(struct lab_config *config, struct listener_config *listener,
                struct muster_str value, struct muster_error *error);
};

extern const struct config_setting config_settings[];

/* A lab with one plain listener on a free port of the loopback address. MUSTER_E_RESOURCE. */
int config_init(struct lab_config *config);
void config_deinit(struct lab_config *config);

/* The setting of that name; NULL: there is none. */
const struct config_setting *config_find(struct muster_str name);

/*
 * Apply a setting. `value` is empty if it takes none. MUSTER_E_INVALID: *error says what is wrong
 * with the value and what is accepted, without the setting's name.
 */
int config_set(struct lab_config *config, const struct config_setting *setting,
        struct muster_str value, struct muster_error *error);

/* Do the settings go together? MUSTER_E_INVALID with *error. */
int config_check(const struct lab_config *config, struct muster_error *error);

#endif
