/* SPDX-License-Identifier: MIT */
#include "body_options.h"

#include "../input/body_file.h"
#include "request_options.h"
#include "standard.h"
#include <base/error.h>
#include <base/str.h>
#include <base/urlencode.h>
#include <stddef.h>

static struct body_options *of(void *settings)
{
        return &((struct request_options *)settings)->body;
}

static int no_memory(struct muster_error *error)
{
        return error_set_memory(error, MUSTER_PHASE_QUEUE);
}

/* --- data ------------------------------------------------------------------------------------ */

/* As curl: several are joined by "&". */
static int join_data(struct body_options *options, struct muster_error *error)
{
        if (options->has_data && buf_add_char(&options->data, '&') < 0)
                return no_memory(error);
        options->has_data = true;
        return 0;
}

/* The value, or what is in the file that it names. */
static int add_data(struct buf *to, const char *value, struct muster_error *error)
{
        if (value[0] == '@')
                return file_read(value + 1, to, error);
        return buf_add_text(to, value) < 0 ? no_memory(error) : 0;
}

/* From a file -d leaves out line ends and NULs, as curl does. */
static void strip_lines(struct buf *data, size_t from)
{
        size_t to = from;

        for (size_t i = from; i < data->len; i++)
                if (data->at[i] != '\n' && data->at[i] != '\r' && data->at[i] != '\0')
                        data->at[to++] = data->at[i];
        data->len = to;
}

static int set_data(void *settings, const struct option *option, const char *value,
        struct muster_error *error)
{
        struct body_options *options = of(settings);
        int r = join_data(options, error);
        size_t before = options->data.len;

        (void)option;
        if (r == 0)
                r = add_data(&options->data, value, error);
        if (r == 0 && value[0] == '@')
                strip_lines(&options->data, before);
        return r;
}

static int set_data_binary(void *settings, const struct option *option, const char *value,
        struct muster_error *error)
{
        int r = join_data(of(settings), error);

        (void)option;
        return r < 0 ? r : add_data(&of(settings)->data, value, error);
}

static int set_data_raw(void *settings, const struct option *option, const char *value,
        struct muster_error *error)
{
        int r = join_data(of(settings), error);

        (void)option;
        return r == 0 && buf_add_text(&of(settings)->data, value) < 0 ? no_memory(error) : r;
}

/*
 * "CONTENT", "=CONTENT", "NAME=CONTENT", "@FILE", "NAME@FILE": the first of "=" and "@" decides. The
 * name is encoded already.
 */
static int add_urlencoded(struct buf *to, const char *value, struct muster_error *error)
{
        size_t len = strcspn(value, "=@");
        const char *content = value[len] ? value + len + 1 : value;
        struct buf file = { 0 };
        int r = 0;

        if (value[len] == '@')
                r = file_read(content, &file, error);
        if (r == 0 && value[len] && len &&
                (buf_add(to, value, len) < 0 || buf_add_char(to, '=') < 0))
                r = no_memory(error);
        if (r == 0 && urlencode_add(to, value[len] == '@' ? buf_str(&file) : str_of(content)) < 0)
                r = no_memory(error);
        buf_deinit(&file);
        return r;
}

static int set_data_urlencode(void *settings, const struct option *option, const char *value,
        struct muster_error *error)
{
        int r = join_data(of(settings), error);

        (void)option;
        return r < 0 ? r : add_urlencoded(&of(settings)->data, value, error);
}

/* "+" before it: it is encoded already. */
static int set_url_query(void *settings, const struct option *option, const char *value,
        struct muster_error *error)
{
        struct buf *query = &of(settings)->query;
        int r;

        (void)option;
        if (query->len && buf_add_char(query, '&') < 0)
                return no_memory(error);
        if (value[0] != '+')
                return add_urlencoded(query, value, error);
        r = buf_add_text(query, value + 1);
        return r < 0 ? no_memory(error) : 0;
}

/* --- JSON ------------------------------------------------------------------------------------ */

/* --json was a flag once, and what followed was a URL or another option. */
static bool is_no_json(const char *value)
{
        return str_starts(str_of(value), "http://") || str_starts(str_of(value), "https://") ||
               (value[0] == '-' && !char_is_digit(value[1]));
}

/* As curl: a piece of JSON goes on where the last one ended. */
static int set_json(void *settings, const struct option *option, const char *value,
        struct muster_error *error)
{
        struct body_options *options = of(settings);

        (void)option;
        if (is_no_json(value))
                return error_set(error, MUSTER_E_INVALID, MUSTER_PHASE_QUEUE, 0,
                        "\"%s\" is no JSON; --json DATA sends DATA. To parse the bodies of responses use --parse-json",
                        value);
        options->has_data = options->is_json = true;
        return add_data(&options->data, value, error);
}

/* --- forms ----------------------------------------------------------------------------------- */

static int add_spec(struct body_options *options, const char *value, bool is_literal,
        struct muster_error *error)
{
        struct form_spec spec;
        int r = form_spec_parse(&spec, value, is_literal, error);

        if (r == 0 && buf_add(&options->specs, &spec, sizeof(spec)) < 0)
                r = no_memory(error);
        if (r < 0)
                form_spec_deinit(&spec);
        return r;
}

static int set_form(void *settings, const struct option *option, const char *value,
        struct muster_error *error)
{
        (void)option;
        return add_spec(of(settings), value, false, error);
}

static int set_form_string(void *settings, const struct option *option, const char *value,
        struct muster_error *error)
{
        (void)option;
        return add_spec(of(settings), value, true, error);
}

/* --- the tables ------------------------------------------------------------------------------ */

#define OWN(member) offsetof(struct request_options, body.member)

const struct option body_option_table[] = {
        { "Request body", 'd', "data", "DATA",
                "body as a form, @FILE reads a file; several are joined by &", set_data, 0 },
        { NULL, 0, "data-ascii", "DATA", "the same", set_data, 0 },
        { NULL, 0, "data-binary", "DATA", "the same, but a file is sent unchanged", set_data_binary,
                0 },
        { NULL, 0, "data-raw", "DATA", "the same, but @ has no meaning", set_data_raw, 0 },
        { NULL, 0, "data-urlencode", "DATA",
                "the same, encoded: CONTENT, =CONTENT, NAME=CONTENT, @FILE or NAME@FILE",
                set_data_urlencode, 0 },
        { NULL, 'G', "get", NULL, "put this data into the URL's query, and use GET",
                option_set_flag, OWN(is_query) },
        { NULL, 0, "url-query", "DATA",
                "add to the URL's query, as --data-urlencode; +DATA is encoded already",
                set_url_query, 0 },
        { NULL, 'F', "form", "NAME=CONTENT",
                "part of a multipart form: NAME=CONTENT, NAME=@FILE, NAME=<FILE; repeatable",
                set_form, 0 },
        { NULL, 0, "form-string", "NAME=CONTENT", "the same, but @, < and ; have no meaning",
                set_form_string, 0 },
        { NULL, 0, "form-escape", NULL, "write \\\" for a quote in names, not %22", option_set_flag,
                OWN(form_escape) },
        { NULL, 'T', "upload-file", "FILE",
                "PUT this file, read while it is sent; a URL that ends in / gets its name",
                option_set_text, OWN(upload) },
        { 0 },
};

const struct option body_json_option_table[] = {
        { NULL, 0, "json", "DATA",
                "send DATA as JSON, @FILE reads a file; --parse-json is for responses", set_json,
                0 },
        { 0 },
};

/* --- settled --------------------------------------------------------------------------------- */

static int refuse(struct muster_error *error, const char *what)
{
        return error_set(error, MUSTER_E_INVALID, MUSTER_PHASE_QUEUE, 0, "%s", what);
}

int body_options_finish(struct body_options *options, const char *type_line,
        struct muster_error *error)
{
        if (options->is_query && (options->specs.len || options->upload))
                return refuse(error,
                        "-G puts the data of -d into the URL; -F and -T have no place there");
        if (options->has_data + (options->specs.len > 0) + (options->upload != NULL) > 1)
                return refuse(error,
                        "a request has one body: give either -d and its kin, or -F, or -T");
        if (options->is_query && !options->has_data)
                return refuse(error, "-G puts data into the URL, but there is none; use -d DATA");
        options->type_line = type_line;
        return options->specs.len ? body_options_make_form(options, error) : 0;
}

void body_options_deinit(struct body_options *options)
{
        struct form_spec *specs = (struct form_spec *)(void *)options->specs.at;

        for (size_t i = 0; i < options->specs.len / sizeof(*specs); i++)
                form_spec_deinit(&specs[i]);
        buf_deinit(&options->specs);
        buf_deinit(&options->data);
        buf_deinit(&options->query);
        options->form = muster_form_free(options->form);
}

bool body_is_standard(const struct body_options *options)
{
        return path_is_standard(options->upload) || strcmp(options->upload, ".") == 0;
}

bool body_option_has_body(const char *name)
{
        static const char *const names[] = { "data", "data-ascii", "data-binary", "data-raw",
                "data-urlencode", "form", "form-string", "json", "upload-file" };

        for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
                if (strcmp(name, names[i]) == 0)
                        return true;
        return false;
}

bool body_option_is_file(const char *name, const char *value)
{
        if (strcmp(name, "upload-file") == 0)
                return true;
        return value[0] == '@' && strcmp(name, "data-raw") != 0 && strncmp(name, "form", 4) != 0;
}

/* --- applied --------------------------------------------------------------------------------- */

bool body_options_have_body(const struct body_options *options)
{
        return (options->has_data && !options->is_query) || options->form || options->upload;
}

bool body_options_have_query(const struct body_options *options)
{
        return options->query.len || (options->is_query && options->data.len);
}

const char *body_options_method(const struct body_options *options)
{
        if (options->upload)
                return "PUT";
        return body_options_have_body(options) ? "POST" : NULL;
}

static int apply_data(const struct body_options *options, struct muster_request *request,
        bool has_content_type)
{
        const char *data = options->data.at ? options->data.at : "";
        int r;

        if (options->is_json)
                return muster_request_set_json(request, data, options->data.len);
        r = muster_request_set_body(request, data, options->data.len);
        if (r == 0 && !has_content_type)
                r = muster_request_add_header(request, "Content-Type",
                        "application/x-www-form-urlencoded");
        return r;
}

int body_options_apply(const struct body_options *options, struct muster_request *request,
        bool has_content_type)
{
        if (options->form)
                return muster_request_set_form(request, options->form);
        if (options->upload)
                return muster_request_set_body_pipe(request,
                        body_is_standard(options) ? "/dev/stdin" : options->upload);
        return apply_data(options, request, has_content_type);
}

static int add_query(const struct buf *query, struct muster_request *request)
{
        return query->len ? muster_request_add_query(request, NULL, query->at, query->len) : 0;
}

int body_options_apply_query(const struct body_options *options, struct muster_request *request,
        bool is_plain)
{
        int r = add_query(&options->query, request);

        return r == 0 && options->is_query && is_plain ? add_query(&options->data, request) : r;
}
