/* SPDX-License-Identifier: MIT */
/*
 * A request is given what the options say
 */
#include "request_options.h"

#include "standard.h"
#include <base/error.h>
#include <base/mem.h>
#include <base/str.h>
#include <base/urlencode.h>
#include <stdio.h>
#include <string.h>

const char *request_options_method(const struct request_options *options)
{
        return options->method    ? options->method
               : options->is_head ? "HEAD"
                                  : body_options_method(&options->body);
}

static const char *name_of_body(const struct body_options *body)
{
        return body->upload ? "--upload-file" : body->form ? "--form" : "--data";
}

/* The long name of the first option that the line makes void; NULL: there is none. */
static const char *left_out(const struct request_options *options, const struct input_item *item)
{
        const struct body_options *body = &options->body;
        const char *method = options->method ? options->method : options->is_head ? "HEAD" : NULL;

        if (!item->has_body && (body_options_have_body(body) || (body->is_query && body->data.len)))
                return name_of_body(body);
        if (!method || strcmp(method, muster_request_method(item->request)) == 0)
                return NULL;
        return options->method ? "--request" : "--head";
}

const char *request_options_warning(const struct request_options *options,
        const struct input *input, const struct input_item *item, char *text, size_t size)
{
        const char *name = item->request ? left_out(options, item) : NULL;

        if (!name)
                return NULL;
        snprintf(text, size,
                "muster: warning: line %llu of %.100s is sent without %s, which is for plain URLs only; say it in the line, with method or a body",
                (unsigned long long)item->line,
                path_is_standard(input->file) ? "standard input" : input->file, name);
        return text;
}

bool request_options_add_to_requests(const struct request_options *options)
{
        return options->method || options->is_head || options->headers.n || options->login.user ||
               options->login.bearer || cookie_options_add_to_requests(&options->cookies) ||
               body_options_have_body(&options->body) || body_options_have_query(&options->body);
}

/* Where the path of a URL ends. */
static size_t path_end(const char *url)
{
        return strcspn(url, "?#");
}

/* Does the path end in "/", or is there none? */
static bool is_folder(const char *url)
{
        const char *authority = strstr(url, "://");
        size_t end = path_end(url), begin = authority ? (size_t)(authority - url) + 3 : 0;

        if (begin > end)
                return false;
        return url[end - 1] == '/' || !memchr(url + begin, '/', end - begin);
}

/* The URL with a file's name at the end of its path. */
static int add_name(struct buf *to, const char *url, const char *path)
{
        const char *slash = strrchr(path, '/');
        size_t end = path_end(url);
        int r = buf_add(to, url, end);

        if (r == 0 && (!end || url[end - 1] != '/'))
                r = buf_add_char(to, '/');
        if (r == 0)
                r = percent_add(to, str_of(slash ? slash + 1 : path));
        if (r == 0)
                r = buf_add_text(to, url + end);
        return r < 0 ? r : buf_terminate(to);
}

struct muster_request *request_options_make(const struct request_options *options, const char *url)
{
        const char *method = request_options_method(options);
        const char *upload = options->body.upload;
        struct muster_request *request = NULL;
        struct buf named = { 0 };

        if (!upload || body_is_standard(&options->body) || !is_folder(url))
                return muster_request_new(method, url);
        if (add_name(&named, url, upload) == 0)
                request = muster_request_new(method, named.at);
        buf_deinit(&named);
        return request;
}

/* "Name: value", "Name:" (not sent), "Name;" (empty). */
static int add_header(struct muster_request *request, const char *line)
{
        size_t len = strcspn(line, ":;");
        char *name = mem_strndup(line, len);
        const char *value = line + len + 1;
        int r;

        if (!name)
                return MUSTER_E_RESOURCE;
        value += strspn(value, " \t");
        if (line[len] == ':' && !*value)
                value = NULL;
        else if (line[len] == ';')
                value = "";
        r = muster_request_add_header(request, name, value);
        mem_free(name);
        return r;
}

static bool have_header(const struct request_options *options, const char *name)
{
        for (size_t i = 0; i < options->headers.n; i++)
                if (str_is_nocase((struct muster_str){ options->headers.list[i],
                                          strcspn(options->headers.list[i], ":;") },
                            name))
                        return true;
        return false;
}

static bool have_content_type(const struct request_options *options)
{
        return have_header(options, "Content-Type");
}

/* As curl: a token comes before a password. */
static int apply_login(const struct login_options *login, struct muster_request *request)
{
        if (login->bearer)
                return muster_request_set_bearer(request, login->bearer);
        return login->user
                       ? muster_request_set_credentials(request, login->user, login->password, 0)
                       : 0;
}

int request_options_apply(const struct request_options *options, struct muster_request *request,
        bool is_plain, bool has_login, const char *content_type, struct muster_error *error)
{
        int r = 0;

        for (size_t i = 0; r == 0 && i < options->headers.n; i++)
                if (!is_plain || !options->body.form ||
                        options->headers.list[i] != options->body.type_line)
                        r = add_header(request, options->headers.list[i]);
        if (r == 0 && content_type && !have_content_type(options))
                r = muster_request_add_header(request, "Content-Type", content_type);
        if (r == 0)
                r = cookie_options_apply(&options->cookies, request,
                        have_header(options, "Cookie"));
        if (r == 0 && !has_login)
                r = apply_login(&options->login, request);
        if (r == 0)
                r = body_options_apply_query(&options->body, request, is_plain);
        if (r == 0 && is_plain && body_options_have_body(&options->body))
                r = body_options_apply(&options->body, request, have_content_type(options));
        if (r < 0)
                *error = *muster_request_error(request);
        return r;
}

int request_options_set(const struct request_options *options, struct muster_request *request,
        bool process_inline, struct muster_error *error)
{
        struct muster_request_options own = { .size = sizeof(own),
                .process_inline = process_inline,
                .cookies = cookie_options_jar_of_line(&options->cookies) };
        int r = 0;

        if (options->cookies.is_line_scope && !own.cookies)
                return error_set_memory(error, MUSTER_PHASE_QUEUE);
        if (process_inline || own.cookies)
                r = muster_request_set_options(request, &own);
        muster_jar_free(own.cookies);
        return r;
}
