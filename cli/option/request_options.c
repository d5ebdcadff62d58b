/* SPDX-License-Identifier: MIT */
#include "request_options.h"

#include "../input/body_file.h"
#include <base/error.h>
#include <base/mem.h>
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

static struct request_options *of(void *settings)
{
        return settings;
}

static int refuse_value(struct muster_error *error, const char *what, const char *value)
{
        return error_set(error, MUSTER_E_INVALID, MUSTER_PHASE_QUEUE, 0, "\"%s\" %s", value, what);
}

static int add_text(struct texts *texts, const char *text, struct muster_error *error)
{
        const char **list = mem_realloc(texts->list, (texts->n + 2) * sizeof(*list));

        if (!list)
                return error_set_memory(error, MUSTER_PHASE_QUEUE);
        texts->list = list;
        list[texts->n++] = text;
        list[texts->n] = NULL;
        return 0;
}

/* --- setters --------------------------------------------------------------------------------- */

static int set_listed(void *settings, const struct option *option, const char *value,
        struct muster_error *error)
{
        return add_text((struct texts *)(void *)((char *)settings + option->offset), value, error);
}

/* With curl -i asks for the header, and what follows is the URL. */
static int set_file(void *settings, const struct option *option, const char *value,
        struct muster_error *error)
{
        if (str_starts(str_of(value), "http://") || str_starts(str_of(value), "https://"))
                return refuse_value(error,
                        "is a URL, but -i takes a file of requests; write the URL without -i",
                        value);
        return set_listed(settings, option, value, error);
}

int request_options_add_url(void *settings, const struct option *option, const char *value,
        struct muster_error *error)
{
        (void)option;
        return add_text(&of(settings)->urls, value, error);
}

static int set_input_format(void *settings, const struct option *option, const char *value,
        struct muster_error *error)
{
        (void)option;
        of(settings)->input.format = input_format_find(value);
        if (strcmp(value, "auto") != 0 && !of(settings)->input.format)
                return refuse_value(error, "is not auto, lines, jsonl, csv or tsv", value);
        return 0;
}

static int set_url_column(void *settings, const struct option *option, const char *value,
        struct muster_error *error)
{
        (void)option;
        of(settings)->input.url_column = value;
        return *value ? 0 : refuse_value(error, "is not a column name", value);
}

/* As curl: several are joined by "&". */
static int join_data(struct request_options *options, struct muster_error *error)
{
        if (options->has_data && buf_add_char(&options->data, '&') < 0)
                return error_set_memory(error, MUSTER_PHASE_QUEUE);
        options->has_data = options->is_form = true;
        return 0;
}

static int add_data(struct request_options *options, const char *value, struct muster_error *error)
{
        if (value[0] == '@')
                return file_read(value + 1, &options->data, error);
        return buf_add_text(&options->data, value) < 0 ? error_set_memory(error, MUSTER_PHASE_QUEUE)
                                                       : 0;
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
        struct request_options *options = of(settings);
        size_t before;
        int r = join_data(options, error);

        (void)option;
        before = options->data.len;
        if (r == 0)
                r = add_data(options, value, error);
        if (r == 0 && value[0] == '@')
                strip_lines(&options->data, before);
        return r;
}

static int set_data_binary(void *settings, const struct option *option, const char *value,
        struct muster_error *error)
{
        int r = join_data(of(settings), error);

        (void)option;
        return r < 0 ? r : add_data(of(settings), value, error);
}

static int set_user(void *settings, const struct option *option, const char *value,
        struct muster_error *error)
{
        struct request_options *options = of(settings);
        char *colon;

        (void)option;
        mem_free(options->user);
        options->user = mem_strdup(value);
        if (!options->user)
                return error_set_memory(error, MUSTER_PHASE_QUEUE);
        colon = strchr(options->user, ':');
        if (!colon)
                return refuse_value(error, "has no password; write USER:PASSWORD", value);
        *colon = '\0';
        options->password = colon + 1;
        return 0;
}

/* "-H @file": a header a line. */
static int set_header_file(struct request_options *options, const char *path,
        struct muster_error *error)
{
        struct buf text = { 0 };
        struct muster_str rest, line;
        int r = file_read(path, &text, error);

        rest = buf_str(&text);
        while (r == 0 && str_split(&rest, '\n', &line)) {
                char *copy;

                if (line.len && line.at[line.len - 1] == '\r')
                        line.len--;
                if (!str_trim(line).len)
                        continue;
                copy = mem_strndup(line.at, line.len); /* lives as long as the program */
                r = copy ? add_text(&options->headers, copy, error)
                         : error_set_memory(error, MUSTER_PHASE_QUEUE);
        }
        buf_deinit(&text);
        return r;
}

static int set_header(void *settings, const struct option *option, const char *value,
        struct muster_error *error)
{
        (void)option;
        if (value[0] == '@')
                return set_header_file(of(settings), value + 1, error);
        if (!strpbrk(value, ":;"))
                return refuse_value(error,
                        "is not \"Name: value\", \"Name;\" (empty) or \"Name:\" (not sent)", value);
        return add_text(&of(settings)->headers, value, error);
}

/*
 * curl counts from 0 redirects on, and fails at the first one then; the library has
 * fail_on_redirect for that.
 */
static int set_max_redirs(void *settings, const struct option *option, const char *value,
        struct muster_error *error)
{
        struct muster_client_options *client = &of(settings)->client;
        uint64_t n;

        (void)option;
        if (strcmp(value, "-1") == 0) {
                client->max_redirects = UINT32_MAX;
                client->fail_on_redirect = false;
                return 0;
        }
        if (!str_to_u64(str_of(value), &n) || n >= UINT32_MAX)
                return refuse_value(error, "is not a number; -1 means no limit", value);
        client->fail_on_redirect = n == 0;
        client->max_redirects = (unsigned)n;
        return 0;
}

/* --- the tables ------------------------------------------------------------------------------ */

#define CLIENT(member) offsetof(struct request_options, client.member)
#define OWN(member)    offsetof(struct request_options, member)

const struct option input_option_table[] = {
        { "Input", 'i', "input", "FILE", "read requests from FILE, - is standard input; repeatable",
                set_file, OWN(files) },
        { NULL, 0, "input-format", "FORMAT", "lines (URLs), jsonl (JSON objects), csv, tsv or auto",
                set_input_format, 0 },
        { NULL, 0, "url-column", "NAME", "CSV or TSV column with the URLs, by name or number (url)",
                set_url_column, 0 },
        { NULL, 0, "strict", NULL, "treat unknown members and columns as errors", option_set_flag,
                OWN(input.is_strict) },
        { 0 },
};

const struct option request_option_table[] = {
        { HOW_LONG, 0, "connect-timeout", "TIME", "to connect: DNS, TCP and TLS (10 s)",
                option_set_duration, CLIENT(connect_timeout_ms) },
        { NULL, 'm', "max-time", "TIME",
                "from slot to result, retries and processing included (none)", option_set_duration,
                CLIENT(total_timeout_ms) },
        { NULL, 0, "read-timeout", "TIME", "longest silence of the server (60 s)",
                option_set_duration, CLIENT(read_timeout_ms) },

        { "Request", 'X', "request", "METHOD", "request method (GET, or POST with data)",
                option_set_text, OWN(method) },
        { NULL, 'H', "header", "LINE",
                "\"Name: value\", \"Name;\" (empty), \"Name:\" (not sent) or @FILE", set_header,
                0 },
        { NULL, 'd', "data", "DATA", "body as a form, @FILE reads a file; several are joined by &",
                set_data, 0 },
        { NULL, 0, "data-binary", "DATA", "the same, but a file is sent unchanged", set_data_binary,
                0 },
        { NULL, 'T', "upload-file", "FILE", "PUT this file, read while it is sent", option_set_text,
                OWN(upload) },
        { NULL, 'u', "user", "USER:PASSWORD", "Basic authentication", set_user, 0 },
        { NULL, 'A', "user-agent", "NAME", "User-Agent header; \"\" sends none", option_set_text,
                CLIENT(user_agent) },
        { NULL, '0', "http1.0", NULL, "use HTTP/1.0", option_set_flag, CLIENT(http_1_0) },
        { NULL, 0, "http1.1", NULL, "use HTTP/1.1 (default)", option_clear_flag, CLIENT(http_1_0) },
        { NULL, 0, "compressed", NULL, "request compressed bodies and decode them (default)",
                option_clear_flag, CLIENT(no_decoding) },
        { NULL, 0, "no-compressed", NULL, "neither request nor decode compressed bodies",
                option_set_flag, CLIENT(no_decoding) },

        { "TLS and names", 'k', "insecure", NULL,
                "do not verify certificates: anyone on the path can read and change data",
                option_set_flag, CLIENT(insecure_no_verify) },
        { NULL, 0, "cacert", "FILE", "trust these CA certificates (PEM) instead of the system's",
                option_set_text, CLIENT(ca_file) },
        { NULL, 'E', "cert", "FILE", "client certificate with its chain (PEM)", option_set_text,
                CLIENT(client_cert_file) },
        { NULL, 0, "key", "FILE", "its key (PEM), if not in the same file", option_set_text,
                CLIENT(client_key_file) },
        { NULL, 0, "resolve", "HOST:PORT:ADDRESS",
                "use ADDRESS[,ADDRESS...] for HOST:PORT; * is any host", set_listed, OWN(resolve) },
        { NULL, 0, "dns-server", "ADDRESS[:PORT]", "use this name server instead of the system's",
                option_set_text, CLIENT(dns_server) },

        { WHAT_TO_ACCEPT, 'f', "fail", NULL,
                "treat status 400 and above as an error and drop its body", option_set_flag,
                CLIENT(fail_on_status) },
        { NULL, 'L', "location", NULL, "follow redirects (default)", option_clear_flag,
                CLIENT(no_redirects) },
        { NULL, 0, "no-location", NULL, "do not follow redirects", option_set_flag,
                CLIENT(no_redirects) },
        { NULL, 0, "max-redirs", "N", "redirects to follow before giving up (10)", set_max_redirs,
                0 },
        { NULL, 0, "allow-https-to-http", NULL, "follow redirects from https to http",
                option_set_flag, CLIENT(allow_https_to_http) },
        { NULL, 0, "max-filesize", "SIZE", "largest body after decoding (1G)", option_set_size,
                CLIENT(max_body_bytes) },
        { 0 },
};

/* --- settled --------------------------------------------------------------------------------- */

void request_options_finish(struct request_options *options)
{
        options->client.size = sizeof(options->client);
        options->client.resolve = options->resolve.list;
        options->client.keylog_file = getenv("SSLKEYLOGFILE");
        if (options->client.keylog_file && !*options->client.keylog_file)
                options->client.keylog_file = NULL;
}

bool request_options_have_no_input(const struct request_options *options)
{
        return !options->urls.n && !options->files.n && isatty(STDIN_FILENO);
}

void request_options_warn(const struct request_options *options)
{
        if (options->client.insecure_no_verify)
                fprintf(stderr,
                        "muster: WARNING: -k: certificates are not verified, anyone on the path can read and change data\n");
}

void request_options_deinit(struct request_options *options)
{
        mem_free(options->urls.list);
        mem_free(options->files.list);
        mem_free(options->resolve.list);
        mem_free(options->headers.list);
        mem_free(options->user);
        buf_deinit(&options->data);
}
