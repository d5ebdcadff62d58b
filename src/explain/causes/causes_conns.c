/* SPDX-License-Identifier: MIT */
/*
 * Connections that are not kept
 *
 * A new connection costs a round trip, with TLS two or three, before the request is even sent. Who
 * ended the one before, and when, tells the causes apart:
 *
 *      the server, with its answer          server-closes, or no-keep-alive where it was asked to
 *      the server, after a while unused     stale-connections
 *      we, after a while unused             idle-expired
 *
 * A server may do both; then the rule tells what it did more often.
 *
 * All of them predict the same run with connections kept.
 */
#include "cause.h"

#include <assert.h>
#include <base/clock.h>
#include <base/minmax.h>
#include <base/mem.h>
#include <explain/facts/program.h>
#include <explain/judgement.h>
#include <explain/measure/conns.h>
#include <explain/measure/dialling.h>
#include <explain/measure/handshakes.h>
#include <explain/model/whatif.h>

/* How connections ended that had served somebody. */
struct endings {
        size_t n;
        size_t n_at_once; /* by the server, with an answer */
        uint64_t n_each;  /* after so many answers, each of these; 0: they differ */
        size_t n_left;    /* by the server, later, and another one was opened after that */
        size_t n_missed;  /* requests that were just being sent then, and had to be made again */
        size_t n_expired; /* by us, as nobody had used them; and another one was opened */
        struct spread left_ns, expired_ns;   /* unused until then */
        uint64_t *last_use_ns, *last_opened; /* by connection; by origin */
};

static size_t index_of(const struct facts *facts, const struct trace_conn *conn)
{
        assert(conn >= facts->record->conns &&
                conn < facts->record->conns + facts->record->n_conns);
        return (size_t)(conn - facts->record->conns);
}

static void note_uses(struct endings *endings, const struct facts *facts)
{
        const struct record *record = facts->record;

        for (size_t i = 0; i < record->n_attempts; i++) {
                const struct trace_attempt *attempt = &record->attempts[i];
                const struct trace_conn *conn = conn_of_attempt(record, attempt);
                uint64_t *last;

                /* A request that was not answered did not use it: it was gone, or reset. */
                if (!conn || !trace_is_answered(attempt) || attempt->outcome == TRACE_REPEATED)
                        continue;
                last = &endings->last_use_ns[index_of(facts, conn)];
                if (attempt->stamps.end_ns > *last)
                        *last = attempt->stamps.end_ns;
        }
        for (size_t i = 0; i < record->n_conns; i++) {
                const struct trace_conn *conn = &record->conns[i];

                if (conn->origin <= record->n_origins &&
                        conn->opened_ns > endings->last_opened[conn->origin])
                        endings->last_opened[conn->origin] = conn->opened_ns;
        }
}

static bool was_replaced(const struct endings *endings, const struct facts *facts,
        const struct trace_conn *conn)
{
        return conn->origin <= facts->record->n_origins &&
               endings->last_opened[conn->origin] >= conn->closed_ns;
}

static uint64_t unused_ns(const struct endings *endings, const struct facts *facts,
        const struct trace_conn *conn)
{
        uint64_t last_ns = endings->last_use_ns[index_of(facts, conn)];

        return conn->closed_ns > last_ns ? conn->closed_ns - last_ns : 0;
}

static bool is_at_once(const struct trace_conn *conn, uint64_t after_ns)
{
        uint64_t at_once_ns = whole_of((double)conn_round_trip_ns(conn) * CLOSED_AT_ONCE);

        return after_ns <= (at_once_ns > CLOSED_AT_ONCE_NS ? at_once_ns : CLOSED_AT_ONCE_NS);
}

static void count_at_once(struct endings *endings, const struct trace_conn *conn)
{
        if (!endings->n_at_once++)
                endings->n_each = conn->n_attempts;
        else if (endings->n_each != conn->n_attempts)
                endings->n_each = 0;
}

/* Counts the ending where it belongs. Its unused time is added to `left` or to `expired`. */
static void count_ending(struct endings *endings, const struct facts *facts,
        const struct trace_conn *conn, uint64_t *left, uint64_t *expired)
{
        uint64_t after_ns = unused_ns(endings, facts, conn);

        if (!endings->last_use_ns[index_of(facts, conn)])
                return;
        assert(endings->n < facts->record->n_conns);
        endings->n++;
        if (conn->closer == TRACE_CLOSED_BY_SERVER && is_at_once(conn, after_ns))
                count_at_once(endings, conn);
        else if (conn->closer == TRACE_CLOSED_BY_SERVER && was_replaced(endings, facts, conn))
                left[endings->n_left++] = after_ns;
        else if (conn->closer == TRACE_CLOSED_BY_AGE && was_replaced(endings, facts, conn))
                expired[endings->n_expired++] = after_ns;
}

/* Connections that were closed right behind the answer are counted as that. */
static void count_missed(struct endings *endings, const struct facts *facts)
{
        const struct record *record = facts->record;

        for (size_t i = 0; i < record->n_attempts; i++) {
                const struct trace_conn *conn = conn_of_attempt(record, &record->attempts[i]);

                endings->n_missed += record->attempts[i].outcome == TRACE_REPEATED && conn &&
                                     !is_at_once(conn, unused_ns(endings, facts, conn));
        }
}

/* 0 or MUSTER_E_RESOURCE. */
static int endings_of(struct endings *endings, const struct facts *facts)
{
        const struct record *record = facts->record;
        uint64_t *left = mem_array(record->n_conns, sizeof(*left));
        uint64_t *expired = mem_array(record->n_conns, sizeof(*expired));
        int r = MUSTER_E_RESOURCE;

        *endings = (struct endings){
                .last_use_ns = mem_array(record->n_conns, sizeof(uint64_t)),
                .last_opened = mem_array(record->n_origins + 1, sizeof(uint64_t)),
        };
        if (left && expired && endings->last_use_ns && endings->last_opened) {
                note_uses(endings, facts);
                for (size_t i = 0; i < record->n_conns; i++)
                        count_ending(endings, facts, &record->conns[i], left, expired);
                count_missed(endings, facts);
                spread_of(&endings->left_ns, left, endings->n_left);
                spread_of(&endings->expired_ns, expired, endings->n_expired);
                r = 0;
        }
        mem_free(left);
        mem_free(expired);
        mem_free(endings->last_use_ns);
        mem_free(endings->last_opened);
        return r;
}

/* --- what it costs --------------------------------------------------------------------------- */

static bool measure_opening(const struct facts *facts, const struct trace_attempt *attempt,
        uint64_t *ret_value)
{
        const struct trace_conn *conn = conn_of_attempt(facts->record, attempt);

        *ret_value = conn ? conn_opening_ns(conn) : 0;
        return conn && !attempt->is_reused;
}

/*
 * Opening connections took too little of the slots' time to be worth a line. Or most of it went to
 * names, or to addresses that did not answer; then other rules speak of these.
 */
static bool is_cheap(const struct facts *facts, struct spread *opening)
{
        struct dialling dialling;

        measure_attempts(opening, facts, measure_opening);
        dialling_of(&dialling, facts);
        return (double)opening->sum < OPENING_MATTERS * (double)facts->service.sum ||
               (double)(dialling.dns_ns + dialling.lost_ns) >
                       (double)dialling.opening_ns * MOST_OF_TIME;
}

static void add_cost(struct finding *finding, const struct facts *facts,
        const struct spread *opening)
{
        finding_evidence(finding,
                "opening a connection typically took %s, in total %s of the time that requests were in flight",
                words_ns(opening->p50).text,
                words_share((double)opening->sum, (double)facts->service.sum).text);
        finding_evidence(finding, "%s of %s attempts opened a connection, %s reused one",
                words_count(facts->n_on_new_conn).text, words_count(facts->n_attempts).text,
                words_count(facts->n_on_reused).text);
}

/*
 * The wall time with connections kept. The replay is the best case, as a connection that is spared
 * spares nothing else; so a part of the gain may not come.
 */
static void predict(struct finding *finding, const struct whatif *whatif, const struct facts *facts)
{
        struct replay_range range;
        uint64_t gain_ns;

        whatif_range_of(&range, whatif, facts);
        gain_ns = range.wall_ns < facts->wall_ns ? facts->wall_ns - range.wall_ns : 0;
        finding_predict(finding, range.wall_ns, range.low_ns,
                max_u64(range.high_ns, range.wall_ns + whole_of((double)gain_ns * GAIN_MISSED)));
}

static void predict_kept(struct finding *finding, const struct facts *facts)
{
        predict(finding, &(struct whatif){ .keeps_conns = true }, facts);
}

/*
 * As above, and no request is sent again because its connection was gone. Where requests were made
 * again for other reasons as well, these cannot be told apart here.
 */
static void predict_kept_once(struct finding *finding, const struct facts *facts)
{
        struct whatif whatif = {
                .keeps_conns = true,
                .is_last_only =
                        !facts->n_outcomes[TRACE_REDIRECTED] && !facts->n_outcomes[TRACE_RETRIED],
        };

        predict(finding, &whatif, facts);
}

/* Where requests come at their own pace, each takes longer and the run does not. */
static void explain_by_opening(struct finding *finding, const struct facts *facts)
{
        finding->explained_ns = facts->share_ns[PART_DNS] + facts->share_ns[PART_TCP] +
                                facts->share_ns[PART_TUNNEL] + facts->share_ns[PART_TLS];
}

/* --- rules ----------------------------------------------------------------------------------- */

static bool was_asked_to_close(const struct facts *facts)
{
        const struct record_options *options = &facts->record->run.options;

        return options->http_1_0 || options->no_reuse ||
               (facts->program && (double)facts->program->n_asked_to_close >=
                                          (double)facts->n_requests * MOST_OF_THEM);
}

/*
 * Who asks for HTTP/1.0 makes all handshakes of the start at once, and they wait for each other.
 * Without it the first one with a host is waited for, as the host may have HTTP/2, and the others
 * resume its session where the server lets them.
 */
struct resuming {
        size_t n_first;    /* handshakes that are still to be the first with a host */
        uint64_t first_ns; /* of a full one that waited least */
        uint64_t later_ns; /* of a resumed one */
};

static bool measure_full(const struct facts *facts, const struct trace_conn *conn,
        uint64_t *ret_value)
{
        (void)facts;
        *ret_value = conn_tls_ns(conn);
        return conn->is_tls && !conn->is_resumed && *ret_value;
}

static bool measure_resumed(const struct facts *facts, const struct trace_conn *conn,
        uint64_t *ret_value)
{
        (void)facts;
        *ret_value = conn_tls_ns(conn);
        return conn->is_resumed && *ret_value;
}

/* Full handshakes that were under way before any was complete, and the longest of them. */
static size_t n_together(const struct record *record, uint64_t *ret_longest_ns)
{
        uint64_t first_ns = UINT64_MAX;
        size_t n = 0;

        *ret_longest_ns = 0;
        for (size_t i = 0; i < record->n_conns; i++)
                if (record->conns[i].is_tls && record->conns[i].tls_end_ns)
                        first_ns = min_u64(first_ns, record->conns[i].tls_end_ns);
        for (size_t i = 0; i < record->n_conns; i++) {
                const struct trace_conn *conn = &record->conns[i];

                if (!conn->is_tls || conn->is_resumed || !conn_tls_ns(conn) ||
                        conn->tcp_end_ns >= first_ns)
                        continue;
                *ret_longest_ns = max_u64(*ret_longest_ns, conn_tls_ns(conn));
                n++;
        }
        return n;
}

/*
 * What one of them takes alone. Those that are computed share the server's processors, and the last
 * of them is through when all are. If they did not come one after the other, even the quickest waited.
 */
static uint64_t full_alone_ns(const struct facts *facts, const struct spread *full)
{
        int64_t n_here = record_counter_after(facts->record, "machine.processors");
        uint64_t n_processors =
                conns_are_local(facts->record) && n_here > 0 ? (uint64_t)n_here : PROCESSORS_LIKELY;
        struct handshakes handshakes;
        uint64_t longest_ns;
        size_t n = n_together(facts->record, &longest_ns);

        handshakes_of(&handshakes, facts);
        if (!handshakes.are_work || n <= n_processors)
                return full->min;
        return min_u64(full->min, max_u64(longest_ns / n * n_processors, handshakes.round_trip_ns));
}

static bool resuming_of(struct resuming *resuming, const struct facts *facts)
{
        struct spread full, resumed;

        measure_conns(&full, facts, measure_full);
        measure_conns(&resumed, facts, measure_resumed);
        *resuming = (struct resuming){ facts->n_hosts, full_alone_ns(facts, &full), resumed.p50 };
        return full.n && resumed.n > full.n;
}

static void wait_for_first(struct replay_request *request, const struct facts *facts, bool is_warm,
        void *argument)
{
        struct resuming *resuming = argument;
        uint64_t *slot_ns = request->slot_ns;

        (void)is_warm;
        if (!request->n_conns)
                return;
        slot_ns[PART_SERVER] = min_u64(slot_ns[PART_SERVER], facts->server.p50);
        slot_ns[PART_TLS] = min_u64(slot_ns[PART_TLS], resuming->first_ns);
        if (resuming->n_first)
                resuming->n_first--;
        else
                slot_ns[PART_TLS] = resuming->first_ns + resuming->later_ns;
}

/* Each time anew: whoever changes requests counts. */
static uint64_t resumed_wall_ns(const struct resuming *resuming, const struct facts *facts)
{
        struct resuming copy = *resuming;

        return whatif_wall_ns(&(struct whatif){ .keeps_conns = true,
                                      .change = wait_for_first,
                                      .argument = &copy },
                facts);
}

static void predict_without_1_0(struct finding *finding, const struct facts *facts)
{
        struct resuming resuming;
        uint64_t wall_ns;

        predict_kept(finding, facts);
        if (!finding->shown.has_prediction || !resuming_of(&resuming, facts))
                return;
        wall_ns = resumed_wall_ns(&resuming, facts);
        finding_predict(finding, wall_ns, min_u64(finding->shown.wall_low_ns, wall_ns),
                finding->shown.wall_high_ns);
}

static bool no_keep_alive(const struct facts *facts, struct finding *finding)
{
        bool is_http_1_0 = facts->record->run.options.http_1_0;
        struct spread opening;

        if (!was_asked_to_close(facts) || facts->n_on_new_conn < 2 || is_cheap(facts, &opening))
                return false;
        finding_title(finding, "Each request opened its own connection, because %s",
                is_http_1_0 ? "HTTP/1.0 was requested" : "connection reuse was turned off");
        add_cost(finding, facts, &opening);
        if (is_http_1_0)
                finding_evidence(finding,
                        "HTTP/1.0 closes the connection after each response; HTTP/1.1 keeps it for the next request");
        finding_remedy(finding,
                is_http_1_0 ? "Leave out --http1.0: HTTP/1.1 reuses connections."
                            : "Allow connection reuse (no_reuse in the options of the client).");
        if (is_http_1_0) {
                finding_option(finding, "without --http1.0");
                predict_without_1_0(finding, facts);
        } else {
                predict_kept(finding, facts);
        }
        return true;
}

/* Most connections ended with an answer, and not after a while unused. */
static bool are_mostly_at_once(const struct endings *endings)
{
        return endings->n_at_once >= endings->n_left + endings->n_missed;
}

/* Of the responses that ended their connection. */
static bool is_http_1_0(const struct facts *facts)
{
        size_t n = 0, n_1_0 = 0;

        for (size_t i = 0; i < facts->record->n_attempts; i++) {
                n += trace_is_answered(&facts->record->attempts[i]);
                n_1_0 += facts->record->attempts[i].http_version == 10;
        }
        return n_1_0 && (double)n_1_0 >= (double)n * NEARLY_ALL;
}

static void title_closes(struct finding *finding, const struct facts *facts,
        const struct endings *endings)
{
        bool are_nearly_all = (double)endings->n_at_once >= (double)endings->n * NEARLY_ALL;

        if (are_nearly_all &&
                (double)facts->n_on_new_conn >= (double)facts->n_attempts * NEARLY_ALL)
                finding_title(finding, "The server closed the connection after each response");
        else if (endings->n_each > 1 && endings->n_at_once > 1)
                finding_title(finding, "The server closed each connection after %s responses",
                        words_count(endings->n_each).text);
        else
                finding_title(finding, "The server closed the connection after some responses");
}

/* What to change there depends on why it does so. */
static void remedy_closes(struct finding *finding, const struct facts *facts,
        const struct endings *endings)
{
        if (is_http_1_0(facts))
                finding_remedy(finding,
                        "Let the server speak HTTP/1.1, which keeps connections open (Python's http.server: protocol_version = \"HTTP/1.1\"), or put one that does in front of it.");
        else if (endings->n_each > 1 && endings->n_at_once > 1)
                finding_remedy(finding,
                        "Let the server take more requests on a connection (nginx: keepalive_requests; Apache: MaxKeepAliveRequests 0).");
        else
                finding_remedy(finding,
                        "Let the server keep connections open (nginx: keepalive_timeout 60s; Apache: KeepAlive On); check that no program there sends \"Connection: close\".");
}

/*
 * Full TLS handshakes, and handshakes that keep processors busy, are told together with the
 * closing: see causes_tls.c.
 */
static bool server_closes(const struct facts *facts, struct finding *finding)
{
        struct endings endings;
        struct handshakes handshakes;
        struct spread opening;

        if (was_asked_to_close(facts) || facts->n_on_new_conn < 2 || is_cheap(facts, &opening) ||
                endings_of(&endings, facts) < 0 || !endings.n_at_once ||
                !are_mostly_at_once(&endings))
                return false;
        handshakes_of(&handshakes, facts);
        if (handshakes.are_full || handshakes.are_work)
                return false;
        title_closes(finding, facts, &endings);
        finding_evidence(finding, "the server closed %s of %s connections together with a response",
                words_count(endings.n_at_once).text, words_count(endings.n).text);
        add_cost(finding, facts, &opening);
        if (is_http_1_0(facts))
                finding_evidence(finding,
                        "it answers with HTTP/1.0, which ends the connection with the response");
        remedy_closes(finding, facts, &endings);
        predict_kept_once(finding, facts);
        return true;
}

/* The unused time is known of connections that ended before a request found them gone. */
static void tell_stale(struct finding *finding, const struct endings *endings)
{
        struct words unused = words_ns(endings->left_ns.p50);
        bool is_known = endings->n_left;

        finding_title(finding,
                "The server closed idle connections before they could be reused%s%s%s",
                is_known ? ", after " : "", is_known ? unused.text : "",
                is_known ? " without a request" : "");
        if (endings->n_left)
                finding_evidence(finding, "the server closed %s idle connections, after %s to %s",
                        words_count(endings->n_left).text, words_ns(endings->left_ns.min).text,
                        words_ns(endings->left_ns.max).text);
        if (endings->n_missed)
                finding_evidence(finding,
                        "%s requests were sent just when the server closed their connection and were repeated on a new one",
                        words_count(endings->n_missed).text);
        finding_remedy(finding,
                "Let the server keep idle connections longer than the pauses between requests last%s%s (nginx: keepalive_timeout; Apache: KeepAliveTimeout; Node: server.keepAliveTimeout).",
                is_known ? ", more than " : "", is_known ? unused.text : "");
}

static bool stale_connections(const struct facts *facts, struct finding *finding)
{
        struct endings endings;
        struct spread opening;

        if (was_asked_to_close(facts) || facts->n_on_new_conn < 2 || is_cheap(facts, &opening) ||
                endings_of(&endings, facts) < 0)
                return false;
        if (endings.n_left + endings.n_missed < 2 || are_mostly_at_once(&endings))
                return false;
        tell_stale(finding, &endings);
        add_cost(finding, facts, &opening);
        predict_kept_once(finding, facts);
        explain_by_opening(finding, facts);
        return true;
}

static bool idle_expired(const struct facts *facts, struct finding *finding)
{
        uint64_t limit_ns = facts->record->run.options.idle_timeout_ns;
        struct endings endings;
        struct spread opening;

        if (facts->n_on_new_conn < 2 || is_cheap(facts, &opening) ||
                endings_of(&endings, facts) < 0)
                return false;
        /* Connections that were closed younger made room for others. */
        if (endings.n_expired < 2 || endings.expired_ns.p50 < limit_ns)
                return false;
        finding_title(finding, "Idle connections were closed after %s and then needed again",
                words_ns(limit_ns).text);
        finding_evidence(finding,
                "%s connections were closed here after %s without a request, and others to the same host were opened later",
                words_count(endings.n_expired).text, words_ns(limit_ns).text);
        add_cost(finding, facts, &opening);
        finding_remedy(finding,
                "Keep idle connections longer than the pauses between requests (idle_timeout_ms in the options of the client).");
        predict_kept(finding, facts);
        explain_by_opening(finding, facts);
        return true;
}

const struct cause causes_conns[] = {
        { "no-keep-alive", MUSTER_GRADE_A, no_keep_alive, CAUSE_OF_OURS },
        { "server-closes", MUSTER_GRADE_A, server_closes },
        { "stale-connections", MUSTER_GRADE_A, stale_connections },
        { "idle-expired", MUSTER_GRADE_A, idle_expired, CAUSE_OF_OURS },
        { 0 },
};
