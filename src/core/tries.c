/* SPDX-License-Identifier: MIT */
#include "tries.h"

#include "conn.h"
#include "engine.h"
#include <assert.h>
#include <errno.h>
#include <net/dial.h>

static enum trace_fate fate_of_failure(int sys)
{
        switch (sys) {
        case ECONNREFUSED:
                return TRACE_TRY_REFUSED;
        case EHOSTUNREACH:
        case ENETUNREACH:
        case EAFNOSUPPORT:
                return TRACE_TRY_UNREACHABLE;
        case ETIMEDOUT:
                return TRACE_TRY_TIMED_OUT;
        default:
                return TRACE_TRY_FAILED;
        }
}

static enum trace_fate fate_of(const struct dial_try *try)
{
        switch (try->fate) {
        case DIAL_CONNECTED:
                return TRACE_TRY_CONNECTED;
        case DIAL_FAILED:
                return fate_of_failure(try->sys);
        case DIAL_OVERTAKEN:
                return TRACE_TRY_OVERTAKEN;
        case DIAL_STOPPED:
                return TRACE_TRY_STOPPED;
        case DIAL_DENIED:
                return TRACE_TRY_DENIED;
        case DIAL_GOES_ON:
                break;
        }
        assert(false); /* the dial is over */
        return TRACE_TRY_STOPPED;
}

static void report(struct tracer *tracer, const struct conn *conn, const struct dial *dial,
        size_t i)
{
        const struct dial_try *try = &dial->tries[i];
        struct sockaddr_storage address;
        char text[ADDRESS_TEXT_MAX];

        address_to_sockaddr(&try->address, dial->target.port, &address);
        address_text((const struct sockaddr *)&address, text, sizeof(text));
        tracer->ops->try(tracer, &(struct trace_try){ .conn = conn->notes.id,
                                         .start_ns = try->begin_ns,
                                         .end_ns = try->end_ns,
                                         .n = (uint16_t)(i + 1),
                                         .sys = (uint16_t)try->sys,
                                         .fate = (uint8_t)fate_of(try),
                                         .address = str_of(text) });
}

void tries_report(const struct conn *conn, const struct dial *dial)
{
        struct tracer *tracer = conn->engine->tracing.tracer;

        if (!tracer || (dial->n_tries == 1 && dial->tries[0].fate == DIAL_CONNECTED))
                return;
        for (size_t i = 0; i < dial->n_tries; i++)
                report(tracer, conn, dial, i);
}
