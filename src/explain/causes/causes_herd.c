/* SPDX-License-Identifier: MIT */
/*
 * Connections that are opened at the same moment, and wait for each other
 *
 *      handshake-herd    in their TLS handshakes, which are computed one after the other
 *      slow-accept       for their first answer, as the server takes in one after the other; later
 *                        answers on them come at once
 *
 * In both each took longer than the one before, or, of handshakes, all took as long as all together
 * (company.h). What else looks like the second one is told apart in accepting.h.
 */
#include "cause.h"

#include <assert.h>
#include <base/clock.h>
#include <base/mem.h>
#include <base/minmax.h>
#include <explain/facts/life.h>
#include <explain/judgement.h>
#include <explain/measure/accepting.h>
#include <explain/measure/company.h>
#include <explain/measure/conns.h>
#include <explain/measure/contention.h>
#include <explain/model/whatif.h>
#include <math.h>

static void predict(struct finding *finding, uint64_t wall_ns)
{
        finding_predict(finding, wall_ns, whole_of((double)wall_ns * GUESS_AT_BEST),
                whole_of((double)wall_ns * HERD_AT_WORST));
}

/* --- handshake-herd -------------------------------------------------------------------------- */

struct herd {
        size_t n;
        struct spread took_ns;
        double each_ns;    /* by how much a handshake takes longer with each beside it */
        uint64_t alone_ns; /* what one took that was made alone; 0: they ended in a row */
        uint64_t rest_ns;  /* what a request takes on a connection that is there */
        uint64_t n_made;   /* by the replay */
};

static uint64_t took(const struct trace_conn *conn)
{
        return conn_tcp_ns(conn) + conn_tls_ns(conn);
}

/*
 * The connections that were opened together with the first one: within BEGAN_TOGETHER of what the
 * slowest one took.
 */
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
                        (double)(conn->opened_ns - first_ns) <= (double)longest_ns * BEGAN_TOGETHER)
                        values[herd->n++] = took(conn);
        }
        spread_of(&herd->took_ns, values, herd->n);
        mem_free(values);
        return 0;
}

static bool measure_warm(const struct facts *facts, const struct trace_attempt *attempt,
        uint64_t *ret_value)
{
        (void)facts;
        *ret_value = life_end_ns(attempt) - attempt->stamps.slot_ns;
        return attempt->is_reused && trace_is_answered(attempt) && attempt->stamps.slot_ns;
}

/*
 * Where answers waited beside handshakes, and nearly all were made beside some, the quick ones tell
 * what a request takes without. Else all of them do, or those that were sent beside no handshake.
 */
static void note_rest(struct herd *herd, const struct facts *facts)
{
        struct contention contention;
        struct spread warm, round_trip;

        assert(herd->n >= 2); /* a row */
        contention_of(&contention, facts);
        measure_attempts(&warm, facts, measure_warm);
        measure_conns(&round_trip, facts, measure_round_trip);
        if (!warm.n)
                warm = round_trip;
        herd->rest_ns = contention.is_there ? warm.p10 : whole_of(spread_mean(&warm));
        if (contention.n_calm >= SAMPLE_LEAST)
                herd->rest_ns = min_u64(herd->rest_ns, contention.calm_ns + round_trip.p50);
        herd->rest_ns = max_u64(herd->rest_ns, NS_PER_US);
}

/*
 * c handshakes one after the other, then N requests c at a time: c h + N s / c is least at the root
 * of N s / h.
 */
static uint64_t best_concurrency(const struct herd *herd, const struct facts *facts)
{
        double best = sqrt((double)facts->n_requests * (double)herd->rest_ns / herd->each_ns);
        uint64_t c = 2;

        while (c * 2 <= herd->n / 2 && (double)c < best)
                c *= 2;
        return c;
}

/*
 * Those handshakes that are still made wait for each other. Each request then takes what it takes
 * on a connection that is there.
 */
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

/* They ended in a row, each later than the one before. */
static bool is_row(struct herd *herd, const struct record *record)
{
        if (herd_of(herd, record) < 0 || herd->n < ROW_LEAST || !spread_is_ramp(&herd->took_ns))
                return false;
        herd->each_ns = (double)(herd->took_ns.max - herd->took_ns.min) / (double)(herd->n - 1);
        return true;
}

/* They ended together, after what all of them take. */
static bool is_queue(struct herd *herd, const struct record *record)
{
        struct company company;

        company_of(&company, record);
        *herd = (struct herd){ .n = company.n,
                .took_ns = company.took_ns,
                .each_ns = (double)company.each_ns,
                .alone_ns = company.alone_ns };
        return company.is_queue;
}

static void tell_how_long(struct finding *finding, const struct herd *herd)
{
        if (herd->alone_ns)
                finding_evidence(finding,
                        "a handshake alone took %s; %s together took %s to %s, about %s for each: they were computed one after the other",
                        words_ns(herd->alone_ns).text, words_count(herd->n).text,
                        words_ns(herd->took_ns.min).text, words_ns(herd->took_ns.max).text,
                        words_ns(whole_of(herd->each_ns)).text);
        else
                finding_evidence(finding,
                        "handshakes took %s to %s, each about %s longer than the one before: they ran one after the other",
                        words_ns(herd->took_ns.min).text, words_ns(herd->took_ns.max).text,
                        words_ns(whole_of(herd->each_ns)).text);
}

static bool handshake_herd(const struct facts *facts, struct finding *finding)
{
        const struct record *record = facts->record;
        struct whatif whatif = { .keeps_conns = true, .change = in_a_row };
        struct herd herd;
        uint64_t wall_ns;

        if (record->n_conns < ROW_LEAST || (!is_row(&herd, record) && !is_queue(&herd, record)) ||
                (double)herd.n < (double)record->n_conns * ROW_OF_ALL ||
                (double)herd.took_ns.max < HERD_MATTERS * (double)facts->wall_ns)
                return false;
        note_rest(&herd, facts);
        whatif.argument = &herd;
        whatif.concurrency = best_concurrency(&herd, facts);
        wall_ns = whatif_wall_ns(&whatif, facts);
        finding_title(finding,
                "%s connections were opened at the same moment, so their TLS handshakes waited for each other",
                words_count(herd.n).text);
        tell_how_long(finding, &herd);
        if (facts->n_on_reused)
                finding_evidence(finding,
                        "%s later requests reused a connection and took %s at best",
                        words_count(facts->n_on_reused).text, words_ns(herd.rest_ns).text);
        finding_remedy(finding,
                "Open fewer connections at once: each handshake less saves time, and the requests share the connections.");
        finding_option(finding, "--concurrency %llu", (unsigned long long)whatif.concurrency);
        predict(finding, wall_ns);
        return true;
}

/* --- slow-accept ----------------------------------------------------------------------------- */

struct taking_in {
        const struct accepting *accepting;
        uint64_t n; /* by the replay */
};

/*
 * The server takes in one connection after the other. A request on a connection that was taken in
 * before does not wait for that.
 */
static void take_in(struct replay_request *request, const struct facts *facts, bool is_warm,
        void *argument)
{
        struct taking_in *taking_in = argument;
        const struct accepting *accepting = taking_in->accepting;

        (void)is_warm;
        if (!accepting_is_first(facts, request->last))
                return;
        request->slot_ns[PART_NETWORK] = 0;
        request->slot_ns[PART_SERVER] = accepting->kept_ns.p50;
        if (request->n_conns)
                request->slot_ns[PART_SERVER] =
                        accepting->first_ns.min +
                        whole_of((double)taking_in->n++ * accepting->each_ns);
}

static uint64_t wall_with_ns(const struct accepting *accepting, const struct facts *facts,
        uint64_t concurrency)
{
        struct taking_in taking_in = { .accepting = accepting };

        return whatif_wall_ns(&(struct whatif){ .keeps_conns = true,
                                      .concurrency = concurrency,
                                      .change = take_in,
                                      .argument = &taking_in },
                facts);
}

/*
 * Half of the connections, or half of that, and so on: the number with which the run takes the
 * least time.
 */
static void propose_fewer(struct finding *finding, const struct facts *facts,
        const struct accepting *accepting)
{
        uint64_t best = 0, best_ns = facts->wall_ns;

        for (uint64_t n = accepting->n / 2; n; n /= 2) {
                uint64_t wall_ns = wall_with_ns(accepting, facts, n);

                if (wall_ns < best_ns) {
                        best_ns = wall_ns;
                        best = n;
                }
        }
        if (!best)
                return;
        finding_option(finding, "--concurrency %llu", (unsigned long long)best);
        predict(finding, best_ns);
}

static bool slow_accept(const struct facts *facts, struct finding *finding)
{
        struct accepting accepting;

        accepting_of(&accepting, facts);
        if (!accepting.is_slow ||
                (double)accepting.first_ns.max < HERD_MATTERS * (double)facts->wall_ns)
                return false;
        finding_title(finding,
                "New connections waited up to %s for their first response, because the server accepted them one after the other",
                words_ns(accepting.first_ns.max).text);
        finding_evidence(finding,
                "%s were opened together, and their first responses took %s to %s, each about %s longer than the one before",
                words_counted(accepting.n, "connection", "connections").text,
                words_ns(accepting.first_ns.min).text, words_ns(accepting.first_ns.max).text,
                words_ns(whole_of(accepting.each_ns)).text);
        finding_evidence(finding, "on reused connections half of %s responses came within %s",
                words_count(accepting.kept_ns.n).text, words_ns(accepting.kept_ns.p50).text);
        finding_remedy(finding,
                "Open fewer connections at once and reuse them, because each connection less saves time; or make the server accept faster (more accepting processes or threads, and no work per connection before its first request).");
        finding->explained_ns = facts->chain_ns[PART_SERVER];
        propose_fewer(finding, facts, &accepting);
        return true;
}

const struct cause causes_herd[] = {
        { "handshake-herd", MUSTER_GRADE_B, handshake_herd },
        { "slow-accept", MUSTER_GRADE_B, slow_accept },
        { 0 },
};
