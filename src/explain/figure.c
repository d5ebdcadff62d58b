/* SPDX-License-Identifier: MIT */
#include "figure.h"

#include <base/mem.h>
#include <base/str.h>
#include <math.h>
#include <stdlib.h>

/* --- of the whole run ------------------------------------------------------------------------ */

static double wall(const struct facts *facts)
{
        return (double)(facts_all_wall_ns(facts) + facts->startup_ns + facts->ending_ns);
}

static double rate(const struct facts *facts)
{
        return (double)facts->all.n_requests * 1e9 / (double)facts_all_wall_ns(facts);
}

static double error_rate(const struct facts *facts)
{
        return (double)facts->all.n_failed / (double)facts->all.n_requests;
}

static double concurrency_mean(const struct facts *facts)
{
        return facts->mean_in_flight;
}

static double concurrency_max(const struct facts *facts)
{
        return (double)facts->max_in_flight;
}

static double retries(const struct facts *facts)
{
        return (double)facts->all.n_outcomes[TRACE_RETRIED];
}

static double redirects(const struct facts *facts)
{
        return (double)facts->all.n_outcomes[TRACE_REDIRECTED];
}

static double requests(const struct facts *facts)
{
        return (double)facts->all.n_requests;
}

static double failed(const struct facts *facts)
{
        return (double)facts->all.n_failed;
}

static double connects(const struct facts *facts)
{
        return (double)facts->all.n_conns_opened;
}

static const struct {
        const char *name;
        double (*of)(const struct facts *facts);
} of_run[] = {
        { "wall", wall },
        { "rate", rate },
        { "error.rate", error_rate },
        { "concurrency.mean", concurrency_mean },
        { "concurrency.max", concurrency_max },
        { "requests", requests },
        { "failed", failed },
        { "retries", retries },
        { "redirects", redirects },
        { "connects", connects },
};

/* --- of durations ---------------------------------------------------------------------------- */

static const char *const measured_names[] = {
        [FACTS_SERVICE] = "service",
        [FACTS_LATENCY] = "latency",
        [FACTS_NETWORK] = "network",
        [FACTS_SERVER] = "server",
};

/* Which durations a name means; -1: none. */
static int durations_of(struct muster_str name)
{
        for (int i = 0; i < MUSTER_N_PHASES; i++)
                if (str_is(name, muster_phase_name((enum muster_phase)i)))
                        return i;
        for (int i = MUSTER_N_PHASES; i < FACTS_N_DURATIONS; i++)
                if (str_is(name, measured_names[i]))
                        return i;
        return -1;
}

/* "p99.9" is 0.999; negative: it is none. */
static double share_of(struct muster_str text)
{
        char digits[16], *end;
        double percent;

        if (text.len < 2 || text.len > sizeof(digits) || text.at[0] != 'p' ||
                !char_is_digit(text.at[1]) || !char_is_digit(text.at[text.len - 1]))
                return -1;
        memcpy(digits, text.at + 1, text.len - 1);
        digits[text.len - 1] = '\0';
        percent = strtod(digits, &end);
        return *end == '\0' && percent <= 100 ? percent / 100 : -1;
}

static int quantile(const struct facts *facts, int durations, double share, double *ret_value)
{
        uint64_t *values;
        size_t n, at;

        if (facts_durations(facts, durations, &values, &n) < 0)
                return MUSTER_E_RESOURCE;
        at = (size_t)ceil(share * (double)n - 1e-6); /* 0.999 is not quite 999 of 1,000 */
        *ret_value = n ? (double)values[at ? at - 1 : 0] : NAN;
        mem_free(values);
        return 0;
}

static int of_durations(const struct facts *facts, int durations, struct muster_str what,
        double *ret_value)
{
        const struct spread *spread = facts_spread(facts, durations);
        double share = share_of(what);

        if (str_is(what, "mean"))
                *ret_value = spread->n ? spread_mean(spread) : NAN;
        else if (str_is(what, "max"))
                *ret_value = spread->n ? (double)spread->max : NAN;
        else if (str_is(what, "min"))
                *ret_value = spread->n ? (double)spread->min : NAN;
        else if (share >= 0)
                return quantile(facts, durations, share, ret_value);
        else
                return MUSTER_E_INVALID;
        return 0;
}

int figure_of(const struct facts *facts, const char *name, double *ret_value)
{
        struct muster_str what = str_of(name), whose;
        int durations;

        for (size_t i = 0; i < sizeof(of_run) / sizeof(of_run[0]); i++) {
                if (str_is(what, of_run[i].name)) {
                        *ret_value = of_run[i].of(facts);
                        return 0;
                }
        }
        if (!str_split(&what, '.', &whose))
                return MUSTER_E_INVALID;
        durations = durations_of(whose);
        return durations < 0 ? MUSTER_E_INVALID : of_durations(facts, durations, what, ret_value);
}
