/* SPDX-License-Identifier: MIT */
/*
 * The lab's own pages: /lab/stats, /lab/reset. No condition applies to them, and they are not
 * counted as requests.
 */
#include "document.h"
#include "lab.h"
#include "listener.h"
#include "route.h"

#include <stdio.h>

static int add_count(struct buf *to, const char *name, uint64_t value)
{
        char text[80];

        snprintf(text, sizeof(text), ",\"%s\":%llu", name, (unsigned long long)value);
        return buf_add_text(to, text);
}

struct count {
        const char *name;
        uint64_t value;
};

static int add_counts(struct buf *to, const struct count *counts)
{
        int r = 0;

        for (; counts->name && r == 0; counts++)
                r = add_count(to, counts->name, counts->value);
        return r;
}

static int add_listener(struct buf *to, const struct listener *listener)
{
        const struct listener_stats *stats = &listener->stats;
        const struct capacity *capacity = &listener->capacity;
        const struct count counts[] = {
                { "port", listener->port },
                { "connections", stats->n_accepted },
                { "connections_open", stats->n_open },
                { "connections_open_max", stats->n_open_max },
                { "connections_turned_away", stats->n_turned_away },
                { "tls_handshakes", stats->n_handshakes },
                { "tls_resumed", stats->n_resumed },
                { "tls_failed", stats->n_handshakes_failed },
                { "requests", stats->n_requests },
                { "requests_at_once", stats->n_busy },
                { "requests_at_once_max", stats->n_busy_max },
                { "responses_2xx", stats->n_responses[2] },
                { "responses_3xx", stats->n_responses[3] },
                { "responses_4xx", stats->n_responses[4] },
                { "responses_5xx", stats->n_responses[5] },
                { "incomplete", stats->n_gone },
                { "bad_requests", stats->n_bad_requests },
                { "rate_limited", stats->n_rate_limited },
                { "h2_connections", stats->n_h2 },
                { "streams", stats->n_streams },
                { "streams_at_once_max", stats->n_streams_at_once_max },
                { "streams_refused", stats->n_streams_refused },
                { "streams_reset", stats->n_streams_reset },
                { "goaways", stats->n_goaways },
                { "pings", stats->n_pings },
                { "bytes_received", stats->n_bytes_received },
                { "bytes_sent", stats->n_bytes_sent },
                { "workers", listener->config->workers },
                { "workers_busy", capacity->n_busy },
                { "queue", capacity->n_waiting },
                { "queue_max", capacity->n_waiting_max },
                { "served", capacity->n_done },
                { "refused", capacity->n_refused },
                { "service_us", capacity->busy_ns / NS_PER_US },
                { "queue_us", capacity->wait_ns / NS_PER_US },
                { NULL, 0 },
        };
        int r = buf_add_text(to, "{\"name\":");

        if (r == 0)
                r = document_add_string(to, str_of(listener->config->name));
        if (r == 0)
                r = add_counts(to, counts);
        return r == 0 ? buf_add_char(to, '}') : r;
}

static int add_dns(struct buf *to, const struct dns_server *dns)
{
        const struct dns_stats *stats = &dns->stats;
        const struct count counts[] = {
                { "queries_udp", stats->n_queries_udp },
                { "queries_tcp", stats->n_queries_tcp },
                { "answered", stats->n_answered },
                { "lost", stats->n_lost },
                { "truncated", stats->n_truncated },
                { "malformed", stats->n_malformed },
                { NULL, 0 },
        };
        char port[40];
        int r;

        snprintf(port, sizeof(port), ",\"dns\":{\"port\":%u", dns_server_port(dns));
        r = buf_add_text(to, port);
        if (r == 0)
                r = add_counts(to, counts);
        return r == 0 ? buf_add_char(to, '}') : r;
}

/* Counted by another process: what it was at the reset is taken off here. */
static int add_way(struct buf *to, const char *name, const struct pipe_stats *stats,
        const struct pipe_stats *base)
{
        const struct count counts[] = {
                { "bytes", stats->n_bytes - base->n_bytes },
                { "lost", stats->n_lost - base->n_lost },
                { "overflowed", stats->n_overflowed - base->n_overflowed },
                { "queue_max", stats->most_queued },
                { NULL, 0 },
        };
        char head[64];
        int r;

        snprintf(head, sizeof(head), "\"%s\":{\"packets\":%llu", name,
                (unsigned long long)(stats->n_packets - base->n_packets));
        r = buf_add_text(to, head);
        if (r == 0)
                r = add_counts(to, counts);
        return r == 0 ? buf_add_char(to, '}') : r;
}

static int add_link(struct buf *to, const struct lab *lab)
{
        int r = buf_add_text(to, ",\"link\":{");

        if (r == 0)
                r = add_way(to, "up", &lab->link_stats->up, &lab->link_base.up);
        if (r == 0)
                r = buf_add_char(to, ',');
        if (r == 0)
                r = add_way(to, "down", &lab->link_stats->down, &lab->link_base.down);
        return r == 0 ? buf_add_char(to, '}') : r;
}

int lab_add_stats(const struct lab *lab, struct buf *to)
{
        char head[64];
        int r;

        snprintf(head, sizeof(head), "{\"seconds\":%.6f,\"listeners\":[",
                (double)(clock_now(lab->loop->clock) - lab->start_ns) / 1e9);
        r = buf_add_text(to, head);
        for (unsigned i = 0; i < lab->n_listeners && r == 0; i++) {
                r = i ? buf_add_char(to, ',') : 0;
                if (r == 0)
                        r = add_listener(to, &lab->listeners[i]);
        }
        if (r == 0)
                r = buf_add_char(to, ']');
        if (r == 0 && lab->config->has_names)
                r = add_dns(to, &lab->dns);
        if (r == 0 && lab->link_stats)
                r = add_link(to, lab);
        return r == 0 ? buf_add_text(to, "}\n") : r;
}

void lab_reset_stats(struct lab *lab)
{
        lab->start_ns = clock_now(lab->loop->clock);
        tallies_deinit(&lab->tallies);
        tallies_init(&lab->tallies);
        if (lab->link_stats)
                lab->link_base = *lab->link_stats;
        lab->dns.stats = (struct dns_stats){ 0 };
        for (unsigned i = 0; i < lab->n_listeners; i++) {
                struct listener_stats *stats = &lab->listeners[i].stats;
                struct capacity *capacity = &lab->listeners[i].capacity;

                *stats = (struct listener_stats){ .n_open = stats->n_open,
                        .n_open_max = stats->n_open,
                        .n_busy = stats->n_busy,
                        .n_busy_max = stats->n_busy };
                capacity->n_waiting_max = capacity->n_waiting;
                capacity->n_done = capacity->n_refused = 0;
                capacity->busy_ns = capacity->wait_ns = 0;
        }
}

static void plan_lab(struct call *call)
{
        struct plan *plan = call->plan;
        struct lab *lab = call->listener->lab;
        struct muster_str what;

        if (!call_take(call, &what))
                what = str_of("");
        if (str_is(what, "reset")) {
                lab_reset_stats(lab);
                plan_say(plan, 200, "counters reset\n");
        } else if (str_is(what, "stats")) {
                plan_say(plan, 200, "%s", "");
                plan->type = "application/json";
                if (lab_add_stats(lab, &plan->text) < 0)
                        plan->text.len = 0;
        } else {
                call_refuse(call, "page", what, "one of these: /lab/stats, /lab/reset");
        }
        /* The request for these pages is not counted. */
        plan->is_exempt = true;
}

const struct route routes_lab[] = {
        { "lab", "stats", "the server's own counters as JSON; /lab/reset sets them to 0", plan_lab,
                NULL },
        { 0 },
};
