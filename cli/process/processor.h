/* SPDX-License-Identifier: MIT */
/*
 * A kind of processing: one file each, and one table of them in process.c
 *
 * A kind may need something to work with that only one thread may use at a time: a running command,
 * a compiled expression. Such a state is made when a worker needs one and no other is free, and
 * kept for the next response: so there is one for each worker.
 */
#ifndef CLI_PROCESS_PROCESSOR_H
#define CLI_PROCESS_PROCESSOR_H

#include "process.h"

struct item;

/*
 * A response that is worked on; all belongs to the worker meanwhile, but `process` and `item`,
 * which nobody changes.
 */
struct process_job {
        const struct process *process;
        const struct item *item;
        struct muster_result *result;
        struct processed *processed; /* to be filled */
};

struct processor {
        const char *name; /* of the option that wants it */
        bool (*is_wanted)(const struct process_options *options);

        /*
         * Make a state; the first one at the start of the program. MUSTER_E_INVALID: its option has
         * a mistake. NULL: it needs none.
         */
        int (*begin)(const struct process *process, void **ret_state, struct muster_error *error);

        /* 0; or what process_fail() said. */
        int (*run)(void *state, struct process_job *job);

        /*
         * For a state that is a process: make it end by itself, kindly or `firmly`, and ask whether
         * it has. Neither waits. May be NULL.
         */
        void (*ask_to_end)(void *state, bool firmly);
        bool (*has_ended)(const void *state);

        void (*end)(void *state); /* and release the memory */
};

extern const struct processor processor_command;
extern const struct processor processor_lines;
extern const struct processor processor_json;
extern const struct processor processor_jq;

/* Say why it failed. Returns MUSTER_E_PROCESS. */
__attribute__((format(printf, 2, 3))) int process_fail(struct process_job *job, const char *format,
        ...);

/*
 * The result is these bytes: a string, in base64 where they are not UTF-8. 0, or as process_fail().
 */
int process_set_bytes(struct process_job *job, struct muster_str bytes);

/* What a talk with a command is bounded by. */
struct child_talk;
struct child_talk process_talk(const struct process_job *job);

#endif
