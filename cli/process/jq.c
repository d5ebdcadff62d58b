/* SPDX-License-Identifier: MIT */
/*
 * --jq: an expression of jq's language, by libjq, in this process
 *
 * Compiled once for each worker, as a jq_state is one thread's at a time. The body is known to be
 * JSON when it comes here. libjq has no way to be interrupted: time and size are looked at between
 * two outputs.
 */
#include "child.h"
#include "processor.h"
#include <base/clock.h>
#include <base/error.h>
#include <base/mem.h>
#include <jq.h>
#include <limits.h>

#define MESSAGE_MAX 200

struct expression {
        jq_state *jq;
        char message[MESSAGE_MAX]; /* the first that it had for us; empty: none */
};

static bool is_wanted(const struct process_options *options)
{
        return options->jq;
}

/* --- messages -------------------------------------------------------------------------------- */

/* What stands behind "jq: error: ", up to the end of the line. Takes `text`. */
static void keep_message(struct expression *expression, jv text)
{
        static const char *const prefixes[] = { "jq: ", "error: " };
        const char *at;
        size_t len;

        if (jv_get_kind(text) != JV_KIND_STRING || expression->message[0]) {
                jv_free(text);
                return;
        }
        at = jv_string_value(text);
        for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++)
                if (str_starts(str_of(at), prefixes[i]))
                        at += strlen(prefixes[i]);
        len = strcspn(at, "\n");
        if (len && at[len] && at[len - 1] == ':') /* "at <top-level>, line 1:", and then the line */
                len--;
        snprintf(expression->message, sizeof(expression->message), "%.*s", (int)len, at);
        jv_free(text);
}

static void told(void *data, jv message)
{
        keep_message(data, jq_format_error(message));
}

/* An error that the expression ended with; it may be any value. Takes `error`. */
static int fail_expression(struct expression *expression, struct process_job *job, jv error)
{
        expression->message[0] = '\0';
        if (jv_get_kind(error) != JV_KIND_STRING)
                error = jv_dump_string(error, 0);
        keep_message(expression, error);
        return process_fail(job, "jq: %s", expression->message);
}

/* --- the expression -------------------------------------------------------------------------- */

static void end_jq(void *state)
{
        struct expression *expression = state;

        if (expression->jq)
                jq_teardown(&expression->jq);
        mem_free(expression);
}

/*
 * libjq calls these without looking whether they are there: "input", of which there is no more;
 * "debug", which nobody reads.
 */
static jv no_input(jq_state *jq, void *data)
{
        (void)jq;
        (void)data;
        return jv_invalid();
}

static void no_debug(void *data, jv message)
{
        (void)data;
        jv_free(message);
}

/* Where "import" and "include" look for modules; libjq fails an assertion when nobody says it. */
static void set_places(jq_state *jq)
{
        jq_set_attr(jq, jv_string("JQ_ORIGIN"), jv_string("/usr/bin"));
        jq_set_attr(jq, jv_string("JQ_LIBRARY_PATH"),
                jv_array_append(jv_array(), jv_string("~/.jq")));
        jq_set_attr(jq, jv_string("PROGRAM_ORIGIN"), jv_string("."));
}

/*
 * From version 1.7 on libjq refuses a program that is empty, or has only comments and definitions.
 * To 1.6, and to whoever writes one, it is ".": so what has no main expression is given that one.
 * The empty line ends a comment that ends with a backslash.
 */
static bool compile(struct expression *expression, const char *program)
{
        struct buf text = { 0 };
        bool is_good = jq_compile(expression->jq, program);

        if (is_good || !strstr(expression->message, "Top-level program not given"))
                return is_good;
        expression->message[0] = '\0';
        is_good = buf_add_text(&text, program) == 0 &&
                  buf_add(&text, "\n\n.", sizeof("\n\n.")) == 0 &&
                  jq_compile(expression->jq, text.at);
        buf_deinit(&text);
        return is_good;
}

static int begin_jq(const struct process *process, void **ret_state, struct muster_error *error)
{
        struct expression *expression = mem_zalloc(sizeof(*expression));

        if (expression)
                expression->jq = jq_init();
        if (!expression || !expression->jq) {
                mem_free(expression);
                return error_set_memory(error, MUSTER_PHASE_PROCESS);
        }
        jq_set_error_cb(expression->jq, told, expression);
        jq_set_input_cb(expression->jq, no_input, NULL);
        jq_set_debug_cb(expression->jq, no_debug, NULL);
        set_places(expression->jq);
        if (!compile(expression, process->options.jq)) {
                error_set(error, MUSTER_E_INVALID, MUSTER_PHASE_QUEUE, 0, "--jq: %s",
                        expression->message[0] ? expression->message : "does not compile");
                end_jq(expression);
                return MUSTER_E_INVALID;
        }
        *ret_state = expression;
        return 0;
}

/* --- a response ------------------------------------------------------------------------------ */

/* The outputs so far. */
struct outputs {
        struct buf text; /* with commas between them */
        size_t n;
};

static int add_output(struct outputs *outputs, jv value)
{
        jv text = jv_dump_string(value, 0);
        int r = outputs->n++ ? buf_add_char(&outputs->text, ',') : 0;

        if (r == 0)
                r = buf_add(&outputs->text, jv_string_value(text),
                        (size_t)jv_string_length_bytes(jv_copy(text)));
        jv_free(text);
        return r;
}

static int check_bounds(struct process_job *job, const struct outputs *outputs,
        const struct child_talk *talk, uint64_t end_ns)
{
        if (outputs->text.len > talk->max_output_bytes)
                return process_fail(job,
                        "jq: the output of the expression is larger than %llu bytes; --process-max-output allows more",
                        (unsigned long long)talk->max_output_bytes);
        if (clock_monotonic() >= end_ns)
                return process_fail(job,
                        "jq: the expression took longer than %g s; --process-timeout allows more",
                        (double)talk->timeout_ns / (double)NS_PER_S);
        return atomic_load(&job->process->is_stopping) ? process_fail(job, "interrupted") : 0;
}

/* What there is in place of an output: the end, an error, or a halt. Takes `last`. */
static int conclude(struct expression *expression, struct process_job *job, jv last)
{
        if (jv_invalid_has_msg(jv_copy(last)))
                return fail_expression(expression, job, jv_invalid_get_msg(last));
        jv_free(last);
        if (jq_halted(expression->jq)) {
                jv code = jq_get_exit_code(expression->jq);
                bool is_good = jv_get_kind(code) != JV_KIND_NUMBER || jv_number_value(code) == 0;

                jv_free(code);
                if (!is_good)
                        return fail_expression(expression, job,
                                jq_get_error_message(expression->jq));
        }
        return 0;
}

static int collect(struct expression *expression, struct process_job *job, struct outputs *outputs)
{
        const struct child_talk talk = process_talk(job);
        uint64_t end_ns = clock_after(clock_monotonic(), talk.timeout_ns);

        for (;;) {
                jv value = jq_next(expression->jq);
                int r;

                if (!jv_is_valid(value))
                        return conclude(expression, job, value);
                if (add_output(outputs, value) < 0)
                        return process_fail(job, "out of memory");
                r = check_bounds(job, outputs, &talk, end_ns);
                if (r != 0)
                        return r;
        }
}

static int set_value(struct process_job *job, const struct outputs *outputs)
{
        struct buf *value = &job->processed->value;
        bool is_list = outputs->n > 1;
        int r = is_list ? buf_add_char(value, '[') : 0;

        if (r == 0)
                r = buf_add_str(value, buf_str(&outputs->text));
        if (r == 0 && is_list)
                r = buf_add_char(value, ']');
        return r < 0 ? process_fail(job, "out of memory") : 0;
}

static int run_jq(void *state, struct process_job *job)
{
        struct expression *expression = state;
        size_t size = muster_result_body_size(job->result);
        struct outputs outputs = { 0 };
        jv body;
        int r;

        if (size > INT_MAX)
                return process_fail(job, "jq: the body is larger than libjq can read");
        body = jv_parse_sized(muster_result_body(job->result), (int)size);
        if (!jv_is_valid(body))
                return fail_expression(expression, job, jv_invalid_get_msg(body));
        jq_start(expression->jq, body, 0);
        r = collect(expression, job, &outputs);
        if (r == 0)
                r = set_value(job, &outputs);
        buf_deinit(&outputs.text);
        return r;
}

const struct processor processor_jq = {
        .name = "jq", .is_wanted = is_wanted, .begin = begin_jq, .run = run_jq, .end = end_jq
};
