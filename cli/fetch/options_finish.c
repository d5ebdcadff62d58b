/* SPDX-License-Identifier: MIT */
/*
 * What follows from the options of `muster fetch` once all are parsed, and which do not go together
 */
#include "options.h"

#include "../option/standard.h"
#include "../output/body_name.h"
#include <base/error.h>
#include <unistd.h>

/* As curl has it. */
static int check_fail(const struct fetch_options *options, struct muster_error *error)
{
        if (!options->request.client.fail_on_status || !options->request.client.fail_with_body)
                return 0;
        return error_set(error, MUSTER_E_INVALID, MUSTER_PHASE_QUEUE, 0,
                "--fail drops the body of an error, --fail-with-body keeps it; give one of them");
}

/* Only one thing can go to standard output. */
static int check_stdout(const struct fetch_options *options, struct muster_error *error)
{
        const char *what = NULL;

        if (options->leaves_lines_out || (options->output && !path_is_standard(options->output)))
                return 0;
        if (cookie_options_use_stdout(&options->request.cookies))
                what = "--cookie-jar -";
        else if (options->trace && path_is_standard(options->trace))
                what = "--trace -";
        else if (options->load.json && path_is_standard(options->load.json))
                what = "--load-json -";
        if (!what)
                return 0;
        return error_set(error, MUSTER_E_INVALID, MUSTER_PHASE_QUEUE, 0,
                "%s and the result lines would both go to standard output; send the lines to a file with -o FILE",
                what);
}

/* Of the option that needs a file with results. */
static const char *name_of_way(const struct fetch_options *options)
{
        return options->resume.goes_on          ? "resume"
               : options->resume.repeats_failed ? "failed-only"
               : options->appends               ? "append"
               : options->replaces              ? "force"
                                                : NULL;
}

/* What cannot be told from the lines that a run left cannot be gone on with. */
static int check_resume(const struct fetch_options *options, struct muster_error *error)
{
        const char *what = NULL;

        if (!resume_is_wanted(&options->resume))
                return 0;
        if (options->replaces)
                what = "keeps what the output has, --force replaces it; give one of them";
        else if (write_out_is_wanted(&options->write_out))
                what = "finds by the lines of JSON what is done, and -w writes others; leave out -w, and format the lines in the end";
        else if (options->remote.ways.asks_response)
                what = "cannot tell files of the run before from others of their names, where servers choose these (-J); use --body 'DIR/{n}-{remote_name}'";
        else if (confirm_is_wanted(&options->account.explain.confirm))
                what = "does a part of the list, and --confirm would do all of it; give one of them";
        if (!what)
                return 0;
        return error_set(error, MUSTER_E_INVALID, MUSTER_PHASE_QUEUE, 0, "--%s %s",
                name_of_way(options), what);
}

/* What becomes of a file that has something. */
static int settle_output(struct fetch_options *options, struct muster_error *error)
{
        bool is_file = options->output && !path_is_standard(options->output);

        if (options->appends && options->replaces)
                return error_set(error, MUSTER_E_INVALID, MUSTER_PHASE_QUEUE, 0,
                        "--append keeps what the output has, --force replaces it; give one of them");
        if (name_of_way(options) && !is_file)
                return error_set(error, MUSTER_E_INVALID, MUSTER_PHASE_QUEUE, 0,
                        "--%s is about a file with results; write them to one from the beginning, with -o FILE",
                        name_of_way(options));
        options->resume.keeps_lines = options->appends;
        options->resume.is_in_order = options->in_order;
        options->resume.fails_on_status =
                options->request.client.fail_on_status || options->request.client.fail_with_body;
        options->output_way = resume_is_wanted(&options->resume) ? OUTPUT_GO_ON
                              : options->appends                 ? OUTPUT_APPEND
                              : options->replaces                ? OUTPUT_REPLACE
                                                                 : OUTPUT_NEW;
        return check_resume(options, error);
}

/* With --untrusted-input nobody but the user says what files are called. */
static int check_names(const struct fetch_options *options, struct muster_error *error)
{
        unsigned words = 0;
        int r;

        if (!options->request.input.is_untrusted || !options->body ||
                options->body_place != BODY_FILES)
                return 0;
        r = body_name_check(options->body, &words, error);
        if (r < 0 || !(words & (BODY_NAME_ID | BODY_NAME_REMOTE_NAME)))
                return r;
        return error_set(error, MUSTER_E_INVALID, MUSTER_PHASE_QUEUE, 0,
                "--untrusted-input: with %s the list would name the files of bodies; use --body with {n}, {host} and {sha256}",
                options->remote.is_wanted       ? "-O"
                : words & BODY_NAME_REMOTE_NAME ? "{remote_name}"
                                                : "{id}");
}

/* What has no meaning where a list is repeated. */
static int check_load(const struct fetch_options *options, struct muster_error *error)
{
        const struct load_options *load = &options->load;
        const char *length = load->ramp_ms ? "ramp" : load->duration_ms ? "duration" : "requests";

        if (!load_is_wanted(load))
                return 0;
        if (resume_is_wanted(&options->resume) && !options->appends)
                return error_set(error, MUSTER_E_INVALID, MUSTER_PHASE_QUEUE, 0,
                        "--%s repeats the list, and --%s does each line of it once; give one of them",
                        length, name_of_way(options));
        return 0;
}

/* Who asks for load wants its page; lines are for who says where they go. */
static int settle_load(struct fetch_options *options, struct muster_error *error)
{
        bool is_load = load_is_wanted(&options->load);

        options->leaves_lines_out =
                is_load && !options->output && !write_out_is_wanted(&options->write_out);
        options->stdout_is_taken =
                (!options->leaves_lines_out &&
                        (!options->output || path_is_standard(options->output))) ||
                cookie_options_use_stdout(&options->request.cookies) ||
                (options->trace && path_is_standard(options->trace)) ||
                (options->load.json && path_is_standard(options->load.json));
        if (options->leaves_lines_out && !options->body && !options->remote.is_wanted)
                options->body = "none";
        return load_options_finish(&options->load, &options->request.client, error);
}

int fetch_options_finish(struct fetch_options *options, struct muster_error *error)
{
        int r = check_fail(options, error);

        if (r == 0)
                r = check_load(options, error);
        if (r == 0)
                r = settle_load(options, error);
        if (r == 0)
                r = check_stdout(options, error);
        if (r == 0)
                r = settle_output(options, error);
        if (r == 0)
                r = remote_options_finish(&options->remote, &options->body, error);
        if (r < 0)
                return r;
        options->body_place = body_place(options->body);
        if (!options->body && write_out_is_wanted(&options->write_out))
                options->body_place = BODY_NONE;
        r = body_place_check(options->body, error);
        if (r == 0)
                r = check_names(options, error);
        if (r < 0)
                return r;
        options->request.client.keep_heads = options->is_verbose || options->trace;
        /* What is to be worked on has to be there, although it is not shown. */
        if (options->body_place == BODY_NONE && !process_is_wanted(&options->process))
                options->request.client.discard_body = true;
        /* With a number of workers large bodies are decoded by them. */
        if (options->process.is_inline)
                options->request.client.workers = 0;
        else if (!options->request.client.workers)
                options->request.client.workers = (unsigned)sysconf(_SC_NPROCESSORS_ONLN);
        return request_options_finish(&options->request, error);
}
