/* SPDX-License-Identifier: MIT */
#include "program_unbounded.h"

#include "program_loading.h"
#include "program_told.h"
#include <base/minmax.h>
#include <errno.h>
#include <explain/judgement.h>
#include <explain/measure/conns.h>
#include <explain/model/whatif.h>

static size_t n_out_of_room(const struct record *record)
{
        size_t n = 0;

        for (size_t i = 0; i < record->n_attempts; i++) {
                uint16_t sys = record->attempts[i].sys;

                n += sys == EMFILE || sys == ENFILE || sys == EADDRNOTAVAIL;
        }
        return n;
}

static bool measure_tls(const struct facts *facts, const struct trace_conn *conn,
        uint64_t *ret_value)
{
        (void)facts;
        *ret_value = conn_tcp_ns(conn) + conn_tls_ns(conn);
        return conn->tcp_end_ns != 0;
}

/*
 * With fewer beside it a connection takes as much less to open. Where the loop was at work all the
 * time it is the loop that all waited for, in whatever they did: that is its work in the replay, and
 * they take what the quickest took.
 */
struct opening {
        uint64_t least_ns, usual_ns;
        double share; /* of those that were opened */
        bool is_busy; /* the loop */
        struct loading loading;
};

static void open_beside_fewer(struct replay_request *request, const struct facts *facts,
        bool is_warm, void *argument)
{
        const struct opening *opening = argument;

        (void)facts;
        for (int part = PART_SEND; opening->is_busy && part <= PART_RECEIVE; part++)
                request->slot_ns[part] =
                        min_u64(request->slot_ns[part], opening->loading.least_ns[part]);
        if (is_warm || !request->n_conns)
                return;
        request->slot_ns[PART_TCP] = opening->least_ns;
        request->slot_ns[PART_TLS] =
                whole_of((double)(opening->usual_ns - opening->least_ns) * opening->share);
}

/*
 * Beside a busy loop even the quickest one waited. What it computes here, about as much there, and
 * the way there and back for each of the two is what it takes alone.
 */
static uint64_t alone_ns(const struct facts *facts)
{
        struct spread round_trip;

        measure_conns(&round_trip, facts, measure_round_trip);
        return 2 * (conns_opening_work_ns(facts) + round_trip.min);
}

static uint64_t wall_with_ns(const struct facts *facts, const struct spread *took, uint64_t n)
{
        bool is_busy = told_is_part(facts->loop_busy_ns, facts->wall_ns, LOOP_BUSY);
        uint64_t least_ns = is_busy ? min_u64(took->min, alone_ns(facts)) : took->min;
        struct opening opening = { .least_ns = least_ns,
                .usual_ns = is_busy ? least_ns : took->p50,
                .share = (double)n / (double)took->n,
                .is_busy = is_busy };

        loading_measure(&opening.loading, facts);
        return whatif_wall_ns(&(struct whatif){ .keeps_conns = true,
                                      .concurrency = n,
                                      .contention = WHATIF_CONTENTION_LEAST,
                                      .is_alone = is_busy,
                                      .change = open_beside_fewer,
                                      .argument = &opening },
                facts);
}

/* As many at a time as make the run shortest; 0: none does. */
static uint64_t best_at_a_time(const struct facts *facts, const struct spread *took,
        uint64_t *ret_wall_ns)
{
        uint64_t best = 0;

        *ret_wall_ns = facts->wall_ns;
        for (uint64_t n = CAREFUL_AT_ONCE; n <= took->n / 2; n *= 2) {
                uint64_t wall_ns = wall_with_ns(facts, took, n);

                if (wall_ns >= *ret_wall_ns)
                        continue;
                *ret_wall_ns = wall_ns;
                best = n;
        }
        return best;
}

static bool has_no_limit(const struct facts *facts)
{
        const struct program_facts *program = facts->program;

        return program->limit.kind == PROGRAM_LIMIT_NONE && program->most >= UNBOUNDED_LEAST &&
               told_are_most(program->most, facts->n_requests);
}

bool unbounded_measure(struct unbounded *unbounded, const struct facts *facts)
{
        *unbounded = (struct unbounded){ .n_failed = n_out_of_room(facts->record) };
        measure_conns(&unbounded->took, facts, measure_tls);
        if (!has_no_limit(facts) ||
                (!unbounded->n_failed && (!told_are_most(unbounded->took.n, facts->n_attempts) ||
                                                 !told_is_part(unbounded->took.sum,
                                                         facts->service.sum, MOST_OF_TIME))))
                return false;
        unbounded->best = best_at_a_time(facts, &unbounded->took, &unbounded->wall_ns);
        return unbounded->n_failed || (unbounded->best && told_is_gain(unbounded->wall_ns, facts));
}
