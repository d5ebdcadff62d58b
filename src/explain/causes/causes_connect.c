/* SPDX-License-Identifier: MIT */
/*
 * Opening connections
 *
 *      ports-exhausted, fd-limit   this machine had none left: errors that say so
 *      syn-dropped                 the first packet was dropped and sent again: some took a whole
 *                                  number of seconds longer than others
 *      slow-connect                all took much longer than a round trip does later on the same
 *                                  connection
 *
 * A far server is none of these: there all take the same, and it is what a round trip takes.
 */
#include "cause.h"

#include <base/clock.h>
#include <base/mem.h>
#include <errno.h>
#include <explain/facts/sort.h>
#include <explain/judgement.h>
#include <explain/measure/conns.h>
#include <explain/measure/dialling.h>
#include <explain/measure/load.h>
#include <explain/measure/serving.h>
#include <explain/model/whatif.h>

/* --- ports and descriptors ------------------------------------------------------------------- */

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
        /* At the same moment a connection ends (0) before another begins (1). */
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

/*
 * A port is free again a minute after its connection was closed (TIME_WAIT). Where the open ones are
 * few beside all that there were, closed ones have the ports, and fewer at once would not help.
 */
static bool are_ports_of_closed(const struct facts *facts, uint64_t n_open)
{
        return (double)n_open < (double)facts->n_conns_opened * MOST_OF_THEM;
}

static void remedy_ports(struct finding *finding, const struct facts *facts, uint64_t n_open)
{
        uint64_t per_s = facts->n_conns_opened / TIME_WAIT_S;

        if (!are_ports_of_closed(facts, n_open)) {
                finding_remedy(finding,
                        "Open fewer connections at once and reuse them; or give the machine more ports (sysctl net.ipv4.ip_local_port_range).");
                if (n_open)
                        finding_option(finding, "--concurrency %llu", (unsigned long long)n_open);
                return;
        }
        finding_remedy(finding,
                "Keep connections open and reuse them (see what closes them); or start so few requests per second that ports become free again; or give the machine more ports (sysctl net.ipv4.ip_local_port_range).");
        if (facts->record->run.options.http_1_0)
                finding_option(finding, "without --http1.0");
        else if (per_s)
                finding_option(finding, "--rate %llu", (unsigned long long)per_s);
}

static bool ports_exhausted(const struct facts *facts, struct finding *finding)
{
        size_t n = count_failed(facts, EADDRNOTAVAIL, EADDRNOTAVAIL);
        int64_t n_waiting = record_counter_after(facts->record, "tcp.time_wait");
        uint64_t n_open;

        if (!n)
                return false;
        n_open = most_open(facts->record);
        finding_title(finding,
                "%s of %s requests failed because this machine had no free local port",
                words_count(n).text, words_count(facts->n_requests).text);
        finding_evidence(finding, "%s could not connect: \"cannot assign requested address\"",
                words_count(n).text);
        finding_evidence(finding,
                "at most %s connections were open at once; %s were opened in total",
                words_count(n_open).text, words_count(facts->n_conns_opened).text);
        if (n_waiting > 0 && are_ports_of_closed(facts, n_open))
                finding_evidence(finding,
                        "%s closed connections of this machine still had a port at the end: for a minute each (TIME_WAIT)",
                        words_count((uint64_t)n_waiting).text);
        remedy_ports(finding, facts, n_open);
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
        finding_title(finding,
                "%s of %s requests failed because this process may not open more files",
                words_count(n).text, words_count(facts->n_requests).text);
        finding_evidence(finding,
                "%s failed with \"too many open files\"; each connection counts as one",
                words_count(n).text);
        finding_evidence(finding, "at most %s connections were open at once",
                words_count(n_open).text);
        finding_remedy(finding,
                "Raise the limit before the start (ulimit -n), or allow fewer requests at once.");
        if (n_open)
                finding_option(finding, "--concurrency %llu", (unsigned long long)n_open);
        finding->shown.is_client = true;
        finding->n_failed_by_it = n;
        return true;
}

/* --- syn-dropped ----------------------------------------------------------------------------- */

struct fewer {
        const struct dialling *dialling;
        uint64_t rest_ns; /* from request to answer, once the server has accepted the connection */
        uint64_t most_ns; /* an answer, with so few at once; 0: as it was */
};

static bool measure_wait(const struct facts *facts, const struct trace_attempt *attempt,
        uint64_t *ret_value)
{
        *ret_value = attempt_network_ns(facts->record, attempt) +
                     attempt_server_ns(facts->record, attempt);
        return trace_is_answered(attempt);
}

/*
 * No SYN is dropped. A server that has room drops nothing else either, and a request that finds a
 * connection does not wait until it is accepted.
 */
static void connect_at_once(struct replay_request *request, const struct facts *facts, bool is_warm,
        void *argument)
{
        const struct fewer *fewer = argument;
        uint64_t least_ns = fewer->dialling->tcp_ns.min;
        const struct trace_conn *conn = conn_of_attempt(facts->record, request->last);

        if (is_warm && !request->last->is_reused) {
                request->slot_ns[PART_NETWORK] = 0;
                request->slot_ns[PART_SERVER] = fewer->rest_ns;
        }
        if (!conn || !request->n_conns)
                return;
        if (conn_n_syns_again(conn, least_ns))
                request->slot_ns[PART_TCP] = least_ns;
        if (conn->n_retransmits)
                request->slot_ns[PART_NETWORK] = conn_round_trip_ns(conn);
        if (fewer->most_ns && request->slot_ns[PART_SERVER] > fewer->most_ns)
                request->slot_ns[PART_SERVER] = fewer->most_ns;
}

/*
 * How many connections the server has room for: half of what waited when it had no room for
 * another. Always fewer than there were; 0: there is no fewer.
 */
static uint64_t n_that_fit(const struct crowd *crowd, const struct facts *facts)
{
        uint64_t n = whole_of((double)crowd->least * CROWD_THAT_FITS);

        if (!crowd->is_known || facts->slots < 2)
                return 0;
        if (n >= facts->slots)
                n = whole_of((double)facts->slots * CROWD_THAT_FITS);
        return n ? n : 1;
}

/* A server that ends connections after each answer does so with fewer at once, too. */
static bool are_kept(const struct facts *facts)
{
        const struct record_options *options = &facts->record->run.options;
        size_t n_ended = 0;

        for (size_t i = 0; i < facts->record->n_conns; i++)
                n_ended += facts->record->conns[i].closer == TRACE_CLOSED_BY_SERVER;
        return !options->no_reuse && !options->http_1_0 &&
               (facts->n_on_reused ||
                       (double)n_ended <= (double)facts->record->n_conns * MOST_OF_THEM);
}

/*
 * How much longer an answer takes, at most, for each request beside it: as long as one alone, or
 * less where the pace of the server is known.
 */
static uint64_t each_ns(const struct facts *facts, uint64_t alone_ns)
{
        struct load load;
        uint64_t ns;

        load_measure(&load, facts);
        if (load.answer != LOAD_GROWS || load.full_per_s <= 0)
                return alone_ns;
        ns = whole_of(1e9 / load.full_per_s);
        return ns < alone_ns ? ns : alone_ns;
}

static void predict_fewer(struct finding *finding, const struct facts *facts,
        const struct dialling *dialling, uint64_t n)
{
        struct fewer fewer = { .dialling = dialling };
        struct whatif whatif = { .keeps_conns = are_kept(facts),
                .concurrency = n,
                .change = connect_at_once,
                .argument = &fewer };
        struct spread wait;
        uint64_t wall_ns;

        measure_attempts(&wait, facts, measure_wait);
        fewer.rest_ns = wait.p10;
        fewer.most_ns = n * each_ns(facts, wait.p10);
        wall_ns = whatif_wall_ns(&whatif, facts);
        finding_predict(finding, wall_ns, whole_of((double)wall_ns * GUESS_AT_BEST),
                whole_of((double)wall_ns * GUESS_AT_WORST));
}

/* Where other packets get lost as well, the network loses them (causes_wire.c). */
static bool is_loss(const struct dialling *dialling)
{
        return dialling->n_sent_again + dialling->n_out_of_order > dialling->n_syns_again;
}

/* Others were let in while more than that waited: then there was room. */
static bool had_room(const struct crowd *crowd, const struct dialling *dialling)
{
        return crowd->n_beyond > dialling->n_syns_again;
}

/* What others took stays. */
static void tell_lost(struct finding *finding, const struct facts *facts,
        const struct dialling *dialling)
{
        struct fewer fewer = { .dialling = dialling };
        uint64_t wall_ns =
                whatif_wall_ns(&(struct whatif){ .change = connect_at_once, .argument = &fewer },
                        facts);

        finding_remedy(finding,
                "Run it again; if it happens again, packets are lost on the path (mtr, ping -f), because the server accepted other connections while more were waiting.");
        finding_predict(finding, wall_ns, wall_ns, facts->wall_ns);
}

static void tell_crowd(struct finding *finding, const struct facts *facts,
        const struct dialling *dialling, const struct crowd *crowd)
{
        uint64_t n = n_that_fit(crowd, facts);

        if (crowd->is_known)
                finding_evidence(finding,
                        "it happened while %s to the same host waited for a first response",
                        words_counted(crowd->least, "other connection", "other connections").text);
        if (!n)
                return;
        finding_option(finding, "--concurrency %llu", (unsigned long long)n);
        predict_fewer(finding, facts, dialling, n);
}

/* One or two may get lost on any network, so this is said with care. */
static void tell_few(struct finding *finding, const struct facts *facts,
        const struct dialling *dialling, const struct crowd *crowd)
{
        finding->shown.grade = MUSTER_GRADE_C;
        finding_title(finding, "%s of %s connections needed a second SYN, sent a second later",
                words_count(dialling->n_syns_again).text, words_count(dialling->tcp_ns.n).text);
        if (had_room(crowd, dialling)) {
                tell_lost(finding, facts, dialling);
                return;
        }
        finding_remedy(finding,
                "Open fewer connections at once, or let more wait at the server (the backlog of listen(), net.core.somaxconn; nginx: listen ... backlog=). If it also happens with few connections, packets are lost on the path (mtr, ping -f).");
        tell_crowd(finding, facts, dialling, crowd);
}

static void tell_many(struct finding *finding, const struct facts *facts,
        const struct dialling *dialling, const struct crowd *crowd)
{
        finding_title(finding,
                "The server's backlog was full: %s of %s connections waited a second or more to be opened",
                words_count(dialling->n_syns_again).text, words_count(dialling->tcp_ns.n).text);
        finding_remedy(finding,
                "Open fewer connections at once, or let more wait at the server (the backlog of listen(), net.core.somaxconn; nginx: listen ... backlog=) and accept them faster.");
        tell_crowd(finding, facts, dialling, crowd);
}

static bool syn_dropped(const struct facts *facts, struct finding *finding)
{
        int64_t n_counted = record_counter_growth(facts->record, "tcp.syn_retransmits");
        struct dialling dialling;
        struct crowd crowd;

        if (serving_is_limited(facts)) /* its workers were held: causes_workers.c */
                return false;
        dialling_of(&dialling, facts);
        /* A server that takes half a second for each alike is far away, or slow to accept. */
        if (!dialling.n_syns_again || dialling.tcp_ns.min >= SYN_TO_TELL_NS || is_loss(&dialling))
                return false;
        crowd_of(&crowd, &dialling, facts);
        finding_evidence(finding,
                "%s connections took at least %s, %s of them whole seconds longer: that is when the kernel repeats a SYN",
                words_count(dialling.tcp_ns.n).text, words_ns(dialling.tcp_ns.min).text,
                words_count(dialling.n_syns_again).text);
        if (n_counted > 0)
                finding_evidence(finding, "the kernel counted %s repeated SYN packets",
                        words_count((uint64_t)n_counted).text);
        if (dialling.n_syns_again < HABIT_LEAST)
                tell_few(finding, facts, &dialling, &crowd);
        else
                tell_many(finding, facts, &dialling, &crowd);
        finding->explained_ns = facts->chain_ns[PART_TCP];
        return true;
}

/* --- slow-connect ---------------------------------------------------------------------------- */

static void connect_in_a_round_trip(struct replay_request *request, const struct facts *facts,
        bool is_warm, void *argument)
{
        const struct trace_conn *conn = conn_of_attempt(facts->record, request->last);

        (void)is_warm;
        (void)argument;
        if (conn && request->n_conns)
                request->slot_ns[PART_TCP] = conn_round_trip_ns(conn);
}

static bool slow_connect(const struct facts *facts, struct finding *finding)
{
        struct whatif whatif = { .change = connect_in_a_round_trip };
        struct dialling dialling;
        const struct spread *tcp = &dialling.tcp_ns;
        struct spread round_trip;
        uint64_t wall_ns;

        dialling_of(&dialling, facts);
        measure_conns(&round_trip, facts, measure_round_trip);
        /*
         * What our own loop took to notice is not the network's.
         */
        if (tcp->n < SAMPLE_LEAST || !round_trip.n ||
                (double)tcp->p50 < CONNECT_JITTER * (double)round_trip.p50 +
                                           (double)(facts->longest_turn_ns + CONNECT_BUSY_NS) ||
                (double)tcp->sum < SLOT_TIME_MATTERS * (double)facts->service.sum)
                return false;
        /* Another rule knows why. */
        if ((double)dialling.lost_ns > (double)tcp->sum * MOST_OF_TIME)
                return false;
        wall_ns = whatif_wall_ns(&whatif, facts);
        finding_title(finding, "Connecting took %s, although a round trip takes only %s",
                words_ns(tcp->p50).text, words_ns(round_trip.p50).text);
        finding_evidence(finding, "half of %s connections took longer than %s to open, without TLS",
                words_count(tcp->n).text, words_ns(tcp->p50).text);
        finding_remedy(finding,
                "Check what is between this machine and the server (firewall, load balancer, proxy), because the network itself is fast; reuse connections to open fewer.");
        finding_predict(finding, wall_ns, wall_ns, facts->wall_ns);
        return true;
}

const struct cause causes_connect[] = {
        { "ports-exhausted", MUSTER_GRADE_A, ports_exhausted },
        { "fd-limit", MUSTER_GRADE_A, fd_limit },
        { "syn-dropped", MUSTER_GRADE_B, syn_dropped },
        { "slow-connect", MUSTER_GRADE_C, slow_connect },
        { 0 },
};
