/* SPDX-License-Identifier: MIT */
/*
 * --process-lines: a command that lives on, and answers each line with a line
 *
 * What it is told is the result line with its body. It is started when a worker has something for
 * it, and again when it was lost. An answer can only be told from another by its place: so a
 * command that says more than it was asked for is not trusted any further, as every later answer
 * would be given to the wrong response.
 */
#include "../output/item.h"
#include "../output/result_line.h"
#include "child.h"
#include "json_text.h"
#include "processor.h"
#include <base/error.h>
#include <base/mem.h>
#include <stdio.h>
#include <unistd.h>

#define OUT_KEPT_BYTES (256 * 1024) /* of the memory for answers, between two of them */

static bool is_wanted(const struct process_options *options)
{
        return options->command && options->is_lines;
}

static int begin_lines(const struct process *process, void **ret_state, struct muster_error *error)
{
        (void)process;
        *ret_state = mem_zalloc(sizeof(struct child));
        return *ret_state ? 0 : error_set_memory(error, MUSTER_PHASE_PROCESS);
}

/* A line before the end of its input was not asked for; later ones do no harm. */
static void ask_to_end(void *state, bool firmly)
{
        if (firmly) {
                child_terminate(state);
                return;
        }
        if (child_look(state) == CHILD_HAS_SPOKEN)
                fprintf(stderr,
                        "muster: WARNING: --process-lines: the command wrote more lines than it was given; answers may belong to other responses\n");
        child_say_end(state);
}

static bool has_ended(const void *state)
{
        return child_is_over(state);
}

static void end_lines(void *state)
{
        child_deinit(state);
        mem_free(state);
}

/* --- a response ------------------------------------------------------------------------------ */

/* Have a command that waits for a line. */
static int get_ready(struct child *child, struct process_job *job)
{
        struct muster_error error = { 0 };

        switch (child_look(child)) {
        case CHILD_IS_READY:
                return 0;
        case CHILD_HAS_SPOKEN:
                child_end(child);
                return process_fail(job,
                        "the command wrote a line without being given one, and was killed");
        case CHILD_IS_GONE:
                child_end(child);
                break;
        }
        if (child_start(child, job->process->options.command, environ, &error) < 0)
                return process_fail(job, "%s", error.text);
        return 0;
}

static int make_question(struct buf *line, const struct process_job *job)
{
        return result_line_add(line, &(struct result_line){
                                             .n = job->item->n,
                                             .line = job->item->line,
                                             .id = str_of(job->item->id),
                                             .own = str_of(job->item->own),
                                             .omits_headers = job->item->omits_headers,
                                             .omits_body = job->item->omits_body,
                                             .result = job->result,
                                             .json = buf_str(&job->processed->json),
                                     });
}

/* A line without its end: JSON where it is, else a string. */
static int set_answer(struct process_job *job, struct muster_str answer)
{
        struct json_flaw flaw;

        if (!json_text_is_valid(answer, &flaw))
                return process_set_bytes(job, answer);
        if (json_text_add_dense(&job->processed->value, answer) < 0)
                return process_fail(job, "out of memory");
        return 0;
}

static int ask(struct child *child, struct process_job *job, struct muster_str question)
{
        struct child_talk talk = process_talk(job);
        enum child_outcome outcome;
        char why[400];

        talk.in = question;
        talk.wants_line = true;
        outcome = child_talk(child, &talk);
        if (outcome == CHILD_ANSWERED) {
                struct muster_str rest = buf_str(&child->out), answer;

                str_split(&rest, '\n', &answer);
                if (!rest.len)
                        return set_answer(job, answer);
        }
        child_explain(child, &talk, outcome, child_end(child), why, sizeof(why));
        return process_fail(job, "%s%s", outcome == CHILD_ENDED ? "no answer: " : "", why);
}

static int ask_command(void *state, struct process_job *job)
{
        struct child *child = state;
        struct buf question = { 0 };
        int r = get_ready(child, job);

        if (r != 0)
                return r;
        if (make_question(&question, job) < 0)
                r = process_fail(job, "out of memory");
        else
                r = ask(child, job, buf_str(&question));
        buf_deinit(&question);
        buf_recycle(&child->out, OUT_KEPT_BYTES);
        return r;
}

const struct processor processor_lines = { .name = "process-lines",
        .is_wanted = is_wanted,
        .begin = begin_lines,
        .run = ask_command,
        .ask_to_end = ask_to_end,
        .has_ended = has_ended,
        .end = end_lines };
