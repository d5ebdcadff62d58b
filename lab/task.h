/* SPDX-License-Identifier: MIT */
/*
 * A request being served, whatever protocol brought it: its plan, its worker, its delay
 *
 *      task_begin ──▶ task_take_body ──▶ task_complete ──▶ the owner answers ──▶ task_done
 *       route, conditions   counted        a worker,                              task_gone
 *                                          the delay
 *
 * The owner is what reads the request and writes the response: a connection of HTTP/1, a stream of
 * HTTP/2.
 */
#ifndef LAB_TASK_H
#define LAB_TASK_H

#include "capacity.h"
#include "reply.h"
#include "request.h"

struct listener;
struct task;

struct task_ops {
        void (*reply)(struct task *task); /* later than task_complete(): answer it now */
        void (*drop)(struct task *task);  /* it cannot be answered */
};

/* Embed it; zeroed serves nothing. */
struct task {
        const struct task_ops *ops;
        struct listener *listener;
        struct plan plan;
        struct reply reply;
        uint64_t n_body_bytes;
        uint32_t body_crc;
        struct buf upload;   /* what is to be echoed */
        bool is_head;        /* the method */
        bool is_open;        /* begun, and neither done nor gone */
        bool is_turned_away; /* its connection is one too many; the owner says so */
        struct job job;
        struct loop_timer timer; /* the delay */
};

void task_init(struct task *task, struct listener *listener, const struct task_ops *ops);
void task_deinit(struct task *task);

/* A request's head has arrived: decide what is done for it. */
void task_begin(struct task *task, const struct request *request);

/* Plan to refuse it: with 431 where the error is MUSTER_E_TOO_LARGE, else with 400. */
void task_refuse(struct task *task, const struct muster_error *error);

void task_take_body(struct task *task, struct muster_str data);

#define TASK_LATER   1 /* ops->reply will be called */
#define TASK_DROPPED 2 /* there is to be no answer; what it was is not over yet: task_gone() */

/* The request is complete. 0: answer it now. TASK_LATER, TASK_DROPPED. */
int task_complete(struct task *task);

/* Its response is sent; or there will be none, or not all of it. May be called twice. */
void task_done(struct task *task);
void task_gone(struct task *task);

#endif
