/* SPDX-License-Identifier: MIT */
#include "route.h"

#include "lab.h"
#include "listener.h"
#include "quantity.h"
#include <base/error.h>
#include <http/url_encode.h>
#include <stdio.h>

static const struct route *const tables[] = { routes_body, routes_status, routes_trouble,
        routes_client, routes_lab };

#define N_TABLES (sizeof(tables) / sizeof(tables[0]))

/* --- arguments ------------------------------------------------------------------------------- */

bool call_take(struct call *call, struct muster_str *ret_arg)
{
        struct muster_str arg = { NULL, 0 };

        while (call->args.len && !arg.len)
                str_split(&call->args, '/', &arg);
        *ret_arg = arg;
        return arg.len > 0;
}

void call_refuse(struct call *call, const char *what, struct muster_str value, const char *accepted)
{
        plan_begin(call->plan); /* what it was to be, hanging say, is so no more */
        plan_say(call->plan, 400, "%s \"%.*s\" is not %s\n", what,
                value.len < 100 ? (int)value.len : 100, value.len ? value.at : "", accepted);
}

bool call_take_size(struct call *call, uint64_t fallback, uint64_t *ret_bytes)
{
        struct muster_str arg;

        *ret_bytes = fallback;
        if (!call_take(call, &arg) || quantity_size(arg, ret_bytes))
                return true;
        call_refuse(call, "size", arg, "a size, such as 100, 10k, 2M");
        return false;
}

bool call_take_count(struct call *call, uint64_t fallback, uint64_t max, uint64_t *ret_count)
{
        struct muster_str arg;

        *ret_count = fallback;
        if (!call_take(call, &arg) || quantity_count(arg, 0, max, ret_count))
                return true;
        call_refuse(call, "number", arg, "a number in the range allowed here");
        return false;
}

bool call_take_spread(struct call *call, const char *fallback, struct spread *ret_spread)
{
        struct muster_str arg;

        if (!call_take(call, &arg))
                arg = str_of(fallback);
        if (spread_parse(arg, ret_spread))
                return true;
        call_refuse(call, "time", arg, "one of these: " SPREAD_FORMS);
        return false;
}

struct muster_str call_parameter(const struct call *call, const char *name, struct buf *text)
{
        struct muster_str rest = call->query, pair;

        while (rest.len && str_split(&rest, '&', &pair)) {
                struct muster_str value = pair, key;

                if (!str_split(&value, '=', &key) || !str_is(key, name))
                        continue;
                text->len = 0;
                if (url_add_decoded(value, text) < 0)
                        break;
                return (struct muster_str){ text->at ? text->at : "", text->len };
        }
        return (struct muster_str){ NULL, 0 };
}

/* --- finding --------------------------------------------------------------------------------- */

static const struct route *find_route(struct muster_str name)
{
        for (size_t i = 0; i < N_TABLES; i++)
                for (const struct route *route = tables[i]; route->name; route++)
                        if (str_is(name, route->name))
                                return route;
        return NULL;
}

static struct muster_str cut_name(struct muster_str path, struct muster_str *ret_args)
{
        struct muster_str rest = path, name = { "", 0 };

        while (rest.len && !name.len)
                str_split(&rest, '/', &name);
        *ret_args = rest;
        return name;
}

/* A path that has a behaviour by --route; "*" at its end matches anything. */
static const struct alias *find_alias(const struct listener_config *config, struct muster_str path)
{
        for (unsigned i = 0; i < config->n_aliases; i++) {
                struct muster_str pattern = str_of(config->aliases[i].path);
                bool is_prefix = pattern.at[pattern.len - 1] == '*';

                pattern.len -= is_prefix;
                if (path.len >= pattern.len && memcmp(path.at, pattern.at, pattern.len) == 0 &&
                        (is_prefix || path.len == pattern.len))
                        return &config->aliases[i];
        }
        return NULL;
}

static void plan_index(struct plan *plan)
{
        int r;

        plan_say(plan, 200,
                "muster lab: a server with adjustable conditions\n\n"
                "The path selects the response (defaults in parentheses):\n\n");
        for (size_t i = 0; i < N_TABLES; i++) {
                for (const struct route *route = tables[i]; route->name; route++) {
                        char line[200];
                        int n = snprintf(line, sizeof(line), "  /%s%s%s", route->name,
                                *route->args ? "/" : "", route->args);

                        n += snprintf(line + n, sizeof(line) - (size_t)n, "%*s%s\n",
                                n < 34 ? 34 - n : 1, "", route->help);
                        r = buf_add(&plan->text, line, (size_t)n);
                        if (r < 0)
                                return;
                }
        }
        (void)params_describe(&plan->text);
}

static void fill_call(struct call *call, struct muster_str path)
{
        struct muster_str name = cut_name(path, &call->args);
        const struct route *route = name.len ? find_route(name) : NULL;
        bool is_good = true;

        if (!name.len) {
                plan_index(call->plan);
        } else if (!route) {
                plan_say(call->plan, 404, "unknown path /%.*s; / lists all paths\n",
                        name.len < 100 ? (int)name.len : 100, name.at);
                is_good = false;
        } else {
                route->plan(call);
                is_good = call->plan->status != 400;
        }
        if (is_good && call->query.len)
                params_apply(call, route ? route->params : NULL);
}

void route_request(struct listener *listener, const struct request *request, uint64_t now_ns,
        struct plan *plan)
{
        struct call call = { listener, request, { NULL, 0 }, request->query, plan, now_ns };
        const struct alias *alias = find_alias(listener->config, request->path);
        struct request target = { 0 };

        plan_begin(plan);
        if (!alias) {
                fill_call(&call, request->path);
                return;
        }
        request_cut_target(&target, str_of(alias->target));
        call.query = target.query;
        fill_call(&call, target.path);
}

bool route_check(struct muster_str target, struct muster_error *error)
{
        struct request request = { 0 };
        struct muster_str args, name;

        request_cut_target(&request, target);
        name = cut_name(request.path, &args);
        if (!name.len || find_route(name))
                return true;
        error_set(error, MUSTER_E_INVALID, MUSTER_PHASE_QUEUE, 0,
                "unknown path /%.*s; the lab's page / lists all paths", STR_ARGS(name));
        return false;
}
