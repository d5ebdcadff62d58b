/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "setting.h"
#include <base/error.h>
#include <base/mem.h>

/* --- the table ------------------------------------------------------------------------------- */

const struct config_setting config_settings[] = {
        { "Listeners", "listener", "NAME",
                "name the first listener; given again, start another one", setting_listener },
        { NULL, "listen", "[ADDRESS:]PORT",
                "address to listen on; port 0 is a free port (127.0.0.1:0)", setting_listen },
        { NULL, "tls", "FAULT", "serve https; the certificate is " TLS_FAULT_NAMES, setting_tls },
        { NULL, "tls-max", "VERSION", "newest TLS version: 1.2 or 1.3", setting_tls_max },
        { NULL, "tls-no-resumption", NULL, "never resume TLS sessions", setting_tls_no_resumption },
        { NULL, "tls-handshake-cost", "TIME", "CPU time of the server per handshake",
                setting_tls_handshake_cost },
        { "Connections", "backlog", "N",
                "connections waiting to be accepted; beyond N the kernel drops SYNs",
                setting_backlog },
        { NULL, "accept-interval", "TIME", "accept only one connection per TIME",
                setting_accept_interval },
        { NULL, "max-connections", "N[,HOW]",
                "serve N connections at once; others: wait (the default), 503 or close",
                setting_max_connections },
        { NULL, "no-keep-alive", NULL, "close each connection after one response",
                setting_no_keep_alive },
        { NULL, "max-requests", "N", "close a connection after N requests", setting_max_requests },
        { NULL, "idle-timeout", "TIME", "close a connection that was idle this long",
                setting_idle_timeout },
        { NULL, "no-nodelay", NULL, "leave Nagle's algorithm on", setting_no_nodelay },
        { NULL, "no-continue", NULL, "never send 100 (Continue), for which bodies may wait",
                setting_no_continue },
        { NULL, "write-size", "SIZE", "write responses in pieces of this size",
                setting_write_size },
        { NULL, "connection-rate", "SIZE", "send at most SIZE a second on each connection: 400k",
                setting_connection_rate },
        { NULL, "congestion-control", "NAME",
                "TCP congestion control of the server: cubic, reno, bbr",
                setting_congestion_control },
        { "HTTP/2", "h2", NULL, "speak HTTP/2, too: by ALPN with tls, else if the client begins so",
                setting_h2 },
        { NULL, "h2-streams", "N", "requests at once on a connection (100)", setting_h2_streams },
        { NULL, "h2-window", "SIZE", "window of a stream, for what the client sends (65535)",
                setting_h2_window },
        { NULL, "h2-connection-window", "SIZE", "the same of a connection, at least 65535 (65535)",
                setting_h2_connection_window },
        { NULL, "h2-window-updates", "TIME", "give windows back only once per TIME, or never",
                setting_h2_window_updates },
        { NULL, "h2-frame-size", "SIZE", "largest frame that the client may send (16k)",
                setting_h2_frame_size },
        { NULL, "h2-header-list", "SIZE", "largest head of a request (64k)",
                setting_h2_header_list },
        { NULL, "h2-continuation", "SIZE",
                "cut heads of responses into HEADERS and CONTINUATION of this size",
                setting_h2_continuation },
        { NULL, "h2-goaway", "N[,CODE]",
                "GOAWAY after N requests; with an error code the connection ends at once",
                setting_h2_goaway },
        { NULL, "h2-refuse", "SHARE[,CODE]",
                "reset this share of requests unseen: 5%,REFUSED_STREAM", setting_h2_refuse },
        { NULL, "h2-settings-delay", "TIME", "send nothing before TIME has passed",
                setting_h2_settings_delay },
        { NULL, "h2-no-pong", NULL, "leave PINGs unanswered", setting_h2_no_pong },
        { "Requests", "delay", "SPREAD", "wait before each response: " SPREAD_FORMS,
                setting_delay },
        { NULL, "body-delay", "SPREAD", "wait between head and body of each response",
                setting_body_delay },
        { NULL, "cold-start", "N,SPREAD", "the first N requests wait for so much longer: 16,500ms",
                setting_cold_start },
        { NULL, "pauses", "EVERY,TIME", "answer nothing for TIME, again and again: 2s,300ms",
                setting_pauses },
        { NULL, "error-share", "SHARE", "share of requests answered 500: 5%", setting_error_share },
        { NULL, "rate-limit", "RATE[,BURST]", "answer 429 with Retry-After above this rate: 100/s",
                setting_rate_limit },
        { NULL, "limit-answer", "STATUS[,silent]",
                "answer 429 or 503 instead; silent: without Retry-After", setting_limit_answer },
        { NULL, "route", "PATH=TARGET", "serve PATH as TARGET: /api=/bytes/10k?delay=5ms",
                setting_route },
        { "Capacity", "workers", "N", "requests served at once, others wait in a queue",
                setting_workers },
        { NULL, "service-time", "SPREAD", "time a worker needs per request", setting_service_time },
        { NULL, "service-dist", "KIND", "distribution of that time: fixed, exp, uniform",
                setting_service_dist },
        { NULL, "contention", "X", "each other request being served slows a service by this share",
                setting_contention },
        { NULL, "coherency", "X", "the same for each other request being served or waiting",
                setting_coherency },
        { NULL, "queue", "N", "requests that may wait; the next is refused", setting_queue },
        { NULL, "refuse", "HOW", "how to refuse: 503 (with Retry-After) or close", setting_refuse },
        { "Names", "name", "SPEC",
                "NAME ADDRESS... ttl= delay= loss= servfail nxdomain silent-aaaa ...",
                setting_name },
        { NULL, "dns", "[ADDRESS:]PORT", "address of the name server (127.0.0.1:0)", setting_dns },
        { "Link", "link", "SPEC",
                "rtt=80ms,jitter=5ms,rate=20mbit,loss=1%,queue=100; repeat it to change later: at=5s,loss=10%",
                setting_link },
        { "All", "seed", "N", "seed of all random numbers (1)", setting_seed },
        { NULL, "about", "TEXT", "in a scenario: what it shows", setting_about },
        { NULL, "run", "COMMAND", "in a scenario: the command to run", setting_run },
        { NULL, "cause", "NAME", "in a scenario: the cause muster explain has to find first",
                setting_cause },
        { 0 },
};

const struct config_setting *config_find(struct muster_str name)
{
        for (const struct config_setting *setting = config_settings; setting->name; setting++)
                if (str_is(name, setting->name))
                        return setting;
        return NULL;
}

int config_set(struct lab_config *config, const struct config_setting *setting,
        struct muster_str value, struct muster_error *error)
{
        struct listener_config *listener = &config->listeners[config->n_listeners - 1];

        if (!setting->argument && value.len)
                return error_set(error, MUSTER_E_INVALID, MUSTER_PHASE_QUEUE, 0,
                        "takes no value, but got \"%.*s\"", STR_ARGS(value));
        if (setting->argument && !value.len && setting->set != setting_tls)
                return error_set(error, MUSTER_E_INVALID, MUSTER_PHASE_QUEUE, 0,
                        "needs a value: %s", setting->argument);
        return setting->set(config, listener, value, error);
}

/* --- all of it ------------------------------------------------------------------------------- */

int config_init(struct lab_config *config)
{
        struct listener_config *first = &config->listeners[0];

        *config = (struct lab_config){ .n_listeners = 1, .seed = 1 };

        address_parse(str_of("127.0.0.1"), &first->address);
        config->dns_address = first->address;
        first->name = mem_strdup("lab");
        return first->name ? 0 : MUSTER_E_RESOURCE;
}

void config_deinit(struct lab_config *config)
{
        for (unsigned i = 0; i < config->n_listeners; i++) {
                struct listener_config *listener = &config->listeners[i];

                mem_free(listener->name);
                mem_free(listener->congestion);
                for (unsigned k = 0; k < listener->n_aliases; k++) {
                        mem_free(listener->aliases[k].path);
                        mem_free(listener->aliases[k].target);
                }
        }
        zone_deinit(&config->zone);
        buf_deinit(&config->certificate_names);
        mem_free(config->about);
        mem_free(config->run);
        mem_free(config->cause);
        *config = (struct lab_config){ 0 };
}

int config_check(const struct lab_config *config, struct muster_error *error)
{
        for (unsigned i = 0; i < config->n_listeners; i++) {
                const struct listener_config *listener = &config->listeners[i];

                if (listener->workers && spread_is_zero(&listener->service))
                        return error_set(error, MUSTER_E_INVALID, MUSTER_PHASE_QUEUE, 0,
                                "listener %s: workers need a service-time", listener->name);
                if (!listener->workers && (listener->contention > 0 || listener->coherency > 0 ||
                                                  listener->refusal != REFUSE_503))
                        return error_set(error, MUSTER_E_INVALID, MUSTER_PHASE_QUEUE, 0,
                                "listener %s: contention, coherency and refuse need workers",
                                listener->name);
                if (!listener->workers &&
                        (!spread_is_zero(&listener->service) || listener->has_queue))
                        return error_set(error, MUSTER_E_INVALID, MUSTER_PHASE_QUEUE, 0,
                                "listener %s: service-time and queue need workers", listener->name);
                if (!listener->h2.is_on && listener->h2.is_set)
                        return error_set(error, MUSTER_E_INVALID, MUSTER_PHASE_QUEUE, 0,
                                "listener %s: the h2-* settings need h2", listener->name);
                if (!listener->has_tls && (listener->tls_no_resumption || listener->tls_max_minor ||
                                                  listener->tls_handshake_cost_ns))
                        return error_set(error, MUSTER_E_INVALID, MUSTER_PHASE_QUEUE, 0,
                                "listener %s: the tls-* settings need tls", listener->name);
        }
        return 0;
}
