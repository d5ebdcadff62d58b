/* SPDX-License-Identifier: MIT */
#include "exchange.h"

#include <base/mem.h>
#include <base/minmax.h>

/*
 * HTTPS is served at 443 and, by custom, at ports that end in it: 8443, 9443, 6443, 10443. At others
 * a handshake counts as an exchange.
 */
#define TLS_PORT  443
#define TLS_PORTS 1000
/* A handshake, the request, and tickets that stand between them at most (RFC 8446 section 2). */
#define TLS_ONCE_BURSTS 3
#define TLS_ONCE_SHARE  0.9 /* of the connections: then each was for one request */

/* A request goes out in one or two segments, or fills those of its body. */
#define MIXED_PIECES 4
#define SMALL_BYTES  700

/* What is known of a link's bursts. */
struct turns {
        uint32_t n, first, last; /* answered ones */
};

/* --- which links ----------------------------------------------------------------------------- */

static bool is_outside(const struct watched *all, const struct link *link)
{
        return watched_is_outside(all, link->process) && link->is_inet && link->is_connected &&
               !link->is_server;
}

static void count_turns(const struct watched *all, struct turns *turns)
{
        for (uint32_t i = 1; i <= all->bursts.n; i++) {
                const struct burst *burst = watched_burst(all, i);

                if (!burst->first_read_ns)
                        continue;
                if (!turns[burst->link].n++)
                        turns[burst->link].first = i;
                turns[burst->link].last = i;
        }
}

/* Without reading what is said, the port has to tell. */
static bool is_under_tls(const struct link *link)
{
        return link->port % TLS_PORTS == TLS_PORT;
}

static bool is_tls_once(const struct watched *all, const struct turns *turns)
{
        size_t n = 0, n_once = 0;

        for (uint32_t i = 1; i <= all->links.n; i++) {
                const struct link *link = watched_link(all, i);

                if (!is_outside(all, link) || !is_under_tls(link) || !turns[i].n)
                        continue;
                n++;
                n_once += turns[i].n <= TLS_ONCE_BURSTS;
        }
        return n > 1 && (double)n_once >= (double)n * TLS_ONCE_SHARE;
}

/*
 * So many small pieces before an answer are several requests: they share the connection, and who is
 * answered by what is not known.
 */
static bool are_mixed(const struct watched *all)
{
        for (uint32_t i = 1; i <= all->bursts.n; i++) {
                const struct burst *burst = watched_burst(all, i);

                if (is_outside(all, watched_link(all, burst->link)) &&
                        burst->n_pieces >= MIXED_PIECES &&
                        burst->n_sent < burst->n_pieces * SMALL_BYTES)
                        return true;
        }
        return false;
}

/* --- calls ----------------------------------------------------------------------------------- */

static int name_origin(struct watched *all, const struct link *link, struct call *call)
{
        struct buf *scratch = &all->scratch;
        struct muster_str text, url;

        scratch->len = 0;
        if (buf_add_text(scratch, is_under_tls(link) ? "https://" : "http://") < 0 ||
                buf_add_str(scratch, link->row.remote) < 0 || buf_add_char(scratch, '/') < 0 ||
                arena_add(all->text, buf_str(scratch), &text) < 0)
                return MUSTER_E_RESOURCE;
        return watched_keep_url(all, text, &url, &call->origin); /* the path is not known */
}

static void stamp(struct call *call, const struct burst *first, const struct burst *last)
{
        struct attempt *stamps = &call->row.stamps;

        stamps->send_start_ns = first->send_start_ns;
        stamps->send_end_ns = first->send_end_ns;
        stamps->first_byte_kernel_ns = stamps->first_byte_read_ns = first->first_read_ns;
        stamps->last_byte_kernel_ns = stamps->last_byte_read_ns = last->last_read_ns;
        stamps->end_ns = call->row.taken_ns = call->last_ns = last->last_read_ns;
        call->row.stage = MUSTER_PHASE_RECEIVE;
        call->row.outcome = TRACE_RESULT;
        call->row.wire_bytes = call->row.body_bytes = last->n_received;
        call->row.n_receives = last->n_receives;
}

/* The answered bursts from `first` to `last` are one exchange. */
static int add_call(struct watched *all, uint32_t number, const struct burst *first,
        const struct burst *last)
{
        struct call *call = rows_add(&all->calls);
        struct link *link = watched_link(all, number);

        if (!call)
                return MUSTER_E_RESOURCE;
        call->process = link->process;
        call->thread = link->thread;
        call->link = number;
        call->state = CALL_DONE;
        call->row.n = 1;
        call->row.is_last = true;
        call->row.is_reused = link->n_calls > 0;
        call->row.conn_idle_ns = link->n_calls && link->last_use_ns < first->send_start_ns
                                         ? first->send_start_ns - link->last_use_ns
                                         : 0;
        stamp(call, first, last);
        link->last_use_ns = last->last_read_ns;
        link->last = (uint32_t)all->calls.n;
        if (!link->n_calls++)
                link->first_call = link->last;
        if (link->thread)
                watched_thread(all, link->thread)->has_calls = true;
        return name_origin(all, link, call);
}

/* The first burst is the handshake, and what is left is one request. */
static int add_once(struct watched *all, uint32_t number, const struct turns *turns)
{
        const struct burst *first = watched_burst(all, turns->first);
        const struct burst *last = watched_burst(all, turns->last);
        struct link *link = watched_link(all, number);

        link->is_tls = link->row.is_tls = true;
        if (turns->n < 2)
                return add_call(all, number, first, last);
        link->row.tls_end_ns = first->last_read_ns;
        for (uint32_t i = turns->first + 1; i <= turns->last; i++) {
                const struct burst *burst = watched_burst(all, i);

                if (burst->link == number && burst->first_read_ns)
                        return add_call(all, number, burst, last);
        }
        return 0;
}

static int add_turns(struct watched *all, const struct turns *turns)
{
        for (uint32_t i = 1; i <= all->bursts.n; i++) {
                const struct burst *burst = watched_burst(all, i);
                const struct link *link = watched_link(all, burst->link);

                if (burst->first_read_ns && is_outside(all, link) && !is_under_tls(link) &&
                        turns[burst->link].n && add_call(all, burst->link, burst, burst) < 0)
                        return MUSTER_E_RESOURCE;
        }
        return 0;
}

static int add_all(struct watched *all, const struct turns *turns)
{
        bool is_once = is_tls_once(all, turns);

        for (uint32_t i = 1; i <= all->links.n; i++) {
                const struct link *link = watched_link(all, i);

                if (is_once && is_outside(all, link) && is_under_tls(link) && turns[i].n &&
                        turns[i].n <= TLS_ONCE_BURSTS && add_once(all, i, &turns[i]) < 0)
                        return MUSTER_E_RESOURCE;
        }
        return add_turns(all, turns);
}

int exchange_make(struct watched *all)
{
        struct turns *turns = mem_array(all->links.n + 1, sizeof(*turns));
        int r = turns ? 0 : MUSTER_E_RESOURCE;

        if (turns && !are_mixed(all)) {
                count_turns(all, turns);
                r = add_all(all, turns);
        }
        mem_free(turns);
        return r;
}
