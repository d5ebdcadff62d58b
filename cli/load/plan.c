/* SPDX-License-Identifier: MIT */
#include "plan.h"

#include <base/clock.h>
#include <base/error.h>
#include <base/quantity.h>
#include <base/str.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define CONCURRENCY_DEFAULT 64                        /* of the library, too */
#define RAMP_MS_MAX         (7ull * 24 * 3600 * 1000) /* of the library */

static int refuse(struct muster_error *error, const char *value, const char *what)
{
        return error_set(error, MUSTER_E_INVALID, MUSTER_PHASE_QUEUE, 0, "\"%s\" %s", value, what);
}

/* --- the options ----------------------------------------------------------------------------- */

int load_set_requests(void *settings, const struct option *option, const char *value,
        struct muster_error *error)
{
        char *end;
        unsigned long long n;

        errno = 0;
        n = strtoull(value, &end, 10);
        if (*value < '0' || *value > '9' || *end || errno || n < 1 || n > (uint64_t)1 << 53)
                return refuse(error, value, "is not a number of 1 or more");
        *(uint64_t *)(void *)((char *)settings + option->offset) = n;
        return 0;
}

int load_set_duration(void *settings, const struct option *option, const char *value,
        struct muster_error *error)
{
        uint64_t *ms = (uint64_t *)(void *)((char *)settings + option->offset);
        int r = option_set_duration(settings, option, value, error);

        if (r < 0 || *ms != MUSTER_NO_TIMEOUT)
                return r;
        return refuse(error, value, "is no time; without --duration the run ends with its list");
}

static bool parse_rate(struct muster_str text, double *ret_per_s)
{
        static const struct quantity_unit units[] = { { "", 1 }, { "/s", 1 }, { "/m", 1.0 / 60 },
                { "/h", 1.0 / 3600 }, { 0 } };

        return quantity_parse(text, units, ret_per_s) && *ret_per_s <= 1e6 &&
               (*ret_per_s == 0 || *ret_per_s >= 1e-6);
}

static bool parse_time(struct muster_str text, uint64_t *ret_ms)
{
        static const struct quantity_unit units[] = { { "", 1000 }, { "ms", 1 }, { "s", 1000 },
                { "m", 60000 }, { "h", 3600000 }, { 0 } };
        double ms;

        if (!quantity_parse(text, units, &ms) || ms < 1 || ms > (double)RAMP_MS_MAX)
                return false;
        *ret_ms = (uint64_t)(ms + 0.5);
        return true;
}

/* FROM..TO:TIME */
static bool parse_ramp(const char *value, struct load_options *ret_options)
{
        const char *dots = strstr(value, ".."), *colon = strrchr(value, ':');

        if (!dots || !colon || colon < dots)
                return false;
        return parse_rate((struct muster_str){ value, (size_t)(dots - value) },
                       &ret_options->ramp_from_per_s) &&
               parse_rate((struct muster_str){ dots + 2, (size_t)(colon - dots - 2) },
                       &ret_options->ramp_to_per_s) &&
               parse_time(str_of(colon + 1), &ret_options->ramp_ms);
}

int load_set_ramp(void *settings, const struct option *option, const char *value,
        struct muster_error *error)
{
        struct load_options *options = (void *)((char *)settings + option->offset);

        if (!parse_ramp(value, options))
                return refuse(error, value,
                        "is not a ramp; write FROM..TO:TIME with two rates and the time from one to the other, such as 10/s..500/s:60s");
        if (options->ramp_to_per_s > options->ramp_from_per_s)
                return 0;
        return refuse(error, value,
                options->ramp_to_per_s < options->ramp_from_per_s
                        ? "falls; a ramp rises, to tell from which rate on the server does not keep up: write the lower rate first"
                        : "does not rise; for one rate use --rate and --duration");
}

bool load_is_wanted(const struct load_options *options)
{
        return options->n_requests || options->duration_ms || options->ramp_ms;
}

/* --- what follows ---------------------------------------------------------------------------- */

static int check_ramp(const struct load_options *options,
        const struct muster_client_options *client, struct muster_error *error)
{
        if (client->rate_per_s > 0)
                return error_set(error, MUSTER_E_INVALID, MUSTER_PHASE_QUEUE, 0,
                        "--ramp says the rate itself; leave out --rate");
        if (client->rate_per_host_per_s > 0)
                return error_set(error, MUSTER_E_INVALID, MUSTER_PHASE_QUEUE, 0,
                        "--rate-per-host would hold back what --ramp plans, and the server would seem to keep up; leave out one of them");
        if (options->duration_ms && options->duration_ms < options->ramp_ms)
                return error_set(error, MUSTER_E_INVALID, MUSTER_PHASE_QUEUE, 0,
                        "--duration ends the run before --ramp has reached its last rate; make the ramp shorter, or leave out --duration to end with it");
        return 0;
}

/* What is only for runs of load. */
static int check_unwanted(const struct load_options *options, struct muster_error *error)
{
        if (!options->json && !options->wants_charts)
                return 0;
        return error_set(error, MUSTER_E_INVALID, MUSTER_PHASE_QUEUE, 0,
                "%s is about a load run; say how long with --requests, --duration or --ramp",
                options->json ? "--load-json" : "--charts");
}

int load_options_finish(struct load_options *options, struct muster_client_options *client,
        struct muster_error *error)
{
        struct load_plan *plan = &options->plan;
        int r;

        if (!load_is_wanted(options))
                return check_unwanted(options, error);
        if (options->ramp_ms) {
                r = check_ramp(options, client, error);
                if (r < 0)
                        return r;
                client->rate_per_s = options->ramp_to_per_s;
                client->rate_from_per_s = options->ramp_from_per_s;
                client->rate_ramp_ms = options->ramp_ms;
        }
        *plan = (struct load_plan){ .n_requests = options->n_requests,
                .duration_ns = options->duration_ms * NS_PER_MS,
                .concurrency = client->concurrency ? client->concurrency : CONCURRENCY_DEFAULT,
                .per_s = client->rate_per_s,
                .from_per_s = client->rate_from_per_s,
                .ramp_ns = client->rate_ramp_ms * NS_PER_MS,
                .is_exact = client->rate_per_s > 0 && client->rate_per_host_per_s == 0 };
        if (plan->ramp_ns && !plan->duration_ns && !plan->n_requests)
                plan->duration_ns = plan->ramp_ns;
        return 0;
}

double load_plan_rate(const struct load_plan *plan, uint64_t ns)
{
        if (ns >= plan->ramp_ns)
                return plan->per_s;
        return plan->from_per_s +
               (plan->per_s - plan->from_per_s) * (double)ns / (double)plan->ramp_ns;
}

double load_plan_count(const struct load_plan *plan, uint64_t ns)
{
        uint64_t on_ramp_ns = ns < plan->ramp_ns ? ns : plan->ramp_ns;
        double mean = plan->ramp_ns ? (plan->from_per_s + load_plan_rate(plan, on_ramp_ns)) / 2 : 0;
        double n = mean * (double)on_ramp_ns / 1e9 + plan->per_s * (double)(ns - on_ramp_ns) / 1e9;

        return ceil(n - 1e-6); /* what the product of two doubles is off by is no request */
}

uint64_t load_plan_most(const struct load_plan *plan)
{
        uint64_t most = plan->n_requests;

        if (plan->is_exact && plan->duration_ns) {
                double n = load_plan_count(plan, plan->duration_ns);

                if (!most || n < (double)most)
                        most = n < 1 ? 1 : (uint64_t)n;
        }
        return most;
}
