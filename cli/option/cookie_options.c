/* SPDX-License-Identifier: MIT */
#include "cookie_options.h"

#include "../input/body_file.h"
#include "request_options.h"
#include "standard.h"
#include <base/error.h>
#include <base/mem.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

static struct cookie_options *of(void *settings)
{
        return &((struct request_options *)settings)->cookies;
}

static int invalid(struct muster_error *error, const char *text)
{
        return error_set(error, MUSTER_E_INVALID, MUSTER_PHASE_QUEUE, 0, "%s", text);
}

/* --- setters --------------------------------------------------------------------------------- */

/* As curl tells them apart: what has "=" is cookies, anything else is a file. */
static int set_cookie(void *settings, const struct option *option, const char *value,
        struct muster_error *error)
{
        struct cookie_options *options = of(settings);
        int r = 0;

        (void)option;
        if (value[0] == '@' || !strchr(value, '=')) {
                value += value[0] == '@';
                r = buf_add(&options->files, &value, sizeof(value));
        } else {
                if (options->pairs.len)
                        r = buf_add(&options->pairs, "; ", 2);
                if (r == 0)
                        r = buf_add_text(&options->pairs, value);
                if (r == 0)
                        r = buf_terminate(&options->pairs);
        }
        return r < 0 ? error_set_memory(error, MUSTER_PHASE_QUEUE) : 0;
}

static int set_scope(void *settings, const struct option *option, const char *value,
        struct muster_error *error)
{
        struct cookie_options *options = of(settings);

        (void)option;
        options->has_scope = true;
        options->is_line_scope = strcmp(value, "line") == 0;
        if (options->is_line_scope || strcmp(value, "run") == 0)
                return 0;
        return error_set(error, MUSTER_E_INVALID, MUSTER_PHASE_QUEUE, 0,
                "\"%s\" is neither run nor line", value);
}

#define OWN(member) offsetof(struct request_options, cookies.member)

const struct option cookie_option_table[] = {
        { "Cookies (none are kept unless one of these is given, or -b \"\")", 'b', "cookie",
                "DATA|FILE", "send NAME=VALUE, or keep cookies and begin with those in FILE",
                set_cookie, 0 },
        { NULL, 'j', "junk-session-cookies", NULL, "leave out of FILE what ends with a session",
                option_set_flag, OWN(drops_session) },
        { NULL, 0, "cookie-scope", "SCOPE",
                "run: all requests share their cookies (default); line: each has its own",
                set_scope, 0 },
        { 0 },
};

const struct option cookie_jar_option_table[] = {
        { NULL, 0, "cookie-jar", "FILE",
                "write the cookies to FILE at the end; - is standard output", option_set_text,
                OWN(jar_file) },
        { 0 },
};

/* --- settled --------------------------------------------------------------------------------- */

/* A file that cannot be written is better known before an hour of requests than after it. */
static int check_jar_file(const struct cookie_options *options, struct muster_error *error)
{
        const char *path = options->jar_file, *slash = strrchr(path, '/');
        char *folder;
        int r;

        if (!*path)
                return invalid(error, "--cookie-jar: give the name of a file");
        if (options->is_line_scope)
                return invalid(error,
                        "--cookie-jar keeps the cookies of a run, but with --cookie-scope line each line has its own, which ends with it; give one of them");
        if (path_is_standard(path) || access(path, W_OK) == 0)
                return 0;
        r = errno;
        if (r == ENOENT) {
                folder = slash ? mem_strndup(path, (size_t)(slash - path) + 1) : mem_strdup(".");
                if (!folder)
                        return error_set_memory(error, MUSTER_PHASE_QUEUE);
                r = access(folder, W_OK | X_OK) == 0 ? 0 : errno;
                mem_free(folder);
        }
        if (r == 0)
                return 0;
        return error_set(error, MUSTER_E_RESOURCE, MUSTER_PHASE_QUEUE, r,
                "--cookie-jar: cannot write %s: %s", path, error_sys_text(r));
}

static int read_standard_input(struct muster_jar *jar, struct muster_error *error)
{
        struct buf text = { 0 };
        int r = file_read("-", &text, error);

        if (r == 0)
                r = muster_jar_read(jar, text.at, text.len, error);
        buf_deinit(&text);
        return r;
}

/* A session's first run has no file yet: it is the one that will be written. */
static bool is_made_later(const struct cookie_options *options, const char *path, int sys)
{
        return sys == ENOENT && options->jar_file && strcmp(path, options->jar_file) == 0;
}

static int read_file(const struct cookie_options *options, const char *path,
        struct muster_error *error)
{
        int r = path_is_standard(path) ? read_standard_input(options->jar, error)
                                       : muster_jar_load(options->jar, path, error);

        if (r == MUSTER_LINES_SKIPPED)
                fprintf(stderr, "muster: -b %s: %s\n", path, error->text);
        else if (r == MUSTER_E_INPUT && error->sys == ENOENT) {
                if (!is_made_later(options, path, error->sys))
                        fprintf(stderr,
                                "muster: -b %s: there is no such file, so no cookies come from it\n",
                                path);
                r = 0;
        }
        if (r >= 0)
                error_clear(error);
        return r < 0 ? r : 0;
}

static int read_files(const struct cookie_options *options, bool stdin_is_input,
        struct muster_error *error)
{
        const char *const *files = (const char *const *)(const void *)options->files.at;
        size_t n = options->files.len / sizeof(*files);
        int r = 0;

        for (size_t i = 0; r == 0 && i < n; i++) {
                if (!*files[i])
                        continue;
                if (stdin_is_input && path_is_standard(files[i]))
                        return invalid(error,
                                "-b - reads cookies from standard input, but the requests come from there; put one of them into a file");
                r = read_file(options, files[i], error);
        }
        return r;
}

int cookie_options_finish(struct cookie_options *options, bool stdin_is_input,
        struct muster_error *error)
{
        int r = options->jar_file ? check_jar_file(options, error) : 0;

        if (r < 0 || !(options->files.len || options->jar_file || options->has_scope))
                return r;
        options->jar = muster_jar_new();
        if (!options->jar)
                return error_set_memory(error, MUSTER_PHASE_QUEUE);
        r = read_files(options, stdin_is_input, error);
        if (r == 0 && options->drops_session)
                muster_jar_clear_session(options->jar);
        return r;
}

void cookie_options_deinit(struct cookie_options *options)
{
        options->jar = muster_jar_free(options->jar);
        buf_deinit(&options->pairs);
        buf_deinit(&options->files);
}

/* --- applied --------------------------------------------------------------------------------- */

bool cookie_options_add_to_requests(const struct cookie_options *options)
{
        return options->pairs.len || (options->jar && options->is_line_scope);
}

int cookie_options_apply(const struct cookie_options *options, struct muster_request *request,
        bool has_field)
{
        if (!options->pairs.len || has_field)
                return 0;
        return muster_request_add_header(request, "Cookie", options->pairs.at);
}

struct muster_jar *cookie_options_jar_of_line(const struct cookie_options *options)
{
        return options->is_line_scope ? muster_jar_copy(options->jar) : NULL;
}

/* --- the end --------------------------------------------------------------------------------- */

bool cookie_options_use_stdout(const struct cookie_options *options)
{
        return options->jar_file && path_is_standard(options->jar_file);
}

static int write_standard_output(struct muster_jar *jar, struct muster_error *error)
{
        struct muster_cookies *cookies = muster_cookies_new(jar);
        struct muster_str text = muster_cookies_text(cookies);
        bool is_written =
                cookies && fwrite(text.at, 1, text.len, stdout) == text.len && fflush(stdout) == 0;
        int sys = errno;

        muster_cookies_free(cookies);
        if (is_written)
                return 0;
        return error_set(error, MUSTER_E_RESOURCE, MUSTER_PHASE_DELIVER, sys,
                "--cookie-jar: cannot write to standard output: %s", error_sys_text(sys));
}

int cookie_options_save(const struct cookie_options *options, struct muster_error *error)
{
        if (!options->jar_file || !options->jar)
                return 0;
        return cookie_options_use_stdout(options)
                       ? write_standard_output(options->jar, error)
                       : muster_jar_save(options->jar, options->jar_file, error);
}
