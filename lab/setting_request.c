/* SPDX-License-Identifier: MIT */
/* Settings of how a listener answers requests: conditions, routes, capacity */
#include "setting.h"

#include "quantity.h"
#include "route.h"
#include "setting_value.h"
#include <base/error.h>
#include <base/mem.h>

SETTER(delay)
{
        (void)config;
        return value_spread(&listener->delay, value, error);
}

SETTER(body_delay)
{
        (void)config;
        return value_spread(&listener->body_delay, value, error);
}

SETTER(cold_start)
{
        struct muster_str rest = value, number;
        struct spread cold;
        uint64_t n;

        (void)config;
        if (!str_split(&rest, ',', &number) || !quantity_count(number, 1, 1000000, &n) ||
                !spread_parse(rest, &cold))
                return value_refuse(error, value,
                        "a number of requests, and how much longer each of them waits: 16,500ms");
        listener->n_cold = (unsigned)n;
        listener->cold = cold;
        return 0;
}

SETTER(pauses)
{
        struct muster_str rest = value, every;
        uint64_t every_ns, for_ns;

        (void)config;
        if (!str_split(&rest, ',', &every) || !quantity_duration(every, &every_ns) ||
                !quantity_duration(rest, &for_ns) || !for_ns || for_ns >= every_ns)
                return value_refuse(error, value,
                        "how often, and a shorter time for how long: 2s,300ms");
        listener->pauses = (struct pauses){ .every_ns = every_ns, .for_ns = for_ns };
        return 0;
}

SETTER(error_share)
{
        (void)config;
        return quantity_share(value, &listener->error_share)
                       ? 0
                       : value_refuse(error, value, "a share: 5% or 0.05");
}

SETTER(rate_limit)
{
        struct muster_str rest = value, rate;

        (void)config;
        listener->burst = 1;
        if (!str_split(&rest, ',', &rate) || !quantity_rate(rate, &listener->rate_per_s) ||
                (rest.len && (!quantity_number(rest, &listener->burst) || listener->burst < 1)))
                return value_refuse(error, value,
                        "a rate, with an optional burst: 100/s, 30/m, 100/s,20");
        return 0;
}

SETTER(limit_answer)
{
        struct muster_str rest = value, status;

        (void)config;
        if (!str_split(&rest, ',', &status) || (rest.len && !str_is(rest, "silent")) ||
                (!str_is(status, "429") && !str_is(status, "503")))
                return value_refuse(error, value,
                        "429 or 503, optionally without Retry-After: 429, 503,silent");
        listener->limit_status = str_is(status, "503") ? 503 : 429;
        listener->limit_is_silent = rest.len != 0;
        return 0;
}

static bool cut_alias(struct muster_str value, struct muster_str *ret_path,
        struct muster_str *ret_target)
{
        size_t at = 0;

        while (at < value.len && value.at[at] != '=' && value.at[at] != ' ')
                at++;
        *ret_path = (struct muster_str){ value.at, at };
        while (at < value.len && (value.at[at] == '=' || value.at[at] == ' '))
                at++;
        *ret_target = str_after(value, at);
        return ret_path->len && ret_path->at[0] == '/' && ret_target->len &&
               ret_target->at[0] == '/';
}

/* "/api=/bytes/10k?delay=5ms", or with a blank. */
SETTER(route)
{
        struct alias *alias = &listener->aliases[listener->n_aliases];
        struct muster_str path, target;
        int r;

        (void)config;
        if (listener->n_aliases == ALIASES_MAX)
                return error_set(error, MUSTER_E_INVALID, MUSTER_PHASE_QUEUE, 0,
                        "there are %d routes already, the maximum", ALIASES_MAX);
        if (!cut_alias(value, &path, &target))
                return value_refuse(error, value,
                        "PATH=TARGET, such as /api=/bytes/10k?delay=50ms");
        if (!route_check(target, error))
                return MUSTER_E_INVALID;
        r = value_text(&alias->path, path, error);
        if (r == 0)
                r = value_text(&alias->target, target, error);
        if (r == 0)
                listener->n_aliases++;
        else
                alias->path = mem_free(alias->path);
        return r;
}

SETTER(workers)
{
        (void)config;
        return value_count(&listener->workers, value, 1, error);
}

SETTER(service_time)
{
        (void)config;
        return value_spread(&listener->service, value, error);
}

/* Another distribution with the same mean. */
SETTER(service_dist)
{
        struct spread *service = &listener->service;
        uint64_t mean_ns = spread_mean_ns(service);

        (void)config;
        if (!mean_ns)
                return error_set(error, MUSTER_E_INVALID, MUSTER_PHASE_QUEUE, 0,
                        "give service-time before it");
        if (str_is(value, "fixed"))
                *service = (struct spread){ .a_ns = mean_ns };
        else if (str_is(value, "exp"))
                *service = (struct spread){ .kind = SPREAD_EXPONENTIAL, .a_ns = mean_ns };
        else if (str_is(value, "uniform"))
                *service = (struct spread){ .kind = SPREAD_UNIFORM, .b_ns = 2 * mean_ns };
        else
                return value_refuse(error, value,
                        "one of these: fixed, exp, uniform (after --service-time); or write the time as one of these: " SPREAD_FORMS);
        return 0;
}

SETTER(coherency)
{
        (void)config;
        return value_number(&listener->coherency, value, error);
}

SETTER(contention)
{
        (void)config;
        return value_number(&listener->contention, value, error);
}

SETTER(queue)
{
        (void)config;
        listener->has_queue = true;
        return value_count(&listener->queue, value, 0, error);
}

SETTER(refuse)
{
        (void)config;
        if (!str_is(value, "503") && !str_is(value, "close"))
                return value_refuse(error, value, "503 or close");
        listener->refusal = str_is(value, "503") ? REFUSE_503 : REFUSE_CLOSE;
        return 0;
}
