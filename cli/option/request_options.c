/* SPDX-License-Identifier: MIT */
#include "request_options.h"

#include "guard_options.h"
#include "header_options.h"
#include "standard.h"
#include "way_options.h"
#include <base/error.h>
#include <base/mem.h>
#include <stddef.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

static struct request_options *of(void *settings)
{
        return settings;
}

static int refuse_value(struct muster_error *error, const char *what, const char *value)
{
        return error_set(error, MUSTER_E_INVALID, MUSTER_PHASE_QUEUE, 0, "\"%s\" %s", value, what);
}

int texts_add(struct texts *texts, const char *text, struct muster_error *error)
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
        return texts_add((struct texts *)(void *)((char *)settings + option->offset), value, error);
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
        return texts_add(&of(settings)->urls, value, error);
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

/* As curl: each adds its scheme. */
static int add_scheme(void *settings, const struct option *option, const char *value,
        struct muster_error *error)
{
        (void)value;
        (void)error;
        of(settings)->client.auth |= strcmp(option->name, "basic") == 0    ? MUSTER_AUTH_BASIC
                                     : strcmp(option->name, "digest") == 0 ? MUSTER_AUTH_DIGEST
                                                                           : MUSTER_AUTH_ANY;
        return 0;
}

static int set_netrc(void *settings, const struct option *option, const char *value,
        struct muster_error *error)
{
        (void)value;
        (void)error;
        of(settings)->login.wants_netrc = true;
        of(settings)->client.netrc_optional = strcmp(option->name, "netrc-optional") == 0;
        return 0;
}

static int set_location_trusted(void *settings, const struct option *option, const char *value,
        struct muster_error *error)
{
        (void)option;
        (void)value;
        (void)error;
        of(settings)->client.credentials_to_any_origin = true;
        of(settings)->client.no_redirects = false;
        return 0;
}

int request_options_keep(void *settings, char *take_text)
{
        struct muster_error error = { 0 };
        int r = texts_add(&of(settings)->kept, take_text, &error);

        if (r < 0)
                mem_free(take_text);
        return r;
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

static int set_speed_limit(void *settings, const struct option *option, const char *value,
        struct muster_error *error)
{
        struct muster_client_options *client = &of(settings)->client;

        if (strcmp(value, "0") != 0)
                return option_set_size(settings, option, value, error);
        client->low_speed_bytes_per_s = MUSTER_NO_LIMIT;
        return 0;
}

static int set_body_memory(void *settings, const struct option *option, const char *value,
        struct muster_error *error)
{
        struct muster_client_options *client = &of(settings)->client;

        if (strcmp(value, "0") != 0)
                return option_set_size(settings, option, value, error);
        client->body_memory_bytes = MUSTER_NO_LIMIT;
        return 0;
}

/* --- the tables ------------------------------------------------------------------------------ */

static int set_http(void *settings, enum muster_http http)
{
        of(settings)->client.http = http;
        return 0;
}

static int set_http_1_0(void *settings, const struct option *option, const char *value,
        struct muster_error *error)
{
        (void)option;
        (void)value;
        (void)error;
        return set_http(settings, MUSTER_HTTP_1_0);
}

static int set_http_1_1(void *settings, const struct option *option, const char *value,
        struct muster_error *error)
{
        (void)option;
        (void)value;
        (void)error;
        return set_http(settings, MUSTER_HTTP_1_1);
}

static int set_http_2(void *settings, const struct option *option, const char *value,
        struct muster_error *error)
{
        (void)option;
        (void)value;
        (void)error;
        return set_http(settings, MUSTER_HTTP_2);
}

static int set_http_2_known(void *settings, const struct option *option, const char *value,
        struct muster_error *error)
{
        (void)option;
        (void)value;
        (void)error;
        return set_http(settings, MUSTER_HTTP_2_PRIOR_KNOWLEDGE);
}

#define CLIENT(member) offsetof(struct request_options, client.member)
#define OWN(member)    offsetof(struct request_options, member)

const struct option input_option_table[] = {
        { "Input", 'i', "input", "FILE", "read requests from FILE, - is standard input; repeatable",
                set_file, OWN(files) },
        { NULL, 0, "input-format", "FORMAT", "lines (URLs), jsonl (JSON objects), csv, tsv or auto",
                set_input_format, 0 },
        { NULL, 0, "url-column", "NAME", "CSV or TSV column with the URLs, by name or number (url)",
                set_url_column, 0 },
        { NULL, 0, "body-pipes", NULL, "let body_file name pipes and devices, too", option_set_flag,
                OWN(input.takes_pipes) },
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

        { NULL, 'Y', "speed-limit", "SIZE",
                "slowest response, in bytes a second (16 over 10 minutes); 0 is no limit",
                set_speed_limit, CLIENT(low_speed_bytes_per_s) },
        { NULL, 'y', "speed-time", "TIME", "how long it may be slower than that (30 s with -Y)",
                option_set_duration, CLIENT(low_speed_time_ms) },
        { NULL, 0, "expect100-timeout", "TIME",
                "how long a large body waits for the server's 100 (Continue) (1 s)",
                option_set_duration, CLIENT(expect_timeout_ms) },

        { "Request", 'X', "request", "METHOD", "request method (GET, or POST with data)",
                option_set_text, OWN(method) },
        { NULL, 'H', "header", "LINE",
                "\"Name: value\", \"Name;\" (empty), \"Name:\" (not sent) or @FILE",
                header_options_set, 0 },
        { NULL, 'I', "head", NULL, "ask for the header only: HEAD", option_set_flag, OWN(is_head) },
        { NULL, 'r', "range", "RANGE", "these bytes only: 0-499, 500-, -500",
                header_options_set_range, 0 },
        { NULL, 'e', "referer", "URL", "Referer header", header_options_set_referer, 0 },
        { NULL, 'A', "user-agent", "NAME", "User-Agent header; \"\" sends none", option_set_text,
                CLIENT(user_agent) },
        { NULL, '0', "http1.0", NULL, "use HTTP/1.0", set_http_1_0, 0 },
        { NULL, 0, "http1.1", NULL, "use HTTP/1.1", set_http_1_1, 0 },
        { NULL, 0, "http2", NULL, "use HTTP/2 over https if the server has it (default)",
                set_http_2, 0 },
        { NULL, 0, "http2-prior-knowledge", NULL,
                "the same, and use HTTP/2 for http:// URLs, without asking", set_http_2_known, 0 },
        { NULL, 0, "h2-conns", "N",
                "HTTP/2 connections to a host; others wait for a stream (as many as needed)",
                option_set_count, CLIENT(h2_conns) },
        { NULL, 0, "compressed", NULL, "request compressed bodies and decode them (default)",
                option_clear_flag, CLIENT(no_decoding) },
        { NULL, 0, "no-compressed", NULL, "neither request nor decode compressed bodies",
                option_set_flag, CLIENT(no_decoding) },

        { "Authentication", 'u', "user", "USER[:PASSWORD]",
                "user name and password; asks for a missing password", login_set_user, OWN(login) },
        { NULL, 0, "basic", NULL, "send them as Basic authentication (default)", add_scheme, 0 },
        { NULL, 0, "digest", NULL, "use Digest authentication, as the server asks for it",
                add_scheme, 0 },
        { NULL, 0, "anyauth", NULL, "ask the server and use Digest, or Basic if that is all",
                add_scheme, 0 },
        { NULL, 0, "oauth2-bearer", "TOKEN", "send this bearer token", login_set_bearer,
                OWN(login) },
        { NULL, 'n', "netrc", NULL, "take user names and passwords from ~/.netrc", set_netrc, 0 },
        { NULL, 0, "netrc-optional", NULL, "the same, but the file may be missing; the URL's first",
                set_netrc, 0 },
        { NULL, 0, "netrc-file", "FILE", "take user names and passwords from FILE", option_set_text,
                CLIENT(netrc_file) },
        { NULL, 0, "location-trusted", NULL,
                "send passwords and given headers wherever a redirect leads", set_location_trusted,
                0 },
        { NULL, 0, "secret-header", "NAME",
                "do not send this header to another origin after a redirect; repeatable",
                set_listed, OWN(secret_headers) },

        { "TLS and names", 'k', "insecure", NULL,
                "do not verify certificates: anyone on the path can read and change data",
                option_set_flag, CLIENT(insecure_no_verify) },
        { NULL, 0, "cacert", "FILE", "trust these CA certificates (PEM) instead of the system's",
                option_set_text, CLIENT(ca_file) },
        { NULL, 0, "cert-status", NULL,
                "servers must staple an OCSP answer that their certificate is not revoked",
                option_set_flag, CLIENT(cert_status) },
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
        { NULL, 0, "body-memory", "SIZE",
                "memory for the bodies of all requests (a quarter of the machine's); 0: no limit",
                set_body_memory, CLIENT(body_memory_bytes) },
        { 0 },
};

/* --- settled --------------------------------------------------------------------------------- */

/* The header that says what multipart body is sent, and leaves its boundary to -F. */
static const char *multipart_line(const struct request_options *options)
{
        for (size_t i = 0; i < options->headers.n; i++) {
                const char *line = options->headers.list[i];
                size_t len = strcspn(line, ":;");
                const char *value = line[len] == ':' ? line + len + 1 : "";

                value += strspn(value, " \t");
                if (str_is_nocase((struct muster_str){ line, len }, "Content-Type") &&
                        strncasecmp(value, "multipart/", 10) == 0 && !str_has(str_of(value), ";"))
                        return line;
        }
        return NULL;
}

/* A pipe can be read only once. */
static int check_upload(const struct request_options *options, struct muster_error *error)
{
        struct stat status;

        if (!options->body.upload || !body_is_standard(&options->body) ||
                (options->urls.n == 1 && !options->files.n))
                return 0;
        if (fstat(STDIN_FILENO, &status) == 0 && S_ISREG(status.st_mode) && options->urls.n)
                return 0;
        return error_set(error, MUSTER_E_INVALID, MUSTER_PHASE_QUEUE, 0,
                "-T %s sends standard input, which can be read only once; give one URL as an argument",
                options->body.upload);
}

int request_options_finish(struct request_options *options, struct muster_error *error)
{
        bool stdin_is_input = !options->urls.n && !options->files.n;
        int r = check_upload(options, error);

        for (size_t i = 0; i < options->files.n; i++)
                stdin_is_input |= path_is_standard(options->files.list[i]);
        if (r == 0)
                r = cookie_options_finish(&options->cookies, stdin_is_input, error);
        if (!options->cookies.is_line_scope)
                options->client.cookies = options->cookies.jar;
        if (r == 0)
                r = login_finish(&options->login, error);
        if (!options->client.netrc_file)
                options->client.netrc_file = options->login.netrc_path;
        options->client.secret_headers = options->secret_headers.list;
        options->client.size = sizeof(options->client);
        options->client.resolve = options->resolve.list;
        way_options_finish(options);
        guard_options_finish(options);
        options->client.keylog_file = getenv("SSLKEYLOGFILE");
        if (options->client.keylog_file && !*options->client.keylog_file)
                options->client.keylog_file = NULL;
        return r < 0 ? r : body_options_finish(&options->body, multipart_line(options), error);
}

bool request_options_have_no_input(const struct request_options *options)
{
        return !options->urls.n && !options->files.n && isatty(STDIN_FILENO);
}

/* Lists are arguments of some programs. Here that is a request without a scheme. */
static void warn_of_file(const struct request_options *options)
{
        for (size_t i = 0; i < options->urls.n; i++) {
                const char *url = options->urls.list[i];

                if (strstr(url, "://") || access(url, F_OK) < 0)
                        continue;
                fprintf(stderr,
                        "muster: warning: \"%s\" is taken for a URL, and is a file; -i FILE reads the URLs in it\n",
                        url);
                return;
        }
}

void request_options_warn(const struct request_options *options)
{
        warn_of_file(options);
        if (options->client.insecure_no_verify)
                fprintf(stderr,
                        "muster: WARNING: -k: certificates are not verified, anyone on the path can read and change data\n");
        way_options_warn(options);
        guard_options_warn(options);
}

void request_options_deinit(struct request_options *options)
{
        mem_free(options->urls.list);
        mem_free(options->files.list);
        mem_free(options->resolve.list);
        mem_free(options->headers.list);
        for (size_t i = 0; i < options->kept.n; i++)
                mem_free((void *)(uintptr_t)options->kept.list[i]);
        mem_free(options->kept.list);
        mem_free(options->secret_headers.list);
        login_options_deinit(&options->login);
        way_options_deinit(options);
        guard_options_deinit(options);
        body_options_deinit(&options->body);
        cookie_options_deinit(&options->cookies);
}
