/* SPDX-License-Identifier: MIT */
#include "../command.h"

#include "../option/standard.h"
#include "../output/output.h"
#include "../temporary.h"
#include "options.h"
#include "page.h"
#include <base/error.h>
#include <base/buf.h>
#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

struct explain {
        struct explain_options options; /* first */
        const char *path;
        bool wants_json;
        struct muster_explanation *explanation;
        struct muster_run run;
        struct confirmation confirmation;
        struct muster_error error;
};

#define OWN(member) offsetof(struct explain, member)

static const struct option table[] = {
        { "Output", 0, "json", NULL, "print one JSON object instead of text", option_set_flag,
                OWN(wants_json) },
        { NULL, 0, "assert", "EXPR",
                "exit with status 4 unless this holds: 'latency.p99<200ms'; repeatable",
                explain_options_add_assertion, OWN(options.assertions) },
        { "Confirm", 0, "confirm", NULL,
                "repeat the run with the first suggested option and compare", option_set_flag,
                OWN(options.confirm.is_wanted) },
        { NULL, 0, "confirm-rounds", "N", "repeat N times, alternately with and without it (1)",
                explain_options_set_rounds, OWN(options.confirm.n_rounds) },
        { NULL, 0, "confirm-unsafe", NULL,
                "repeat even requests that may change data, such as POST", option_set_flag,
                OWN(options.confirm.allows_unsafe) },
        { 0 },
};

static const struct option *const tables[] = { table, NULL };

static int set_path(void *settings, const struct option *option, const char *value,
        struct muster_error *error)
{
        struct explain *explain = settings;

        (void)option;
        if (explain->path)
                return error_set(error, MUSTER_E_INVALID, MUSTER_PHASE_QUEUE, 0,
                        "one record at a time, but \"%s\" follows \"%s\"", value, explain->path);
        explain->path = value;
        return 0;
}

static int help(void)
{
        printf("usage: muster explain [options] RECORD\n\n"
               "Say why a run was slow, what to change, and what that would gain. RECORD is the file written by\n"
               "muster fetch --record.\n");
        option_help(tables, stdout);
        printf("\nExit status: 0 done, 1 --confirm was interrupted, 2 usage error, 3 could not read the record or repeat\n"
               "the run, 4 an assertion failed. See muster-explain(1).\n");
        return EXIT_ALL_SUCCEEDED;
}

/* --- running it again ------------------------------------------------------------------------ */

/* The recorded requests take the place of the command's inputs. */
static int use_recorded(struct explain *explain, struct invocation *original, int requests_fd)
{
        char path[32];
        int r = muster_record_export(explain->path, requests_fd, &explain->error);

        if (r < 0)
                return r;
        invocation_leave_out(original, NULL);
        invocation_leave_out(original, "input");
        invocation_leave_out(original, "input-format");
        invocation_leave_out(original, "url-column");
        return invocation_add(original, "input", temporary_file_path(requests_fd, path),
                &explain->error);
}

/* Are the inputs of the command there once more, for whoever runs it again in the same folder? */
static bool names_inputs(const struct invocation *original)
{
        bool has_files = invocation_has(original, "input");

        for (size_t i = 0; i < original->n; i++)
                if (original->words[i].name && strcmp(original->words[i].name, "input") == 0 &&
                        path_is_standard(original->words[i].value))
                        return false;
        return has_files || invocation_has(original, NULL);
}

/*
 * The words are the record's, which somebody else may have made. What they ask for over the network
 * is checked elsewhere; here, that they run nothing and send nothing of this machine without being
 * told to.
 */
static int check_foreign_words(const struct invocation *original, struct muster_error *error)
{
        static const char *const names[] = { "process", "upload-file", "data", "data-binary" };

        for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
                const char *value = invocation_value(original, names[i]);

                if (!value)
                        continue;
                return error_set(error, MUSTER_E_INPUT, MUSTER_PHASE_QUEUE, 0,
                        "confirm: the recorded command has --%s %.80s, which would run or send something from this machine; --confirm-unsafe allows it",
                        names[i], value);
        }
        return 0;
}

/*
 * A record has URLs only: where there was more to the requests, the command has to read its inputs
 * again.
 */
static int use_inputs(struct explain *explain, struct invocation *original, int requests_fd)
{
        int r = use_recorded(explain, original, requests_fd);

        if (r != MUSTER_E_INPUT || !names_inputs(original))
                return r;
        error_clear(&explain->error);
        return 0;
}

/*
 * What can be repeated at all comes before what may be: nobody is told of an option that would not
 * help.
 */
static int make_original(struct explain *explain, struct invocation *original, int requests_fd)
{
        bool allows_unsafe = explain->options.confirm.allows_unsafe;
        int r = invocation_from_json(original, explain->run.command, &explain->error);

        if (r == 0)
                r = use_inputs(explain, original, requests_fd);
        if (r == 0 && !allows_unsafe)
                r = check_foreign_words(original, &explain->error);
        if (r == 0)
                r = confirm_check(original, allows_unsafe, &explain->error);
        if (r == 0 && explain->run.n_unsafe && !allows_unsafe)
                r = error_set(&explain->error, MUSTER_E_INPUT, MUSTER_PHASE_QUEUE, 0,
                        "confirm: %llu of the requests may change something on the server; --confirm-unsafe repeats them",
                        (unsigned long long)explain->run.n_unsafe);
        return r;
}

/* What was cut short took another time than the whole would have. */
static int check_whole(const struct explain *explain, struct muster_error *error)
{
        if (explain->run.is_complete && !explain->run.n_dropped)
                return 0;
        return error_set(error, MUSTER_E_INPUT, MUSTER_PHASE_QUEUE, 0,
                "confirm: the record is incomplete, so there is nothing to compare with");
}

static int confirm(struct explain *explain)
{
        const struct confirm_options *options = &explain->options.confirm;
        struct invocation original = { 0 };
        int fd, r;

        if (!confirm_choose(explain->explanation))
                return CONFIRM_NOTHING;
        r = check_whole(explain, &explain->error);
        if (r < 0)
                return r;
        fd = temporary_file(&explain->error);
        if (fd < 0)
                return fd;
        r = make_original(explain, &original, fd);
        if (r == 0)
                r = confirm_run(&explain->confirmation, &original, explain->explanation,
                        options->n_rounds ? options->n_rounds : 1, &explain->error);
        invocation_deinit(&original);
        close(fd);
        return r;
}

/* --- showing --------------------------------------------------------------------------------- */

static int show_json(struct explain *explain)
{
        struct buf text = { 0 };
        int r = page_json(&text, explain->explanation, &explain->confirmation,
                &explain->options.assertions);

        if (r == 0 && fwrite(text.at, 1, text.len, stdout) != text.len)
                r = MUSTER_E_RESOURCE;
        buf_deinit(&text);
        return r;
}

/* A page is shown before anything is tried, which may take a while; the object has all in it. */
static int show_explanation(struct explain *explain)
{
        struct page page = page_on(stdout);
        int r = 0;

        if (!explain->wants_json) {
                page_print(&page, explain->explanation);
                fflush(stdout);
        }
        if (confirm_is_wanted(&explain->options.confirm))
                r = confirm(explain);
        if (r == CONFIRM_NOTHING)
                fprintf(stderr, "muster: confirm: %s\n", confirm_nothing);
        else if (r != 0)
                return r;
        if (explain->wants_json)
                return show_json(explain);
        if (explain->confirmation.n_rounds)
                page_print_confirmation(&page, &explain->confirmation);
        return 0;
}

static int run_explain(struct explain *explain)
{
        bool all_hold;
        int r = muster_explain_file(&explain->explanation, explain->path, &explain->error);

        if (r < 0)
                return error_tell(&explain->error);
        muster_explanation_run(explain->explanation, &explain->run, sizeof(explain->run));
        all_hold = assertions_check(&explain->options.assertions, explain->explanation);
        r = show_explanation(explain);
        if (r == 0)
                r = output_end_page(&explain->error);
        assertions_tell(&explain->options.assertions, stderr);
        if (r < 0)
                return error_tell(&explain->error);
        if (r == CONFIRM_STOPPED)
                fprintf(stderr, "muster: interrupted: --confirm did not finish\n");
        if (!all_hold)
                return EXIT_ASSERTION_FAILED;
        return r == CONFIRM_STOPPED ? EXIT_SOME_FAILED : EXIT_ALL_SUCCEEDED;
}

int explain_main(int argc, char **argv)
{
        struct explain explain = { 0 };
        int r = option_parse(tables, &explain, argc, argv, set_path, &explain.error);
        int status;

        if (r == 0 && !explain.path)
                r = error_set(&explain.error, MUSTER_E_INVALID, MUSTER_PHASE_QUEUE, 0,
                        "no record given: name the file that muster fetch --record wrote (see muster explain --help)");
        if (r == OPTION_HELP)
                status = help();
        else if (r < 0)
                status = error_tell(&explain.error);
        else
                status = run_explain(&explain);
        muster_explanation_free(explain.explanation);
        explain_options_deinit(&explain.options);
        return status;
}
