/* SPDX-License-Identifier: MIT */
#include "options.h"

#include "../option/standard.h"
#include <base/error.h>
#include <muster/client.h>
#include <stddef.h>
#include <sys/stat.h>

#define COMMAND_BEGINS 2 /* behind it nothing is an option of ours */

/* --- the table ------------------------------------------------------------------------------- */

static int set_for(void *settings, const struct option *option, const char *value,
        struct muster_error *error)
{
        uint64_t *ms = (uint64_t *)(void *)((char *)settings + option->offset);
        int r = option_set_duration(settings, option, value, error);

        if (r == 0 && *ms == MUSTER_NO_TIMEOUT)
                return error_set(error, MUSTER_E_INVALID, MUSTER_PHASE_QUEUE, 0,
                        "\"%s\" leaves no time to watch", value);
        return r;
}

#define OWN(member) offsetof(struct watch_options, member)

static const struct option table[] = {
        { "Output", 'o', "output", "FILE", "write the page to FILE, not to standard error",
                option_set_text, OWN(output) },
        { NULL, 0, "json", NULL, "write one JSON object instead of the page", option_set_flag,
                OWN(wants_json) },
        { NULL, 0, "record", "FILE", "keep the record, for muster explain", option_set_text,
                OWN(record) },
        { NULL, 0, "force", NULL, "replace FILE where it exists", option_set_flag, OWN(replaces) },
        { NULL, 's', "silent", NULL, "no page; for use with --record", option_set_flag,
                OWN(is_silent) },
        { "Watching", 0, "for", "TIME",
                "after TIME end the program as Ctrl-C does; if it goes on, with SIGTERM 5 s later",
                set_for, OWN(for_ms) },
        { NULL, 0, "no-hooks", NULL,
                "load nothing into Python and Node, only the library into the process",
                option_set_flag, OWN(no_hooks) },
        { NULL, 0, "no-filter", NULL,
                "do not have the kernel tell of the connections of programs without the C library",
                option_set_flag, OWN(no_filter) },
        { "Proof", 0, "replay", NULL,
                "then make the same GET and HEAD requests with muster, and compare",
                option_set_flag, OWN(replays) },
        { NULL, 0, "confirm", "COMMAND2",
                "then run COMMAND2, the changed program, and compare it with the prediction",
                option_set_text, OWN(changed) },
        { 0 },
};

const struct option *const watch_option_tables[] = { table, NULL };

/* --- what goes together ---------------------------------------------------------------------- */

/* Devices, pipes and terminals have nothing to lose. */
static int check_file(const char *name, const char *path, bool replaces, struct muster_error *error)
{
        struct stat status;

        if (!path || replaces || path_is_standard(path) || stat(path, &status) < 0 ||
                !S_ISREG(status.st_mode) || status.st_size == 0)
                return 0;
        return error_set(error, MUSTER_E_INVALID, MUSTER_PHASE_QUEUE, 0,
                "--%s: %s exists; --force replaces it", name, path);
}

static int check(const struct watch_options *options, struct muster_error *error)
{
        int r;

        if (!options->command)
                return error_set(error, MUSTER_E_INVALID, MUSTER_PHASE_QUEUE, 0,
                        "no program given; write: muster watch -- COMMAND [ARG...]");
        if (options->is_silent && !options->record)
                return error_set(error, MUSTER_E_INVALID, MUSTER_PHASE_QUEUE, 0,
                        "--silent without --record would leave nothing of what was seen");
        if (options->is_silent && (options->wants_json || options->output))
                return error_set(error, MUSTER_E_INVALID, MUSTER_PHASE_QUEUE, 0,
                        "--silent and --%s: one wants no page, the other one",
                        options->wants_json ? "json" : "output");
        if (options->is_silent && (options->replays || options->changed))
                return error_set(error, MUSTER_E_INVALID, MUSTER_PHASE_QUEUE, 0,
                        "--silent and --%s: there would be nothing to tell",
                        options->replays ? "replay" : "confirm");
        r = check_file("output", options->output, options->replaces, error);
        return r == 0 ? check_file("record", options->record, options->replaces, error) : r;
}

/* --- parsing --------------------------------------------------------------------------------- */

static int begin_command(void *settings, const struct option *option, const char *value,
        struct muster_error *error)
{
        struct watch_options *options = settings;

        (void)option;
        (void)error;
        while (*options->command != value)
                options->command++;
        return COMMAND_BEGINS;
}

int watch_options_parse(struct watch_options *options, int argc, char **argv,
        struct muster_error *error)
{
        int r;

        options->command = argv;
        r = option_parse(watch_option_tables, options, argc, argv, begin_command, error);
        if (r == 0)
                options->command = NULL;
        return r == 0 || r == COMMAND_BEGINS ? check(options, error) : r;
}
