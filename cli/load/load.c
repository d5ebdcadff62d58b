/* SPDX-License-Identifier: MIT */
#include "load.h"

#include <base/error.h>
#include <base/minmax.h>

/* How long it will be, where that can be told before. */
static uint64_t expected_ns(const struct load_plan *plan)
{
        if (plan->duration_ns)
                return plan->duration_ns;
        if (!plan->n_requests || !plan->is_exact)
                return 0;
        return plan->ramp_ns + (uint64_t)((double)plan->n_requests / plan->per_s * 1e9);
}

int load_init(struct load *load, const struct load_plan *plan, unsigned n_loops,
        struct muster_error *error)
{
        *load = (struct load){ .is_on = true, .plan = plan, .n_loops = n_loops };
        hist_init(&load->late);
        if (fine_hist_init(&load->from_plan) < 0 || fine_hist_init(&load->from_start) < 0 ||
                timeline_init(&load->timeline, 0, expected_ns(plan)) < 0 ||
                steps_init(&load->steps, plan) < 0)
                return error_set_memory(error, MUSTER_PHASE_QUEUE);
        return 0;
}

void load_deinit(struct load *load)
{
        fine_hist_deinit(&load->from_plan);
        fine_hist_deinit(&load->from_start);
        timeline_deinit(&load->timeline);
        steps_deinit(&load->steps);
}

void load_prepare(struct load *load)
{
        load->machine_begin = machine_now();
}

bool load_has_begun(struct load *load, const struct muster_client *client)
{
        struct muster_client_stats stats;

        if (load->begin_ns)
                return true;
        muster_client_stats(client, &stats, sizeof(stats));
        load->begin_ns = load->timeline.begin_ns = stats.first_start_ns;
        if (load->begin_ns && load->plan->duration_ns)
                load->end_ns = load->begin_ns + load->plan->duration_ns;
        return load->begin_ns;
}

bool load_is_due(const struct load *load, uint64_t now_ns)
{
        return load->is_on && !load->has_ended && load->end_ns && now_ns >= load->end_ns;
}

void load_interrupt(struct load *load, uint64_t now_ns)
{
        load->has_ended = load->was_interrupted = true;
        if (!load->begin_ns)
                load->begin_ns = load->timeline.begin_ns = now_ns;
        if (!load->end_ns || load->end_ns > now_ns)
                load->end_ns = now_ns;
}

/* --- while it goes on ------------------------------------------------------------------------ */

/* When the first attempt got its slot. */
static uint64_t start_of(const struct muster_result *result)
{
        struct muster_attempt first;

        if (muster_result_n_attempts(result) == 1)
                return muster_result_submitted_ns(result) +
                       muster_result_phase_ns(result, MUSTER_PHASE_QUEUE);
        if (muster_result_attempt(result, 0, &first, sizeof(first)) < 0)
                return muster_result_planned_ns(result);
        return first.start_ns + first.phase_ns[MUSTER_PHASE_QUEUE];
}

static struct timed time_of(const struct muster_result *result, bool has_failed)
{
        struct timed timed = { .planned_ns = muster_result_planned_ns(result),
                .start_ns = start_of(result),
                .end_ns = muster_result_submitted_ns(result) + muster_result_total_ns(result) -
                          muster_result_phase_ns(result, MUSTER_PHASE_DELIVER),
                .has_failed = has_failed,
                .is_refused = !has_failed && muster_result_status(result) >= 400 };

        /* Who waited twice, for its moment and for a stream, has both in its queue's time. */
        timed.start_ns = max_u64(min_u64(timed.start_ns, timed.end_ns), timed.planned_ns);
        timed.end_ns = max_u64(timed.end_ns, timed.start_ns);
        return timed;
}

static void note_lateness(struct load *load, const struct timed *timed)
{
        uint64_t late_ns = timed->start_ns - timed->planned_ns;

        if (late_ns <= LOAD_LATE_NS)
                return;
        load->n_late++;
        hist_add(&load->late, late_ns);
}

void load_add(struct load *load, const struct muster_result *result, bool has_failed)
{
        struct timed timed;

        if (!muster_result_planned_ns(result)) /* it could not even be asked for */
                return;
        timed = time_of(result, has_failed);
        load->n_started++;
        note_lateness(load, &timed);
        if (!has_failed) {
                fine_hist_add(&load->from_plan, timed.end_ns - timed.planned_ns);
                fine_hist_add(&load->from_start, timed.end_ns - timed.start_ns);
        }
        timeline_add(&load->timeline, &timed);
        steps_add(&load->steps, load->plan,
                timed.planned_ns > load->begin_ns ? timed.planned_ns - load->begin_ns : 0, &timed);
}

double load_share_done(const struct load *load, uint64_t n_done, uint64_t now_ns)
{
        const struct load_plan *plan = load->plan;
        double share = -1, by_time;

        if (plan->n_requests)
                share = (double)n_done / (double)plan->n_requests;
        if (plan->duration_ns && load->begin_ns) {
                by_time = (double)(now_ns - load->begin_ns) / (double)plan->duration_ns;
                if (by_time > share)
                        share = by_time;
        }
        return share > 1 ? 1 : share;
}

/* --- when it is over ------------------------------------------------------------------------- */

static uint64_t since(uint64_t now, uint64_t begin)
{
        return now > begin ? now - begin : 0;
}

void load_finish(struct load *load, const struct muster_client_stats *stats, uint64_t wall_ns,
        uint64_t request_ns, uint64_t lag_ns)
{
        struct machine_time now = machine_now();
        uint64_t length_ns = wall_ns;

        load->machine = (struct machine){ .n_loops = load->n_loops,
                .wall_ns = wall_ns,
                .time = { since(now.used_ns, load->machine_begin.used_ns),
                        since(now.delayed_ns, load->machine_begin.delayed_ns) },
                .longest_turn_ns = stats->longest_turn_ns,
                .lag_ns = lag_ns,
                .request_ns = request_ns,
                .n_started = load->n_started,
                .n_late_with_slots = since(load->n_late, stats->n_slot_waits) };
        if (load->end_ns && load->begin_ns)
                length_ns = load->end_ns - load->begin_ns;
        if (load->plan->n_requests)
                length_ns = min_u64(length_ns, wall_ns);
        steps_finish(&load->steps, load->plan, length_ns);
}

uint64_t load_n_missed(const struct load *load, const struct muster_client_stats *stats)
{
        double planned;

        if (!load->plan->is_exact || !load->end_ns || !load->begin_ns)
                return 0;
        planned = load_plan_count(load->plan, load->end_ns - load->begin_ns);
        if (load->plan->n_requests && planned > (double)load->plan->n_requests)
                planned = (double)load->plan->n_requests;
        return planned > (double)stats->n_attempts ? (uint64_t)planned - stats->n_attempts : 0;
}
