/* SPDX-License-Identifier: MIT */
#include "program_reading.h"

#include <base/minmax.h>
#include <explain/facts/program.h>
#include <explain/judgement.h>
#include <explain/measure/conns.h>

/* Flights behind the first one, each twice as large as the one before it. */
static uint64_t n_more_flights(uint64_t bytes)
{
        uint64_t window = FIRST_WINDOW, sent = window, n = 0;

        for (; sent < bytes && n < 64; n++) {
                window *= 2;
                sent += window;
        }
        return n;
}

/* From outside nobody sees what is read. A first flight that is full may be a part of more. */
static bool may_be_part(const struct facts *facts, const struct trace_attempt *attempt)
{
        return facts->program->is_outside && attempt->wire_bytes >= FIRST_WINDOW / 2;
}

static uint64_t reading_ns(const struct facts *facts, const struct trace_attempt *attempt,
        bool is_warm, enum reading reading)
{
        const struct program_call *call = programs_call(&facts->record->programs, attempt->number);
        const struct trace_conn *conn = conn_of_attempt(facts->record, attempt);
        bool is_unread = call && call->is_unread;
        uint64_t n, ns;

        if (!conn || (!is_unread && !may_be_part(facts, attempt)))
                return 0;
        if (!is_unread || !call->left_bytes)
                return reading == READING_MOST ? conn_round_trip_ns(conn) : 0;
        n = n_more_flights(call->left_bytes + attempt->wire_bytes);
        ns = n * conn_round_trip_ns(conn);
        if (!is_warm || reading == READING_MOST)
                return ns;
        return reading == READING_LEAST ? 0 : whole_of((double)ns * WINDOW_NOT_GROWN);
}

void reading_add(struct replay_request *request, const struct facts *facts, bool is_warm,
        enum reading reading)
{
        if (request->last)
                request->slot_ns[PART_RECEIVE] = max_u64(request->slot_ns[PART_RECEIVE],
                        reading_ns(facts, request->last, is_warm, reading));
}

bool reading_matters(const struct facts *facts)
{
        return facts->program->is_outside || facts->program->n_unread > 0;
}
