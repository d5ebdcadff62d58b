/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "setting.h"
#include <base/error.h>
#include <base/mem.h>

/* --- the table ------------------------------------------------------------------------------- */

const struct config_setting config_settings[] = {
        { "Listeners", "listener", "NAME",
                "what follows is of another listener; the first one is named so",
                setting_listener },
        { NULL, "listen", "[ADDRESS:]PORT", "where it listens; port 0: a free one (127.0.0.1:0)",
                setting_listen },
        { NULL, "tls", "FAULT", "https, with a certificate that is " TLS_FAULT_NAMES, setting_tls },
        { NULL, "tls-max", "VERSION", "no newer TLS than 1.2 or 1.3", setting_tls_max },
        { NULL, "tls-no-resumption", NULL, "each handshake is a full one",
                setting_tls_no_resumption },
        { NULL, "tls-handshake-cost", "TIME",
                "each handshake keeps the server's processor busy this long",
                setting_tls_handshake_cost },
        { "Connections", "backlog", "N",
                "connections that may wait to be accepted; beyond it the kernel drops SYNs",
                setting_backlog },
        { NULL, "accept-interval", "TIME", "accept one connection in this time",
                setting_accept_interval },
        { NULL, "no-keep-alive", NULL, "close each connection after one response",
                setting_no_keep_alive },
        { NULL, "max-requests", "N", "close a connection after so many", setting_max_requests },
        { NULL, "idle-timeout", "TIME", "close a connection that was idle for so long",
                setting_idle_timeout },
        { NULL, "no-nodelay", NULL, "leave Nagle's algorithm on", setting_no_nodelay },
        { NULL, "write-size", "SIZE", "write responses in pieces of this size",
                setting_write_size },
        { NULL, "congestion-control", "NAME", "TCP's, of what the server sends: cubic, reno, bbr",
                setting_congestion_control },
        { "Requests", "delay", "SPREAD", "before each response: " SPREAD_FORMS, setting_delay },
        { NULL, "error-share", "SHARE", "so many of the requests are answered 500: 5%",
                setting_error_share },
        { NULL, "rate-limit", "RATE[,BURST]", "above it the answer is 429 with Retry-After: 100/s",
                setting_rate_limit },
        { NULL, "limit-answer", "STATUS[,silent]", "429 or 503 for it; silent: without Retry-After",
                setting_limit_answer },
        { NULL, "route", "PATH=TARGET", "a path for a behaviour: /api=/bytes/10k?delay=5ms",
                setting_route },
        { "Capacity", "workers", "N", "so many requests are worked on at once, others wait",
                setting_workers },
        { NULL, "service-time", "SPREAD", "what a worker needs for one", setting_service_time },
        { NULL, "service-dist", "KIND", "shape of that time: fixed, exp, uniform",
                setting_service_dist },
        { NULL, "contention", "X",
                "each further request at work makes a service longer by this share of it",
                setting_contention },
        { NULL, "coherency", "X", "the same for each further request there, at work or waiting",
                setting_coherency },
        { NULL, "queue", "N", "so many may wait; the next is refused", setting_queue },
        { NULL, "refuse", "HOW", "503 (with Retry-After) or close", setting_refuse },
        { "Names", "name", "SPEC",
                "NAME ADDRESS... ttl= delay= loss= servfail nxdomain silent-aaaa ...",
                setting_name },
        { NULL, "dns", "[ADDRESS:]PORT", "where the name server listens (127.0.0.1:0)",
                setting_dns },
        { "Link", "link", "SPEC",
                "rtt=80ms,jitter=5ms,rate=20mbit,loss=1%,queue=100; repeated, for changes: at=5s,loss=10%",
                setting_link },
        { "All", "seed", "N", "of everything that is drawn by lot (1)", setting_seed },
        { NULL, "about", "TEXT", "in a scenario: what it shows", setting_about },
        { NULL, "run", "COMMAND", "in a scenario: the command that shows it", setting_run },
        { NULL, "cause", "NAME", "in a scenario: the cause that muster explain is to find first",
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
                        "takes no value, but \"%.*s\" is there", STR_ARGS(value));
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
                if (!listener->has_tls && (listener->tls_no_resumption || listener->tls_max_minor ||
                                                  listener->tls_handshake_cost_ns))
                        return error_set(error, MUSTER_E_INVALID, MUSTER_PHASE_QUEUE, 0,
                                "listener %s: the other tls settings need tls", listener->name);
        }
        return 0;
}
