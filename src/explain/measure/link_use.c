/* SPDX-License-Identifier: MIT */
/*
 * How much came in each moment is known as far as transfers are: their bytes are taken as spread
 * evenly from the first to the last. The moments at which transfers begin and end give the rate of
 * all together, and how many there were.
 */
#include "link_use.h"

#include "conns.h"
#include "losses.h"
#include <assert.h>
#include <base/clock.h>
#include <base/mem.h>
#include <explain/facts/sort.h>
#include <explain/judgement.h>
#include <math.h>

/* --- how much came when ---------------------------------------------------------------------- */

/* What happens at a moment; in this order where two moments are the same. */
enum event { EVENT_ENDS, EVENT_BEGINS, EVENT_IS_ASKED, N_EVENTS };

struct flow {
        const struct facts *facts;
        struct sort_pair *events; /* by moment; value: which attempt, and what */
        size_t n_events;
        struct sort_pair *rates; /* by bytes a second of all together; value: for how long */
        size_t n_rates;
        uint64_t ns;        /* the sum of these: something came */
        uint32_t *n_beside; /* by index of attempt: how many came when it was asked for */
        uint32_t n_coming, n_most;
        size_t n_transfers, n_streams; /* the latter: of these, such as share a connection */
        double per_s;
        double sum, squares;       /* of rates, times ns */
        double each, each_squares; /* ... and of rates / n_coming */
};

static bool is_coming_from_away(struct transfer *transfer, const struct flow *flow,
        const struct trace_attempt *attempt)
{
        return attempt->wire_bytes && transfer_among_others(transfer, flow->facts, attempt) &&
               !conn_is_local(conn_of_attempt(flow->facts->record, attempt));
}

/* A body that came in one piece was on its way for a while all the same. */
static uint64_t lasts_ns(const struct transfer *transfer)
{
        uint64_t least_ns = transfer->round_trip_ns / 2 + 1;

        return transfer->took_ns > least_ns ? transfer->took_ns : least_ns;
}

static double rate_of(const struct transfer *transfer)
{
        return (double)transfer->bytes * (double)NS_PER_S / (double)lasts_ns(transfer);
}

static void add_event(struct flow *flow, uint64_t at_ns, size_t i, enum event event)
{
        assert(event < N_EVENTS);
        flow->events[flow->n_events++] = (struct sort_pair){ at_ns, i * N_EVENTS + event };
}

static void list_events(struct flow *flow)
{
        const struct record *record = flow->facts->record;

        for (size_t i = 0; i < record->n_attempts; i++) {
                const struct attempt *stamps = &record->attempts[i].stamps;
                struct transfer transfer;

                if (!is_coming_from_away(&transfer, flow, &record->attempts[i]))
                        continue;
                flow->n_transfers++;
                flow->n_streams += attempt_shares_conn(flow->facts, &record->attempts[i]);
                add_event(flow, stamps->send_end_ns, i, EVENT_IS_ASKED);
                add_event(flow, stamps->first_byte_kernel_ns, i, EVENT_BEGINS);
                add_event(flow, stamps->first_byte_kernel_ns + lasts_ns(&transfer), i, EVENT_ENDS);
        }
        sort_pairs(flow->events, flow->n_events);
}

static void add_rate(struct flow *flow, uint64_t ns)
{
        double each = flow->per_s / flow->n_coming;

        assert(flow->n_coming > 0 && ns > 0);
        assert(flow->n_rates < flow->n_events); /* they take the place of events */
        flow->rates[flow->n_rates++] = (struct sort_pair){ whole_of(flow->per_s), ns };
        flow->ns += ns;
        flow->sum += flow->per_s * (double)ns;
        flow->squares += flow->per_s * flow->per_s * (double)ns;
        flow->each += each * (double)ns;
        flow->each_squares += each * each * (double)ns;
}

static void change_rate(struct flow *flow, double by, bool is_more)
{
        if (is_more && ++flow->n_coming > flow->n_most)
                flow->n_most = flow->n_coming;
        if (!is_more)
                flow->n_coming--;
        flow->per_s = flow->n_coming ? fmax(flow->per_s + by, 0) : 0;
}

static void take_event(struct flow *flow, const struct sort_pair *pair)
{
        size_t i = pair->value / N_EVENTS;
        struct transfer transfer;

        transfer_among_others(&transfer, flow->facts, &flow->facts->record->attempts[i]);
        switch ((enum event)(pair->value % N_EVENTS)) {
        case EVENT_ENDS:
                change_rate(flow, -rate_of(&transfer), false);
                return;
        case EVENT_BEGINS:
                change_rate(flow, rate_of(&transfer), true);
                return;
        case EVENT_IS_ASKED:
                flow->n_beside[i] = flow->n_coming;
                return;
        case N_EVENTS:
                return;
        }
}

static void go_through(struct flow *flow)
{
        for (size_t i = 0; i < flow->n_events; i++) {
                take_event(flow, &flow->events[i]);
                if (i + 1 < flow->n_events && flow->n_coming &&
                        flow->events[i + 1].key > flow->events[i].key)
                        add_rate(flow, flow->events[i + 1].key - flow->events[i].key);
        }
        sort_pairs(flow->rates, flow->n_rates);
}

static int flow_init(struct flow *flow, const struct facts *facts)
{
        size_t n = facts->record->n_attempts;

        *flow = (struct flow){ .facts = facts };
        flow->events = mem_array(n, N_EVENTS * sizeof(*flow->events));
        /* Rates take the place of events: each makes one at most, and is not looked at again. */
        flow->rates = flow->events;
        flow->n_beside = mem_array(n, sizeof(*flow->n_beside));
        if (!flow->events || !flow->n_beside)
                return MUSTER_E_RESOURCE;
        list_events(flow);
        go_through(flow);
        return 0;
}

static void flow_deinit(struct flow *flow)
{
        mem_free(flow->events);
        mem_free(flow->n_beside);
}

/* --- what that says -------------------------------------------------------------------------- */

/* The rate which it stayed below for this share of the time. */
static double rate_at(const struct flow *flow, double share)
{
        double left = (double)flow->ns * share;
        size_t i = 0;

        while (i + 1 < flow->n_rates && left > (double)flow->rates[i].value)
                left -= (double)flow->rates[i++].value;
        return flow->n_rates ? (double)flow->rates[i].key : 0;
}

static double variation(double sum, double squares, double weight)
{
        double mean = sum / weight;

        return mean > 0 ? sqrt(fmax(squares / weight - mean * mean, 0)) / mean : 0;
}

/*
 * Together the transfers always got the same, though each for itself did not: that depended on how
 * many there were.
 */
static bool is_shared(const struct flow *flow)
{
        double ns = (double)flow->ns;
        double each = variation(flow->each, flow->each_squares, ns);

        return each >= EACH_UNEVEN &&
               variation(flow->sum, flow->squares, ns) <= each * TOGETHER_EVEN;
}

/* From when it was asked for to its first byte. */
static uint64_t wait_ns(const struct trace_attempt *attempt)
{
        const struct attempt *stamps = &attempt->stamps;

        return stamps->first_byte_kernel_ns > stamps->send_end_ns
                       ? stamps->first_byte_kernel_ns - stamps->send_end_ns
                       : 0;
}

/* By origin. UINT64_MAX: none. */
static void find_least(const struct flow *flow, uint64_t *least_ns)
{
        const struct record *record = flow->facts->record;

        for (size_t i = 0; i <= record->n_origins; i++)
                least_ns[i] = UINT64_MAX;
        for (size_t i = 0; i < record->n_attempts; i++) {
                const struct trace_attempt *attempt = &record->attempts[i];

                if (trace_is_answered(attempt) && attempt->origin <= record->n_origins &&
                        wait_ns(attempt) < least_ns[attempt->origin])
                        least_ns[attempt->origin] = wait_ns(attempt);
        }
}

/* How much later answers began while many came, as part of a round trip. */
static size_t list_growth(const struct flow *flow, const uint64_t *least_ns, uint64_t *permille)
{
        const struct record *record = flow->facts->record;
        size_t n = 0;

        for (size_t i = 0; i < record->n_attempts; i++) {
                const struct trace_attempt *attempt = &record->attempts[i];
                struct transfer transfer;

                if (!flow->n_beside[i] ||
                        flow->n_beside[i] < whole_of((double)flow->n_most * MANY_COMING) ||
                        attempt->origin > record->n_origins ||
                        !is_coming_from_away(&transfer, flow, attempt))
                        continue;
                permille[n++] = 1000 + 1000 * (wait_ns(attempt) - least_ns[attempt->origin]) /
                                               transfer.round_trip_ns;
        }
        return n;
}

static double growth_of_waits(const struct flow *flow)
{
        const struct record *record = flow->facts->record;
        uint64_t *least_ns = mem_array(record->n_origins + 1, sizeof(*least_ns));
        uint64_t *permille = mem_array(record->n_attempts, sizeof(*permille));
        struct spread growth = { 0 };

        if (least_ns && permille) {
                find_least(flow, least_ns);
                spread_of(&growth, permille, list_growth(flow, least_ns, permille));
        }
        mem_free(least_ns);
        mem_free(permille);
        return (double)growth.p50 / 1000;
}

static bool measure_growth(const struct facts *facts, const struct trace_conn *conn,
        uint64_t *ret_value)
{
        (void)facts;
        if (!conn->min_rtt_us || conn_is_local(conn) || conn->n_retransmits || conn->n_out_of_order)
                return false;
        *ret_value = conn_longest_round_trip_ns(conn) * 1000 / conn_round_trip_ns(conn);
        return true;
}

/*
 * The round trips that the kernel had smoothed: at the end of a connection the queue may be empty
 * again. Packets that are sent again would be part of them.
 */
static double growth_of_round_trips(const struct facts *facts)
{
        struct spread growth;

        measure_conns(&growth, facts, measure_growth);
        return (double)growth.p50 / 1000;
}

/* --- is it full? ----------------------------------------------------------------------------- */

static bool are_slow(const struct transfers *transfers)
{
        const struct transfers_kind *kinds = transfers->kinds;
        int most = 0;

        for (int kind = 1; kind < TRANSFER_N_KINDS; kind++)
                if (kinds[kind].sum_ns > kinds[most].sum_ns)
                        most = kind;
        return kinds[most].n >= SAMPLE_LEAST &&
               (double)kinds[most].permille.p50 >=
                       1000 * (most == TRANSFER_WARM ? WARM_BODY_HELD_UP : BODY_HELD_UP);
}

static bool losses_held_up(const struct facts *facts)
{
        struct losses losses;

        return losses_of(&losses, facts) == 0 && losses.n_conns_hit &&
               (double)losses.held_up_ns >= LOSSES_MATTER * (double)facts->service.sum;
}

/*
 * Streams of one connection wait for each other in their server, and share whatever that connection
 * gets: only the round trips that the kernel saw say something of the link then.
 */
static bool are_streams(const struct flow *flow)
{
        return (double)flow->n_streams > (double)flow->n_transfers * MOST_OF_THEM;
}

static bool is_full(const struct link_use *use, const struct flow *flow)
{
        if (are_streams(flow))
                return use->has_queue;
        return use->has_queue || is_shared(flow) ||
               (use->evenness >= LINK_VERY_EVEN && losses_held_up(flow->facts));
}

static void judge(struct link_use *use, const struct flow *flow, const struct transfers *transfers)
{
        double waits = are_streams(flow) ? 0 : growth_of_waits(flow);

        if (!flow->ns)
                return;
        use->bytes_per_s = flow->sum / (double)flow->ns;
        use->most_per_s = rate_at(flow, 1);
        use->evenness = rate_at(flow, 0.5) / rate_at(flow, 0.9);
        use->is_queue_known = waits > 0;
        use->growth = fmax(waits, growth_of_round_trips(flow->facts));
        use->has_queue = use->growth >= QUEUE_GROWTH;
        use->may_be_full = use->evenness >= LINK_EVEN && are_slow(transfers);
        use->is_full = use->may_be_full && is_full(use, flow);
}

int link_use_of(struct link_use *use, const struct facts *facts)
{
        struct transfers transfers;
        struct flow flow;
        int r = flow_init(&flow, facts);

        *use = (struct link_use){ 0 };
        if (r == 0)
                r = transfers_among_others(&transfers, facts);
        if (r == 0)
                judge(use, &flow, &transfers);
        flow_deinit(&flow);
        return r;
}
