/* SPDX-License-Identifier: MIT */
/*
 * The body of a request, as the caller sets it, and pairs for it and for the query of the URL
 */
#include "request.h"

#include <assert.h>
#include <base/error.h>
#include <base/mem.h>
#include <base/urlencode.h>

/* What sorts of bodies say of themselves. */
static const char *const json_type = "application/json";
static const char *const urlencoded_type = "application/x-www-form-urlencoded";

static int no_memory(struct muster_request *request)
{
        return error_set_memory(request_fresh_error(request), MUSTER_PHASE_QUEUE);
}

/* Forget the body that was set before. */
static void drop_body(struct muster_request *request)
{
        assert(request->state == REQUEST_NEW);
        upload_deinit(&request->upload);
        request->form = form_unref(request->form);
        request->body.len = 0;
        request->body_type = request->accept = NULL;
        request->has_body = false;
}

/* --- bytes ----------------------------------------------------------------------------------- */

/* Copy a body to memory. `type` is a constant or NULL. */
static int set_bytes(struct muster_request *request, const void *body, size_t size,
        const char *type)
{
        drop_body(request);
        if (buf_add(&request->body, body, size) < 0)
                return no_memory(request);
        request->body_type = type;
        request->has_body = true;
        return 0;
}

int muster_request_set_body(struct muster_request *request, const void *body, size_t size)
{
        if (!request_is_new(request))
                return MUSTER_E_INVALID;
        if (!body && size)
                return request_invalid(request, "the body is NULL but its size is not 0", "");
        return set_bytes(request, body, size, NULL);
}

int muster_request_set_json(struct muster_request *request, const char *json, size_t size)
{
        int r;

        if (!request_is_new(request))
                return MUSTER_E_INVALID;
        if (!json)
                return request_invalid(request, "the JSON text is NULL", "");
        r = set_bytes(request, json, size, json_type);
        if (r == 0)
                request->accept = json_type;
        return r;
}

/* --- read while it is sent ------------------------------------------------------------------- */

static void set_upload(struct muster_request *request, struct upload upload)
{
        drop_body(request);
        request->upload = upload;
        request->has_body = true;
}

static int set_file(struct muster_request *request, const char *path, bool takes_pipe)
{
        struct upload upload = { .kind = UPLOAD_FILE, .takes_pipe = takes_pipe };

        if (!request_is_new(request))
                return MUSTER_E_INVALID;
        if (!path || !*path)
                return request_invalid(request, "a body from a file without a path", "");
        upload.path = mem_strdup(path);
        if (!upload.path)
                return no_memory(request);
        set_upload(request, upload);
        return 0;
}

int muster_request_set_body_file(struct muster_request *request, const char *path)
{
        return set_file(request, path, false);
}

int muster_request_set_body_pipe(struct muster_request *request, const char *path)
{
        return set_file(request, path, true);
}

int muster_request_set_body_pull(struct muster_request *request, uint64_t size, muster_pull_fn pull,
        muster_rewind_fn rewind, void *argument)
{
        if (!request_is_new(request))
                return MUSTER_E_INVALID;
        if (!pull)
                return request_invalid(request, "a pulled body without a pull function", "");
        set_upload(request, (struct upload){ .kind = UPLOAD_PULL,
                                    .given_bytes = size,
                                    .pull = pull,
                                    .rewind = rewind,
                                    .argument = argument });
        return 0;
}

/* --- forms ----------------------------------------------------------------------------------- */

/* A form that is only text is a body in memory. */
int muster_request_set_form(struct muster_request *request, struct muster_form *form)
{
        int r;

        if (!request_is_new(request))
                return MUSTER_E_INVALID;
        if (!form)
                return request_invalid(request, "the form is NULL", "");
        r = form_ref(form);
        if (r < 0) {
                *request_fresh_error(request) = form->error;
                return r;
        }
        drop_body(request);
        request->form = form;
        if (!form_is_text(form))
                request->upload = (struct upload){ .kind = UPLOAD_FORM, .form = form };
        else if (buf_add_str(&request->body, buf_str(&form->text)) < 0)
                return no_memory(request);
        request->body_type = form->type.at;
        request->has_body = true;
        return 0;
}

/* --- pairs ----------------------------------------------------------------------------------- */

/* Append NAME=VALUE, encoded; `name` NULL: only the value. */
static int add_pair(struct buf *to, const char *name, const void *value, size_t size)
{
        int r = 0;

        if (name) {
                r = urlencode_add(to, str_of(name));
                if (r == 0)
                        r = buf_add_char(to, '=');
        }
        return r < 0 ? r : urlencode_add(to, (struct muster_str){ value, size });
}

int muster_request_add_urlencoded(struct muster_request *request, const char *name,
        const void *value, size_t size)
{
        size_t before;
        int r = 0;

        if (!request_is_new(request))
                return MUSTER_E_INVALID;
        if (!value && size)
                return request_invalid(request, "the value of a pair is NULL but its size is not 0",
                        "");
        if (request->body_type != urlencoded_type)
                drop_body(request);
        before = request->body.len;
        if (before)
                r = buf_add_char(&request->body, '&');
        if (r == 0)
                r = add_pair(&request->body, name, value, size);
        if (r < 0) {
                request->body.len = before;
                return no_memory(request);
        }
        request->body_type = urlencoded_type;
        request->has_body = true;
        return 0;
}

/* --- the query ------------------------------------------------------------------------------- */

/* What goes between the URL so far and a piece of its query. */
static const char *query_separator(struct muster_str url)
{
        const char *mark = memchr(url.at, '?', url.len);
        char last = url.len ? url.at[url.len - 1] : '\0';

        if (!mark)
                return "?";
        return last == '?' || last == '&' ? "" : "&";
}

/* The piece goes before the fragment. */
static int add_query(struct buf *to, struct muster_str asked, const char *name, const void *value,
        size_t size)
{
        struct muster_str rest = asked, url;
        int r;

        if (!str_split(&rest, '#', &url))
                url = asked;
        r = buf_add_str(to, url);
        if (r == 0)
                r = buf_add_text(to, query_separator(url));
        if (r == 0)
                r = name ? add_pair(to, name, value, size) : buf_add(to, value, size);
        if (r == 0 && rest.at)
                r = buf_add_char(to, '#');
        if (r == 0 && rest.at)
                r = buf_add_str(to, rest);
        return r < 0 ? r : buf_terminate(to);
}

int muster_request_add_query(struct muster_request *request, const char *name, const void *value,
        size_t size)
{
        struct buf url = { 0 };

        if (!request_is_new(request))
                return MUSTER_E_INVALID;
        if (!value && size)
                return request_invalid(request, "the value of a pair is NULL but its size is not 0",
                        "");
        if (!name && (!size || memchr(value, '\0', size) || memchr(value, '#', size)))
                return request_invalid(request,
                        "a piece of a query is empty, or has a # or NUL, which have to be encoded",
                        "");
        if (add_query(&url, buf_str(&request->asked_url), name, value, size) < 0) {
                buf_deinit(&url);
                return no_memory(request);
        }
        buf_deinit(&request->asked_url);
        request->asked_url = url;
        return 0;
}
