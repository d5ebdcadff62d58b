/* SPDX-License-Identifier: MIT */
/*
 * The proxy
 *
 *      slow-proxy      it took long to open tunnels
 *
 * A tunnel takes a round trip to the proxy, and what the proxy takes to find and connect the host.
 * That is about one round trip from there; a TLS handshake through the same tunnel takes one at
 * least, and so tells how much of it the way to the host can have been. A proxy that is sent whole
 * URLs cannot be told from the server behind it: proxied.h says so in findings about the server.
 */
#include "cause.h"

#include "library_words.h"
#include <base/str.h>
#include <explain/judgement.h>
#include <explain/measure/conns.h>
#include <explain/model/whatif.h>

struct tunnels {
        struct spread took_ns;       /* asking for them */
        struct spread tcp_ns;        /* connecting to the proxy */
        struct spread round_trip_ns; /* to the proxy */
        struct spread tls_ns;        /* shaking hands through them */
        bool is_ramp;                /* each took longer than the one before */
};

static bool measure_tunnel(const struct facts *facts, const struct trace_conn *conn,
        uint64_t *ret_value)
{
        (void)facts;
        *ret_value = conn->tunnel_end_ns - conn->tcp_end_ns;
        return conn->proxy && conn->tcp_end_ns && conn->tunnel_end_ns > conn->tcp_end_ns;
}

static bool measure_tcp(const struct facts *facts, const struct trace_conn *conn,
        uint64_t *ret_value)
{
        uint64_t tunnel_ns;

        *ret_value = conn_tcp_ns(conn);
        return measure_tunnel(facts, conn, &tunnel_ns);
}

static bool measure_way(const struct facts *facts, const struct trace_conn *conn,
        uint64_t *ret_value)
{
        uint64_t tunnel_ns;

        *ret_value = conn_round_trip_ns(conn);
        return *ret_value && measure_tunnel(facts, conn, &tunnel_ns);
}

static bool measure_tls(const struct facts *facts, const struct trace_conn *conn,
        uint64_t *ret_value)
{
        uint64_t tunnel_ns;

        *ret_value = conn_tls_ns(conn);
        return *ret_value && measure_tunnel(facts, conn, &tunnel_ns);
}

static void tunnels_of(struct tunnels *tunnels, const struct facts *facts)
{
        measure_conns(&tunnels->took_ns, facts, measure_tunnel);
        measure_conns(&tunnels->tcp_ns, facts, measure_tcp);
        measure_conns(&tunnels->round_trip_ns, facts, measure_way);
        measure_conns(&tunnels->tls_ns, facts, measure_tls);
        tunnels->is_ramp = spread_is_ramp(&tunnels->took_ns);
}

/* What a tunnel has to take: the way to the proxy and, as far as is known, from there to the host. */
static uint64_t due_ns(const struct tunnels *tunnels)
{
        return tunnels->round_trip_ns.p50 + tunnels->tls_ns.p50;
}

static bool are_slow(const struct tunnels *tunnels, const struct facts *facts)
{
        return tunnels->took_ns.n && tunnels->round_trip_ns.n &&
               (double)tunnels->took_ns.p50 >=
                       CONNECT_JITTER * (double)due_ns(tunnels) +
                               (double)(facts->longest_turn_ns + CONNECT_BUSY_NS) &&
               (double)tunnels->took_ns.sum >= SLOT_TIME_MATTERS * (double)facts->service.sum;
}

static void open_at_once(struct replay_request *request, const struct facts *facts, bool is_warm,
        void *argument)
{
        const uint64_t *due = argument;

        (void)facts;
        (void)is_warm;
        if (request->slot_ns[PART_TUNNEL] > *due * request->n_conns)
                request->slot_ns[PART_TUNNEL] = *due * request->n_conns;
}

/* At worst the half of it was the way from the proxy to the host, after all. */
static void predict(struct finding *finding, const struct facts *facts,
        const struct tunnels *tunnels)
{
        uint64_t least_ns = due_ns(tunnels), most_ns = tunnels->took_ns.p50 / 2;
        struct whatif whatif = { .change = open_at_once, .argument = &least_ns };
        uint64_t wall_ns = whatif_wall_ns(&whatif, facts);

        whatif.argument = &most_ns;
        finding_predict(finding, wall_ns, wall_ns, whatif_wall_ns(&whatif, facts));
}

/* The URL of the proxy that most tunnels go through: of the first one. */
static struct muster_str proxy_name(const struct record *record)
{
        for (size_t i = 0; i < record->n_conns; i++)
                if (record->conns[i].proxy)
                        return origin_key(record, record->conns[i].proxy);
        return (struct muster_str){ "", 0 };
}

static bool slow_proxy(const struct facts *facts, struct finding *finding)
{
        struct tunnels tunnels;

        tunnels_of(&tunnels, facts);
        if (!are_slow(&tunnels, facts))
                return false;
        finding_title(finding,
                "The proxy took %s to open a tunnel, although a round trip to it takes only %s",
                words_ns(tunnels.took_ns.p50).text, words_ns(tunnels.round_trip_ns.p50).text);
        finding_evidence(finding,
                "%s through %.*s took %s to %s to open; connecting to the proxy took %s",
                words_counted(tunnels.took_ns.n, "tunnel", "tunnels").text,
                STR_ARGS(proxy_name(facts->record)), words_ns(tunnels.took_ns.min).text,
                words_ns(tunnels.took_ns.max).text, words_ns(tunnels.tcp_ns.p50).text);
        if (tunnels.took_ns.n >= ROW_LEAST && tunnels.is_ramp)
                finding_evidence(finding,
                        "each took longer than the one before: the proxy opens them one after the other");
        if (tunnels.tls_ns.n)
                finding_evidence(finding,
                        "TLS handshakes through them took %s: the way from the proxy to the host takes no longer",
                        words_ns(tunnels.tls_ns.p50).text);
        finding_evidence(finding,
                "opening tunnels took %s of the time that requests were in flight; %s of %s attempts reused a connection",
                words_share((double)tunnels.took_ns.sum, (double)facts->service.sum).text,
                words_count(facts->n_on_reused).text, words_count(facts->n_attempts).text);
        if (!tunnels.tls_ns.n)
                finding->shown.grade = MUSTER_GRADE_C;
        finding_remedy(finding,
                "Look at the proxy: its name server, its login, how many connections it opens at once; reuse connections, because each tunnel is asked for once; or reach the host without it, where that is allowed (%s).",
                library_or_own(facts, "--noproxy HOST", "NO_PROXY=HOST"));
        finding->explained_ns = facts->chain_ns[PART_TUNNEL];
        predict(finding, facts, &tunnels);
        return true;
}

const struct cause causes_proxy[] = {
        { "slow-proxy", MUSTER_GRADE_B, slow_proxy },
        { 0 },
};
