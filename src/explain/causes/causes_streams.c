/* SPDX-License-Identifier: MIT */
/*
 * Streams of HTTP/2: many requests on one connection
 *
 *      stream-window  uploads took a round trip for each window that the server gave them
 *      head-of-line   a lost packet stopped all the requests that shared its connection
 */
#include "cause.h"

#include <assert.h>
#include <explain/facts/life.h>
#include <explain/judgement.h>
#include <explain/measure/conns.h>
#include <explain/measure/link_use.h>
#include <explain/measure/losses.h>
#include <explain/model/whatif.h>

static uint64_t between(uint64_t from_ns, uint64_t to_ns)
{
        return to_ns > from_ns ? to_ns - from_ns : 0;
}

/* --- stream-window --------------------------------------------------------------------------- */

/* How many round trips it took to send a request that is larger than a window. 0: not known. */
static double trips_of(const struct facts *facts, const struct trace_attempt *attempt)
{
        const struct trace_conn *conn = conn_of_attempt(facts->record, attempt);
        uint64_t round_trip_ns = conn ? conn_round_trip_ns(conn) : 0;
        uint64_t ns = between(attempt->stamps.send_start_ns, attempt->stamps.send_end_ns);

        if (attempt->http_version < 20 || attempt->sent_bytes <= STREAM_WINDOW ||
                round_trip_ns < ROUND_TRIP_TO_TELL_NS)
                return 0;
        return (double)ns / (double)round_trip_ns;
}

/* What went out in each of them. */
static bool measure_window(const struct facts *facts, const struct trace_attempt *attempt,
        uint64_t *ret_value)
{
        double trips = trips_of(facts, attempt);

        if (trips < WINDOW_TRIPS_LEAST)
                return false;
        *ret_value = whole_of((double)attempt->sent_bytes / trips);
        return true;
}

static bool measure_upload(const struct facts *facts, const struct trace_attempt *attempt,
        uint64_t *ret_value)
{
        *ret_value = between(attempt->stamps.send_start_ns, attempt->stamps.send_end_ns);
        return trips_of(facts, attempt) >= WINDOW_TRIPS_LEAST;
}

/* A connection whose packets queue on their way has no small window. */
static bool measure_queue(const struct facts *facts, const struct trace_conn *conn,
        uint64_t *ret_value)
{
        (void)facts;
        *ret_value = conn->min_rtt_us ? UINT64_C(100) * conn->rtt_us / conn->min_rtt_us : 0;
        return conn->min_rtt_us && conn->rtt_us;
}

/* As TCP alone would send it: the window doubles each round trip. */
static void send_at_once(struct replay_request *request, const struct facts *facts, bool is_warm,
        void *argument)
{
        const struct trace_conn *conn = conn_of_attempt(facts->record, request->last);
        uint64_t *send_ns = &request->slot_ns[PART_SEND];
        uint64_t cold_ns;

        (void)is_warm;
        (void)argument;
        if (trips_of(facts, request->last) < WINDOW_TRIPS_LEAST)
                return;
        cold_ns = transfer_n_rounds(request->last->sent_bytes, FIRST_WINDOW) *
                  conn_round_trip_ns(conn);
        if (*send_ns > cold_ns)
                *send_ns = cold_ns;
}

static bool stream_window(const struct facts *facts, struct finding *finding)
{
        struct spread window, upload, queue;
        uint64_t wall_ns;

        measure_attempts(&window, facts, measure_window);
        measure_attempts(&upload, facts, measure_upload);
        measure_conns(&queue, facts, measure_queue);
        if (window.n < SAMPLE_LEAST || (double)window.p90 > (double)window.p10 * WINDOW_EVEN ||
                (double)queue.p50 > 100 * QUEUE_GROWTH ||
                (double)upload.sum < SLOT_TIME_MATTERS * (double)facts->service.sum)
                return false;
        wall_ns = whatif_wall_ns(&(struct whatif){ .change = send_at_once }, facts);
        finding_title(finding,
                "Uploads waited for the server's HTTP/2 window: about %s for each round trip",
                words_bytes(window.p50).text);
        finding_evidence(finding,
                "%s uploads took %s each, although nothing queued on the way: the server lets in %s at a time",
                words_count(window.n).text, words_ns(upload.p50).text,
                words_bytes(window.p50).text);
        finding_evidence(finding, "this was %s of the time that requests were in flight",
                words_share((double)upload.sum, (double)facts->service.sum).text);
        finding_remedy(finding,
                "Let the server give a larger window for what it receives (nginx: http2_body_preread_size; Apache: H2WindowSize), or use --http1.1, which has no window but TCP's.");
        finding_option(finding, "--http1.1");
        finding_predict(finding, wall_ns, wall_ns,
                wall_ns + whole_of((double)wall_ns * LONGER_AT_WORST));
        return true;
}

/* --- head-of-line ---------------------------------------------------------------------------- */

struct blocking {
        struct losses losses;
        double n_sharing; /* requests on a connection at once */
};

static void take_away(uint64_t *ns, uint64_t less_ns)
{
        *ns -= less_ns < *ns ? less_ns : *ns;
}

/* Each loss stops one request, and not all that are on its connection. */
static void stop_one(struct replay_request *request, const struct facts *facts, bool is_warm,
        void *argument)
{
        const struct blocking *blocking = argument;
        double spared = 1 - 1 / blocking->n_sharing;

        (void)is_warm;
        if (!attempt_shares_conn(facts, request->last))
                return;
        take_away(&request->slot_ns[PART_NETWORK],
                whole_of(spared *
                         (double)loss_of_wait_ns(&blocking->losses, facts, request->last)));
        take_away(&request->slot_ns[PART_RECEIVE],
                whole_of(spared *
                         (double)loss_of_receive_ns(&blocking->losses, facts, request->last)));
}

static bool head_of_line(const struct facts *facts, struct finding *finding)
{
        struct blocking blocking;
        const struct losses *losses = &blocking.losses;
        struct link_use use;
        uint64_t wall_ns;

        if (losses_of(&blocking.losses, facts) < 0 || !losses_hold_up_streams(losses) ||
                (double)losses->held_up_ns < LOSSES_MATTER * (double)facts->service.sum)
                return false;
        if (link_use_of(&use, facts) < 0 || use.is_full)
                return false;
        blocking.n_sharing = (double)facts->max_in_flight / (double)losses->n_conns;
        if (blocking.n_sharing < ALONE_LEAST)
                return false;
        wall_ns = whatif_wall_ns(&(struct whatif){ .change = stop_one, .argument = &blocking },
                facts);
        finding_title(finding,
                "A lost packet stopped up to %s requests, because they share one connection (head-of-line blocking)",
                words_count(whole_of(blocking.n_sharing + 0.5)).text);
        finding_evidence(finding,
                "%s of %s connections lost packets: %s of ours were sent again, %s of the server's arrived after a lost one",
                words_count(losses->n_conns_hit).text, words_count(losses->n_conns).text,
                words_count(losses->n_again).text, words_count(losses->n_out_of_order).text);
        finding_evidence(finding,
                "%s requests took longer because of it, by %s in total, %s of the time that requests were in flight",
                words_count(losses->n_held_up).text, words_ns(losses->held_up_ns).text,
                words_share((double)losses->held_up_ns, (double)facts->service.sum).text);
        finding_remedy(finding,
                "Use --http1.1: it opens a connection for each request at a time, and a loss stops only one of them. Or find where packets are dropped (mtr, ping -f, the counters of switches and wireless).");
        finding_option(finding, "--http1.1");
        finding_predict(finding, wall_ns, wall_ns / 2, facts->wall_ns);
        return true;
}

const struct cause causes_streams[] = {
        { "stream-window", MUSTER_GRADE_B, stream_window },
        { "head-of-line", MUSTER_GRADE_B, head_of_line },
        { 0 },
};
