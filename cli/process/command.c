/* SPDX-License-Identifier: MIT */
/*
 * --process: a command for each response, which has the body as its standard input
 */
#include "../output/item.h"
#include "child.h"
#include "processor.h"
#include <base/mem.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static bool is_wanted(const struct process_options *options)
{
        return options->command && !options->is_lines;
}

/* --- the environment ------------------------------------------------------------------------- */

static const char *const names[] = { "MUSTER_URL", "MUSTER_STATUS", "MUSTER_N", "MUSTER_ID" };

#define N_NAMES (sizeof(names) / sizeof(names[0]))

struct environment {
        char **list;        /* ours first, then what we have ourselves */
        char *own[N_NAMES]; /* NULL: does not exist for this response */
};

static void environment_deinit(struct environment *environment)
{
        for (size_t i = 0; i < N_NAMES; i++)
                free(environment->own[i]);
        mem_free(environment->list);
}

static bool is_ours(const char *variable)
{
        for (size_t i = 0; i < N_NAMES; i++)
                if (str_starts(str_of(variable), names[i]) && variable[strlen(names[i])] == '=')
                        return true;
        return false;
}

/* An id as a shell would like it: a string without its quotes. NULL: there is none. */
static char *plain_id(const char *id)
{
        json_t *value = id ? json_loads(id, JSON_DECODE_ANY, NULL) : NULL;
        char *text = NULL;

        if (json_is_string(value))
                text = mem_strdup(json_string_value(value));
        else if (id)
                text = mem_strdup(id);
        json_decref(value);
        return text;
}

static void set(struct environment *environment, size_t which, const char *value)
{
        if (value && asprintf(&environment->own[which], "%s=%s", names[which], value) < 0)
                environment->own[which] =
                        NULL; /* without memory the list will not come about either */
}

static int environment_init(struct environment *environment, const struct process_job *job)
{
        char status[12], n[24], *id = plain_id(job->item->id);
        size_t n_all = 0, at = 0;

        *environment = (struct environment){ 0 };
        snprintf(status, sizeof(status), "%d", muster_result_status(job->result));
        snprintf(n, sizeof(n), "%" PRIu64, job->item->n);
        set(environment, 0, muster_result_url(job->result));
        set(environment, 1, status);
        set(environment, 2, n);
        set(environment, 3, id);
        mem_free(id);
        while (environ[n_all])
                n_all++;
        environment->list = mem_array(n_all + N_NAMES + 1, sizeof(*environment->list));
        if (!environment->list)
                return MUSTER_E_RESOURCE;
        for (size_t i = 0; i < N_NAMES; i++)
                if (environment->own[i])
                        environment->list[at++] = environment->own[i];
        for (size_t i = 0; i < n_all; i++)
                if (!is_ours(environ[i]))
                        environment->list[at++] = environ[i];
        return 0;
}

/* --- a response ------------------------------------------------------------------------------ */

static int start(struct child *child, struct process_job *job)
{
        struct environment environment;
        struct muster_error error = { 0 };
        int r = environment_init(&environment, job);

        if (r == 0)
                r = child_start(child, job->process->options.command, environment.list, &error);
        environment_deinit(&environment);
        return r < 0 ? process_fail(job, "%s", error.code ? error.text : "out of memory") : 0;
}

static int run_command(void *state, struct process_job *job)
{
        struct child_talk talk = process_talk(job);
        struct child child = { 0 };
        enum child_outcome outcome;
        char why[400];
        int status, r;

        (void)state;
        r = start(&child, job);
        if (r != 0)
                return r;
        talk.in = (struct muster_str){ muster_result_body(job->result),
                muster_result_body_size(job->result) };
        outcome = child_talk(&child, &talk);
        status = child_end(&child);
        if (outcome == CHILD_ENDED && status == 0) {
                r = process_set_bytes(job, buf_str(&child.out));
        } else {
                child_explain(&child, &talk, outcome, status, why, sizeof(why));
                r = process_fail(job, "%s", why);
        }
        child_deinit(&child);
        return r;
}

const struct processor processor_command = {
        .name = "process", .is_wanted = is_wanted, .run = run_command
};
