/* SPDX-License-Identifier: MIT */
/*
 * Opening connections
 *
 *      ports-exhausted, fd-limit   this machine had none left: errors that say so
 *      syn-dropped                 the first packet was dropped and sent again: some took a whole number of seconds longer than others
 *      handshake-herd              all began at once, and each waited for those before it: the longer, the later in the row
 *      slow-connect                all took much longer than a round trip does later on the same connection
 *
 * A far server is none of these: there all take the same, and it is what a round trip takes.
 */
#include "cause.h"
#include "conns.h"
#include "dialling.h"
#include "sort.h"
#include "whatif.h"

#include <base/clock.h>
#include <base/mem.h>
#include <errno.h>
#include <math.h>

/* Of the time that slots were in use: what took less is not worth a line. */
#define SHARE_THAT_MATTERS 0.05

/* --- ports and descriptors ---------------------------------------------------------------------------------------- */

/* Requests that failed by one of these errors. */
static size_t count_failed(const struct facts *facts, int sys, int other_sys)
{
        const struct record *record = facts->record;
        size_t n = 0;

        if (!facts->n_codes[-MUSTER_E_RESOURCE])
                return 0;
        for (size_t i = 0; i < record->n_attempts; i++) {
                const struct trace_attempt *attempt = &record->attempts[i];

                n += attempt->is_last && attempt->code == MUSTER_E_RESOURCE &&
                     (attempt->sys == sys || attempt->sys == other_sys);
        }
        return n;
}

/* The most connections that were open at once. 0: none, or memory is out. */
static uint64_t most_open(const struct record *record)
{
        struct sort_pair *pairs = mem_array(2 * record->n_conns, sizeof(*pairs));
        uint64_t open = 0, most = 0;
        size_t n = 0;

        if (!pairs)
                return 0;
        /* At the same moment one ends (0) before another begins (1). */
        for (size_t i = 0; i < record->n_conns; i++)
                if (record->conns[i].tcp_end_ns) {
                        pairs[n++] = (struct sort_pair){ record->conns[i].opened_ns, 1 };
                        pairs[n++] = (struct sort_pair){ record->conns[i].closed_ns, 0 };
                }
        sort_pairs(pairs, n);
        for (size_t i = 0; i < n; i++) {
                if (pairs[i].value)
                        open++;
                else if (open)
                        open--;
                most = open > most ? open : most;
        }
        mem_free(pairs);
        return most;
}

static bool ports_exhausted(const struct facts *facts, struct finding *finding)
{
        size_t n = count_failed(facts, EADDRNOTAVAIL, EADDRNOTAVAIL);
        uint64_t n_open;

        if (!n)
                return false;
        n_open = most_open(facts->record);
        finding_title(finding,
                      "%s of %s requests failed as this machine had no local port left for "
                      "another connection",
                      words_count(n).text, words_count(facts->n_requests).text);
        finding_evidence(finding, "%s failed to connect with \"cannot assign requested address\"",
                         words_count(n).text);
        finding_evidence(finding, "at most %s connections were open at once; %s were opened in all",
                         words_count(n_open).text, words_count(facts->record->n_conns).text);
        finding_remedy(finding,
                       "Open fewer connections at once, and keep them; or give the machine more "
                       "ports (sysctl net.ipv4.ip_local_port_range).");
        if (n_open)
                finding_option(finding, "--concurrency %llu", (unsigned long long)n_open);
        finding->shown.is_client = true;
        finding->n_failed_by_it = n;
        return true;
}

static bool fd_limit(const struct facts *facts, struct finding *finding)
{
        size_t n = count_failed(facts, EMFILE, ENFILE);
        uint64_t n_open;

        if (!n)
                return false;
        n_open = most_open(facts->record);
        finding_title(finding, "%s of %s requests failed as this process may not open more files",
                      words_count(n).text, words_count(facts->n_requests).text);
        finding_evidence(finding, "%s failed with \"too many open files\": a connection is one",
                         words_count(n).text);
        finding_evidence(finding, "at most %s connections were open at once",
                         words_count(n_open).text);
        finding_remedy(finding,
                       "Raise the limit before the start (ulimit -n), or ask for fewer at once.");
        if (n_open)
                finding_option(finding, "--concurrency %llu", (unsigned long long)n_open);
        finding->shown.is_client = true;
        finding->n_failed_by_it = n;
        return true;
}

/* --- syn-dropped -------------------------------------------------------------------------------------------------- */

/* A server that takes in no more drops all that come then. */
#define SYNS_MANY 3

struct fewer {
        const struct dialling *dialling;
        uint64_t rest_ns; /* from request to answer, once the server has accepted the connection */
};

static bool measure_wait(const struct facts *facts, const struct trace_attempt *attempt,
                         uint64_t *ret_value)
{
        *ret_value = attempt_network_ns(facts->record, attempt) +
                     attempt_server_ns(facts->record, attempt);
        return attempt->status;
}

/* Nobody's SYN is dropped; and whoever finds a connection does not wait for it to be accepted. */
static void connect_at_once(struct replay_request *request, const struct facts *facts, bool is_warm,
                            void *argument)
{
        const struct fewer *fewer = argument;
        uint64_t least_ns = fewer->dialling->tcp_ns.min;
        const struct trace_conn *conn = conn_of_attempt(facts->record, request->last);

        if (is_warm && !request->last->is_reused) {
                request->slot_ns[PART_NETWORK] = 0;
                request->slot_ns[PART_SERVER] = fewer->rest_ns;
        } else if (conn && request->n_conns && conn_n_syns_again(conn, least_ns)) {
                request->slot_ns[PART_TCP] = least_ns;
        }
}

/* What came through only just fitted: with three quarters of that there is room. */
static size_t n_that_fit(const struct dialling *dialling)
{
        size_t n = (dialling->tcp_ns.n - dialling->n_syns_again) * 3 / 4;

        return n ? n : 1;
}

static void predict_fewer(struct finding *finding, const struct facts *facts,
                          const struct dialling *dialling)
{
        struct fewer fewer = { .dialling = dialling };
        struct whatif whatif = { .keeps_conns = true,
                                 .concurrency = n_that_fit(dialling),
                                 .change = connect_at_once,
                                 .argument = &fewer };
        struct spread wait;
        uint64_t wall_ns;

        measure_attempts(&wait, facts, measure_wait);
        fewer.rest_ns = wait.p10;
        wall_ns = whatif_wall_ns(&whatif, facts);
        finding_predict(finding, wall_ns, wall_ns / 2, 2 * wall_ns);
}

/* Packets that get lost anywhere else, too, are lost by the network (causes_wire.c). */
static bool is_loss(const struct dialling *dialling)
{
        return dialling->n_sent_again + dialling->n_out_of_order > dialling->n_syns_again;
}

/* One or two may have been lost by anybody: nothing is said of the server, and what others took stays. */
static void tell_few(struct finding *finding, const struct facts *facts,
                     const struct dialling *dialling)
{
        struct fewer fewer = { .dialling = dialling };
        uint64_t wall_ns = whatif_wall_ns(
                &(struct whatif){ .change = connect_at_once, .argument = &fewer }, facts);

        finding_title(finding, "%s of %s connections had to be asked for twice, a second apart",
                      words_count(dialling->n_syns_again).text,
                      words_count(dialling->tcp_ns.n).text);
        finding_remedy(finding,
                       "Run it once more: where it happens again although few connections are "
                       "opened at once, packets get lost on the way (mtr, ping -f); else the "
                       "server does not take in so many at once.");
        finding_predict(finding, wall_ns, wall_ns, facts->wall_ns);
        finding->shown.grade = MUSTER_GRADE_C;
}

static void tell_many(struct finding *finding, const struct facts *facts,
                      const struct dialling *dialling)
{
        finding_title(finding,
                      "The server let %s of %s connections wait a second or more, as more were "
                      "opened at once than it takes in",
                      words_count(dialling->n_syns_again).text,
                      words_count(dialling->tcp_ns.n).text);
        finding_remedy(finding, "Open fewer connections at once, or have the server let more wait "
                                "(the backlog of listen(), net.core.somaxconn; nginx: listen ... "
                                "backlog=) and accept them faster.");
        finding_option(finding, "--concurrency %zu", n_that_fit(dialling));
        predict_fewer(finding, facts, dialling);
}

static bool syn_dropped(const struct facts *facts, struct finding *finding)
{
        int64_t n_counted = record_counter_growth(facts->record, "tcp.syn_retransmits");
        struct dialling dialling;

        dialling_of(&dialling, facts);
        /* A server that takes half a second for each alike is far away, or slow to accept. */
        if (!dialling.n_syns_again || dialling.tcp_ns.min >= NS_PER_S / 2 || is_loss(&dialling))
                return false;
        if (dialling.n_syns_again < SYNS_MANY)
                tell_few(finding, facts, &dialling);
        else
                tell_many(finding, facts, &dialling);
        finding_evidence(finding,
                         "%s connections took %s at least, %s of them a whole number of seconds "
                         "more: that is when the kernel asks again",
                         words_count(dialling.tcp_ns.n).text, words_ns(dialling.tcp_ns.min).text,
                         words_count(dialling.n_syns_again).text);
        if (n_counted > 0)
                finding_evidence(finding,
                                 "the kernel counted %s connection requests (SYN packets) that it "
                                 "had to send again",
                                 words_count((uint64_t)n_counted).text);
        return true;
}

/* --- handshake-herd ----------------------------------------------------------------------------------------------- */

#define HERD_MIN 8 /* fewer make no row */

struct herd {
        size_t n;
        struct spread took_ns;
        double each_ns;   /* by how much a handshake takes longer than the one before */
        uint64_t rest_ns; /* what a request takes on a connection that is there */
        uint64_t n_made;  /* by the replay */
};

static uint64_t took(const struct trace_conn *conn)
{
        return conn_tcp_ns(conn) + conn_tls_ns(conn);
}

/* The connections that were opened together with the first one: within a tenth of what the slowest one took. */
static int herd_of(struct herd *herd, const struct record *record)
{
        uint64_t *values = mem_array(record->n_conns, sizeof(*values));
        uint64_t first_ns = UINT64_MAX, longest_ns = 0;

        *herd = (struct herd){ 0 };
        if (!values)
                return MUSTER_E_RESOURCE;
        for (size_t i = 0; i < record->n_conns; i++) {
                const struct trace_conn *conn = &record->conns[i];

                if (conn->opened_ns < first_ns)
                        first_ns = conn->opened_ns;
                if (took(conn) > longest_ns)
                        longest_ns = took(conn);
        }
        for (size_t i = 0; i < record->n_conns; i++) {
                const struct trace_conn *conn = &record->conns[i];

                if (conn->tls_end_ns && conn->origin == record->conns[0].origin &&
                    conn->opened_ns - first_ns <= longest_ns / 10)
                        values[herd->n++] = took(conn);
        }
        spread_of(&herd->took_ns, values, herd->n);
        mem_free(values);
        return 0;
}

/*
 * The times form a ramp: were they on a straight line from nothing, the median would be 0.56 and the lowest tenth 0.11 of the highest tenth.
 * Times that are alike (a far server), in two groups (dropped SYNs) or with a few outliers are not like that.
 */
static bool is_ramp(const struct spread *took)
{
        double p50 = (double)took->p50 / (double)took->p90;

        return p50 > 0.35 && p50 < 0.75 && (double)took->p10 < 0.35 * (double)took->p90;
}

static bool measure_warm(const struct facts *facts, const struct trace_attempt *attempt,
                         uint64_t *ret_value)
{
        (void)facts;
        *ret_value = attempt->stamps.end_ns - attempt->stamps.slot_ns;
        return attempt->is_reused && attempt->status;
}

static void note_rest(struct herd *herd, const struct facts *facts)
{
        struct spread warm;

        measure_attempts(&warm, facts, measure_warm);
        if (!warm.n)
                measure_conns(&warm, facts, measure_round_trip);
        herd->rest_ns = warm.p10 ? warm.p10 : NS_PER_US;
        herd->each_ns = (double)(herd->took_ns.max - herd->took_ns.min) / (double)(herd->n - 1);
}

/* c handshakes one after the other, then N requests c at a time: c h + N s / c is least at the root of N s / h. */
static uint64_t best_concurrency(const struct herd *herd, const struct facts *facts)
{
        double best = sqrt((double)facts->n_requests * (double)herd->rest_ns / herd->each_ns);
        uint64_t c = 2;

        while (c * 2 <= herd->n / 2 && (double)c < best)
                c *= 2;
        return c;
}

/* Handshakes in a row, of those that are still made; then each request as if the connection had been there. */
static void in_a_row(struct replay_request *request, const struct facts *facts, bool is_warm,
                     void *argument)
{
        struct herd *herd = argument;

        (void)facts;
        (void)is_warm;
        if (request->n_conns)
                request->slot_ns[PART_TLS] = whole_of((double)++herd->n_made * herd->each_ns);
        request->slot_ns[PART_TCP] = request->slot_ns[PART_NETWORK] = 0;
        request->slot_ns[PART_SERVER] = herd->rest_ns;
}

static bool handshake_herd(const struct facts *facts, struct finding *finding)
{
        const struct record *record = facts->record;
        struct whatif whatif = { .keeps_conns = true, .change = in_a_row };
        struct herd herd;
        uint64_t wall_ns;

        if (record->n_conns < HERD_MIN || herd_of(&herd, record) < 0 || herd.n < HERD_MIN ||
            herd.n * 10 < record->n_conns * 8 || !is_ramp(&herd.took_ns) ||
            (double)herd.took_ns.max < 0.2 * (double)facts->wall_ns)
                return false;
        note_rest(&herd, facts);
        whatif.argument = &herd;
        whatif.concurrency = best_concurrency(&herd, facts);
        wall_ns = whatif_wall_ns(&whatif, facts);
        finding_title(
                finding,
                "%s connections were opened at the same moment, and their TLS handshakes had to "
                "wait for each other",
                words_count(herd.n).text);
        finding_evidence(finding,
                         "handshakes took from %s to %s, each about %s longer than the one before: "
                         "they were made one after the other",
                         words_ns(herd.took_ns.min).text, words_ns(herd.took_ns.max).text,
                         words_ns(whole_of(herd.each_ns)).text);
        finding_evidence(
                finding,
                "%s requests came after that on connections that were there, and took %s at best",
                words_count(facts->n_on_reused).text, words_ns(herd.rest_ns).text);
        finding_remedy(finding,
                       "Open fewer connections at once: each handshake less is time won, and the "
                       "requests share the ones that are there.");
        finding_option(finding, "--concurrency %llu", (unsigned long long)whatif.concurrency);
        finding_predict(finding, wall_ns, wall_ns / 2, wall_ns + wall_ns / 2);
        return true;
}

/* --- slow-connect ------------------------------------------------------------------------------------------------- */

static void connect_in_a_round_trip(struct replay_request *request, const struct facts *facts,
                                    bool is_warm, void *argument)
{
        const struct trace_conn *conn = conn_of_attempt(facts->record, request->last);

        (void)is_warm;
        (void)argument;
        if (conn && request->n_conns)
                request->slot_ns[PART_TCP] = conn_round_trip_ns(conn);
}

/* What connecting takes longer than a round trip for no other reason than that this machine is busy. */
#define BUSY_NS (5 * NS_PER_MS)

static bool slow_connect(const struct facts *facts, struct finding *finding)
{
        struct whatif whatif = { .change = connect_in_a_round_trip };
        struct dialling dialling;
        const struct spread *tcp = &dialling.tcp_ns;
        struct spread round_trip;
        uint64_t wall_ns;

        dialling_of(&dialling, facts);
        measure_conns(&round_trip, facts, measure_round_trip);
        /* Three times leaves room for a jittery network; and what our own loop took to notice is not the network's. */
        if (tcp->n < 3 || !round_trip.n ||
            tcp->p50 < 3 * round_trip.p50 + facts->longest_turn_ns + BUSY_NS ||
            (double)tcp->sum < SHARE_THAT_MATTERS * (double)facts->service.sum)
                return false;
        /* Somebody else knows better why. */
        if (dialling.lost_ns * 2 > tcp->sum)
                return false;
        wall_ns = whatif_wall_ns(&whatif, facts);
        finding_title(finding, "Connecting took %s, though a round trip takes only %s",
                      words_ns(tcp->p50).text, words_ns(round_trip.p50).text);
        finding_evidence(finding, "half of %s connections took longer than %s to open, before TLS",
                         words_count(tcp->n).text, words_ns(tcp->p50).text);
        finding_remedy(finding,
                       "Look at what stands between here and the server (firewall, load balancer, "
                       "proxy), as the network itself is fast; keep connections to open fewer.");
        finding_predict(finding, wall_ns, wall_ns, facts->wall_ns);
        return true;
}

const struct cause causes_connect[] = {
        { "ports-exhausted", MUSTER_GRADE_A, ports_exhausted },
        { "fd-limit", MUSTER_GRADE_A, fd_limit },
        { "syn-dropped", MUSTER_GRADE_B, syn_dropped },
        { "handshake-herd", MUSTER_GRADE_B, handshake_herd },
        { "slow-connect", MUSTER_GRADE_C, slow_connect },
        { 0 },
};
