/* SPDX-License-Identifier: MIT */
/*
 * The form that -F asks for
 */
#include "../input/body_file.h"
#include "body_options.h"
#include "standard.h"
#include <base/error.h>
#include <base/mem.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define STANDARD_INPUT "/dev/stdin"

/* The library's words, and whose fault it is. */
static int form_failed(const struct form_spec *spec, const struct muster_form *form,
        struct muster_error *error)
{
        const struct muster_error *why = muster_form_error(form);

        return error_set(error, why->code, MUSTER_PHASE_QUEUE, 0, "--form: %.60s=...: %s",
                spec->name ? spec->name : "", why->text);
}

/* A pipe is read now: it can be read only once, and later others would wait for it. */
static int read_pipe(struct muster_form_part *part, const char *path, struct buf *to,
        struct muster_error *error)
{
        int r = file_read(path, to, error);

        if (!part->filename && !part->no_filename)
                part->filename = basename(path);
        part->data = to->at ? to->at : "";
        part->data_bytes = to->len;
        return r;
}

/* Looked at now, so that a mistake is told before anything is sent. */
static int set_file(struct muster_form_part *part, const char *path, struct buf *content,
        struct muster_error *error)
{
        bool is_standard = path_is_standard(path);
        struct stat status;
        int r = is_standard ? fstat(STDIN_FILENO, &status) : stat(path, &status);

        if (!is_standard && (r < 0 || access(path, R_OK) < 0))
                return error_set(error, MUSTER_E_INVALID, MUSTER_PHASE_QUEUE, errno,
                        "--form: cannot read %s: %s", path, strerrordesc_np(errno));
        if (r < 0 || !(S_ISREG(status.st_mode) || S_ISDIR(status.st_mode)))
                return read_pipe(part, path, content, error);
        if (is_standard && !part->filename && !part->no_filename)
                part->filename = "-";
        part->file = is_standard ? STANDARD_INPUT : path;
        return 0;
}

/* A part of the form; `name` only where it is not a file of several. */
static int add_part(struct muster_form *form, const struct form_spec *spec,
        struct form_spec_part *from, const char *name, struct muster_error *error)
{
        struct muster_form_part part = { .size = sizeof(part),
                .name = name,
                .filename = from->filename,
                .type = from->type,
                .encoding = from->encoder };
        struct buf content = { 0 };
        const char *end = NULL;
        int r = 0;

        if (from->headers.len) {
                if (buf_add(&from->headers, &end, sizeof(end)) < 0)
                        return error_set_memory(error, MUSTER_PHASE_QUEUE);
                part.headers = (const char *const *)(void *)from->headers.at;
        }
        if (spec->kind == FORM_SPEC_BEGIN)
                return muster_form_begin(form, &part) < 0 ? form_failed(spec, form, error) : 0;
        if (spec->kind == FORM_SPEC_TEXT) {
                part.data = from->content;
                part.data_bytes = strlen(from->content);
        } else {
                part.no_filename = spec->kind == FORM_SPEC_CONTENT;
                r = set_file(&part, from->content, &content, error);
        }
        if (r == 0 && muster_form_add(form, &part) < 0)
                r = form_failed(spec, form, error);
        buf_deinit(&content);
        return r;
}

/* "@a,b" is a part of parts, which has the name. */
static int add_files(struct muster_form *form, const struct form_spec *spec,
        struct muster_error *error)
{
        struct muster_form_part group = { .size = sizeof(group), .name = spec->name };
        int r = muster_form_begin(form, &group);

        for (size_t i = 0; r == 0 && i < form_spec_n_parts(spec); i++) {
                r = add_part(form, spec, form_spec_part(spec, i), NULL, error);
                if (r < 0)
                        return r;
        }
        if (r == 0)
                r = muster_form_end(form);
        return r < 0 ? form_failed(spec, form, error) : 0;
}

static int add_spec(struct muster_form *form, const struct form_spec *spec, size_t *n_open,
        struct muster_error *error)
{
        if (spec->kind == FORM_SPEC_END) {
                if (!*n_open)
                        return error_set(error, MUSTER_E_INVALID, MUSTER_PHASE_QUEUE, 0,
                                "--form: =) ends a part of parts, but none was begun with NAME=(");
                --*n_open;
                return muster_form_end(form) < 0 ? form_failed(spec, form, error) : 0;
        }
        *n_open += spec->kind == FORM_SPEC_BEGIN;
        if (form_spec_n_parts(spec) > 1)
                return add_files(form, spec, error);
        return add_part(form, spec, form_spec_part(spec, 0), spec->name, error);
}

/* What a header line says. */
static const char *type_of_line(const char *line)
{
        const char *value = line ? strchr(line, ':') : NULL;

        return value ? value + 1 + strspn(value + 1, " \t") : NULL;
}

int body_options_make_form(struct body_options *options, struct muster_error *error)
{
        const struct muster_form_options form_options = { .size = sizeof(form_options),
                .type = type_of_line(options->type_line),
                .backslash_escapes = options->form_escape };
        const struct form_spec *specs = (const struct form_spec *)(const void *)options->specs.at;
        size_t n_open = 0;
        int r = 0;

        options->form = muster_form_new(&form_options);
        if (!options->form)
                return error_set_memory(error, MUSTER_PHASE_QUEUE);
        for (size_t i = 0; r == 0 && i < options->specs.len / sizeof(*specs); i++)
                r = add_spec(options->form, &specs[i], &n_open, error);
        while (r == 0 && n_open-- > 0) /* as curl: the end of all ends them */
                r = muster_form_end(options->form);
        if (r == 0)
                r = muster_form_finish(options->form);
        return r < 0 && !error->code ? error_set_memory(error, MUSTER_PHASE_QUEUE) : r;
}
