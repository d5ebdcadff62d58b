/* SPDX-License-Identifier: MIT */
/*
 * From a request's path and query to what is done for it
 *
 *      /delay/100ms/              the first segment names a behaviour, the others are its arguments
 *      /bytes/10k?delay=50ms      the query changes whatever the path says
 *
 * One table of behaviours and one of parameters say all there is; the index page is made of them.
 */
#ifndef LAB_ROUTE_H
#define LAB_ROUTE_H

#include "plan.h"
#include "request.h"

struct listener;

/* The arguments of a behaviour. */
struct call {
        struct listener *listener;
        const struct request *request;
        struct muster_str args; /* the segments behind the name */
        struct muster_str query;
        struct plan *plan;
        uint64_t now_ns;
};

struct route {
        const char *name;
        const char *args; /* for the index; "": none */
        const char *help;
        void (*plan)(struct call *call);
        /* of the query that are its own, with blanks between; "*": all; NULL: none */
        const char *params;
};

/*
 * Make the plan of a request. An invalid request gets a plan that says so: 400 or 404 and what is
 * accepted.
 */
void route_request(struct listener *listener, const struct request *request, uint64_t now_ns,
        struct plan *plan);

/* A path with query, as `route` takes for a target: does it lead somewhere? False with *error. */
bool route_check(struct muster_str target, struct muster_error *error);

/* --- for the files of behaviours ------------------------------------------------------------- */

/* Take the next argument. False when there is none. */
bool call_take(struct call *call, struct muster_str *ret_arg);

/* Make the plan say that an argument or parameter is wrong, and what is accepted. */
void call_refuse(struct call *call, const char *what, struct muster_str value,
        const char *accepted);

/* Take an argument of a kind; `fallback` when there is none. False: it was refused. */
bool call_take_size(struct call *call, uint64_t fallback, uint64_t *ret_bytes);
bool call_take_count(struct call *call, uint64_t fallback, uint64_t max, uint64_t *ret_count);
bool call_take_spread(struct call *call, const char *fallback, struct spread *ret_spread);

/* The value of a query's parameter, decoded into `text`; at NULL when it is not there. */
struct muster_str call_parameter(const struct call *call, const char *name, struct buf *text);

/*
 * The parameters (param.c): apply those of the query but those that are the behaviour's own. False:
 * one was refused.
 */
bool params_apply(struct call *call, const char *own);

/* Append the list of parameters to the index. 0 or MUSTER_E_RESOURCE. */
int params_describe(struct buf *to);

/* Behaviours, each table ended by a NULL name. */
extern const struct route routes_body[];
extern const struct route routes_status[];
extern const struct route routes_trouble[];
extern const struct route routes_client[];
extern const struct route routes_lab[];

#endif
