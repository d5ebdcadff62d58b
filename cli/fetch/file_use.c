/* SPDX-License-Identifier: MIT */
#include "file_use.h"

#include "../option/standard.h"
#include "../output/file_place.h"
#include <base/buf.h>
#include <base/error.h>
#include <base/mem.h>
#include <string.h>
#include <unistd.h>

static struct file_place find_place(const struct file_use *use)
{
        if (path_is_standard(use->path))
                return file_place_of_descriptor(use->is_written ? STDOUT_FILENO : STDIN_FILENO);
        return file_place_of_path(use->path);
}

/* --- holding them against each other --------------------------------------------------------- */

static const char *name_of(const struct file_use *use)
{
        return !path_is_standard(use->path) ? use->path
               : use->is_written            ? "standard output"
                                            : "standard input";
}

static int refuse(const struct file_use *one, const struct file_use *other,
        struct muster_error *error)
{
        const struct file_use *first = one->is_results ? other : one;
        const struct file_use *second = one->is_results ? one : other;

        return error_set(error, MUSTER_E_INVALID, MUSTER_PHASE_QUEUE, 0, "%s is both %s and %s; %s",
                name_of(path_is_standard(first->path) ? second : first), first->what, second->what,
                second->is_results ? "write the results to another file" : "give them a file each");
}

static bool may_be_same(const struct file_use *one, const struct file_use *other)
{
        return !(one->is_written || other->is_written) || (one->is_cookies && other->is_cookies);
}

int file_uses_check(const struct file_use *uses, size_t n, struct muster_error *error)
{
        struct file_place *places = mem_array(n ? n : 1, sizeof(*places));
        int r = places ? 0 : error_set_memory(error, MUSTER_PHASE_QUEUE);

        for (size_t i = 0; r == 0 && i < n; i++) {
                places[i] = find_place(&uses[i]);
                for (size_t k = 0; r == 0 && k < i && uses[i].is_written; k++)
                        if (file_place_is_same(&places[k], &places[i]) &&
                                !may_be_same(&uses[k], &uses[i]))
                                r = refuse(&uses[k], &uses[i], error);
        }
        mem_free(places);
        return r;
}

/* --- those of a run -------------------------------------------------------------------------- */

static int add(struct buf *to, struct file_use use)
{
        return use.path && *use.path ? buf_add(to, &use, sizeof(use)) : 0;
}

/* Files that `use` says all but the path of. */
static int add_all(struct buf *to, struct file_use use, const char *const *paths, size_t n)
{
        int r = 0;

        for (size_t i = 0; r == 0 && i < n; i++) {
                use.path = paths[i];
                r = add(to, use);
        }
        return r;
}

/* Files that parts of a form are read from while it is sent. */
static int add_form(struct buf *to, const struct body_options *body)
{
        const struct form_spec *specs = (const struct form_spec *)(const void *)body->specs.at;
        int r = 0;

        for (size_t i = 0; i < body->specs.len / sizeof(*specs); i++)
                for (size_t k = 0; r == 0 && k < form_spec_n_parts(&specs[i]); k++)
                        if (specs[i].kind == FORM_SPEC_FILES || specs[i].kind == FORM_SPEC_CONTENT)
                                r = add(to,
                                        (struct file_use){ .what = "a file of the form (-F)",
                                                .path = form_spec_part(&specs[i], k)->content });
        return r;
}

/* What is read. Those that are written stand behind them. */
static int add_read(struct buf *to, const struct fetch_options *options)
{
        const struct request_options *request = &options->request;
        const struct muster_client_options *client = &request->client;
        const struct buf *cookies = &request->cookies.files;
        const struct file_use one_each[] = {
                { .what = "the file that is sent (-T)", .path = request->body.upload },
                { .what = "the certificates (--cacert)", .path = client->ca_file },
                { .what = "the certificate (--cert)", .path = client->client_cert_file },
                { .what = "the key (--key)", .path = client->client_key_file },
                { .what = "the netrc file (--netrc-file)", .path = client->netrc_file },
        };
        bool reads_stdin = !request->files.n && !request->urls.n;
        int r = add_all(to, (struct file_use){ .what = "the input (-i)" }, request->files.list,
                request->files.n);

        if (r == 0 && reads_stdin)
                r = add(to, (struct file_use){ .what = "the input (-i)", .path = "-" });
        if (r == 0)
                r = add_all(to, (struct file_use){ .what = "the cookies (-b)", .is_cookies = true },
                        (const char *const *)(const void *)cookies->at,
                        cookies->len / sizeof(const char *));
        if (r == 0)
                r = add_all(to, (struct file_use){ .what = "the options (-K)" },
                        options->configs.list, options->configs.n);
        for (size_t i = 0; r == 0 && i < sizeof(one_each) / sizeof(one_each[0]); i++)
                r = add(to, one_each[i]);
        return r == 0 ? add_form(to, &request->body) : r;
}

static int add_written(struct buf *to, const struct fetch_options *options)
{
        const struct file_use uses[] = {
                { .what = "the cookie jar (--cookie-jar)",
                        .path = options->request.cookies.jar_file,
                        .is_written = true,
                        .is_cookies = true },
                { .what = "the TLS sessions (--ssl-sessions)",
                        .path = options->kept.ssl_sessions,
                        .is_written = true },
                { .what = "the list of https hosts (--hsts)",
                        .path = options->kept.hsts,
                        .is_written = true },
                { .what = "the record (--record)",
                        .path = options->account.record,
                        .is_written = true },
                { .what = "the trace (--trace)", .path = options->trace, .is_written = true },
                { .what = "the load page (--load-json)",
                        .path = options->load.json,
                        .is_written = true },
                { .what = options->output ? "the output (-o)" : "standard output",
                        .path = options->leaves_lines_out ? NULL
                                : options->output         ? options->output
                                                          : "-",
                        .is_written = true,
                        .is_results = true },
        };
        int r = 0;

        for (size_t i = 0; r == 0 && i < sizeof(uses) / sizeof(uses[0]); i++)
                r = add(to, uses[i]);
        return r;
}

/* Call `each` with all of them. */
static int with_all(const struct fetch_options *options,
        int (*each)(void *argument, const struct file_use *uses, size_t n), void *argument)
{
        struct buf uses = { 0 };
        int r = add_read(&uses, options);

        if (r == 0)
                r = add_written(&uses, options);
        if (r == 0)
                r = each(argument, (const struct file_use *)(const void *)uses.at,
                        uses.len / sizeof(struct file_use));
        buf_deinit(&uses);
        return r;
}

static int check(void *error, const struct file_use *uses, size_t n)
{
        return file_uses_check(uses, n, error);
}

int fetch_check_files(const struct fetch_options *options, struct muster_error *error)
{
        int r = with_all(options, check, error);

        return r == MUSTER_E_RESOURCE ? error_set_memory(error, MUSTER_PHASE_QUEUE) : r;
}

static int guard(void *body_files, const struct file_use *uses, size_t n)
{
        int r = 0;

        for (size_t i = 0; r == 0 && i < n; i++)
                r = body_files_guard(body_files, find_place(&uses[i]), uses[i].what);
        return r;
}

int fetch_guard_files(const struct fetch_options *options, struct body_files *body_files,
        struct muster_error *error)
{
        if (options->body_place != BODY_FILES)
                return 0;
        return with_all(options, guard, body_files) < 0
                       ? error_set_memory(error, MUSTER_PHASE_QUEUE)
                       : 0;
}
