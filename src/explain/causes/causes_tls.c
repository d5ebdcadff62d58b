/* SPDX-License-Identifier: MIT */
/*
 * TLS handshakes
 *
 * Where many connections are opened, the handshake is mostly the dearest part of each. What can be
 * spared depends on what it is made of (handshakes.h): round trips, by resuming sessions;
 * computing, by making fewer. In both cases keeping connections spares most. So that is part of the
 * remedy, and "server-closes" keeps silent.
 */
#include "cause.h"

#include <base/clock.h>
#include <base/minmax.h>
#include <explain/judgement.h>
#include <explain/measure/conns.h>
#include <explain/measure/handshakes.h>
#include <explain/measure/vantage.h>
#include <explain/model/whatif.h>

/* Where we asked for connections to be closed the cause is no-keep-alive. */
static bool matters(const struct handshakes *handshakes, const struct facts *facts)
{
        const struct record_options *options = &facts->record->run.options;

        return !options->http_1_0 && !options->no_reuse &&
               (double)handshakes->took_ns.sum >= SLOT_TIME_MATTERS * (double)facts->service.sum;
}

/* There were more connections than were ever in use at once, so that some could have been kept. */
static bool could_be_kept(const struct facts *facts)
{
        return (double)facts->n_on_new_conn > (double)facts->max_in_flight * CONNS_KEPT;
}

/* --- no-resumption --------------------------------------------------------------------------- */

/*
 * The connection of a request whose handshake could have been resumed; NULL: it had none, or it was
 * the first with a host. `argument` counts the first ones.
 */
static const struct trace_conn *could_be_resumed(const struct replay_request *request,
        const struct facts *facts, void *argument)
{
        const struct trace_conn *conn = conn_of_attempt(facts->record, request->last);
        uint64_t *n_first = argument;

        if (!conn || !conn->is_tls || conn->is_resumed || !request->n_conns)
                return NULL;
        if (!*n_first)
                return conn;
        (*n_first)--;
        return NULL;
}

/* Each handshake but the first with a host takes half the time: one round trip of two. */
static void resume(struct replay_request *request, const struct facts *facts, bool is_warm,
        void *argument)
{
        (void)is_warm;
        if (could_be_resumed(request, facts, argument))
                request->slot_ns[PART_TLS] /= 2;
}

/* Each handshake but the first with a host takes no computing. */
static void resume_work(struct replay_request *request, const struct facts *facts, bool is_warm,
        void *argument)
{
        const struct trace_conn *conn = could_be_resumed(request, facts, argument);

        (void)is_warm;
        if (!conn)
                return;
        request->slot_ns[PART_TLS] = min_u64(request->slot_ns[PART_TLS], conn_round_trip_ns(conn));
        request->loop_ns -= min_u64(request->loop_ns, conn->tls_work_ns);
}

/* The best case: connections are kept, and sessions are resumed for those that are left. */
static uint64_t kept_and_resumed_ns(const struct handshakes *handshakes, const struct facts *facts)
{
        uint64_t n_first = handshakes->n - handshakes->n_later;

        return whatif_wall_ns(&(struct whatif){ .keeps_conns = true,
                                      .contention = WHATIF_CONTENTION_LEAST,
                                      .change = resume_work,
                                      .argument = &n_first },
                facts);
}

static uint64_t resumed_wall_ns(const struct handshakes *handshakes, const struct facts *facts)
{
        uint64_t n_first = handshakes->n - handshakes->n_later;

        return whatif_wall_ns(&(struct whatif){ .change = resume, .argument = &n_first }, facts);
}

/* Resumption is what is expected. Keeping connections as well is the best case. */
static void predict_no_resumption(struct finding *finding, const struct handshakes *handshakes,
        const struct facts *facts)
{
        uint64_t resumed_ns = resumed_wall_ns(handshakes, facts);
        uint64_t kept_ns = could_be_kept(facts)
                                   ? whatif_wall_ns(&(struct whatif){ .keeps_conns = true }, facts)
                                   : resumed_ns;

        finding_predict(finding, resumed_ns, kept_ns,
                resumed_ns + whole_of((double)resumed_ns * RESUMED_AT_WORST));
}

/*
 * The title tells of connections only where nearly each request opened one, and there could have
 * been fewer.
 */
static void tell_full(struct finding *finding, const struct handshakes *handshakes,
        const struct facts *facts)
{
        if (could_be_kept(facts) &&
                (double)facts->n_on_new_conn >= (double)facts->n_attempts * NEARLY_ALL)
                finding_title(finding,
                        "Nearly every request needed a full TLS handshake, because the server neither keeps connections nor resumes sessions");
        else
                finding_title(finding,
                        "%s of %s TLS handshakes were full ones, because the server %s sessions",
                        words_count(handshakes->n - handshakes->n_resumed).text,
                        words_count(handshakes->n).text,
                        handshakes->n_resumed ? "hardly resumes" : "does not resume");
        finding_evidence(finding,
                "%s TLS handshakes, %s of them resumed; %s could have been, because an earlier one with the same host was complete",
                words_count(handshakes->n).text, words_count(handshakes->n_resumed).text,
                words_count(handshakes->n_later).text);
        if (handshakes->n_refused)
                finding_evidence(finding,
                        "%s times a session was offered, and the server did not accept it",
                        words_count(handshakes->n_refused).text);
        else if (!handshakes->n_resumed)
                finding_evidence(finding, "the server never issued a session to resume");
}

static bool no_resumption(const struct facts *facts, struct finding *finding)
{
        struct handshakes handshakes;

        handshakes_of(&handshakes, facts);
        if (!handshakes.are_full || !matters(&handshakes, facts))
                return false;
        tell_full(finding, &handshakes, facts);
        finding_evidence(finding,
                "a handshake typically took %s, two round trips of %s to the server; a resumed one takes one",
                words_ns(handshakes.took_ns.p50).text, words_ns(handshakes.round_trip_ns).text);
        finding_evidence(finding, "handshakes were %s of the time that requests were in flight",
                words_share((double)handshakes.took_ns.sum, (double)facts->service.sum).text);
        finding_remedy(finding,
                "Let the server resume TLS sessions (nginx: ssl_session_tickets on and ssl_session_cache) or use TLS 1.3; better still, let it keep connections open (keepalive_timeout).");
        predict_no_resumption(finding, &handshakes, facts);
        return true;
}

/* --- handshake-cpu --------------------------------------------------------------------------- */

static bool handshake_cpu(const struct facts *facts, struct finding *finding)
{
        struct handshakes handshakes;
        struct replay_range range;
        uint64_t gain_ns;

        handshakes_of(&handshakes, facts);
        if (!handshakes.are_work || !could_be_kept(facts) || !matters(&handshakes, facts))
                return false;
        whatif_range_of(&range, &(struct whatif){ .keeps_conns = true }, facts);
        gain_ns = range.wall_ns < facts->wall_ns ? facts->wall_ns - range.wall_ns : 0;
        finding_title(finding,
                "The TLS handshakes of %s connections, for %s requests, kept the processors busy",
                words_count(handshakes.n).text, words_count(facts->n_requests).text);
        finding_evidence(finding,
                "this program's part of %s handshakes took %s of computing, %s of the wall time",
                words_count(handshakes.n).text, words_ns(handshakes.work_ns).text,
                words_share((double)handshakes.work_ns, (double)facts->wall_ns).text);
        finding_evidence(finding,
                "a handshake typically took %s, but a round trip takes only %s: the rest was computing here and at the server, and waiting for it",
                words_ns(handshakes.took_ns.p50).text, words_ns(handshakes.round_trip_ns).text);
        finding_evidence(finding,
                "%s of %s handshakes were resumed, which saves most of the computing",
                words_count(handshakes.n_resumed).text, words_count(handshakes.n).text);
        finding_remedy(finding,
                "Let the server keep connections open (nginx: keepalive_timeout; Apache: KeepAlive On), so that one handshake serves many requests; resumed sessions and ECDSA certificates make the others cheaper.");
        finding->shown.is_client = vantage_of(facts) != VANTAGE_CLEAR;
        finding_predict(finding, range.wall_ns,
                min_u64(range.low_ns, kept_and_resumed_ns(&handshakes, facts)),
                max_u64(range.high_ns,
                        range.wall_ns + whole_of((double)gain_ns * HANDSHAKE_GAIN_MISSED)));
        return true;
}

const struct cause causes_tls[] = {
        { "no-resumption", MUSTER_GRADE_A, no_resumption },
        { "handshake-cpu", MUSTER_GRADE_A, handshake_cpu },
        { 0 },
};
