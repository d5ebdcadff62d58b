/* SPDX-License-Identifier: MIT */
#include "process.h"

#include "../output/item.h"
#include "../output/json.h"
#include "child.h"
#include "processor.h"
#include <base/clock.h>
#include <base/error.h>
#include <base/fd.h>
#include <base/mem.h>
#include <base/minmax.h>
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* after the end of its input: it may have something to store */
#define KIND_MOMENT_NS (2 * NS_PER_S)
#define FIRM_MOMENT_NS NS_PER_S /* after SIGTERM */
#define LOOK_NS        (2 * (long)NS_PER_MS)

/* In the order in which they are done: first it must be JSON. */
static const struct processor *const processors[] = { &processor_json, &processor_jq,
        &processor_command, &processor_lines };

#define N_PROCESSORS (sizeof(processors) / sizeof(processors[0]))

bool process_is_wanted(const struct process_options *options)
{
        for (size_t i = 0; i < N_PROCESSORS; i++)
                if (processors[i]->is_wanted(options))
                        return true;
        return false;
}

/* --- workspaces: what one worker at a time works with ---------------------------------------- */

struct workspace {
        struct list link;
        const struct process *process;
        void *states[PROCESS_STEPS_MAX];
};

static struct workspace *workspace_free(struct workspace *workspace)
{
        for (unsigned i = 0; i < workspace->process->n_steps; i++)
                if (workspace->states[i])
                        workspace->process->steps[i]->end(workspace->states[i]);
        return mem_free(workspace);
}

static int workspace_new(const struct process *process, struct workspace **ret_workspace,
        struct muster_error *error)
{
        struct workspace *workspace = mem_zalloc(sizeof(*workspace));
        int r = 0;

        if (!workspace)
                return error_set_memory(error, MUSTER_PHASE_PROCESS);
        workspace->process = process;
        for (unsigned i = 0; r == 0 && i < process->n_steps; i++)
                if (process->steps[i]->begin)
                        r = process->steps[i]->begin(process, &workspace->states[i], error);
        if (r < 0) {
                workspace_free(workspace);
                return r;
        }
        *ret_workspace = workspace;
        return 0;
}

static void put_workspace(struct process *process, struct workspace *workspace)
{
        pthread_mutex_lock(&process->lock);
        list_push_front(&process->idle, &workspace->link);
        pthread_mutex_unlock(&process->lock);
}

/* The one that was used last, or a new one. */
static int take_workspace(struct process *process, struct workspace **ret_workspace,
        struct muster_error *error)
{
        struct list *link;

        pthread_mutex_lock(&process->lock);
        link = list_pop(&process->idle);
        pthread_mutex_unlock(&process->lock);
        if (!link)
                return workspace_new(process, ret_workspace, error);
        *ret_workspace = LIST_OWNER(link, struct workspace, link);
        return 0;
}

/* --- a response: on a worker ----------------------------------------------------------------- */

int process_fail(struct process_job *job, const char *format, ...)
{
        char text[256];
        va_list args;

        va_start(args, format);
        vsnprintf(text, sizeof(text), format, args);
        va_end(args);
        return muster_result_fail(job->result, text);
}

int process_set_bytes(struct process_job *job, struct muster_str bytes)
{
        struct processed *processed = job->processed;
        int r = json_add_utf8(&processed->value, bytes);

        processed->is_base64 = r == JSON_NOT_UTF8;
        if (processed->is_base64)
                r = json_add_base64(&processed->value, bytes);
        return r < 0 ? process_fail(job, "out of memory") : 0;
}

struct child_talk process_talk(const struct process_job *job)
{
        const struct process *process = job->process;
        uint64_t timeout_ms = process->options.timeout_ms;
        uint64_t own_ns = timeout_ms == MUSTER_NO_TIMEOUT ? UINT64_MAX : timeout_ms * NS_PER_MS;
        uint64_t left_ns = muster_result_time_left_ns(job->result);

        return (struct child_talk){
                .timeout_ns = min_u64(own_ns, left_ns),
                .max_output_bytes = process->options.max_output_bytes,
                .stop_fd = process->stop_fd,
        };
}

static void free_processed(void *data)
{
        struct processed *processed = data;

        buf_deinit(&processed->json);
        buf_deinit(&processed->value);
        mem_free(processed);
}

const struct processed *process_result(const struct muster_result *result)
{
        return muster_result_processed(result);
}

static int run_steps(const struct process *process, struct workspace *workspace,
        struct process_job *job)
{
        int r = 0;

        for (unsigned i = 0; r == 0 && i < process->n_steps; i++)
                r = process->steps[i]->run(workspace->states[i], job);
        return r;
}

/* The library calls this. */
static int process_one(struct muster_result *result, void *argument)
{
        struct process *process = argument;
        struct process_job job = {
                .process = process, .item = muster_result_userdata(result), .result = result
        };
        struct muster_error error = { 0 };
        struct workspace *workspace;
        int r;

        if (atomic_load(&process->is_stopping))
                return process_fail(&job, "interrupted");
        if (!muster_result_time_left_ns(result))
                return process_fail(&job, "no time left");
        job.processed = mem_zalloc(sizeof(*job.processed));
        if (!job.processed)
                return process_fail(&job, "out of memory");
        muster_result_set_processed(result, job.processed, free_processed);
        if (take_workspace(process, &workspace, &error) < 0)
                return process_fail(&job, "%s", error.text);
        r = run_steps(process, workspace, &job);
        if (r != 0)
                buf_deinit(&job.processed->value);
        put_workspace(process, workspace);
        return r;
}

void process_attach(struct process *process, struct muster_request *request)
{
        muster_request_set_process(request, process_one, process);
}

/* --- beginning and end ----------------------------------------------------------------------- */

static int check_options(const struct process_options *options, struct muster_error *error)
{
        const char *what = NULL;

        if (options->is_lines && !options->command)
                what = "--process-lines needs a command: --process COMMAND";
        else if (options->command && options->jq)
                what = "--process and --jq exclude each other; give one of them";
        else if (!process_is_wanted(options) && (options->timeout_ms || options->max_output_bytes))
                what = "--process-timeout and --process-max-output need --process or --jq";
        if (!what)
                return 0;
        return error_set(error, MUSTER_E_INVALID, MUSTER_PHASE_QUEUE, 0, "%s", what);
}

static void set_options(struct process *process, const struct process_options *options)
{
        process->options = *options;
        if (!options->timeout_ms)
                process->options.timeout_ms = PROCESS_TIMEOUT_MS;
        if (!options->max_output_bytes)
                process->options.max_output_bytes = PROCESS_MAX_OUTPUT_BYTES;
        for (size_t i = 0; i < N_PROCESSORS; i++)
                if (processors[i]->is_wanted(options))
                        process->steps[process->n_steps++] = processors[i];
}

/* The first workspace shows mistakes in what is to be compiled. */
int process_begin(struct process *process, const struct process_options *options,
        struct muster_error *error)
{
        struct workspace *first;
        int r = check_options(options, error);

        if (r < 0 || !process_is_wanted(options))
                return r;
        pthread_mutex_init(&process->lock, NULL);
        list_init(&process->idle);
        set_options(process, options);
        signal(SIGCHLD, SIG_DFL); /* where it is ignored nobody learns how a command ended */
        process->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        if (process->stop_fd < 0)
                return error_set(error, MUSTER_E_RESOURCE, MUSTER_PHASE_QUEUE, errno,
                        "cannot prepare to process bodies: %s", error_sys_text(errno));
        r = workspace_new(process, &first, error);
        if (r == 0)
                put_workspace(process, first);
        return r;
}

void process_interrupt(struct process *process)
{
        uint64_t one = 1;

        if (!process->n_steps || atomic_exchange(&process->is_stopping, true))
                return;
        (void)!write(process->stop_fd, &one, sizeof(one));
}

static void ask_to_end(const struct process *process, const struct list *workspaces, bool firmly)
{
        for (struct list *link = workspaces->next; link != workspaces; link = link->next)
                for (unsigned i = 0; i < process->n_steps; i++)
                        if (process->steps[i]->ask_to_end)
                                process->steps[i]->ask_to_end(LIST_OWNER(link, struct workspace,
                                                                      link)
                                                                      ->states[i],
                                        firmly);
}

static bool have_ended(const struct process *process, const struct list *workspaces)
{
        for (struct list *link = workspaces->next; link != workspaces; link = link->next)
                for (unsigned i = 0; i < process->n_steps; i++)
                        if (process->steps[i]->has_ended &&
                                !process->steps[i]->has_ended(LIST_OWNER(link, struct workspace,
                                        link)
                                                                      ->states[i]))
                                return false;
        return true;
}

static void wait_for_end(const struct process *process, const struct list *workspaces,
        uint64_t moment_ns)
{
        const struct timespec pause = { .tv_nsec = LOOK_NS };
        uint64_t until_ns = clock_monotonic() + moment_ns;

        while (!have_ended(process, workspaces) && clock_monotonic() < until_ns)
                nanosleep(&pause, NULL);
}

void process_end(struct process *process)
{
        struct list leaving, *link;

        if (!process->n_steps)
                return;
        process_interrupt(process);
        list_init(&leaving);
        pthread_mutex_lock(&process->lock);
        list_splice(&leaving, &process->idle);
        pthread_mutex_unlock(&process->lock);
        ask_to_end(process, &leaving, false);
        wait_for_end(process, &leaving, KIND_MOMENT_NS);
        if (!have_ended(process, &leaving)) {
                ask_to_end(process, &leaving, true);
                wait_for_end(process, &leaving, FIRM_MOMENT_NS);
        }
        while ((link = list_pop(&leaving)))
                workspace_free(LIST_OWNER(link, struct workspace, link));
}

void process_deinit(struct process *process)
{
        if (!process->n_steps)
                return;
        process_end(process);
        fd_close(&process->stop_fd);
        pthread_mutex_destroy(&process->lock);
        process->n_steps = 0;
}
