/* SPDX-License-Identifier: MIT */
/*
 * Streams of HTTP/2: many requests on one connection
 *
 *      stream-limit      the server allows fewer streams on a connection than there were slots for,
 *                        and we opened no more connections
 *      protocol-unknown  requests waited for the first connection to tell which HTTP the server
 *                        speaks, and it was HTTP/1.1: each needed a connection of its own then
 *      stream-window     uploads took a round trip for each window that the server gave them
 *      head-of-line      a lost packet stopped all the requests that shared its connection
 */
#include "cause.h"

#include "flat.h"
#include "library_words.h"
#include <base/mem.h>
#include <base/minmax.h>
#include <explain/facts/life.h>
#include <explain/facts/turns.h>
#include <explain/judgement.h>
#include <explain/measure/conns.h>
#include <explain/measure/link_use.h>
#include <explain/measure/load.h>
#include <explain/measure/losses.h>
#include <explain/model/raise.h>
#include <explain/model/whatif.h>

static uint64_t between(uint64_t from_ns, uint64_t to_ns)
{
        return to_ns > from_ns ? to_ns - from_ns : 0;
}

static const char *http_1_1(const struct facts *facts)
{
        return library_or_own(facts, "--http1.1", "HTTP/1.1");
}

/* --- stream-limit ---------------------------------------------------------------------------- */

static bool stream_limit(const struct facts *facts, struct finding *finding)
{
        size_t n_held = facts->n_waits[TRACE_WAIT_STREAM];
        uint64_t each, n_conns;
        struct replay replay;
        struct raise raise;
        struct load load;

        if (!facts->streams || (double)n_held < (double)facts->n_requests * MOST_OF_THEM)
                return false;
        load_measure(&load, facts);
        if (load.answer == LOAD_GROWS)
                return false;
        replay_init(&replay, facts);
        raise_limit(&raise, &replay, &replay.per_host, facts->slots, facts);
        if (!raise.limit)
                return false;
        each = conns_streams_each(facts);
        n_conns = (raise.limit + each - 1) / each;
        finding_title(finding, "The server's limit of %s on HTTP/2 connections held the run back",
                words_counted(each, "request at a time", "requests at a time").text);
        finding_evidence(finding,
                "%s of %s requests waited for a free stream, while %s of %s slots were in use",
                words_count(n_held).text, words_count(facts->n_requests).text,
                words_count(whole_of(facts->mean_in_flight + 0.5)).text,
                words_count(facts->slots).text);
        finding_evidence(finding, "a request waited %s for a stream, and then took %s",
                words_ns(facts->phase[MUSTER_PHASE_QUEUE].p50).text,
                words_ns(facts->service.p50).text);
        flat_tell(finding, &load, ": the server did not slow down");
        finding_remedy(finding,
                "Allow %s HTTP/2 connections, or let the server take more requests on one (nginx: http2_max_concurrent_streams; Apache: H2MaxSessionStreams).",
                words_count(n_conns).text);
        finding_option(finding, "--h2-conns %llu", (unsigned long long)n_conns);
        finding_predict(finding, raise.wall_ns, raise.low_ns, raise.high_ns);
        return true;
}

/* --- protocol-unknown ------------------------------------------------------------------------ */

/*
 * Without what our own loop worked at meanwhile, or waited for a processor to do: one thread makes all
 * handshakes, whether they begin together or not.
 */
static bool measure_protocol_wait(const struct facts *facts, const struct trace_attempt *attempt,
        uint64_t *ret_value)
{
        uint64_t from_ns = attempt->stamps.start_ns, to_ns = attempt->stamps.slot_ns;

        if (attempt->wait != TRACE_WAIT_PROTOCOL || !to_ns || !attempt->http_version ||
                attempt->http_version >= 20)
                return false;
        *ret_value = between(from_ns + turns_busy_ns(facts->turns, attempt->engine, from_ns, to_ns),
                to_ns);
        return true;
}

/* Where the server speaks HTTP/2 nothing is lost: they share the connection that they waited for. */
static bool protocol_unknown(const struct facts *facts, struct finding *finding)
{
        struct spread waited;
        uint64_t wall_ns;

        measure_attempts(&waited, facts, measure_protocol_wait);
        if (waited.n < SAMPLE_LEAST ||
                (double)waited.p50 < (double)facts->wall_ns * PROTOCOL_WAIT_MATTERS)
                return false;
        wall_ns = facts->wall_ns - waited.p50;
        finding_title(finding,
                "The first connection was awaited, in case others could share it, but the server speaks only HTTP/1.1");
        finding_evidence(finding,
                "%s requests waited %s until the first handshake told which HTTP the server speaks, and then opened connections of their own",
                words_count(waited.n).text, words_ns(waited.p50).text);
        finding_evidence(finding, "this was %s of the wall time",
                words_share((double)waited.p50, (double)facts->wall_ns).text);
        finding_remedy(finding,
                "Use --http1.1 for such servers, so that all connections open at the same moment.");
        finding_option(finding, "--http1.1");
        finding_predict(finding, wall_ns, wall_ns, facts->wall_ns - waited.p50 / 2);
        return true;
}

/* --- stream-window --------------------------------------------------------------------------- */

/* An upload that is larger than a window: how long it took, and what TCP alone would need. */
struct upload {
        uint64_t start_ns, end_ns;
        uint64_t round_trip_ns;
        uint64_t cold_ns;
};

static bool upload_of(struct upload *upload, const struct facts *facts,
        const struct trace_attempt *attempt)
{
        const struct trace_conn *conn = conn_of_attempt(facts->record, attempt);
        const struct attempt *stamps = &attempt->stamps;

        if (!conn || attempt->http_version < 20 || attempt->sent_bytes <= STREAM_WINDOW ||
                conn_round_trip_ns(conn) < ROUND_TRIP_TO_TELL_NS)
                return false;
        *upload = (struct upload){ .start_ns = stamps->send_start_ns,
                .end_ns = stamps->send_end_ns,
                .round_trip_ns = conn_round_trip_ns(conn) };
        upload->cold_ns =
                transfer_n_rounds(attempt->sent_bytes, FIRST_WINDOW) * upload->round_trip_ns;
        return upload->end_ns > upload->start_ns;
}

/* How the uploads of a connection went out, taken together: they share its window as well. */
struct outflow {
        uint64_t bytes, until_ns;
        uint64_t ns; /* something was being sent */
};

static void add_upload(struct outflow *outflow, const struct upload *upload, uint64_t bytes)
{
        uint64_t from_ns = max_u64(upload->start_ns, outflow->until_ns);

        outflow->bytes += bytes;
        outflow->ns += between(from_ns, upload->end_ns);
        outflow->until_ns = max_u64(outflow->until_ns, upload->end_ns);
}

/* Of each connection with uploads, the bytes that went out in a round trip. */
static int measure_windows(struct spread *windows, const struct facts *facts)
{
        const struct record *record = facts->record;
        struct outflow *outflows = mem_array(record->n_conns + 1, sizeof(*outflows));
        uint64_t *values = mem_array(record->n_conns + 1, sizeof(*values));
        size_t n = 0;

        for (size_t i = 0; outflows && values && i < record->n_attempts; i++) {
                const struct trace_attempt *attempt = &record->attempts[i];
                struct upload upload;

                if (upload_of(&upload, facts, attempt))
                        add_upload(&outflows[conn_of_attempt(record, attempt) - record->conns],
                                &upload, attempt->sent_bytes);
        }
        for (size_t i = 0; outflows && values && i < record->n_conns; i++) {
                uint64_t round_trip_ns = conn_round_trip_ns(&record->conns[i]);

                if (outflows[i].ns > WINDOW_TRIPS_LEAST * round_trip_ns)
                        values[n++] = whole_of((double)outflows[i].bytes * (double)round_trip_ns /
                                               (double)outflows[i].ns);
        }
        spread_of(windows, values, n);
        mem_free(outflows);
        mem_free(values);
        return outflows && values ? 0 : MUSTER_E_RESOURCE;
}

/* Uploads that took far longer than TCP needs for them. */
static bool measure_upload(const struct facts *facts, const struct trace_attempt *attempt,
        uint64_t *ret_value)
{
        struct upload upload;

        if (!upload_of(&upload, facts, attempt))
                return false;
        *ret_value = upload.end_ns - upload.start_ns;
        return (double)*ret_value > (double)upload.cold_ns * MUCH_LONGER;
}

/* Packets that queue on their way make round trips longer: then it is the link that is full. */
static bool measure_queue(const struct facts *facts, const struct trace_conn *conn,
        uint64_t *ret_value)
{
        (void)facts;
        *ret_value = conn->min_rtt_us
                             ? 100 * conn_longest_round_trip_ns(conn) / conn_round_trip_ns(conn)
                             : 0;
        return conn->min_rtt_us && conn->rtt_us;
}

/*
 * As TCP alone would send it: on each connection of HTTP/1.1 the window doubles each round trip
 * until the first upload is sent, and the next ones need one.
 */
static void send_at_once(struct replay_request *request, const struct facts *facts, bool is_warm,
        void *argument)
{
        uint64_t *send_ns = &request->slot_ns[PART_SEND];
        uint64_t *n_begun = argument;
        struct upload upload;
        uint64_t ns;

        (void)is_warm;
        if (!upload_of(&upload, facts, request->last))
                return;
        ns = (*n_begun)++ < facts->max_in_flight ? upload.cold_ns : upload.round_trip_ns;
        if (*send_ns > ns)
                *send_ns = ns;
}

/* The window that a server has unless it was told to give more, or less: all of it, at most. */
static bool is_window(const struct spread *windows)
{
        double share = (double)windows->p50 / (double)STREAM_WINDOW;

        return windows->n && share >= WINDOW_USED_LEAST && share <= WINDOW_USED_MOST;
}

static bool stream_window(const struct facts *facts, struct finding *finding)
{
        struct spread windows, upload, queue;
        uint64_t wall_ns, n_begun = 0;

        measure_attempts(&upload, facts, measure_upload);
        measure_conns(&queue, facts, measure_queue);
        if (upload.n < SAMPLE_LEAST ||
                (double)upload.sum < SLOT_TIME_MATTERS * (double)facts->service.sum ||
                (double)queue.p50 > 100 * QUEUE_GROWTH || measure_windows(&windows, facts) < 0 ||
                !is_window(&windows))
                return false;
        wall_ns = whatif_wall_ns(&(struct whatif){ .change = send_at_once, .argument = &n_begun },
                facts);
        finding_title(finding, "Uploads waited for the server's HTTP/2 window of 64 KiB");
        finding_evidence(finding,
                "%s uploads took %s each: %s went out in each round trip, although nothing queued on the way",
                words_count(upload.n).text, words_ns(upload.p50).text,
                words_bytes(windows.p50).text);
        finding_evidence(finding, "this was %s of the time that requests were in flight",
                words_share((double)upload.sum, (double)facts->service.sum).text);
        finding_remedy(finding,
                "Let the server give a larger window for what it receives (nginx: http2_body_preread_size; Apache: H2WindowSize), or use %s, which has no window but TCP's.",
                http_1_1(facts));
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

        if (losses_of(&blocking.losses, facts) < 0 || !losses_stop_streams(losses, facts))
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
                "Use %s: it opens a connection for each request at a time, and a loss stops only one of them. Or find where packets are dropped (mtr, ping -f, the counters of switches and wireless).",
                http_1_1(facts));
        finding_option(finding, "--http1.1");
        /* More connections are opened, and the first packet of one may get lost as well. */
        finding_predict(finding, wall_ns, wall_ns / 2,
                max_u64(facts->wall_ns, wall_ns + SYN_AGAIN_NS));
        return true;
}

const struct cause causes_streams[] = {
        { "stream-limit", MUSTER_GRADE_A, stream_limit, CAUSE_OF_OURS },
        { "protocol-unknown", MUSTER_GRADE_A, protocol_unknown, CAUSE_OF_OURS },
        { "stream-window", MUSTER_GRADE_B, stream_window },
        { "head-of-line", MUSTER_GRADE_B, head_of_line },
        { 0 },
};
