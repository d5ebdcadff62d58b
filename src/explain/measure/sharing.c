/* SPDX-License-Identifier: MIT */
#include "sharing.h"

#include "transfers.h"
#include <assert.h>
#include <base/clock.h>
#include <base/mem.h>
#include <explain/facts/sort.h>
#include <explain/judgement.h>
#include <math.h>

/* --- when they came -------------------------------------------------------------------------- */

struct coming {
        const struct facts *facts;
        uint64_t *begins, *ends;   /* sorted, each by itself */
        double *begun, *over;      /* sums of these, up to but not including each */
        struct sort_pair *company; /* thousandths of how many came at a time; value: its rate */
        uint64_t *rates;
        size_t n;
        double bytes;
};

static bool transfer_lasts(struct transfer *transfer, const struct facts *facts,
        const struct trace_attempt *attempt)
{
        return transfer_of(transfer, facts, attempt) && transfer->n_rounds && transfer->took_ns;
}

static void add_up(double *sums, const uint64_t *sorted, size_t n)
{
        sums[0] = 0;
        for (size_t i = 0; i < n; i++)
                sums[i + 1] = sums[i] + (double)sorted[i];
}

static void list_moments(struct coming *coming)
{
        const struct record *record = coming->facts->record;

        for (size_t i = 0; i < record->n_attempts; i++) {
                const struct trace_attempt *attempt = &record->attempts[i];
                uint64_t begin_ns = attempt->stamps.first_byte_kernel_ns;
                struct transfer transfer;

                if (!transfer_lasts(&transfer, coming->facts, attempt))
                        continue;
                coming->begins[coming->n] = begin_ns;
                coming->ends[coming->n] = begin_ns + transfer.took_ns;
                coming->bytes += (double)transfer.bytes;
                coming->n++;
        }
        sort_numbers(coming->begins, coming->n);
        sort_numbers(coming->ends, coming->n);
        add_up(coming->begun, coming->begins, coming->n);
        add_up(coming->over, coming->ends, coming->n);
}

/* How long, added up, it was since each of the moments before this one. */
static double sum_since(const uint64_t *sorted, const double *sums, size_t n, uint64_t moment_ns)
{
        size_t n_before = sort_n_below(sorted, n, moment_ns);

        return (double)n_before * (double)moment_ns - sums[n_before];
}

/* How long, added up, transfers were coming until this moment. */
static double coming_until(const struct coming *coming, uint64_t moment_ns)
{
        return sum_since(coming->begins, coming->begun, coming->n, moment_ns) -
               sum_since(coming->ends, coming->over, coming->n, moment_ns);
}

static void list_company(struct coming *coming)
{
        const struct record *record = coming->facts->record;
        size_t n = 0;

        for (size_t i = 0; i < record->n_attempts; i++) {
                const struct trace_attempt *attempt = &record->attempts[i];
                uint64_t begin_ns = attempt->stamps.first_byte_kernel_ns;
                struct transfer transfer;
                double sum;

                if (!transfer_lasts(&transfer, coming->facts, attempt))
                        continue;
                sum = coming_until(coming, begin_ns + transfer.took_ns) -
                      coming_until(coming, begin_ns);
                coming->rates[n] = whole_of((double)transfer.bytes * (double)NS_PER_S /
                                            (double)transfer.took_ns);
                coming->company[n] =
                        (struct sort_pair){ whole_of(1000 * sum / (double)transfer.took_ns),
                                coming->rates[n] };
                n++;
        }
        assert(n == coming->n);
        sort_pairs(coming->company, n);
}

static uint64_t some_came_ns(const struct coming *coming)
{
        uint64_t sum_ns = 0, until_ns = 0;

        /* Those that begin one after another in order: the k-th end is no end before the k-th. */
        for (size_t i = 0; i < coming->n; i++) {
                uint64_t from_ns = coming->begins[i] > until_ns ? coming->begins[i] : until_ns;

                until_ns = coming->ends[i] > until_ns ? coming->ends[i] : until_ns;
                sum_ns += until_ns > from_ns ? until_ns - from_ns : 0;
        }
        return sum_ns;
}

/* --- what that says -------------------------------------------------------------------------- */

static double median_rate(struct coming *coming, size_t from, size_t to)
{
        for (size_t i = from; i < to; i++)
                coming->rates[i - from] = coming->company[i].value;
        sort_numbers(coming->rates, to - from);
        return (double)quantile_of(coming->rates, to - from, 0.5);
}

static double median_company(const struct coming *coming, size_t from, size_t to)
{
        return (double)coming->company[from + (to - from) / 2].key / 1000;
}

/* 0: the company makes no difference; 1: twice the company, half the rate. */
static double share_lost(const struct sharing *sharing)
{
        return log(sharing->few_per_s / sharing->many_per_s) /
               log(sharing->n_many / sharing->n_few);
}

static void judge(struct sharing *sharing, struct coming *coming)
{
        size_t third = coming->n / 3;

        if (third < SAMPLE_LEAST)
                return;
        sharing->n_few = median_company(coming, 0, third);
        sharing->n_many = median_company(coming, coming->n - third, coming->n);
        sharing->few_per_s = median_rate(coming, 0, third);
        sharing->many_per_s = median_rate(coming, coming->n - third, coming->n);
        if (sharing->n_few < 0.5 || sharing->many_per_s <= 0)
                return;
        if (sharing->n_many >= sharing->n_few * COMPANY_DIFFERS) {
                double lost = share_lost(sharing);

                sharing->is_proved = true;
                if (lost <= RATE_IS_EACHS)
                        sharing->whose = SHARING_EACH;
                else if (lost >= 1 - RATE_IS_EACHS)
                        sharing->whose = SHARING_ALL;
        } else if ((double)sharing->per_s.p10 >= (double)sharing->per_s.p90 * RATES_SAME) {
                sharing->whose = SHARING_EACH;
        }
}

int sharing_of(struct sharing *sharing, const struct facts *facts)
{
        size_t n = facts->record->n_attempts;
        struct coming coming = {
                .facts = facts,
                .begins = mem_array(n, sizeof(uint64_t)),
                .ends = mem_array(n, sizeof(uint64_t)),
                .begun = mem_array(n + 1, sizeof(double)),
                .over = mem_array(n + 1, sizeof(double)),
                .rates = mem_array(n, sizeof(uint64_t)),
                .company = mem_array(n, sizeof(struct sort_pair)),
        };
        bool has_memory = coming.begins && coming.ends && coming.begun && coming.over &&
                          coming.rates && coming.company;

        *sharing = (struct sharing){ 0 };
        if (has_memory) {
                list_moments(&coming);
                if (coming.n)
                        sharing->together_per_s = coming.bytes * (double)NS_PER_S /
                                                  (double)(some_came_ns(&coming) + 1);
                list_company(&coming);
                spread_of(&sharing->per_s, coming.rates, coming.n);
                judge(sharing, &coming);
        }
        mem_free(coming.begins);
        mem_free(coming.ends);
        mem_free(coming.begun);
        mem_free(coming.over);
        mem_free(coming.rates);
        mem_free(coming.company);
        return has_memory ? 0 : MUSTER_E_RESOURCE;
}
