/* SPDX-License-Identifier: MIT */
#include "company.h"

#include "conns.h"
#include <assert.h>
#include <base/mem.h>
#include <base/minmax.h>
#include <explain/facts/sort.h>
#include <explain/judgement.h>

struct handshake {
        uint64_t begin_ns, end_ns;
};

static struct handshake handshake_at(const struct record *record, const struct sort_pair *pair)
{
        return (struct handshake){ pair->key, record->conns[pair->value].tls_end_ns };
}

/* In the order in which they began. Returns how many. */
static size_t list_in_order(struct sort_pair *pairs, const struct record *record)
{
        size_t n = 0;

        for (size_t i = 0; i < record->n_conns; i++) {
                const struct trace_conn *conn = &record->conns[i];

                if (conn->is_tls && conn->tls_end_ns && conn->origin == record->conns[0].origin)
                        pairs[n++] = (struct sort_pair){ conn->tls_end_ns - conn_tls_ns(conn), i };
        }
        sort_pairs(pairs, n);
        return n;
}

/* Takes those alone out of `pairs`. Returns how many are left. */
static size_t take_out_alone(struct company *company, const struct record *record,
        struct sort_pair *pairs, size_t n)
{
        uint64_t ended_ns = 0; /* all before it */
        size_t n_left = 0;

        for (size_t i = 0; i < n; i++) {
                struct handshake handshake = handshake_at(record, &pairs[i]);
                bool is_alone = ended_ns <= handshake.begin_ns &&
                                (i + 1 == n || handshake.end_ns <= pairs[i + 1].key);

                ended_ns = max_u64(ended_ns, handshake.end_ns);
                if (is_alone) {
                        company->n_alone++;
                        company->alone_ns =
                                max_u64(company->alone_ns, handshake.end_ns - handshake.begin_ns);
                } else {
                        pairs[n_left++] = pairs[i];
                }
        }
        return n_left;
}

/* Those of connections that were opened within BEGAN_TOGETHER of what the longest took. */
static void measure_together(struct company *company, const struct record *record,
        const struct sort_pair *pairs, size_t n, uint64_t *values)
{
        uint64_t longest_ns = 0, first_ns = UINT64_MAX;

        for (size_t i = 0; i < n; i++) {
                struct handshake handshake = handshake_at(record, &pairs[i]);

                longest_ns = max_u64(longest_ns, handshake.end_ns - handshake.begin_ns);
                first_ns = min_u64(first_ns, record->conns[pairs[i].value].opened_ns);
        }
        for (size_t i = 0; i < n; i++) {
                struct handshake handshake = handshake_at(record, &pairs[i]);

                if ((double)(record->conns[pairs[i].value].opened_ns - first_ns) <=
                        (double)longest_ns * BEGAN_TOGETHER)
                        values[company->n++] = handshake.end_ns - handshake.begin_ns;
        }
        spread_of(&company->took_ns, values, company->n);
}

static void judge(struct company *company)
{
        if (company->n < ROW_LEAST || !company->n_alone)
                return;
        company->each_ns = company->took_ns.max / company->n;
        company->is_queue =
                (double)company->took_ns.p10 >= (double)company->alone_ns * IN_COMPANY_LONGER &&
                company->each_ns <= company->alone_ns;
}

void company_of(struct company *company, const struct record *record)
{
        struct sort_pair *pairs = mem_array(record->n_conns, sizeof(*pairs));
        uint64_t *values = mem_array(record->n_conns, sizeof(*values));

        *company = (struct company){ 0 };
        if (pairs && values) {
                size_t n = list_in_order(pairs, record);

                n = take_out_alone(company, record, pairs, n);
                measure_together(company, record, pairs, n, values);
                judge(company);
        }
        mem_free(pairs);
        mem_free(values);
}
