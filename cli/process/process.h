/* SPDX-License-Identifier: MIT */
/*
 * Work on bodies: --process, --process-lines, --parse-json, --jq
 *
 * Each successful response goes through the wanted kinds of processing, on one of the client's
 * worker threads, and what came of it is kept with the result until its line is written.
 */
#ifndef CLI_PROCESS_PROCESS_H
#define CLI_PROCESS_PROCESS_H

#include <base/buf.h>
#include <base/list.h>
#include <muster/muster.h>
#include <pthread.h>
#include <stdatomic.h>

#define PROCESS_TIMEOUT_MS       30000
#define PROCESS_MAX_OUTPUT_BYTES (16 * 1024 * 1024)

/* Zeroed: nothing is to be done with bodies. */
struct process_options {
        const char *command;
        bool is_lines;             /* it is started once, and answers line by line */
        bool wants_json;           /* a body must be JSON, and is shown as a value */
        const char *jq;            /* an expression */
        bool is_inline;            /* in the loop's thread, for comparison */
        uint64_t timeout_ms;       /* 0: PROCESS_TIMEOUT_MS; MUSTER_NO_TIMEOUT */
        uint64_t max_output_bytes; /* 0: PROCESS_MAX_OUTPUT_BYTES */
};

bool process_is_wanted(const struct process_options *options);

/* What came of a body, as JSON text on one line; empty: nothing. */
struct processed {
        struct buf json; /* the body itself */
        struct buf value;
        bool is_base64; /* `value` is a string that stands for bytes */
};

struct processor;

#define PROCESS_STEPS_MAX 2 /* a look at the body, and work on it */

/* Zeroed: none. */
struct process {
        struct process_options options;
        const struct processor *steps[PROCESS_STEPS_MAX];
        unsigned n_steps;
        int stop_fd; /* readable: all commands are to be killed */
        atomic_bool is_stopping;
        pthread_mutex_t lock;
        struct list idle; /* workspaces that no worker uses now; guarded by the lock */
};

/* Look for mistakes and get ready. MUSTER_E_INVALID, MUSTER_E_RESOURCE with *error. */
int process_begin(struct process *process, const struct process_options *options,
        struct muster_error *error);

/*
 * Have a request's response worked on. Its userdata is its struct item, whose place and id do not
 * change from then on.
 */
void process_attach(struct process *process, struct muster_request *request);

/* What came of it; NULL: nothing. */
const struct processed *process_result(const struct muster_result *result);

/*
 * Kill the commands that run; their requests fail, as do those that are begun later. Does not wait.
 */
void process_interrupt(struct process *process);

/*
 * Interrupt, and let the commands that wait for work end: by the end of their input, by SIGTERM, by
 * SIGKILL, with a moment between.
 */
void process_end(struct process *process);

/* After the client is freed, so that no worker is left. */
void process_deinit(struct process *process);

#endif
