/* SPDX-License-Identifier: MIT */
#include "remote.h"

#include <base/error.h>
#include <base/mem.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define WORD "{remote_name}"

void remote_options_deinit(struct remote_options *options)
{
        options->pattern = mem_free(options->pattern);
}

static int refuse(struct muster_error *error, const char *why)
{
        return error_set(error, MUSTER_E_INVALID, MUSTER_PHASE_QUEUE, 0, "%s", why);
}

static bool is_directory(const char *path)
{
        struct stat status;

        return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

static int check_directory(const struct remote_options *options, struct muster_error *error)
{
        const char *directory = options->directory;

        if (!directory)
                return 0;
        if (!options->is_wanted)
                return refuse(error,
                        "--output-dir says where -O writes files; give -O as well, or --body DIR");
        if (!*directory || strchr(directory, '{'))
                return error_set(error, MUSTER_E_INVALID, MUSTER_PHASE_QUEUE, 0,
                        "--output-dir: \"%.100s\" is %s", directory,
                        *directory
                                ? "no plain directory; a pattern is for --body, as 'out/{host}/" WORD
                                  "'"
                                : "empty; give a directory");
        if (options->makes_directories || is_directory(directory))
                return 0;
        return error_set(error, MUSTER_E_INVALID, MUSTER_PHASE_QUEUE, 0,
                "--output-dir: there is no directory %.150s; to have it created add --create-dirs",
                directory);
}

/* Do options ask for what `body` has not? */
static int check_body(const struct remote_options *options, const char *body,
        struct muster_error *error)
{
        if (options->is_wanted && body)
                return refuse(error,
                        "-O and --body both say where bodies go; give one: --body 'DIR/" WORD
                        "' names files as -O does");
        if (options->ways.asks_response && !options->is_wanted && !(body && strstr(body, WORD)))
                return refuse(error,
                        "-J chooses the names of the files that -O writes; give -O as well");
        if (options->ways.keeps_time && !options->is_wanted && body_place(body) != BODY_FILES)
                return refuse(error,
                        "-R sets the time of files, but bodies go into none; give -O or --body DIR as well");
        return 0;
}

static char *pattern_in(const char *directory)
{
        size_t len = directory ? strlen(directory) : 0, size = len + sizeof("/" WORD);
        char *pattern = mem_alloc(size);

        if (pattern)
                snprintf(pattern, size, "%s%s" WORD, len ? directory : "",
                        len && directory[len - 1] != '/' ? "/" : "");
        return pattern;
}

int remote_options_finish(struct remote_options *options, const char **body,
        struct muster_error *error)
{
        int r = check_directory(options, error);

        if (r == 0)
                r = check_body(options, *body, error);
        if (r < 0 || !options->is_wanted)
                return r;
        options->pattern = pattern_in(options->directory);
        if (!options->pattern)
                return error_set_memory(error, MUSTER_PHASE_QUEUE);
        *body = options->pattern;
        return 0;
}
