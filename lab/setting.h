/* SPDX-License-Identifier: MIT */
/*
 * The setters of the table of settings in config.c
 *
 * Each puts a value, as people write it, into `config` or into the listener that was begun last.
 * MUSTER_E_INVALID with what would be accepted, or MUSTER_E_RESOURCE.
 */
#ifndef LAB_SETTING_H
#define LAB_SETTING_H

#include "config.h"

/* Every setter has these; many use but one of the first two. */
#define SETTER(name)                                                                               \
        int setting_##name(struct lab_config *config, struct listener_config *listener,            \
                struct muster_str value, struct muster_error *error)

/* One that is on as soon as it is there uses neither. */
#define UNUSED2(a, b) ((void)(a), (void)(b))

/* A listener and its connections: setting_listener.c. */
SETTER(listener);
SETTER(listen);
SETTER(tls);
SETTER(tls_max);
SETTER(tls_no_resumption);
SETTER(tls_handshake_cost);
SETTER(backlog);
SETTER(accept_interval);
SETTER(max_connections);
SETTER(no_keep_alive);
SETTER(max_requests);
SETTER(idle_timeout);
SETTER(no_nodelay);
SETTER(no_continue);
SETTER(write_size);
SETTER(connection_rate);
SETTER(congestion_control);

/* How it speaks HTTP/2: setting_h2.c. */
SETTER(h2);
SETTER(h2_streams);
SETTER(h2_window);
SETTER(h2_connection_window);
SETTER(h2_window_updates);
SETTER(h2_frame_size);
SETTER(h2_header_list);
SETTER(h2_continuation);
SETTER(h2_goaway);
SETTER(h2_refuse);
SETTER(h2_settings_delay);
SETTER(h2_no_pong);

/* What it does with requests: setting_request.c. */
SETTER(delay);
SETTER(body_delay);
SETTER(cold_start);
SETTER(pauses);
SETTER(error_share);
SETTER(rate_limit);
SETTER(limit_answer);
SETTER(route);
SETTER(workers);
SETTER(service_time);
SETTER(service_dist);
SETTER(coherency);
SETTER(contention);
SETTER(queue);
SETTER(refuse);

/* All of the lab: setting_lab.c. */
SETTER(name);
SETTER(dns);
SETTER(link);
SETTER(seed);
SETTER(about);
SETTER(run);
SETTER(cause);

#endif
