/* SPDX-License-Identifier: MIT */
/*
 * A client's options, checked, copied and with defaults filled in; durations in ns, UINT64_MAX for
 * never
 */
#ifndef CORE_SETTINGS_H
#define CORE_SETTINGS_H

#include "guard.h"
#include "netrc.h"
#include "route.h"
#include <muster/client.h>
#include <stddef.h>

/* The size that counts if a caller leaves `size` at 0: up to the last member of version 0.1. */
#define CLIENT_OPTIONS_BYTES_0_1 (offsetof(struct muster_client_options, no_reuse) + sizeof(bool))
#define REQUEST_OPTIONS_BYTES_0_1                                                                  \
        (offsetof(struct muster_request_options, process_inline) + sizeof(bool))

struct settings {
        unsigned threads; /* 1: the caller's thread; otherwise the number of our own */
        unsigned concurrency, per_host;
        size_t queue_size;

        uint64_t queue_timeout_ns, connect_timeout_ns, read_timeout_ns, total_timeout_ns;
        uint64_t deadline_ns, idle_timeout_ns;
        uint64_t expect_timeout_ns, expect_above_bytes;

        uint64_t low_speed_bytes_per_s, low_speed_time_ns; /* UINT64_MAX: any speed will do */
        bool low_speed_is_given;                           /* then it is for streams, too */

        unsigned max_retries, retry_budget_percent, max_redirects;
        uint64_t retry_delay_ns, retry_delay_max_ns;
        uint64_t retry_fixed_delay_ns; /* 0: the delay is random */
        uint64_t retry_max_time_ns;

        uint64_t max_body_bytes;
        uint64_t body_memory_bytes; /* for the bodies of all requests; UINT64_MAX: no limit */
        size_t max_header_bytes;
        unsigned max_decode_ratio;

        unsigned workers;
        uint64_t decode_threshold_bytes; /* UINT64_MAX: the loop decodes everything */

        double rate_per_s, rate_per_host_per_s; /* 0: no limit */
        double rate_from_per_s;                 /* the ramp to rate_per_s begins with this */
        uint64_t rate_ramp_ns;                  /* 0: there is none */

        struct routes routes;
        struct guard guard;

        char *user_agent; /* "": none */

        struct muster_jar *cookies; /* held; NULL: none */
        struct muster_hsts *hsts;   /* held; NULL: none */
        unsigned auth;              /* set of schemes: see http/auth.h */
        struct netrc netrc;         /* empty: none */
        struct buf secret_fields;   /* names of header fields, each with a line end */
        bool netrc_is_optional, credentials_to_any_origin;

        bool no_redirects, no_decoding, keep_heads, discard_body, fail_on_status, fail_with_body,
                retry_unsafe;
        bool allow_https_to_http, http_1_0, no_reuse;
        unsigned http;     /* enum muster_http */
        unsigned h2_conns; /* UINT_MAX: no limit */
        bool learns_hsts;  /* certificates are verified */
};

/*
 * Fill in the settings from options, which may be NULL. MUSTER_E_INVALID with the option in *error;
 * MUSTER_E_RESOURCE.
 */
int settings_init(struct settings *settings, const struct muster_client_options *options,
        struct muster_error *error);
void settings_deinit(struct settings *settings);

/* The caller's options as this version knows them: members beyond their `size` are zero. */
struct muster_client_options settings_known_options(const struct muster_client_options *options);

/* Is the header field of that name a secret of this client? */
bool settings_is_secret(const struct settings *settings, struct muster_str name);

/* Is it one of enum muster_http? */
bool settings_is_http(unsigned http);

/* A timeout option in ns: 0 means `default_ns`. */
uint64_t settings_timeout_ns(uint64_t ms, uint64_t default_ns);

#endif
