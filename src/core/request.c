/* SPDX-License-Identifier: MIT */
#include "request.h"

#include "attempt_head.h"
#include "engine.h"
#include "relay.h"
#include "settings.h"
#include <assert.h>
#include <base/error.h>
#include <base/mem.h>
#include <http/field.h>

#define KEEP_BYTES 2048 /* larger buffers are released between requests */

/* --- making and unmaking --------------------------------------------------------------------- */

int request_begin(struct muster_request *request, const char *method, const char *url)
{
        assert(!request->text.len && !request->asked_url.len);
        if (!method)
                method = "GET";
        if (buf_add(&request->text, method, strlen(method) + 1) < 0 ||
                buf_add_text(&request->asked_url, url) < 0 ||
                buf_terminate(&request->asked_url) < 0)
                return MUSTER_E_RESOURCE;
        request->state = REQUEST_NEW;
        return 0;
}

struct muster_request *muster_request_new(const char *method, const char *url)
{
        struct muster_request *request = mem_zalloc(sizeof(*request));

        if (!request)
                return NULL;
        if (request_begin(request, method, url ? url : "") < 0)
                return request_destroy(request);
        return request;
}
/* What one request has and the next one begins without. */
static void drop_what_is_its_own(struct muster_request *request)
{
        buf_deinit(&request->fields);
        buf_deinit(&request->body);
        buf_wipe(&request->auth.given);
        buf_wipe(&request->auth.value);
        url_deinit(&request->next_url);
        buf_deinit(&request->visited);
        work_deinit(&request->work);
        upload_deinit(&request->upload);
        form_unref(request->form);
        sink_deinit(&request->sink);
        request->relay = relay_free(request->relay);
        muster_jar_free(request->options.cookies);
}

struct muster_request *request_destroy(struct muster_request *request)
{
        if (!request)
                return NULL;
        drop_what_is_its_own(request);
        result_deinit(&request->result);
        buf_deinit(&request->asked_url);
        buf_deinit(&request->text);
        url_deinit(&request->url);
        return mem_free(request);
}

void requests_destroy(struct list *list)
{
        struct list *link;

        while ((link = list_pop(list)))
                request_destroy(request_of_link(link));
}

bool request_is_new(const struct muster_request *request)
{
        return request && request->state == REQUEST_NEW;
}

struct muster_request *muster_request_free(struct muster_request *request)
{
        /* A submitted request belongs to the client, or to the caller as a result. */
        return request_is_new(request) ? request_destroy(request) : NULL;
}

#define N_KEPT 3

void request_recycle(struct muster_request *request)
{
        struct buf *const kept[N_KEPT] = { &request->asked_url, &request->text,
                &request->url.text };
        struct buf bufs[N_KEPT];

        assert(!request->exchange.conn && !request->origin);
        result_recycle(&request->result, KEEP_BYTES);
        for (size_t i = 0; i < N_KEPT; i++) {
                buf_recycle(kept[i], KEEP_BYTES);
                bufs[i] = *kept[i];
        }
        drop_what_is_its_own(request);
        memset((char *)request + sizeof(request->result), 0,
                offsetof(struct muster_request, upload) - sizeof(request->result));
        for (size_t i = 0; i < N_KEPT; i++)
                *kept[i] = bufs[i];
}

/* --- what is asked --------------------------------------------------------------------------- */

void muster_request_set_userdata(struct muster_request *request, void *userdata)
{
        if (request_is_new(request))
                request->userdata = userdata;
}

void muster_request_set_process(struct muster_request *request, muster_process_fn process,
        void *argument)
{
        if (!request_is_new(request))
                return;
        request->process = process;
        request->process_argument = argument;
}

struct muster_error *request_fresh_error(struct muster_request *request)
{
        error_clear(&request->result.error);
        return &request->result.error;
}

int request_invalid(struct muster_request *request, const char *what, const char *of)
{
        return error_set(request_fresh_error(request), MUSTER_E_INVALID, MUSTER_PHASE_QUEUE, 0,
                "invalid: %s%s", what, of);
}

static bool has_field(const struct muster_request *request, const char *name)
{
        const struct request_field *fields =
                (const struct request_field *)(const void *)request->fields.at;

        for (size_t i = 0; i < request->fields.len / sizeof(*fields); i++)
                if (str_is_nocase((struct muster_str){ request->text.at + fields[i].name_at,
                                          fields[i].name_len },
                            name))
                        return true;
        return false;
}

/* The characters of a host and a port (RFC 9110 section 7.2, RFC 3986 section 3.2.2). */
static bool is_host(const char *value)
{
        return value[strspn(value,
                       "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~%!$&'()*+,;=:[]")] ==
               '\0';
}

/* Servers and proxies that choose by different ones of two can be set against each other. */
static int check_host(struct muster_request *request, const char *value)
{
        if (has_field(request, "Host"))
                return request_invalid(request, "a second Host field", "");
        if (value && !is_host(value))
                return request_invalid(request,
                        "Host is not a name with an optional port: ", value);
        return 0;
}

static int check_field(struct muster_request *request, const char *name, const char *value)
{
        static const char *const ours[] = { "Content-Length", "Transfer-Encoding", "Connection" };

        if (!field_is_token(str_of(name)))
                return request_invalid(request, "not a valid header field name: ", name);
        if (value && !field_is_value(str_of(value)))
                return request_invalid(request, "a control character in the value of header field ",
                        name);
        for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++)
                if (str_is_nocase(str_of(name), ours[i]))
                        return request_invalid(request,
                                "muster sets this header field itself, it cannot be given: ", name);
        if (request->fields.len / sizeof(struct request_field) == ATTEMPT_FIELDS_MAX)
                return request_invalid(request, "more than 256 header fields, at ", name);
        return str_is_nocase(str_of(name), "Host") ? check_host(request, value) : 0;
}

static int add_field(struct muster_request *request, const char *name, const char *value,
        bool is_secret)
{
        struct request_field field = { .is_removed = !value, .is_secret = is_secret };
        size_t before;
        int r;

        if (!request_is_new(request))
                return MUSTER_E_INVALID;
        if (!name)
                return request_invalid(request, "a header field without a name", "");
        r = check_field(request, name, value);
        if (r < 0)
                return r;
        before = request->text.len;
        field.name_at = (uint32_t)before;
        field.name_len = (uint32_t)strlen(name);
        field.value_at = field.name_at + field.name_len + 1;
        field.value_len = value ? (uint32_t)strlen(value) : 0;
        if (buf_add(&request->text, name, field.name_len + 1u) < 0 ||
                buf_add(&request->text, value ? value : "", field.value_len + 1u) < 0 ||
                buf_add(&request->fields, &field, sizeof(field)) < 0) {
                request->text.len = before;
                return error_set_memory(request_fresh_error(request), MUSTER_PHASE_QUEUE);
        }
        return 0;
}

int muster_request_add_header(struct muster_request *request, const char *name, const char *value)
{
        return add_field(request, name, value, false);
}

int muster_request_add_secret_header(struct muster_request *request, const char *name,
        const char *value)
{
        return add_field(request, name, value, true);
}

/* A copy of a path that was given. */
static int set_path(struct muster_request *request, char **to, const char *path, const char *what)
{
        if (!request_is_new(request))
                return MUSTER_E_INVALID;
        if (!path || !*path)
                return request_invalid(request, what, " without a path");
        *to = mem_strdup(path);
        return *to ? 0 : error_set_memory(request_fresh_error(request), MUSTER_PHASE_QUEUE);
}

int muster_request_set_sink_fd(struct muster_request *request, int fd)
{
        if (!request_is_new(request))
                return MUSTER_E_INVALID;
        if (fd < 0)
                return request_invalid(request, "the file descriptor is negative", "");
        sink_deinit(&request->sink);
        request->sink = (struct sink){ .kind = SINK_FD, .given_fd = fd };
        return 0;
}

int muster_request_set_sink_file(struct muster_request *request, const char *path)
{
        char *copy = NULL;
        int r = set_path(request, &copy, path, "a sink");

        if (r < 0)
                return r;
        sink_deinit(&request->sink);
        request->sink = (struct sink){ .kind = SINK_FILE, .path = copy };
        return 0;
}

int muster_request_set_options(struct muster_request *request,
        const struct muster_request_options *options)
{
        struct muster_request_options known = { 0 };
        size_t size;

        if (!request_is_new(request))
                return MUSTER_E_INVALID;
        if (options) {
                size = options->size ? options->size : REQUEST_OPTIONS_BYTES_0_1;
                memcpy(&known, options, size < sizeof(known) ? size : sizeof(known));
        }
        muster_jar_ref(known.cookies);
        muster_jar_free(request->options.cookies);
        request->options = known;
        return 0;
}

const char *muster_request_method(const struct muster_request *request)
{
        return request ? request->text.at : "";
}

const char *muster_request_url(const struct muster_request *request)
{
        return request ? request->asked_url.at : "";
}

const struct muster_error *muster_request_error(const struct muster_request *request)
{
        static const struct muster_error none;

        return request ? &request->result.error : &none;
}

/* --- what is sent ---------------------------------------------------------------------------- */

struct muster_str request_asked_method(const struct muster_request *request)
{
        return str_of(request->text.at);
}

struct muster_str request_method(const struct muster_request *request)
{
        return request->is_get_now ? str_of("GET") : request_asked_method(request);
}

struct muster_jar *request_jar(const struct muster_request *request)
{
        if (request->options.no_cookies)
                return NULL;
        return request->options.cookies ? request->options.cookies
                                        : request->engine->settings->cookies;
}

bool request_is_secret(const struct muster_request *request, struct muster_str name)
{
        const struct request_field *fields =
                (const struct request_field *)(const void *)request->fields.at;

        for (size_t i = 0; i < request->fields.len / sizeof(*fields); i++)
                if (fields[i].is_secret &&
                        str_eq_nocase((struct muster_str){ request->text.at + fields[i].name_at,
                                              fields[i].name_len },
                                name))
                        return true;
        return settings_is_secret(request->engine->settings, name);
}

bool request_sends_body(const struct muster_request *request)
{
        return request->has_body && !request->is_get_now && !request->auth.withholds_body;
}

bool request_has_upload(const struct muster_request *request)
{
        return upload_is_there(&request->upload) && request_sends_body(request);
}

bool request_can_repeat(const struct muster_request *request)
{
        /* Bytes written to the caller's descriptor cannot be taken back. */
        if (request->sink.kind == SINK_FD && request->sink.n_bytes)
                return false;
        return !request_has_upload(request) || upload_can_repeat(&request->upload);
}
