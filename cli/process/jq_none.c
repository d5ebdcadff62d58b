/* SPDX-License-Identifier: MIT */
/*
 * --jq where libjq was not there when muster was built
 */
#include "processor.h"
#include <base/error.h>

static bool is_wanted(const struct process_options *options)
{
        return options->jq;
}

static int refuse_jq(const struct process *process, void **ret_state, struct muster_error *error)
{
        (void)process;
        (void)ret_state;
        return error_set(error, MUSTER_E_INVALID, MUSTER_PHASE_QUEUE, 0,
                "--jq: this muster was built without libjq; install libjq-dev and build again, or use --process 'jq EXPR'");
}

/* Nothing comes to be run. */
static int run_none(void *state, struct process_job *job)
{
        (void)state;
        return process_fail(job, "jq: not available");
}

const struct processor processor_jq = {
        .name = "jq", .is_wanted = is_wanted, .begin = refuse_jq, .run = run_none
};
