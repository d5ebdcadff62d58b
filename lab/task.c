/* SPDX-License-Identifier: MIT */
#include "task.h"

#include "document.h"
#include "lab.h"
#include "listener.h"
#include "route.h"
#include <assert.h>
#include <stdio.h>
#include <zlib.h>

#define ECHO_BYTES_MAX (1024 * 1024) /* bytes of a body that are echoed; the rest is only counted */
#define KEEP_BYTES     2048

static uint64_t now_of(const struct task *task)
{
        return clock_now(task->listener->lab->loop->clock);
}

static void delay_is_over(struct loop_timer *timer, uint64_t late_ns)
{
        struct task *task = LIST_OWNER(timer, struct task, timer);

        (void)late_ns;
        task->ops->reply(task);
}

void task_init(struct task *task, struct listener *listener, const struct task_ops *ops)
{
        assert(ops->reply && ops->drop);
        *task = (struct task){ .ops = ops, .listener = listener };
        task->timer.fire = delay_is_over;
}

void task_deinit(struct task *task)
{
        assert(!task->is_open);
        buf_deinit(&task->upload);
        plan_deinit(&task->plan);
        reply_deinit(&task->reply);
}

/* --- the head -------------------------------------------------------------------------------- */

static void refuse_for_want_of_connections(struct task *task)
{
        plan_begin(&task->plan);
        plan_say(&task->plan, 503, "%u connections are served already\n",
                task->listener->config->max_connections);
        task->plan.closes = true;
}

/* The conditions of the listener, for every path. */
static void apply_conditions(struct task *task)
{
        struct listener *listener = task->listener;
        const struct listener_config *config = listener->config;
        uint64_t wait_ns;
        char seconds[32];

        if (task->plan.is_exempt)
                return;
        if (task->is_turned_away)
                refuse_for_want_of_connections(task);
        else if (config->rate_per_s > 0 &&
                 (wait_ns = tally_take(&listener->tally, config->rate_per_s, config->burst,
                          now_of(task)))) {
                listener->stats.n_rate_limited++;
                plan_begin(&task->plan);
                plan_say(&task->plan, config->limit_status ? config->limit_status : 429,
                        "more than %g requests a second\n", config->rate_per_s);
                snprintf(seconds, sizeof(seconds), "%llu",
                        (unsigned long long)((wait_ns + NS_PER_S - 1) / NS_PER_S));
                if (!config->limit_is_silent)
                        plan_add_field(&task->plan, "Retry-After", str_of(seconds));
        } else if (config->error_share > 0 && lab_chance(listener->lab, config->error_share)) {
                plan_begin(&task->plan);
                plan_say(&task->plan, 500, "this request was chosen to fail (error-share)\n");
        }
}

static void count_request(struct task *task)
{
        struct listener_stats *stats = &task->listener->stats;

        task->is_open = true;
        if (task->plan.is_exempt)
                return;
        stats->n_requests++;
        if (++stats->n_busy > stats->n_busy_max)
                stats->n_busy_max = stats->n_busy;
}

static void forget_body(struct task *task)
{
        task->n_body_bytes = 0;
        task->body_crc = 0;
        task->upload.len = 0;
}

void task_begin(struct task *task, const struct request *request)
{
        assert(!task->is_open);
        forget_body(task);
        task->is_head = request->is_head;
        route_request(task->listener, request, now_of(task), &task->plan);
        count_request(task);
        apply_conditions(task);
}

void task_refuse(struct task *task, const struct muster_error *error)
{
        struct listener_stats *stats = &task->listener->stats;

        stats->n_bad_requests++;
        if (task->is_open && !task->plan.is_exempt) {
                /* It was counted with its head. */
                stats->n_busy--;
                stats->n_requests--;
        }
        forget_body(task);
        task->is_head = false;
        plan_begin(&task->plan);
        count_request(task);
        plan_say(&task->plan, error->code == MUSTER_E_TOO_LARGE ? 431 : 400, "%s\n", error->text);
}

/* --- the body -------------------------------------------------------------------------------- */

void task_take_body(struct task *task, struct muster_str data)
{
        assert(task->is_open);
        task->n_body_bytes += data.len;
        if (task->plan.upload != PLAN_DROPS)
                task->body_crc =
                        (uint32_t)crc32_z(task->body_crc, (const unsigned char *)data.at, data.len);
        if (task->plan.upload == PLAN_ECHOES && task->upload.len + data.len <= ECHO_BYTES_MAX)
                (void)buf_add_str(&task->upload, data);
}

/* Add what the body was to the JSON text that the behaviour began. */
static void tell_of_upload(struct task *task)
{
        struct buf *text = &task->plan.text;
        char numbers[100];
        bool echoes = task->plan.upload == PLAN_ECHOES;

        if (task->plan.upload == PLAN_DROPS)
                return;
        snprintf(numbers, sizeof(numbers), "%s\"body_bytes\":%llu,\"body_crc32\":\"%08x\"",
                echoes ? "," : "", (unsigned long long)task->n_body_bytes, task->body_crc);
        if (buf_add_text(text, numbers) < 0 ||
                (echoes && (buf_add_text(text, ",\"body\":") < 0 ||
                                   document_add_string(text, buf_str(&task->upload)) < 0)))
                text->len = 0;
        (void)buf_add_text(text, "}\n");
}

/* --- its turn -------------------------------------------------------------------------------- */

/* How long the listener has it wait, whatever it asks for. */
static uint64_t listener_delay_ns(struct listener *listener)
{
        const struct listener_config *config = listener->config;
        uint64_t ns = spread_draw(&config->delay, &listener->lab->rand);

        if (listener->n_cold == config->n_cold)
                return ns;
        listener->n_cold++;
        return clock_after(ns, spread_draw(&config->cold, &listener->lab->rand));
}

/* The request has its worker, or needs none: now the delay. */
static int admit(struct task *task)
{
        struct listener *listener = task->listener;
        struct lab *lab = listener->lab;
        uint64_t now_ns = now_of(task);
        uint64_t at_ns = clock_after(now_ns, spread_draw(&task->plan.delay, &lab->rand));

        if (!task->plan.is_exempt) {
                at_ns = clock_after(at_ns, listener_delay_ns(listener));
                at_ns = pauses_over_ns(&listener->pauses, at_ns);
        }
        if (at_ns == now_ns)
                return 0;
        return loop_timer_set(lab->loop, &task->timer, at_ns) < 0 ? TASK_DROPPED : TASK_LATER;
}

static void worked_on(struct job *job)
{
        struct task *task = LIST_OWNER(job, struct task, job);
        int r = admit(task);

        if (r == 0)
                task->ops->reply(task);
        else if (r == TASK_DROPPED)
                task->ops->drop(task);
}

static int refuse_for_want_of_workers(struct task *task)
{
        if (task->listener->config->refusal == REFUSE_CLOSE)
                return TASK_DROPPED;
        plan_begin(&task->plan);
        plan_say(&task->plan, 503, "all workers are busy and the queue is full\n");
        plan_add_field(&task->plan, "Retry-After", str_of("1"));
        return 0;
}

int task_complete(struct task *task)
{
        struct listener *listener = task->listener;
        int r;

        assert(task->is_open);
        tell_of_upload(task);
        buf_recycle(&task->upload, KEEP_BYTES);
        if (task->is_turned_away && !task->plan.is_exempt)
                return 0;
        if (!listener->config->workers || task->plan.is_exempt)
                return admit(task);
        r = capacity_enter(&listener->capacity, &task->job, worked_on);
        if (r == CAPACITY_FULL)
                return refuse_for_want_of_workers(task);
        return r < 0 ? TASK_DROPPED : TASK_LATER;
}

/* --- its end --------------------------------------------------------------------------------- */

void task_done(struct task *task)
{
        struct listener_stats *stats = &task->listener->stats;

        if (task->is_open && !task->plan.is_exempt) {
                stats->n_responses[task->plan.status / 100]++;
                stats->n_busy--;
        }
        task->is_open = false;
}

void task_gone(struct task *task)
{
        struct listener_stats *stats = &task->listener->stats;

        if (task->is_open && !task->plan.is_exempt) {
                stats->n_gone++;
                stats->n_busy--;
        }
        task->is_open = false;
        capacity_leave(&task->job);
        loop_timer_stop(task->listener->lab->loop, &task->timer);
}
