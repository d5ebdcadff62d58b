/* SPDX-License-Identifier: MIT */
#include "spreads.h"

#include "life.h"
#include "sort.h"
#include <assert.h>
#include <base/mem.h>
#include <base/minmax.h>
#include <explain/judgement.h>
#include <math.h>

static const struct trace_attempt *attempt_at(const struct facts *facts, size_t at)
{
        return &facts->record->attempts[facts->by_request[at]];
}

/* --- spreads --------------------------------------------------------------------------------- */

uint64_t quantile_of(const uint64_t *sorted, size_t n, double share)
{
        size_t at =
                (size_t)ceil(share * (double)n - 1e-6); /* 0.07 is a little more than 7 of 100 */

        if (at > n)
                at = n;
        return n ? sorted[at ? at - 1 : 0] : 0;
}

void spread_of(struct spread *spread, uint64_t *values, size_t n)
{
        *spread = (struct spread){ .n = n };
        if (n == 0)
                return;
        assert(values);
        sort_numbers(values, n);
        for (size_t i = 0; i < n; i++)
                spread->sum += values[i];
        spread->min = values[0];
        spread->p10 = quantile_of(values, n, 0.1);
        spread->p50 = quantile_of(values, n, 0.5);
        spread->p90 = quantile_of(values, n, 0.9);
        spread->p99 = quantile_of(values, n, 0.99);
        spread->max = values[n - 1];
}

/*
 * On a straight line the middle one is halfway between the tenths at either end. One of two groups
 * is at an end, and so it is where all are alike but a few. Where all are alike the lowest tenth is
 * no small part of the highest.
 */
bool spread_is_ramp(const struct spread *spread)
{
        double low = (double)spread->p10, high = (double)spread->p90;
        double from_middle = fabs((double)spread->p50 - (low + high) / 2);

        return low < RAMP_LOW_MOST * high && from_middle <= RAMP_BENT * (high - low);
}

/* --- what attempts took ---------------------------------------------------------------------- */

static bool phase_of(const struct facts *facts, const struct trace_attempt *attempt, int which,
        uint64_t *ret_value)
{
        uint64_t phase_ns[MUSTER_N_PHASES];

        (void)facts;
        if (!attempt->stamps.slot_ns)
                return false;
        attempt_phases(attempt, phase_ns);
        *ret_value = phase_ns[which];
        return true;
}

/* In the loop's thread or with a worker. */
static bool decode_of(const struct facts *facts, const struct trace_attempt *attempt, int which,
        uint64_t *ret_value)
{
        if (!phase_of(facts, attempt, which, ret_value))
                return false;
        *ret_value += min_u64(attempt->worker_decode_ns,
                life_process_end_ns(attempt) - life_end_ns(attempt));
        return true;
}

static bool service_of(const struct facts *facts, const struct trace_attempt *attempt, int which,
        uint64_t *ret_value)
{
        (void)facts;
        (void)which;
        *ret_value = life_end_ns(attempt) - attempt->stamps.slot_ns;
        return attempt->stamps.slot_ns != 0;
}

static bool network_of(const struct facts *facts, const struct trace_attempt *attempt, int which,
        uint64_t *ret_value)
{
        (void)which;
        if (!trace_is_answered(attempt) || !attempt->stamps.slot_ns)
                return false;
        *ret_value = attempt_network_ns(facts->record, attempt);
        return true;
}

static bool server_of(const struct facts *facts, const struct trace_attempt *attempt, int which,
        uint64_t *ret_value)
{
        (void)which;
        if (!trace_is_answered(attempt) || !attempt->stamps.slot_ns)
                return false;
        *ret_value = attempt_server_ns(facts->record, attempt);
        return true;
}

/* --- what requests took ---------------------------------------------------------------------- */

/* Of a request's attempts, from..to of by_request. */
typedef bool (*request_measure)(const struct facts *facts, size_t from, size_t to,
        uint64_t *ret_value);

static bool queue_of(const struct facts *facts, size_t from, size_t to, uint64_t *ret_value)
{
        uint64_t phase_ns[MUSTER_N_PHASES];

        *ret_value = 0;
        for (size_t at = from; at < to; at++) {
                attempt_phases(attempt_at(facts, at), phase_ns);
                *ret_value += phase_ns[MUSTER_PHASE_QUEUE];
        }
        return true;
}

static bool backoff_of(const struct facts *facts, size_t from, size_t to, uint64_t *ret_value)
{
        *ret_value = facts_backoff_ns(facts, from, to);
        return true;
}

static bool process_of(const struct facts *facts, size_t from, size_t to, uint64_t *ret_value)
{
        const struct trace_attempt *last = attempt_at(facts, to - 1);
        uint64_t ns = life_process_end_ns(last) - life_end_ns(last);

        (void)from;
        *ret_value = ns - min_u64(last->worker_decode_ns, ns);
        return true;
}

static bool deliver_of(const struct facts *facts, size_t from, size_t to, uint64_t *ret_value)
{
        const struct trace_attempt *last = attempt_at(facts, to - 1);

        (void)from;
        (void)facts;
        *ret_value = last->taken_ns - min_u64(last->finished_ns, last->taken_ns);
        return last->taken_ns != 0;
}

static bool latency_of(const struct facts *facts, size_t from, size_t to, uint64_t *ret_value)
{
        bool has_succeeded = attempt_at(facts, to - 1)->code == 0;

        *ret_value = 0;
        for (; from < to; from++) {
                uint64_t service_ns;

                if (service_of(facts, attempt_at(facts, from), FACTS_SERVICE, &service_ns))
                        *ret_value += service_ns;
        }
        return has_succeeded;
}

/* --- all of them ----------------------------------------------------------------------------- */

/*
 * What is measured, of an attempt or of a request. Those for which it answers false do not count.
 */
struct kind {
        bool (*of_attempt)(const struct facts *facts, const struct trace_attempt *attempt,
                int which, uint64_t *ret_value);
        int which;
        request_measure of_request;
};

static const struct kind kinds[FACTS_N_DURATIONS] = {
        [MUSTER_PHASE_QUEUE] = { .of_request = queue_of },
        [MUSTER_PHASE_BACKOFF] = { .of_request = backoff_of },
        [MUSTER_PHASE_DNS] = { phase_of, MUSTER_PHASE_DNS },
        [MUSTER_PHASE_TCP] = { phase_of, MUSTER_PHASE_TCP },
        [MUSTER_PHASE_TUNNEL] = { phase_of, MUSTER_PHASE_TUNNEL },
        [MUSTER_PHASE_TLS] = { phase_of, MUSTER_PHASE_TLS },
        [MUSTER_PHASE_SEND] = { phase_of, MUSTER_PHASE_SEND },
        [MUSTER_PHASE_WAIT] = { phase_of, MUSTER_PHASE_WAIT },
        [MUSTER_PHASE_LAG] = { phase_of, MUSTER_PHASE_LAG },
        [MUSTER_PHASE_RECEIVE] = { phase_of, MUSTER_PHASE_RECEIVE },
        [MUSTER_PHASE_DECODE] = { decode_of, MUSTER_PHASE_DECODE },
        [MUSTER_PHASE_PROCESS] = { .of_request = process_of },
        [MUSTER_PHASE_DELIVER] = { .of_request = deliver_of },
        [FACTS_SERVICE] = { service_of },
        [FACTS_LATENCY] = { .of_request = latency_of },
        [FACTS_NETWORK] = { network_of },
        [FACTS_SERVER] = { server_of },
};

static size_t collect_attempts(const struct facts *facts, const struct kind *kind, uint64_t *values)
{
        size_t n = 0;

        for (size_t i = 0; i < facts->record->n_attempts; i++)
                n += kind->of_attempt(facts, &facts->record->attempts[i], kind->which, &values[n]);
        return n;
}

static size_t collect_requests(const struct facts *facts, const struct kind *kind, uint64_t *values)
{
        size_t n = 0;

        for (size_t from = 0, to; from < facts->record->n_attempts; from = to) {
                to = facts_request_end(facts, from);
                if (attempt_at(facts, to - 1)->is_last)
                        n += kind->of_request(facts, from, to, &values[n]);
        }
        return n;
}

static size_t collect(const struct facts *facts, const struct kind *kind, uint64_t *values)
{
        return kind->of_request ? collect_requests(facts, kind, values)
                                : collect_attempts(facts, kind, values);
}

/* Where it is in struct facts. */
static size_t place_of(int durations)
{
        assert(durations >= 0 && durations < FACTS_N_DURATIONS);
        switch (durations) {
        case FACTS_SERVICE:
                return offsetof(struct facts, service);
        case FACTS_LATENCY:
                return offsetof(struct facts, latency);
        case FACTS_NETWORK:
                return offsetof(struct facts, network);
        case FACTS_SERVER:
                return offsetof(struct facts, server);
        }
        return offsetof(struct facts, phase) + (size_t)durations * sizeof(struct spread);
}

int spreads_measure(struct facts *facts)
{
        uint64_t *values = mem_array(facts->record->n_attempts, sizeof(*values));

        assert(facts->by_request);
        if (!values)
                return MUSTER_E_RESOURCE;
        for (int i = 0; i < FACTS_N_DURATIONS; i++)
                spread_of((struct spread *)(void *)((char *)facts + place_of(i)), values,
                        collect(facts, &kinds[i], values));
        mem_free(values);
        return 0;
}

const struct spread *facts_spread(const struct facts *facts, int durations)
{
        return (const struct spread *)(const void *)((const char *)facts + place_of(durations));
}

int facts_durations(const struct facts *facts, int durations, uint64_t **ret_values, size_t *ret_n)
{
        uint64_t *values = mem_array(facts->record->n_attempts, sizeof(*values));

        assert(durations >= 0 && durations < FACTS_N_DURATIONS);
        if (!values)
                return MUSTER_E_RESOURCE;
        *ret_n = collect(facts, &kinds[durations], values);
        sort_numbers(values, *ret_n);
        *ret_values = values;
        return 0;
}
