/* SPDX-License-Identifier: MIT */
#include "contention.h"

#include <base/mem.h>
#include <base/minmax.h>
#include <explain/facts/sort.h>
#include <explain/judgement.h>

/* When handshakes began and ended: two lists in order. */
struct shaking {
        uint64_t *begins, *ends;
        size_t n;
};

static void list_handshakes(struct shaking *shaking, const struct record *record)
{
        for (size_t i = 0; i < record->n_conns; i++) {
                const struct trace_conn *conn = &record->conns[i];

                if (!conn->is_tls || !conn->tls_end_ns)
                        continue;
                shaking->begins[shaking->n] = max_u64(conn->tcp_end_ns, conn->tunnel_end_ns);
                shaking->ends[shaking->n++] = conn->tls_end_ns;
        }
        sort_numbers(shaking->begins, shaking->n);
        sort_numbers(shaking->ends, shaking->n);
}

/* How many of these moments had come. */
static size_t n_until(const uint64_t *moments, size_t n, uint64_t at_ns)
{
        size_t from = 0, to = n;

        while (from < to) {
                size_t middle = from + (to - from) / 2;

                if (moments[middle] <= at_ns)
                        from = middle + 1;
                else
                        to = middle;
        }
        return from;
}

static uint64_t n_beside(const struct shaking *shaking, const struct trace_attempt *attempt)
{
        uint64_t at_ns = attempt->stamps.send_end_ns;

        return n_until(shaking->begins, shaking->n, at_ns) -
               n_until(shaking->ends, shaking->n, at_ns);
}

static bool is_answer(const struct trace_attempt *attempt)
{
        return trace_is_answered(attempt) && attempt->stamps.send_end_ns &&
               attempt->stamps.first_byte_kernel_ns;
}

static void judge(struct contention *contention, const struct shaking *shaking,
        const struct facts *facts, uint64_t *values)
{
        const struct record *record = facts->record;
        uint64_t middle_ns;

        for (size_t i = 0; i < record->n_attempts; i++)
                if (is_answer(&record->attempts[i]))
                        contention->most =
                                max_u64(contention->most, n_beside(shaking, &record->attempts[i]));
        for (size_t i = 0; i < record->n_attempts; i++) {
                const struct trace_attempt *attempt = &record->attempts[i];

                if (is_answer(attempt) &&
                        (double)n_beside(shaking, attempt) <= (double)contention->most * FEW_OUT)
                        values[contention->n_alone++] = attempt_server_ns(record, attempt);
        }
        sort_numbers(values, contention->n_alone);
        middle_ns = quantile_of(values, contention->n_alone, 0.5);
        contention->alone_ns = quantile_of(values, contention->n_alone, 0.25);
        contention->is_there = contention->most > 1 && contention->n_alone >= SAMPLE_LEAST &&
                               (double)facts->server.p50 >= (double)middle_ns * FULL_GROWTH;
}

/* Answers to requests that were sent beside no handshake at all. */
static void find_calm(struct contention *contention, const struct shaking *shaking,
        const struct record *record, uint64_t *values)
{
        size_t n = 0;

        for (size_t i = 0; i < record->n_attempts; i++) {
                const struct trace_attempt *attempt = &record->attempts[i];

                if (is_answer(attempt) && !n_beside(shaking, attempt))
                        values[n++] = attempt_server_ns(record, attempt);
        }
        sort_numbers(values, n);
        contention->n_calm = n;
        contention->calm_ns = quantile_of(values, n, 0.5);
}

void contention_of(struct contention *contention, const struct facts *facts)
{
        const struct record *record = facts->record;
        struct shaking shaking = { 0 };
        uint64_t *values = mem_array(record->n_attempts, sizeof(*values));

        *contention = (struct contention){ 0 };
        shaking.begins = mem_array(record->n_conns, sizeof(*shaking.begins));
        shaking.ends = mem_array(record->n_conns, sizeof(*shaking.ends));
        if (values && shaking.begins && shaking.ends) {
                list_handshakes(&shaking, record);
                if (shaking.n) {
                        judge(contention, &shaking, facts, values);
                        find_calm(contention, &shaking, record, values);
                }
        }
        mem_free(values);
        mem_free(shaking.begins);
        mem_free(shaking.ends);
}
