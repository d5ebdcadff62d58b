/* SPDX-License-Identifier: MIT */
/*
 * A request is given what the options say
 */
#include "request_options.h"

#include "standard.h"
#include <base/mem.h>
#include <base/str.h>
#include <string.h>

const char *request_options_method(const struct request_options *options)
{
        return options->method     ? options->method
               : options->upload   ? "PUT"
               : options->has_data ? "POST"
                                   : NULL;
}

bool request_options_add_to_requests(const struct request_options *options)
{
        return options->method || options->headers.n || options->has_data || options->user ||
               options->upload;
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

static bool have_content_type(const struct request_options *options)
{
        for (size_t i = 0; i < options->headers.n; i++)
                if (str_is_nocase((struct muster_str){ options->headers.list[i],
                                          strcspn(options->headers.list[i], ":;") },
                            "Content-Type"))
                        return true;
        return false;
}

static int apply_data(const struct request_options *options, struct muster_request *request)
{
        int r = muster_request_set_body(request, options->data.at ? options->data.at : "",
                options->data.len);

        if (r == 0 && options->is_form && !have_content_type(options))
                r = muster_request_add_header(request, "Content-Type",
                        "application/x-www-form-urlencoded");
        return r;
}

int request_options_apply(const struct request_options *options, struct muster_request *request,
        bool is_plain, const char *content_type, struct muster_error *error)
{
        int r = 0;

        for (size_t i = 0; r == 0 && i < options->headers.n; i++)
                r = add_header(request, options->headers.list[i]);
        if (r == 0 && content_type && !have_content_type(options))
                r = muster_request_add_header(request, "Content-Type", content_type);
        if (r == 0 && options->user)
                r = muster_request_set_basic_auth(request, options->user, options->password);
        if (r == 0 && options->has_data && is_plain)
                r = apply_data(options, request);
        if (r == 0 && options->upload && is_plain)
                r = muster_request_set_body_file(request,
                        path_is_standard(options->upload) ? "/dev/stdin" : options->upload);
        if (r < 0)
                *error = *muster_request_error(request);
        return r;
}
