/* SPDX-License-Identifier: MIT */
/*
 * Export: a record's requests as input for muster fetch
 */
#include "schema.h"
#include "source.h"
#include <base/buf.h>
#include <base/error.h>
#include <core/trace.h>
#include <errno.h>
#include <muster/record.h>
#include <stdio.h>
#include <unistd.h>

#define WRITE_BYTES (64 * 1024)

struct exporter {
        struct source source;
        bool is_json;
        struct buf text; /* to be written */
        int fd;
        struct muster_record_kept *kept; /* NULL: what cannot be repeated is an error */
        uint64_t n_most;
        struct muster_error *error;
};

/* --- lines out ------------------------------------------------------------------------------- */

static int flush_text(struct exporter *exporter)
{
        const char *at = exporter->text.at;
        size_t left = exporter->text.len;

        while (left) {
                ssize_t n = write(exporter->fd, at, left);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return error_set(exporter->error, MUSTER_E_RESOURCE, MUSTER_PHASE_QUEUE,
                                errno, "resource: cannot write the recorded requests: %s",
                                error_sys_text(errno));
                at += n;
                left -= (size_t)n;
        }
        exporter->text.len = 0;
        return 0;
}

/* Append a text in JSON. A recorded URL has no control characters and is ASCII. */
static int add_json_text(struct buf *to, struct muster_str text)
{
        for (size_t i = 0; i < text.len; i++) {
                bool is_special = text.at[i] == '"' || text.at[i] == '\\';

                if ((is_special && buf_add_char(to, '\\') < 0) || buf_add_char(to, text.at[i]) < 0)
                        return MUSTER_E_RESOURCE;
        }
        return 0;
}

/* Append a line of input. Without a method it is a GET, and the URL is enough. */
static int add_line(struct buf *to, const char *method, struct muster_str url)
{
        int r;

        if (!method)
                r = buf_add_str(to, url);
        else if (buf_add_text(to, "{\"url\":\"") < 0 || add_json_text(to, url) < 0 ||
                 buf_add_text(to, "\",\"method\":\"") < 0 || buf_add_text(to, method) < 0)
                r = MUSTER_E_RESOURCE;
        else
                r = buf_add_text(to, "\"}");
        return r == 0 ? buf_add_char(to, '\n') : r;
}

/* --- requests -------------------------------------------------------------------------------- */

static int refuse_request(struct exporter *exporter, const struct trace_attempt *attempt,
        struct muster_str url)
{
        return error_set(exporter->error, MUSTER_E_INPUT, MUSTER_PHASE_QUEUE, 0,
                "input: request %llu (%.*s) had %s, which a record does not keep, so it cannot be repeated",
                (unsigned long long)attempt->request, STR_ARGS(url),
                attempt->has_fields ? "header fields of its own or a password"
                                    : "a body, or a method that may change something");
}

/* The method of an attempt; NULL: none that can be repeated. */
static const char *method_of(const struct trace_attempt *attempt)
{
        if (attempt->method == TRACE_METHOD_HEAD)
                return "HEAD";
        if (attempt->method == TRACE_METHOD_OPTIONS)
                return "OPTIONS";
        return attempt->is_plain ? "GET" : NULL;
}

static bool is_repeatable(const struct trace_attempt *attempt)
{
        return !attempt->has_fields && attempt->is_safe && method_of(attempt);
}

/* Is it a URL? Anything else could mean something different in a line of input. */
static bool is_url(struct muster_str url)
{
        return str_starts(url, "http://") || str_starts(url, "https://");
}

/* Is it to be written, where others may be left out? */
static bool keep(struct exporter *exporter, const struct trace_attempt *attempt)
{
        struct muster_record_kept *kept = exporter->kept;

        if (!is_repeatable(attempt)) {
                kept->n_left_out++;
                return false;
        }
        if (exporter->n_most && kept->n_written == exporter->n_most) {
                kept->is_cut = true;
                return false;
        }
        kept->n_written++;
        return true;
}

/*
 * Export a request by its first attempt. Input that was no URL was not recorded, and took no time.
 */
static int export_attempt(struct exporter *exporter, const struct trace_attempt *attempt,
        struct muster_str url)
{
        if (attempt->n > 1 || !url.len)
                return 0;
        if (!is_url(url))
                return source_damaged(&exporter->source, "a URL", exporter->error);
        if (exporter->kept && !keep(exporter, attempt))
                return 0;
        if (!is_repeatable(attempt))
                return refuse_request(exporter, attempt, url);
        if (add_line(&exporter->text, exporter->is_json ? method_of(attempt) : NULL, url) < 0)
                return error_set_memory(exporter->error, MUSTER_PHASE_QUEUE);
        return exporter->text.len < WRITE_BYTES ? 0 : flush_text(exporter);
}

static int export_rows(struct exporter *exporter, const char *sql)
{
        sqlite3_stmt *statement = NULL;
        struct source *source = &exporter->source;
        int r = source_prepare(source, sql, &statement, exporter->error);

        while (r == 0 && (r = source_step(source, statement, exporter->error)) == 0) {
                struct trace_attempt attempt = { 0 };
                struct muster_str url;

                r = source_row(source, ROW_ATTEMPT, statement, &attempt, &url, exporter->error);
                if (r == 0)
                        r = export_attempt(exporter, &attempt, url);
        }
        sqlite3_finalize(statement);
        return r == SOURCE_END ? flush_text(exporter) : r;
}

/* --- all of it ------------------------------------------------------------------------------- */

/* Does a query return a row? */
static int ask_whether(struct exporter *exporter, const char *sql, bool *ret_has_answer)
{
        sqlite3_stmt *statement = NULL;
        int r = source_prepare(&exporter->source, sql, &statement, exporter->error);

        if (r == 0)
                r = source_step(&exporter->source, statement, exporter->error);
        sqlite3_finalize(statement);
        if (r < 0)
                return r;
        *ret_has_answer = r == 0;
        return 0;
}

static int check_completeness(struct exporter *exporter)
{
        bool lacks_some;
        int r = ask_whether(exporter, "SELECT 1 FROM run WHERE dropped > 0", &lacks_some);

        if (r == 0 && lacks_some)
                r = error_set(exporter->error, MUSTER_E_INPUT, MUSTER_PHASE_QUEUE, 0,
                        "input: %s lacks requests that came faster than they could be written, so it cannot be compared with the run",
                        exporter->source.path);
        return r;
}

/* Choose the format, which is the same for all lines: JSON if any request is not a GET. */
static int choose_format(struct exporter *exporter)
{
        char sql[100];

        snprintf(sql, sizeof(sql),
                "SELECT 1 FROM attempt WHERE n = 1 AND flags >> 20 & 15 IN (%d, %d)",
                TRACE_METHOD_HEAD, TRACE_METHOD_OPTIONS);
        return ask_whether(exporter, sql, &exporter->is_json);
}

static int export(struct exporter *exporter, const char *file)
{
        struct buf sql = { 0 };
        int r = source_open(&exporter->source, file, exporter->error);

        if (r == 0 && !exporter->kept)
                r = check_completeness(exporter);
        if (r == 0)
                r = choose_format(exporter);
        if (r == 0 && schema_select_sql(exporter->source.db, ROW_ATTEMPT, &sql) < 0)
                r = error_set_memory(exporter->error, MUSTER_PHASE_QUEUE);
        if (r == 0)
                r = export_rows(exporter, sql.at);
        source_close(&exporter->source);
        buf_deinit(&exporter->text);
        buf_deinit(&sql);
        return r;
}

static int refuse_arguments(struct muster_error *error)
{
        return error_set(error, MUSTER_E_INVALID, MUSTER_PHASE_QUEUE, 0,
                "invalid: the file to read or the file to write is missing");
}

int muster_record_export(const char *file, int fd, struct muster_error *error)
{
        struct exporter exporter = { .fd = fd, .error = error };

        if (error)
                error_clear(error);
        return file && fd >= 0 ? export(&exporter, file) : refuse_arguments(error);
}

int muster_record_export_repeatable(const char *file, int fd, uint64_t n_most,
        struct muster_record_kept *ret_kept, struct muster_error *error)
{
        struct muster_record_kept kept = { 0 };
        struct exporter exporter = { .fd = fd, .kept = &kept, .n_most = n_most, .error = error };
        int r;

        if (error)
                error_clear(error);
        r = file && fd >= 0 && ret_kept ? export(&exporter, file) : refuse_arguments(error);
        if (r == 0)
                *ret_kept = kept;
        return r;
}
