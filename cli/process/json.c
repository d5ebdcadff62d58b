/* SPDX-License-Identifier: MIT */
/*
 * --parse-json: a body must be JSON, and stands in the result line as the value that it is
 *
 * Also the first step of --jq, which then only wants to know.
 */
#include "json_text.h"
#include "processor.h"

static bool is_wanted(const struct process_options *options)
{
        return options->wants_json || options->jq;
}

static int check_json(void *state, struct process_job *job)
{
        struct muster_str body = { muster_result_body(job->result),
                muster_result_body_size(job->result) };
        struct json_flaw flaw;

        (void)state;
        if (!json_text_is_valid(body, &flaw))
                return process_fail(job, "the body is not JSON: line %d, column %d: %s", flaw.line,
                        flaw.column, flaw.text);
        if (job->process->options.wants_json &&
                json_text_add_dense(&job->processed->json, body) < 0)
                return process_fail(job, "out of memory");
        return 0;
}

const struct processor processor_json = {
        .name = "json", .is_wanted = is_wanted, .run = check_json
};
