/* SPDX-License-Identifier: MIT */
#include "csv.h"

#include "../output/json.h"
#include "../output/utf8.h"
#include "jsonl.h"
#include <base/error.h>
#include <base/mem.h>
#include <stdio.h>

/* more than any spreadsheet is used with; a list of URLs on one line has more */
#define COLUMNS_MAX 4096

/* What a column is to us: one of ours by its name, or the caller's own. */
static const char *const known_names[] = { "url", "id", "method", "body" };

struct csv_column {
        struct buf name;   /* as it stands in the header, or what we call it */
        const char *known; /* NULL: the caller's own */
};

/* --- fields ---------------------------------------------------------------------------------- */

#define FIELD_END 1 /* the row has no more */
#define FIELD_ODD 2 /* text behind the quote that closes it */

/* One in quotes: "" stands for a quote. */
static int next_quoted(struct muster_str *rest, char delimiter, struct buf *field)
{
        size_t at = 1;

        for (;; at += 2) {
                size_t begin = at;

                while (at < rest->len && rest->at[at] != '"')
                        at++;
                if (buf_add(field, rest->at + begin, at - begin) < 0)
                        return MUSTER_E_RESOURCE;
                if (at + 1 >= rest->len || rest->at[at + 1] != '"')
                        break;
                if (buf_add_char(field, '"') < 0)
                        return MUSTER_E_RESOURCE;
        }
        at++;
        if (at < rest->len && rest->at[at] != delimiter)
                return FIELD_ODD;
        *rest = at < rest->len ? (struct muster_str){ rest->at + at + 1, rest->len - at - 1 }
                               : (struct muster_str){ NULL, 0 };
        return 0;
}

/* Cut off the next field, put into `field` what it stands for. */
static int next_field(struct muster_str *rest, char delimiter, struct buf *field)
{
        struct muster_str plain;

        field->len = 0;
        if (rest->at && rest->len && rest->at[0] == '"')
                return next_quoted(rest, delimiter, field);
        if (!str_split(rest, delimiter, &plain))
                return FIELD_END;
        return buf_add_str(field, plain);
}

/* Names, URLs, ids and methods: blanks around them belong to the format. */
static struct muster_str trimmed(const struct buf *field)
{
        return field->len ? str_trim(buf_str(field)) : (struct muster_str){ "", 0 };
}

static bool is_url(struct muster_str text)
{
        return str_starts(text, "http://") || str_starts(text, "https://");
}

/* --- the header ------------------------------------------------------------------------------ */

static bool is_url_column(struct muster_str name, const struct input_options *options)
{
        return str_is_nocase(name, options->url_column ? options->url_column : "url");
}

bool csv_is_header(struct muster_str line, char delimiter, const struct input_options *options)
{
        struct muster_str rest = line;
        struct buf field = { 0 };
        bool is_found = false;
        size_t n = 0;

        if (str_has(line, "://"))
                return false;
        for (; next_field(&rest, delimiter, &field) == 0; n++)
                is_found |= is_url_column(trimmed(&field), options);
        buf_deinit(&field);
        return n >= 2 && is_found;
}

/*
 * A comma, unless there is none and semicolons are: what spreadsheets write where the comma is in
 * numbers.
 */
static char delimiter_of(struct muster_str row, char delimiter)
{
        if (delimiter == ',' && !str_has_char(row, ',') && str_has_char(row, ';') &&
                !str_has(row, "://"))
                return ';';
        return delimiter;
}

static int add_column(struct csv *csv, struct muster_str name)
{
        struct csv_column *columns = mem_realloc(csv->columns, (csv->n + 1) * sizeof(*columns));

        if (!columns)
                return MUSTER_E_RESOURCE;
        csv->columns = columns;
        columns[csv->n++] = (struct csv_column){ 0 };
        return buf_add_str(&columns[csv->n - 1].name, name);
}

static int refuse_row(struct muster_error *error, const char *what, struct muster_str of,
        const char *advice)
{
        return error_set(error, MUSTER_E_INPUT, MUSTER_PHASE_QUEUE, 0, "%s \"%.*s\"%s", what,
                STR_ARGS(str_first(of, 60)), advice);
}

static int read_names(struct csv *csv, struct muster_str row, struct muster_error *error)
{
        struct muster_str rest = row;
        int r;

        while ((r = next_field(&rest, csv->delimiter, &csv->field)) == 0) {
                struct muster_str name = trimmed(&csv->field);

                if (!utf8_is_valid(name))
                        return refuse_row(error, "the header is not UTF-8 at", name,
                                "; convert the file with iconv");
                if (csv->n == COLUMNS_MAX)
                        return error_set(error, MUSTER_E_INPUT, MUSTER_PHASE_QUEUE, 0,
                                "the first row has more than %d fields", COLUMNS_MAX);
                if (add_column(csv, name) < 0)
                        return error_set_memory(error, MUSTER_PHASE_QUEUE);
        }
        if (r == FIELD_ODD)
                return refuse_row(error, "text follows the closing quote of", buf_str(&csv->field),
                        " in the header");
        return r < 0 ? error_set_memory(error, MUSTER_PHASE_QUEUE) : 0;
}

static struct muster_str column_name(const struct csv *csv, size_t i)
{
        return buf_str(&csv->columns[i].name);
}

static int no_url(const struct csv *csv, const struct input_options *options,
        struct muster_error *error)
{
        char names[120] = "";
        size_t len = 0, with_url = 0;

        for (size_t i = 0; i < csv->n; i++) {
                struct muster_str name = column_name(csv, i);

                if (is_url(name) && !with_url)
                        with_url = i + 1;
                if (len < sizeof(names) - 1)
                        len += (size_t)snprintf(names + len, sizeof(names) - len, "%s%.*s",
                                i ? ", " : "", STR_ARGS(name));
        }
        if (with_url && !options->url_column)
                return error_set(error, MUSTER_E_INPUT, MUSTER_PHASE_QUEUE, 0,
                        "the first row is not a header but has a URL; use --url-column %zu for rows without a header, --input-format lines for a list of URLs",
                        with_url);
        return error_set(error, MUSTER_E_INPUT, MUSTER_PHASE_QUEUE, 0,
                "no column %.40s; there are %s; name the column with the URLs with --url-column NAME or NUMBER",
                options->url_column ? options->url_column : "url", names);
}

/* By its name, or else by its number. */
static int find_url(const struct csv *csv, const struct input_options *options, size_t *ret_url,
        struct muster_error *error)
{
        uint64_t number;

        for (size_t i = 0; i < csv->n; i++)
                if (is_url_column(column_name(csv, i), options)) {
                        *ret_url = i;
                        return 0;
                }
        if (!options->url_column || !str_to_u64(str_of(options->url_column), &number) || !number ||
                number > csv->n)
                return no_url(csv, options, error);
        *ret_url = number - 1;
        return 0;
}

static int call_by_number(struct csv_column *column, size_t number)
{
        column->name.len = 0;
        return buf_add_text(&column->name, "column_") < 0 ? MUSTER_E_RESOURCE
                                                          : buf_add_u64(&column->name, number);
}

static bool is_taken(const struct csv *csv, const char *known)
{
        for (size_t i = 0; i < csv->n; i++)
                if (csv->columns[i].known == known)
                        return true;
        return false;
}

/* The column that is asked for may have any name; then one called url is the caller's own. */
static void settle_known(struct csv *csv, size_t url)
{
        csv->columns[url].known = known_names[0];
        for (size_t i = 0; i < csv->n; i++)
                for (size_t k = 1; k < sizeof(known_names) / sizeof(known_names[0]); k++)
                        if (i != url && str_is_nocase(column_name(csv, i), known_names[k]) &&
                                !is_taken(csv, known_names[k]))
                                csv->columns[i].known = known_names[k];
}

static int settle_names(struct csv *csv, size_t url, bool is_row, struct muster_error *error)
{
        for (size_t i = 0; i < csv->n; i++)
                if ((is_row || !csv->columns[i].name.len) &&
                        call_by_number(&csv->columns[i], i + 1) < 0)
                        return error_set_memory(error, MUSTER_PHASE_QUEUE);
        for (size_t i = 0; i < csv->n; i++)
                for (size_t j = 0; j < i; j++)
                        if (str_eq(column_name(csv, i), column_name(csv, j)))
                                return refuse_row(error, "two columns have the name",
                                        column_name(csv, i), "; rename one of them");
        settle_known(csv, url);
        return 0;
}

static int check_strict(const struct csv *csv, struct muster_error *error)
{
        for (size_t i = 0; i < csv->n; i++)
                if (!csv->columns[i].known)
                        return refuse_row(error, "--strict: unknown column", column_name(csv, i),
                                "; known are url, id, method and body");
        return 0;
}

/* As URLs come from --url-column, a column named so may be somebody's own. */
const struct buf *csv_misunderstood(const struct csv *csv)
{
        for (size_t i = 0; i < csv->n; i++)
                if (!csv->columns[i].known && !str_is_nocase(column_name(csv, i), known_names[0]) &&
                        jsonl_has_member(column_name(csv, i)))
                        return &csv->columns[i].name;
        return NULL;
}

int csv_begin(struct csv *csv, struct muster_str row, char delimiter,
        const struct input_options *options, struct muster_error *error)
{
        bool is_row = false;
        size_t url = 0;
        int r;

        csv_deinit(csv);
        if (str_has_char(row, '\r'))
                return error_set(error, MUSTER_E_INPUT, MUSTER_PHASE_QUEUE, 0,
                        "the header contains a carriage return; if rows end in one, convert them with tr '\\r' '\\n'");
        csv->delimiter = delimiter_of(row, delimiter);
        r = read_names(csv, row, error);
        if (r == 0)
                r = find_url(csv, options, &url, error);
        if (r < 0)
                return r;
        is_row = is_url(column_name(csv, url));
        r = settle_names(csv, url, is_row, error);
        if (r == 0 && options->is_strict)
                r = check_strict(csv, error);
        return r < 0 ? r : is_row ? CSV_IS_ROW : 0;
}

void csv_deinit(struct csv *csv)
{
        for (size_t i = 0; i < csv->n; i++)
                buf_deinit(&csv->columns[i].name);
        mem_free(csv->columns);
        buf_deinit(&csv->field);
        buf_deinit(&csv->known);
        buf_deinit(&csv->own);
        *csv = (struct csv){ 0 };
}

/* --- rows ------------------------------------------------------------------------------------ */

static int add_member(struct buf *to, struct muster_str name, struct muster_str value)
{
        if ((to->len && buf_add_char(to, ',') < 0) || json_add_utf8(to, name) < 0 ||
                buf_add_char(to, ':') < 0)
                return MUSTER_E_RESOURCE;
        return json_add_utf8(to, value);
}

static int add_field(struct csv *csv, size_t i, struct input_item *item)
{
        const struct csv_column *column = &csv->columns[i];
        struct muster_str value = buf_str(&csv->field);
        bool is_body = column->known == known_names[3];
        int r = 0;

        if (!utf8_is_valid(value)) {
                char what[80];

                snprintf(what, sizeof(what), "field %zu is not UTF-8; convert the file with iconv",
                        i + 1);
                return jsonl_bad(item, what, "");
        }
        if (column->known && !is_body)
                value = trimmed(&csv->field);
        /* An empty field is none, but for the URL, which is then told to be empty. */
        if (!column->known)
                r = add_member(&csv->own, column_name(csv, i), value);
        else if (value.len || column->known == known_names[0])
                r = add_member(&csv->known, str_of(column->known), value);
        return r < 0 ? error_set_memory(&item->error, MUSTER_PHASE_QUEUE) : 0;
}

static int ragged(const struct csv *csv, size_t n, struct input_item *item)
{
        char what[80];

        snprintf(what, sizeof(what), "the row has %zu field%s, but the header has %zu", n,
                n == 1 ? "" : "s", csv->n);
        return jsonl_bad(item, what, "");
}

static int write_line(const struct csv *csv, struct buf *line)
{
        line->len = 0;
        if (buf_add_char(line, '{') < 0 || buf_add_str(line, buf_str(&csv->known)) < 0)
                return MUSTER_E_RESOURCE;
        if (csv->own.len &&
                (buf_add_text(line, ",\"input\":{") < 0 ||
                        buf_add_str(line, buf_str(&csv->own)) < 0 || buf_add_char(line, '}') < 0))
                return MUSTER_E_RESOURCE;
        return buf_add_char(line, '}');
}

int csv_row(struct csv *csv, struct muster_str row, struct buf *line, struct input_item *item)
{
        struct muster_str rest = row;
        size_t n = 0;
        int r;

        csv->known.len = csv->own.len = 0;
        while ((r = next_field(&rest, csv->delimiter, &csv->field)) == 0) {
                if (n < csv->n && add_field(csv, n, item) < 0)
                        return item->error.code;
                n++;
        }
        if (r == FIELD_ODD)
                return jsonl_bad(item,
                        "text follows the closing quote of a field; write a quote inside a field twice",
                        "");
        if (r == FIELD_END && n != csv->n)
                return ragged(csv, n, item);
        return r < 0 || write_line(csv, line) < 0
                       ? error_set_memory(&item->error, MUSTER_PHASE_QUEUE)
                       : 0;
}

/* --- the formats ----------------------------------------------------------------------------- */

static int parse_row(struct muster_str line, struct buf *scratch, struct input_item *item)
{
        (void)scratch;
        return jsonl_parse(line, true, item);
}

static bool fits_csv(struct muster_str line, const struct input_options *options)
{
        return csv_is_header(line, ',', options) || csv_is_header(line, ';', options);
}

static bool fits_tsv(struct muster_str line, const struct input_options *options)
{
        return csv_is_header(line, '\t', options);
}

const struct input_format input_csv = {
        .name = "csv", .endings = ".csv", .delimiter = ',', .parse = parse_row, .fits = fits_csv
};
const struct input_format input_tsv = { .name = "tsv",
        .endings = ".tsv .tab",
        .delimiter = '\t',
        .parse = parse_row,
        .fits = fits_tsv };
