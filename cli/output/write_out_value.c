/* SPDX-License-Identifier: MIT */
#include "write_out_value.h"

#include "exit_code.h"
#include <base/clock.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static int add_u64(struct buf *to, uint64_t number)
{
        char digits[24];

        snprintf(digits, sizeof(digits), "%" PRIu64, number);
        return buf_add_text(to, digits);
}

static struct muster_conn_info conn_of(const struct result_line *line)
{
        struct muster_conn_info conn = { 0 };

        if (line->result)
                muster_result_conn(line->result, &conn, sizeof(conn));
        return conn;
}

/* --- what was asked, and what came ----------------------------------------------------------- */

static int add_url(struct buf *to, const struct result_line *line)
{
        return line->result ? buf_add_text(to, muster_result_url(line->result)) : 0;
}

static int add_url_effective(struct buf *to, const struct result_line *line)
{
        const char *url = line->result ? muster_result_final_url(line->result) : "";

        return *url ? buf_add_text(to, url) : add_url(to, line);
}

static int add_scheme(struct buf *to, const struct result_line *line)
{
        const char *url = line->result ? muster_result_final_url(line->result) : "";

        return buf_add(to, url, strcspn(url, ":"));
}

static int add_method(struct buf *to, const struct result_line *line)
{
        return line->result ? buf_add_text(to, muster_result_method(line->result)) : 0;
}

/* Three digits, as curl has it: 000 where there was no response. */
static int add_status(struct buf *to, const struct result_line *line)
{
        char digits[8];

        snprintf(digits, sizeof(digits), "%03d",
                line->result ? muster_result_status(line->result) : 0);
        return buf_add_text(to, digits);
}

static int add_http_version(struct buf *to, const struct result_line *line)
{
        int version = line->result ? muster_result_http_version(line->result) : 0;

        return buf_add_text(to, version == 20   ? "2"
                                : version == 11 ? "1.1"
                                : version == 10 ? "1.0"
                                                : "0");
}

static int add_content_type(struct buf *to, const struct result_line *line)
{
        struct muster_str type = { 0 };

        if (line->result)
                type = muster_result_header(line->result, "Content-Type");
        return type.at ? buf_add_str(to, type) : 0;
}

static int add_n_headers(struct buf *to, const struct result_line *line)
{
        return add_u64(to, line->result ? muster_result_n_headers(line->result) : 0);
}

static int add_n_redirects(struct buf *to, const struct result_line *line)
{
        return add_u64(to, line->result ? muster_result_n_redirects(line->result) : 0);
}

static int add_n_retries(struct buf *to, const struct result_line *line)
{
        unsigned n_attempts = line->result ? muster_result_n_attempts(line->result) : 0;
        unsigned n_redirects = line->result ? muster_result_n_redirects(line->result) : 0;

        return add_u64(to, n_attempts > n_redirects ? n_attempts - n_redirects - 1 : 0);
}

static int add_filename(struct buf *to, const struct result_line *line)
{
        return line->body_file ? buf_add_text(to, line->body_file) : 0;
}

static int add_index(struct buf *to, const struct result_line *line)
{
        return add_u64(to, line->n - 1);
}

static int add_id(struct buf *to, const struct result_line *line)
{
        return line->id.len ? buf_add_str(to, line->id) : buf_add_text(to, "null");
}

/* --- how it went ----------------------------------------------------------------------------- */

static int add_error(struct buf *to, const struct result_line *line)
{
        return line->error ? buf_add_text(to, line->error->text) : 0;
}

static int add_exit_code(struct buf *to, const struct result_line *line)
{
        return add_u64(to, exit_code_of(line->error));
}

/* Where the port begins in "192.0.2.1:443" and "[2001:db8::1]:443"; its end without one. */
static size_t port_at(const char *remote)
{
        const char *colon = strrchr(remote, ':');

        return colon ? (size_t)(colon - remote) : strlen(remote);
}

static int add_remote_ip(struct buf *to, const struct result_line *line)
{
        struct muster_conn_info conn = conn_of(line);
        size_t len = port_at(conn.remote);
        const char *at = conn.remote;

        if (len > 2 && at[0] == '[' && at[len - 1] == ']') {
                at++;
                len -= 2;
        }
        return buf_add(to, at, len);
}

static int add_remote_port(struct buf *to, const struct result_line *line)
{
        struct muster_conn_info conn = conn_of(line);
        const char *port = conn.remote + port_at(conn.remote);

        return buf_add_text(to, *port ? port + 1 : "0");
}

static int add_conn_id(struct buf *to, const struct result_line *line)
{
        return add_u64(to, conn_of(line).id);
}

/* Of the last attempt. */
static int add_n_connects(struct buf *to, const struct result_line *line)
{
        struct muster_conn_info conn = conn_of(line);

        return add_u64(to, conn.id && !conn.reuse_count ? 1 : 0);
}

static uint64_t wire_bytes(const struct result_line *line)
{
        return line->result ? muster_result_wire_bytes(line->result) : 0;
}

static int add_size_download(struct buf *to, const struct result_line *line)
{
        return add_u64(to, wire_bytes(line));
}

/* --- when ------------------------------------------------------------------------------------ */

static uint64_t phases_ns(const struct result_line *line, const enum muster_phase *phases, size_t n)
{
        uint64_t ns = 0;

        for (size_t i = 0; line->result && i < n; i++)
                ns += muster_result_phase_ns(line->result, phases[i]);
        return ns;
}

/* The phases in their order; those that a time includes are the first few. */
static const enum muster_phase in_order[] = { MUSTER_PHASE_DNS, MUSTER_PHASE_TCP,
        MUSTER_PHASE_TUNNEL, MUSTER_PHASE_TLS, MUSTER_PHASE_SEND, MUSTER_PHASE_WAIT,
        MUSTER_PHASE_LAG, MUSTER_PHASE_RECEIVE, MUSTER_PHASE_DECODE, MUSTER_PHASE_PROCESS,
        MUSTER_PHASE_DELIVER, MUSTER_PHASE_BACKOFF };

#define UNTIL_DNS     1
#define UNTIL_TCP     2
#define UNTIL_TLS     4
#define UNTIL_SENT    5
#define UNTIL_ANSWER  7
#define UNTIL_THE_END (sizeof(in_order) / sizeof(in_order[0]))

static int add_seconds(struct buf *to, uint64_t ns)
{
        char text[40];
        uint64_t us = (ns + 500) / 1000;

        snprintf(text, sizeof(text), "%" PRIu64 ".%06" PRIu64, us / 1000000, us % 1000000);
        return buf_add_text(to, text);
}

static int add_time_namelookup(struct buf *to, const struct result_line *line)
{
        return add_seconds(to, phases_ns(line, in_order, UNTIL_DNS));
}

static int add_time_connect(struct buf *to, const struct result_line *line)
{
        return add_seconds(to, phases_ns(line, in_order, UNTIL_TCP));
}

/* 0 without TLS. */
static int add_time_appconnect(struct buf *to, const struct result_line *line)
{
        static const enum muster_phase tls[] = { MUSTER_PHASE_TLS };

        return add_seconds(to, phases_ns(line, tls, 1) ? phases_ns(line, in_order, UNTIL_TLS) : 0);
}

static int add_time_pretransfer(struct buf *to, const struct result_line *line)
{
        return add_seconds(to, phases_ns(line, in_order, UNTIL_TLS));
}

static int add_time_posttransfer(struct buf *to, const struct result_line *line)
{
        return add_seconds(to, phases_ns(line, in_order, UNTIL_SENT));
}

static int add_time_starttransfer(struct buf *to, const struct result_line *line)
{
        return add_seconds(to, phases_ns(line, in_order, UNTIL_ANSWER));
}

static int add_time_total(struct buf *to, const struct result_line *line)
{
        return add_seconds(to, phases_ns(line, in_order, UNTIL_THE_END));
}

static int add_time_queue(struct buf *to, const struct result_line *line)
{
        static const enum muster_phase queue[] = { MUSTER_PHASE_QUEUE };

        return add_seconds(to, phases_ns(line, queue, 1));
}

/* All attempts that ended in a redirect. */
static int add_time_redirect(struct buf *to, const struct result_line *line)
{
        unsigned n = line->result ? muster_result_n_attempts(line->result) : 0;
        uint64_t ns = 0;

        for (unsigned i = 0; i < n; i++) {
                struct muster_attempt attempt;

                if (muster_result_attempt(line->result, i, &attempt, sizeof(attempt)) == 0 &&
                        i + 1 < n && attempt.status >= 300 && attempt.status < 400)
                        ns += attempt.end_ns - attempt.start_ns -
                              attempt.phase_ns[MUSTER_PHASE_QUEUE];
        }
        return add_seconds(to, ns);
}

static int add_speed_download(struct buf *to, const struct result_line *line)
{
        uint64_t ns = phases_ns(line, in_order, UNTIL_THE_END);

        return add_u64(to, ns ? (uint64_t)((double)wire_bytes(line) * NS_PER_S / (double)ns) : 0);
}

/* --- JSON ------------------------------------------------------------------------------------ */

static bool same_name(const struct muster_result *result, size_t a, size_t b)
{
        return str_eq_nocase(muster_result_header_name(result, a),
                muster_result_header_name(result, b));
}

static bool is_first_of_name(const struct muster_result *result, size_t at)
{
        for (size_t i = 0; i < at; i++)
                if (same_name(result, i, at))
                        return false;
        return true;
}

static void write_lower(struct json_writer *w, struct muster_str name)
{
        char lower[256];
        size_t len = name.len < sizeof(lower) ? name.len : sizeof(lower);

        for (size_t i = 0; i < len; i++)
                lower[i] = char_lower(name.at[i]);
        json_write_string(w, (struct muster_str){ lower, len });
}

/* Each name once, in lower case, with all its values. */
static int add_header_json(struct buf *to, const struct result_line *line)
{
        const struct muster_result *result = line->result;
        size_t n = result ? muster_result_n_headers(result) : 0;
        struct json_writer w = { .to = to };

        json_write(&w, "{");
        for (size_t i = 0; i < n; i++) {
                const char *before = "[";

                if (!is_first_of_name(result, i))
                        continue;
                json_write(&w, i ? ",\n" : "");
                write_lower(&w, muster_result_header_name(result, i));
                json_write(&w, ":");
                for (size_t k = i; k < n; k++) {
                        if (!same_name(result, i, k))
                                continue;
                        json_write(&w, before);
                        json_write_string(&w, muster_result_header_value(result, k));
                        before = ",";
                }
                json_write(&w, "]");
        }
        json_write(&w, "\n}");
        return w.r;
}

/* "000" of a status is no number in JSON. */
static const char *without_zeros(const char *number)
{
        while (number[0] == '0' && char_is_digit(number[1]))
                number++;
        return number;
}

static int add_member(struct json_writer *w, const struct write_out_variable *variable,
        const struct result_line *line)
{
        struct buf value = { 0 };
        int r = variable->add(&value, line);

        json_write_string(w, str_of(variable->name));
        json_write(w, ":");
        if (r == 0 && variable->kind == WRITE_OUT_NUMBER)
                r = buf_terminate(&value);
        if (r == 0 && variable->kind == WRITE_OUT_NUMBER)
                json_write(w, without_zeros(value.at));
        else if (r == 0 && value.len)
                json_write_string(w, buf_str(&value));
        else
                json_write(w, "null");
        buf_deinit(&value);
        return r;
}

static int add_json(struct buf *to, const struct result_line *line)
{
        struct json_writer w = { .to = to };
        const char *before = "{";
        int r = 0;

        for (const struct write_out_variable *variable = write_out_variables;
                r == 0 && variable->name; variable++) {
                if (variable->kind == WRITE_OUT_JSON)
                        continue;
                json_write(&w, before);
                r = add_member(&w, variable, line);
                before = ",";
        }
        json_write(&w, "}");
        return r < 0 ? r : w.r;
}

/* --- the table ------------------------------------------------------------------------------- */

const struct write_out_variable write_out_variables[] = {
        { "conn_id", WRITE_OUT_NUMBER, add_conn_id },
        { "content_type", WRITE_OUT_TEXT, add_content_type },
        { "errormsg", WRITE_OUT_TEXT, add_error },
        { "exitcode", WRITE_OUT_NUMBER, add_exit_code },
        { "filename_effective", WRITE_OUT_TEXT, add_filename },
        { "header_json", WRITE_OUT_JSON, add_header_json },
        { "http_code", WRITE_OUT_NUMBER, add_status },
        { "http_version", WRITE_OUT_TEXT, add_http_version },
        { "id", WRITE_OUT_JSON, add_id },
        { "json", WRITE_OUT_JSON, add_json },
        { "method", WRITE_OUT_TEXT, add_method },
        { "num_connects", WRITE_OUT_NUMBER, add_n_connects },
        { "num_headers", WRITE_OUT_NUMBER, add_n_headers },
        { "num_redirects", WRITE_OUT_NUMBER, add_n_redirects },
        { "num_retries", WRITE_OUT_NUMBER, add_n_retries },
        { "remote_ip", WRITE_OUT_TEXT, add_remote_ip },
        { "remote_port", WRITE_OUT_NUMBER, add_remote_port },
        { "response_code", WRITE_OUT_NUMBER, add_status },
        { "scheme", WRITE_OUT_TEXT, add_scheme },
        { "size_download", WRITE_OUT_NUMBER, add_size_download },
        { "speed_download", WRITE_OUT_NUMBER, add_speed_download },
        { "time_appconnect", WRITE_OUT_NUMBER, add_time_appconnect },
        { "time_connect", WRITE_OUT_NUMBER, add_time_connect },
        { "time_namelookup", WRITE_OUT_NUMBER, add_time_namelookup },
        { "time_posttransfer", WRITE_OUT_NUMBER, add_time_posttransfer },
        { "time_pretransfer", WRITE_OUT_NUMBER, add_time_pretransfer },
        { "time_queue", WRITE_OUT_NUMBER, add_time_queue },
        { "time_redirect", WRITE_OUT_NUMBER, add_time_redirect },
        { "time_starttransfer", WRITE_OUT_NUMBER, add_time_starttransfer },
        { "time_total", WRITE_OUT_NUMBER, add_time_total },
        { "url", WRITE_OUT_TEXT, add_url },
        { "url_effective", WRITE_OUT_TEXT, add_url_effective },
        { "urlnum", WRITE_OUT_NUMBER, add_index },
        { 0 },
};

const struct write_out_variable *write_out_variable_find(struct muster_str name)
{
        const struct write_out_variable *variable = write_out_variables;

        while (variable->name && !str_is(name, variable->name))
                variable++;
        return variable->name ? variable : NULL;
}
