/* SPDX-License-Identifier: MIT */
#include "result_line.h"

#include "json.h"
#include <base/clock.h>
#include <base/error.h>
#include <inttypes.h>
#include <stdio.h>

/* These are inline for their names: see json_write(). */
static inline void add_u64(struct json_writer *w, const char *name, uint64_t value)
{
        json_write(w, name);
        json_write_u64(w, value);
}

static inline void add_string(struct json_writer *w, const char *name, struct muster_str text)
{
        json_write(w, name);
        json_write_string(w, text);
}

static inline void add_text(struct json_writer *w, const char *name, const char *text)
{
        add_string(w, name, str_of(text));
}

/* A text, or null where it is empty. */
static void add_text_or_null(struct json_writer *w, const char *name, const char *text)
{
        if (text && *text) {
                add_text(w, name, text);
        } else {
                json_write(w, name);
                json_write(w, "null");
        }
}

static void add_text_if_any(struct json_writer *w, const char *name, const char *text)
{
        if (*text)
                add_text(w, name, text);
}

static void add_error(struct json_writer *w, const struct muster_error *error)
{
        if (!error) {
                json_write(w, ",\"ok\":true,\"error\":null");
                return;
        }
        add_text(w, ",\"ok\":false,\"error\":{\"code\":", muster_code_name(error->code));
        add_text(w, ",\"stage\":", muster_phase_name(error->stage));
        add_text(w, ",\"text\":", error->text);
        json_write(w, "}");
}

/* Names in lower case, as HTTP/2 has them: who reads the line need not care how a server spells. */
static void add_name(struct json_writer *w, struct muster_str name)
{
        char lower[256];

        if (name.len > sizeof(lower)) {
                add_string(w, "[", name);
                return;
        }
        for (size_t i = 0; i < name.len; i++)
                lower[i] = char_lower(name.at[i]);
        add_string(w, "[", (struct muster_str){ lower, name.len });
}

static void add_headers(struct json_writer *w, const struct muster_result *result)
{
        size_t n = muster_result_n_headers(result);

        json_write(w, ",\"headers\":[");
        for (size_t i = 0; i < n; i++) {
                if (i)
                        json_write(w, ",");
                add_name(w, muster_result_header_name(result, i));
                add_string(w, ",", muster_result_header_value(result, i));
                json_write(w, "]");
        }
        json_write(w, "]");
}

/* What is JSON already. */
static void add_json(struct json_writer *w, const char *name, struct muster_str json)
{
        json_write(w, name);
        if (w->r == 0)
                w->r = buf_add_str(w->to, json);
}

/* As text, in base64 where it is none. */
static void add_inline_body(struct json_writer *w, struct muster_str body)
{
        size_t before = w->to->len;

        json_write(w, ",\"body\":");
        if (w->r == 0)
                w->r = json_add_utf8(w->to, body);
        if (w->r != JSON_NOT_UTF8)
                return;
        w->to->len = before;
        w->r = 0;
        json_write(w, ",\"body_base64\":");
        if (w->r == 0)
                w->r = json_add_base64(w->to, body);
}

static void add_body(struct json_writer *w, const struct result_line *line)
{
        struct muster_str body = { muster_result_body(line->result),
                muster_result_body_size(line->result) };

        if (line->body_file) {
                add_text(w, ",\"body_file\":", line->body_file);
        } else if (!line->leaves_body_out && line->json.len) {
                add_json(w, ",\"json\":", line->json);
        } else if (!line->leaves_body_out) {
                add_inline_body(w, body);
        }
        add_u64(w, ",\"body_bytes\":", muster_result_body_bytes(line->result));
        add_u64(w, ",\"wire_bytes\":", muster_result_wire_bytes(line->result));
        if (line->processed.len)
                add_json(w,
                        line->processed_is_base64 ? ",\"processed_base64\":" : ",\"processed\":",
                        line->processed);
}

/* Rounded so that they add up to total_us: each is the difference of two rounded sums. */
static void add_phases(struct json_writer *w, const struct muster_result *result)
{
        uint64_t sum_ns = 0, before_us = 0;

        for (int i = 0; i < MUSTER_N_PHASES; i++) {
                enum muster_phase phase = phase_in_order(i);

                json_write(w, i ? ",\"" : ",\"phases_us\":{\"");
                json_write(w, muster_phase_name(phase));
                sum_ns += muster_result_phase_ns(result, phase);
                add_u64(w, "\":", sum_ns / NS_PER_US - before_us);
                before_us = sum_ns / NS_PER_US;
        }
        add_u64(w, "},\"total_us\":", before_us);
}

/* From submission; negative where a full queue had held that up. */
static void add_plan(struct json_writer *w, const struct muster_result *result)
{
        uint64_t planned_ns = result ? muster_result_planned_ns(result) : 0;
        uint64_t submitted_ns = result ? muster_result_submitted_ns(result) : 0;

        if (!planned_ns)
                json_write(w, ",\"planned_us\":null");
        else if (planned_ns >= submitted_ns)
                add_u64(w, ",\"planned_us\":", (planned_ns - submitted_ns) / NS_PER_US);
        else
                add_u64(w, ",\"planned_us\":-", (submitted_ns - planned_ns) / NS_PER_US);
}

static void add_conn(struct json_writer *w, const struct muster_result *result)
{
        struct muster_conn_info conn;

        muster_result_conn(result, &conn, sizeof(conn));
        if (!conn.id) {
                json_write(w, ",\"conn\":null");
                return;
        }
        add_u64(w, ",\"conn\":{\"id\":", conn.id);
        json_write(w, conn.reuse_count ? ",\"reused\":true" : ",\"reused\":false");
        add_text(w, ",\"remote\":", conn.remote);
        if (conn.proxy[0])
                add_text(w, ",\"proxy\":", conn.proxy);
        else
                json_write(w, ",\"proxy\":null");
        if (conn.tls_version[0]) {
                add_text(w, ",\"tls\":{\"version\":", conn.tls_version);
                add_text(w, ",\"cipher\":", conn.tls_cipher);
                json_write(w, conn.tls_resumed ? ",\"resumed\":true}" : ",\"resumed\":false}");
        } else {
                json_write(w, ",\"tls\":null");
        }
        add_u64(w, ",\"rtt_us\":", conn.rtt_us);
        add_u64(w, ",\"retransmits\":", conn.n_retransmits);
        json_write(w, "}");
}

static const char *http_name(int version)
{
        return version == 20 ? "2" : version == 11 ? "1.1" : version == 10 ? "1.0" : NULL;
}

static void add_result(struct json_writer *w, const struct result_line *line)
{
        const struct muster_result *result = line->result;

        add_text(w, ",\"method\":", muster_result_method(result));
        add_text(w, ",\"url\":", muster_result_url(result));
        add_text_or_null(w, ",\"final_url\":", muster_result_final_url(result));
        add_u64(w, ",\"status\":", (uint64_t)muster_result_status(result));
        add_error(w, line->error);
        add_text_or_null(w, ",\"http\":", http_name(muster_result_http_version(result)));
        add_headers(w, result);
        if (muster_result_n_dropped_fields(result))
                add_u64(w, ",\"dropped_fields\":", muster_result_n_dropped_fields(result));
        add_text_if_any(w, ",\"undecoded\":", muster_result_undecoded(result));
        add_text_if_any(w, ",\"warning\":", muster_result_warning(result));
        add_body(w, line);
        add_u64(w, ",\"attempts\":", muster_result_n_attempts(result));
        add_u64(w, ",\"redirects\":", muster_result_n_redirects(result));
        add_phases(w, result);
        if (line->has_plan)
                add_plan(w, result);
        add_conn(w, result);
}

/* The same members, as far as they make sense without a request. */
static void add_nothing(struct json_writer *w, const struct result_line *line)
{
        json_write(w, ",\"method\":null,\"url\":null,\"final_url\":null,\"status\":0");
        add_error(w, line->error);
        json_write(w,
                ",\"http\":null,\"headers\":[],\"body_bytes\":0,\"wire_bytes\":0,\"attempts\":0,\"redirects\":0,\"phases_us\":{},\"total_us\":0");
        if (line->has_plan)
                add_plan(w, NULL);
        json_write(w, ",\"conn\":null");
}

/*
 * What the request had that this line does not have, so that nobody takes it for all that was
 * asked.
 */
static void add_omitted(struct json_writer *w, const struct result_line *line)
{
        if (!line->omits_headers && !line->omits_body)
                return;
        json_write(w, ",\"omitted\":[");
        json_write(w, line->omits_headers ? "\"headers\"" : "");
        json_write(w, line->omits_headers && line->omits_body ? "," : "");
        json_write(w, line->omits_body ? "\"body\"]" : "]");
}

/* What tells it from other requests with its method and URL (cli/resume/resume.h). */
static void add_digest(struct json_writer *w, uint64_t digest)
{
        char text[17];

        if (!digest)
                return;
        snprintf(text, sizeof(text), "%016" PRIx64, digest);
        add_text(w, ",\"digest\":", text);
}

int result_line_add(struct buf *to, const struct result_line *line)
{
        struct json_writer w = { .to = to };
        size_t before = to->len;

        add_u64(&w, "{\"n\":", line->n);
        if (line->id.len) {
                json_write(&w, ",\"id\":");
                if (w.r == 0)
                        w.r = buf_add_str(to, line->id);
        }
        if (line->line)
                add_u64(&w, ",\"line\":", line->line);
        if (line->own.len)
                add_json(&w, ",\"input\":", line->own);
        add_omitted(&w, line);
        add_digest(&w, line->digest);
        if (line->result)
                add_result(&w, line);
        else
                add_nothing(&w, line);
        json_write(&w, "}\n");
        if (w.r < 0)
                to->len = before;
        return w.r;
}
