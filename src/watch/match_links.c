/* SPDX-License-Identifier: MIT */
#include "match.h"

#include "dated.h"
#include <base/clock.h>
#include <base/minmax.h>

#define SLACK_NS       (2 * NS_PER_MS)
#define LOOK_AHEAD_MAX 4096 /* so many bursts are tried for a call */

static uint64_t place_of(uint32_t process, uint16_t port)
{
        return (uint64_t)process << 16 | port;
}

/* --- what is looked for ----------------------------------------------------------------------- */

static bool is_lone(const struct call *call)
{
        return call->hook && !call->link;
}

static void list_calls(const struct watched *all, struct dated_list *calls)
{
        for (uint32_t i = 1; i <= all->calls.n; i++) {
                const struct call *call = watched_call(all, i);
                const struct attempt *stamps = &call->row.stamps;

                if (is_lone(call) && stamps->slot_ns)
                        dated_add(calls, place_of(call->process, origin_port(call->origin)),
                                stamps->send_start_ns ? stamps->send_start_ns : stamps->slot_ns, i);
        }
        dated_sort(calls);
}

static void list_bursts(const struct watched *all, struct dated_list *bursts)
{
        for (uint32_t i = 1; i <= all->bursts.n; i++) {
                const struct burst *burst = watched_burst(all, i);
                const struct link *link = watched_link(all, burst->link);

                if (!link->n_calls && burst->first_read_ns)
                        dated_add(bursts, place_of(link->process, link->port), burst->send_end_ns,
                                i);
        }
        dated_sort(bursts);
}

/* --- pairs ------------------------------------------------------------------------------------ */

/*
 * Bytes that were sent and answered while the call was under way. Of a new connection the first
 * bytes are its handshake's.
 */
static bool fits(const struct watched *all, const struct burst *burst, const struct call *call)
{
        const struct link *link = watched_link(all, burst->link);
        uint64_t end_ns = call->row.stamps.end_ns;

        if (burst->is_taken || burst->first_read_ns > end_ns + SLACK_NS)
                return false;
        if (call->row.is_reused)
                return link->row.opened_ns + SLACK_NS < call->row.stamps.slot_ns;
        return link->row.opened_ns + SLACK_NS >= call->row.stamps.start_ns;
}

/*
 * Behind a handshake the server sends tickets first (RFC 8446 section 4.6.1), so that of a new
 * connection the second piece is taken for the response.
 */
static void stamp_response(struct call *call, const struct burst *burst)
{
        struct attempt *stamps = &call->row.stamps;
        bool has_tickets = !call->row.is_reused && burst->second_read_ns;
        uint64_t end_ns = stamps->end_ns;

        stamps->first_byte_kernel_ns =
                clamp_u64(has_tickets ? burst->second_kernel_ns : burst->first_kernel_ns,
                        stamps->send_end_ns, end_ns);
        stamps->first_byte_read_ns =
                clamp_u64(has_tickets ? burst->second_read_ns : burst->first_read_ns,
                        stamps->first_byte_kernel_ns, end_ns);
        stamps->last_byte_kernel_ns =
                clamp_u64(burst->last_kernel_ns, stamps->first_byte_kernel_ns, end_ns);
        stamps->last_byte_read_ns =
                clamp_u64(burst->last_read_ns, stamps->first_byte_read_ns, end_ns);
        stamps->end_ns = stamps->last_byte_read_ns; /* it is taken when the hook said so */
        call->row.wire_bytes = call->row.body_bytes = burst->n_received;
        call->row.n_receives = burst->n_receives;
}

static void take(struct watched *all, uint32_t number, struct burst *burst)
{
        struct call *call = watched_call(all, number);
        struct link *link = watched_link(all, burst->link);
        struct attempt *stamps = &call->row.stamps;
        bool is_tls = str_starts(call->origin, "https");

        burst->is_taken = true;
        call->link = burst->link;
        link->row.is_tls = link->row.is_tls || is_tls;
        if (is_tls && !call->row.is_reused && !link->row.tls_end_ns)
                link->row.tls_end_ns = stamps->send_start_ns;
        if (!link->n_calls++)
                link->first_call = number;
        stamps->tcp_end_ns = 0; /* the connection knows better */
        /* The end of a handshake may stand before it. */
        stamps->send_start_ns = clamp_u64(max_u64(burst->send_start_ns, stamps->send_start_ns),
                stamps->slot_ns, stamps->end_ns);
        stamps->send_end_ns = clamp_u64(burst->send_end_ns, stamps->send_start_ns, stamps->end_ns);
        if (call->row.status)
                stamp_response(call, burst);
}

static void pair(struct watched *all, const struct dated_list *calls,
        const struct dated_list *bursts)
{
        size_t first = 0;

        for (size_t i = 0; i < calls->n; i++) {
                const struct dated *entry = &calls->list[i];
                struct call *call = watched_call(all, entry->number);

                while (first < bursts->n &&
                        (bursts->list[first].key < entry->key ||
                                (bursts->list[first].key == entry->key &&
                                        bursts->list[first].at_ns + SLACK_NS < entry->at_ns)))
                        first++;
                for (size_t k = first; k < bursts->n && k - first < LOOK_AHEAD_MAX; k++) {
                        struct burst *burst = watched_burst(all, bursts->list[k].number);

                        if (bursts->list[k].key != entry->key ||
                                burst->send_end_ns > call->row.stamps.end_ns + SLACK_NS)
                                break;
                        if (!fits(all, burst, call))
                                continue;
                        take(all, entry->number, burst);
                        break;
                }
        }
}

/* --- those that were never sent --------------------------------------------------------------- */

static void list_unused(const struct watched *all, struct dated_list *links)
{
        for (uint32_t i = 1; i <= all->links.n; i++) {
                const struct link *link = watched_link(all, i);

                if (link->is_inet && !link->n_calls && !link->is_server && link->was_seen_to_begin)
                        dated_add(links, place_of(link->process, link->port), link->row.opened_ns,
                                i);
        }
        dated_sort(links);
}

/* A connection that was begun while the call was under way, and which no other has used. */
static void pair_unused(struct watched *all, const struct dated_list *calls,
        const struct dated_list *links)
{
        size_t first = 0;

        for (size_t i = 0; i < calls->n; i++) {
                struct call *call = watched_call(all, calls->list[i].number);
                struct attempt *stamps = &call->row.stamps;

                if (call->link || call->row.is_reused || call->row.outcome != TRACE_FAILED)
                        continue;
                while (first < links->n &&
                        (links->list[first].key < calls->list[i].key ||
                                (links->list[first].key == calls->list[i].key &&
                                        links->list[first].at_ns + SLACK_NS < stamps->start_ns)))
                        first++;
                if (first == links->n || links->list[first].key != calls->list[i].key ||
                        links->list[first].at_ns > stamps->end_ns)
                        continue;
                call->link = links->list[first++].number;
                watched_link(all, call->link)->n_calls++;
                watched_link(all, call->link)->first_call = calls->list[i].number;
                if (call->row.code == MUSTER_E_TLS || call->row.code == MUSTER_E_TLS_VERIFY)
                        call->row.stage = MUSTER_PHASE_TLS;
                stamps->tcp_end_ns = stamps->send_start_ns = stamps->send_end_ns = 0;
        }
}

/* --- all of it -------------------------------------------------------------------------------- */

int match_links(struct watched *all)
{
        struct dated_list calls, bursts = { 0 }, links = { 0 };
        int r = dated_init(&calls, all->calls.n);

        if (r == 0)
                r = dated_init(&bursts, all->bursts.n);
        if (r == 0)
                r = dated_init(&links, all->links.n);
        if (r == 0) {
                list_calls(all, &calls);
                list_bursts(all, &bursts);
                pair(all, &calls, &bursts);
                list_unused(all, &links);
                pair_unused(all, &calls, &links);
        }
        dated_deinit(&calls);
        dated_deinit(&bursts);
        dated_deinit(&links);
        return r;
}
