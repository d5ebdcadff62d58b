/* SPDX-License-Identifier: MIT */
#include "rounds.h"

#include <assert.h>
#include <base/minmax.h>
#include <explain/facts/intake.h>
#include <explain/facts/life.h>
#include <explain/judgement.h>

static const struct trace_attempt *attempt_at(const struct facts *facts, size_t at)
{
        return &facts->record->attempts[facts->by_request[at]];
}

/*
 * Mean and scatter of values that come one after the other: Welford's way, as their squares are
 * large.
 */
struct scatter {
        double n, mean, squares;
};

static void scatter_add(struct scatter *scatter, double value)
{
        double from_mean = value - scatter->mean;

        scatter->n++;
        scatter->mean += from_mean / scatter->n;
        scatter->squares += from_mean * (value - scatter->mean);
}

struct counting {
        struct rounds *rounds;
        struct scatter pauses, distances;
        uint64_t last_ns;           /* submitted, of this round */
        uint64_t begun_ns, over_ns; /* the round's begin; all that came so far is over */
        size_t n_in_round;
};

/* A request comes when all before it are over. */
static void begin(struct counting *counting, uint64_t submit_ns)
{
        struct rounds *rounds = counting->rounds;
        uint64_t pause_ns = submit_ns - counting->over_ns;

        assert(submit_ns >= counting->over_ns);
        if (rounds->n++) {
                rounds->pauses_ns += pause_ns;
                rounds->longest_ns = max_u64(rounds->longest_ns, pause_ns);
                scatter_add(&counting->pauses, (double)pause_ns);
                scatter_add(&counting->distances, (double)(submit_ns - counting->begun_ns));
        }
        counting->begun_ns = submit_ns;
        counting->n_in_round = 0;
}

/* Requests are numbered as they are submitted. */
void rounds_count(struct rounds *rounds, const struct facts *facts)
{
        struct counting counting = { .rounds = rounds };

        *rounds = (struct rounds){ 0 };
        for (size_t at = 0; at < facts->record->n_attempts;) {
                size_t to = facts_request_end(facts, at);
                const struct trace_attempt *last = attempt_at(facts, to - 1);
                uint64_t submit_ns = life_submit_ns(last);

                if (submit_ns >= counting.over_ns)
                        begin(&counting, submit_ns);
                else
                        rounds->submitting_ns += submit_ns - min_u64(submit_ns, counting.last_ns);
                counting.last_ns = submit_ns;
                if (++counting.n_in_round > rounds->largest)
                        rounds->largest = counting.n_in_round;
                counting.over_ns = max_u64(counting.over_ns,
                        max_u64(life_process_end_ns(last), last->finished_ns));
                at = to;
        }
        rounds->is_by_clock =
                !facts->intake->follows &&
                counting.distances.squares < counting.pauses.squares * BY_CLOCK * BY_CLOCK;
}

double rounds_mean(const struct rounds *rounds, const struct facts *facts)
{
        return rounds->n ? (double)facts->n_requests / (double)rounds->n : 0;
}

bool rounds_are_batches(const struct rounds *rounds, const struct facts *facts)
{
        return rounds->n >= HABIT_LEAST && rounds_mean(rounds, facts) >= BATCH_LEAST &&
               (double)rounds->pauses_ns < (double)facts->wall_ns * PAUSES_MATTER &&
               (double)rounds->submitting_ns < (double)facts->wall_ns * SUBMITTED_TOGETHER;
}
