/* SPDX-License-Identifier: MIT */
/* Behaviours that break a response: hangs, cuts, resets, connections that are closed */
#include "quantity.h"
#include "route.h"

#define BODY_BYTES 1000 /* the size of a response that stops on its way */

static void plan_long_body(struct call *call)
{
        call->plan->has_filling = true;
        call->plan->filling_bytes = BODY_BYTES;
        call->plan->type = "text/plain";
}

static void plan_hang(struct call *call)
{
        struct plan *plan = call->plan;
        struct muster_str where;

        plan_long_body(call);
        plan->stop = PLAN_HANGS;
        if (!call_take(call, &where) || str_is(where, "start"))
                return;
        if (str_is(where, "head"))
                plan->stop_where = PLAN_IN_HEAD;
        else if (str_is(where, "body"))
                plan->stop_where = PLAN_IN_BODY;
        else
                call_refuse(call, "place", where, "one of these: start, head, body");
}

static void stop_behind(struct call *call, enum plan_stop stop)
{
        plan_long_body(call);
        call->plan->stop = stop;
        (void)call_take_size(call, 0, &call->plan->stop_at);
}

static void plan_cut(struct call *call)
{
        stop_behind(call, PLAN_CLOSES);
}

static void plan_reset(struct call *call)
{
        stop_behind(call, PLAN_RESETS);
}

static void plan_close(struct call *call)
{
        plan_say(call->plan, 200, "and good-bye\n");
        call->plan->closes = true;
}

static void plan_interim(struct call *call)
{
        uint64_t status, n;

        if (!call_take_count(call, 103, 199, &status) || !call_take_count(call, 1, 100, &n))
                return;
        if (status < 102) {
                plan_say(call->plan, 400, "status: 102 to 199 are possible here\n");
                return;
        }
        plan_say(call->plan, 200, "after %llu interim responses\n", (unsigned long long)n);
        call->plan->interim_status = (int)status;
        call->plan->n_interim = (unsigned)n;
}

const struct route routes_trouble[] = {
        { "hang", "WHERE", "stops responding at start, head or body", plan_hang, NULL },
        { "cut", "N", "closes the connection after byte N of the response (0)", plan_cut, NULL },
        { "reset", "N", "resets the connection after byte N of the response (0)", plan_reset,
                NULL },
        { "close", "", "a response with Connection: close", plan_close, NULL },
        { "interim", "CODE/N", "N interim (1xx) responses before the final one (103/1)",
                plan_interim, NULL },
        { 0 },
};
