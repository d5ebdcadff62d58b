/* SPDX-License-Identifier: MIT */
/* Behaviours of the status: errors, redirects, limits that ask the client to come back later */
#include "lab.h"
#include "listener.h"
#include "quantity.h"
#include "route.h"

#include <stdio.h>

static void plan_delay(struct call *call)
{
        if (call_take_spread(call, "1s", &call->plan->delay))
                plan_say(call->plan, 200, "that took a while\n");
}

static bool take_status(struct call *call, int fallback, int *ret_status)
{
        struct muster_str arg;
        uint64_t status = (uint64_t)fallback;

        if (call_take(call, &arg) && !quantity_count(arg, 200, 999, &status)) {
                call_refuse(call, "status", arg, "a number from 200 to 999");
                return false;
        }
        *ret_status = (int)status;
        return true;
}

static void plan_status(struct call *call)
{
        int status;

        if (!take_status(call, 200, &status))
                return;
        plan_say(call->plan, status, "%d %s\n", status, status_reason(status));
        if (status == 401)
                plan_add_field(call->plan, "WWW-Authenticate", str_of("Basic realm=\"lab\""));
}

/* --- redirects ------------------------------------------------------------------------------- */

static void redirect(struct call *call, int status, struct muster_str to)
{
        plan_say(call->plan, status, "%.*s\n", to.len < 500 ? (int)to.len : 500, to.at);
        plan_add_field(call->plan, "Location", to);
}

/* /redirect/3 leads to /redirect/2 and so on, at last to `to`. */
static void plan_redirect(struct call *call)
{
        struct buf text = { 0 }, location = { 0 };
        struct muster_str to;
        uint64_t n;
        int r = 0, status = 302;

        if (!call_take_count(call, 1, 1000, &n) || !take_status(call, 302, &status))
                return;
        to = call_parameter(call, "to", &text);
        if (!to.at)
                to = str_of("/plain");
        if (n > 1) {
                char step[64];

                snprintf(step, sizeof(step), "/redirect/%llu/%d", (unsigned long long)n - 1,
                        status);
                r = buf_add_text(&location, step);
                if (r == 0 && call->query.len) {
                        r = buf_add_char(&location, '?');
                        if (r == 0)
                                r = buf_add_str(&location, call->query);
                }
                to = buf_str(&location);
        }
        if (r == 0)
                redirect(call, status, to);
        buf_deinit(&text);
        buf_deinit(&location);
}

static void plan_redirect_loop(struct call *call)
{
        struct muster_str arg;

        redirect(call, 302, str_of(call_take(call, &arg) ? "/redirect-loop" : "/redirect-loop/b"));
}

/* --- come back later ------------------------------------------------------------------------- */

static void ask_to_come_back(struct call *call, int status, uint64_t wait_ns)
{
        char seconds[32];

        snprintf(seconds, sizeof(seconds), "%llu",
                (unsigned long long)((wait_ns + NS_PER_S - 1) / NS_PER_S));
        plan_say(call->plan, status, "%d %s, retry in %s s\n", status, status_reason(status),
                seconds);
        plan_add_field(call->plan, "Retry-After", str_of(seconds));
}

/*
 * /retry/503/1?times=2&key=a: the first two requests of that key are to come back after a second.
 */
static void plan_retry(struct call *call)
{
        struct spread after;
        struct buf text = { 0 };
        struct muster_str key, times;
        struct tally *tally;
        uint64_t n_times = UINT64_MAX;
        int status;

        if (!take_status(call, 503, &status) || !call_take_spread(call, "1s", &after))
                return;
        times = call_parameter(call, "times", &text);
        if (times.at && !quantity_count(times, 0, UINT32_MAX, &n_times)) {
                call_refuse(call, "times", times, "a number");
                buf_deinit(&text);
                return;
        }
        key = call_parameter(call, "key", &text);
        tally = tallies_get(&call->listener->lab->tallies, key.at ? key : call->request->target);
        if (tally && tally->n++ >= n_times)
                plan_say(call->plan, 200, "at last\n");
        else
                ask_to_come_back(call, status, after.a_ns);
        buf_deinit(&text);
}

/* /limited/100: this many per second, over all clients that ask for the same path. */
static void plan_limited(struct call *call)
{
        struct buf text = { 0 };
        struct muster_str arg, value;
        struct tally *tally;
        double rate = 10, burst = 1;
        uint64_t wait_ns;

        /* "30/m" has a slash of its own. */
        arg = call->args;
        if (arg.len && !quantity_rate(arg, &rate)) {
                call_refuse(call, "rate", arg, "a rate, such as 100, 100/s, 30/m");
                return;
        }
        value = call_parameter(call, "burst", &text);
        if (value.at && !quantity_number(value, &burst)) {
                call_refuse(call, "burst", value, "a number");
                buf_deinit(&text);
                return;
        }
        tally = tallies_get(&call->listener->lab->tallies, call->request->path);
        wait_ns = tally ? tally_take(tally, rate, burst, call->now_ns) : NS_PER_S;
        if (wait_ns) {
                call->listener->stats.n_rate_limited++;
                ask_to_come_back(call, 429, wait_ns);
        } else {
                plan_say(call->plan, 200, "within the limit\n");
        }
        buf_deinit(&text);
}

/* /flaky/5%/503: this share of the requests fails. */
static void plan_flaky(struct call *call)
{
        struct muster_str arg;
        double share = 0.5;
        int status;

        if (call_take(call, &arg) && !quantity_share(arg, &share)) {
                call_refuse(call, "share", arg, "a share, such as 5% or 0.05");
                return;
        }
        if (!take_status(call, 500, &status))
                return;
        if (lab_chance(call->listener->lab, share))
                plan_say(call->plan, status, "%d %s\n", status, status_reason(status));
        else
                plan_say(call->plan, 200, "this time it works\n");
}

const struct route routes_status[] = {
        { "delay", "SPREAD", "a short text after a wait (1s): " SPREAD_FORMS, plan_delay, NULL },
        { "status", "CODE", "a response with this status, 200 to 999", plan_status, NULL },
        { "redirect", "N/CODE", "N redirects to /plain, or to to=URL (1/302)", plan_redirect,
                "to" },
        { "redirect-loop", "", "redirects that never end", plan_redirect_loop, NULL },
        { "retry", "CODE/AFTER", "an error with Retry-After (503/1s); times=N: then 200; key=NAME",
                plan_retry, "times key" },
        { "limited", "RATE", "200 up to this rate, 429 above (10); burst=N", plan_limited,
                "burst" },
        { "flaky", "SHARE/CODE", "this share of requests fails (50%/500)", plan_flaky, NULL },
        { 0 },
};
