/* SPDX-License-Identifier: MIT */
#include "input.h"

#include "../option/standard.h"
#include "csv.h"
#include "repeat.h"
#include "sniff.h"
#include "untrusted.h"
#include <base/error.h>
#include <base/mem.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct input_format *const formats[] = { &input_jsonl, &input_csv, &input_tsv,
        &input_lines };

#define INPUT_SKIP 3 /* nothing is on this line: it is blank, a comment, or the header */

#define N_FORMATS (sizeof(formats) / sizeof(formats[0]))

const struct input_format *input_format_find(const char *name)
{
        for (size_t i = 0; i < N_FORMATS; i++)
                if (strcmp(formats[i]->name, name) == 0)
                        return formats[i];
        return NULL;
}

static enum muster_input kind_of_file(const char *path)
{
        struct stat status;
        int r = path_is_standard(path) ? fstat(STDIN_FILENO, &status) : stat(path, &status);

        if (r < 0)
                return MUSTER_INPUT_UNKNOWN;
        if (S_ISFIFO(status.st_mode) || S_ISSOCK(status.st_mode))
                return MUSTER_INPUT_PIPE;
        if (S_ISCHR(status.st_mode))
                return path_is_standard(path) && isatty(STDIN_FILENO) ? MUSTER_INPUT_TERMINAL
                                                                      : MUSTER_INPUT_UNKNOWN;
        return S_ISREG(status.st_mode) ? MUSTER_INPUT_FILE : MUSTER_INPUT_UNKNOWN;
}

/* Whom one of them has to wait for, all have to wait for. */
static enum muster_input kind_of(const char *const *urls, const char *const *files)
{
        enum muster_input kind = *urls ? MUSTER_INPUT_ARGUMENTS : MUSTER_INPUT_UNKNOWN;

        for (; *files; files++)
                if (kind_of_file(*files) > kind)
                        kind = kind_of_file(*files);
        return kind;
}

void input_init(struct input *input, const char *const *urls, const char *const *files,
        const struct input_options *options)
{
        *input = (struct input){ .kind = kind_of(urls, files),
                .urls = urls,
                .files = files,
                .options = *options,
                .reader.fd = -1 };
}

static void close_file(struct input *input)
{
        if (input->is_open)
                reader_deinit(&input->reader);
        if (input->csv)
                csv_deinit(input->csv);
        input->is_open = input->has_begun = input->has_header = false;
}

void input_deinit(struct input *input)
{
        close_file(input);
        input->csv = mem_free(input->csv);
        buf_deinit(&input->scratch);
        repeat_deinit(&input->repeat);
}

void input_item_deinit(struct input_item *item)
{
        item->request = muster_request_free(item->request);
        buf_deinit(&item->id);
        buf_deinit(&item->own);
        buf_deinit(&item->sent_files);
}

/* --- files ----------------------------------------------------------------------------------- */

static const char *name_of(const char *file)
{
        return path_is_standard(file) ? "standard input" : file;
}

static int fail_to_read(const char *file, int sys, struct muster_error *error)
{
        return error_set(error, MUSTER_E_INPUT, MUSTER_PHASE_QUEUE, sys,
                "input: cannot read %s: %s", name_of(file), strerrordesc_np(sys));
}

int input_check(const struct input *input, struct muster_error *error)
{
        for (const char *const *file = input->files; *file; file++) {
                struct stat status;
                int r = path_is_standard(*file) ? fstat(STDIN_FILENO, &status)
                                                : stat(*file, &status);

                if (r == 0 && S_ISDIR(status.st_mode))
                        return fail_to_read(*file, EISDIR, error);
                if (r < 0 || (!path_is_standard(*file) && access(*file, R_OK) < 0))
                        return fail_to_read(*file, errno, error);
        }
        return 0;
}

/* The file as a whole is of no use. */
static int refuse_file(const struct input *input, const char *why, struct muster_error *error)
{
        return error_set(error, MUSTER_E_INPUT, MUSTER_PHASE_QUEUE, 0, "input: %s: %s",
                name_of(input->file), why);
}

static bool ends_with(struct muster_str name, struct muster_str ending)
{
        return name.len > ending.len &&
               str_eq_nocase((struct muster_str){ name.at + name.len - ending.len, ending.len },
                       ending);
}

static const struct input_format *format_of_name(const char *name)
{
        for (size_t i = 0; i < N_FORMATS; i++) {
                struct muster_str rest = str_of(formats[i]->endings), ending;

                while (str_split(&rest, ' ', &ending))
                        if (ends_with(str_of(name), ending))
                                return formats[i];
        }
        return NULL;
}

static int use_format(struct input *input, const struct input_format *format,
        struct muster_error *error)
{
        input->file_format = format;
        input->reader.delimiter = format->delimiter;
        if (!format->delimiter)
                return input->options.url_column
                               ? refuse_file(input,
                                         "--url-column is for CSV and TSV, and this looks like neither; if it is, add --input-format csv or tsv",
                                         error)
                               : 0;
        if (!input->csv)
                input->csv = mem_array(1, sizeof(*input->csv));
        return input->csv ? 0 : error_set_memory(error, MUSTER_PHASE_QUEUE);
}

static int open_next(struct input *input, struct muster_error *error)
{
        const struct input_format *format;
        int fd = STDIN_FILENO;

        input->file = *input->files++;
        if (!path_is_standard(input->file))
                fd = open(input->file, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
        if (fd < 0)
                return fail_to_read(input->file, errno, error);
        reader_init(&input->reader, fd);
        input->is_open = true;
        input->file_format = NULL;
        format = input->options.format ? input->options.format : format_of_name(input->file);
        return format ? use_format(input, format, error) : 0;
}

/* --- lines ----------------------------------------------------------------------------------- */

static bool is_blank(struct muster_str line)
{
        return str_trim(line).len == 0;
}

static const struct input_format *tell_format(const struct input *input, struct muster_str line)
{
        for (size_t i = 0; i < N_FORMATS; i++)
                if (formats[i]->fits(line, &input->options))
                        return formats[i];
        return &input_lines;
}

/* What a file begins with says whether it can be read at all. */
static int begin_file(struct input *input, struct muster_str line, struct muster_error *error)
{
        const char *why = sniff(line);

        if (why)
                return refuse_file(input, why, error);
        return input->file_format ? 0 : use_format(input, tell_format(input, line), error);
}

static int begin_rows(struct input *input, struct muster_str row, struct muster_error *error)
{
        struct muster_error why = { 0 };
        int r = csv_begin(input->csv, row, input->file_format->delimiter, &input->options, &why);

        if (r < 0)
                return r == MUSTER_E_INPUT ? refuse_file(input, why.text, error)
                                           : error_set_memory(error, MUSTER_PHASE_QUEUE);
        input->has_header = true;
        input->reader.delimiter = input->csv->delimiter;
        return r == CSV_IS_ROW ? 0 : INPUT_SKIP;
}

/* A row is parsed as the line of JSON that it becomes. */
static int parse_row(struct input *input, struct muster_str row, struct input_item *item)
{
        int r = csv_row(input->csv, row, &input->scratch, item);

        if (r < 0)
                return r;
        item->text = buf_str(&input->scratch);
        return item->format->parse(item->text, NULL, item);
}

static void refuse_unknown(struct input_item *item)
{
        if (item->nearest)
                error_set(&item->error, MUSTER_E_INPUT, MUSTER_PHASE_QUEUE, 0,
                        "input: line %llu: unknown member %.*s; did you mean %s?",
                        (unsigned long long)item->line, STR_ARGS(item->unknown), item->nearest);
        else
                error_set(&item->error, MUSTER_E_INPUT, MUSTER_PHASE_QUEUE, 0,
                        "input: line %llu: unknown member %.*s (an error with --strict)",
                        (unsigned long long)item->line, STR_ARGS(item->unknown));
        item->request = muster_request_free(item->request);
}

/* 0: there is an item, INPUT_SKIP: there is none, negative: the file cannot be read. */
static int parse_line(struct input *input, struct muster_str line, struct input_item *item,
        struct muster_error *error)
{
        int r = 0;

        if (is_blank(line) || (!input->reader.delimiter && str_trim(line).at[0] == '#'))
                return INPUT_SKIP;
        if (!input->has_begun) {
                r = begin_file(input, line, error);
                if (r < 0)
                        return r;
                input->has_begun = true;
        }
        item->line = input->reader.line;
        item->text = line;
        item->format = input->file_format;
        if (!item->format->delimiter)
                item->format->parse(line, &input->scratch, item);
        else if (input->has_header || (r = begin_rows(input, line, error)) == 0)
                parse_row(input, line, item);
        if (r == 0 && input->options.is_strict && item->unknown.len)
                refuse_unknown(item);
        return r;
}

/* The rest of such lines gives no further warning. */
static int odd_line(const struct input *input, struct input_item *item, int condition)
{
        item->line = input->reader.line;
        return error_set(&item->error, MUSTER_E_INPUT, MUSTER_PHASE_QUEUE, 0,
                condition == READER_TOO_LONG
                        ? "input: line %llu is longer than %d MiB; put large bodies into files (body_file)"
                        : "input: line %llu: a quote is not closed within %d MiB; write a quote inside a field twice",
                (unsigned long long)item->line, LINE_BYTES_MAX >> 20);
}

/* An item from the file that is open. INPUT_END: it has no more. */
static int next_of_file(struct input *input, struct input_item *item, struct muster_error *error)
{
        for (;;) {
                struct muster_str line;
                int sys = 0;
                int r = reader_next(&input->reader, &line, &sys);

                if (r == READER_WAIT)
                        return INPUT_WAIT;
                if (r == READER_END)
                        return INPUT_END;
                if (r < 0)
                        return fail_to_read(input->file, sys, error);
                if (r != 0) {
                        odd_line(input, item, r);
                        return 0;
                }
                r = parse_line(input, line, item, error);
                if (r != INPUT_SKIP)
                        return r;
        }
}

static void clear_item(struct input_item *item)
{
        item->url = NULL;
        item->request = NULL;
        item->id.len = item->own.len = item->sent_files.len = 0;
        item->line = 0;
        item->text = (struct muster_str){ 0 };
        item->format = NULL;
        item->unknown = (struct muster_str){ 0 };
        item->nearest = item->content_type = NULL;
        item->has_headers = item->has_body = item->has_content_type = item->has_login =
                item->is_unsafe = false;
        error_clear(&item->error);
}

static void next_url(struct input *input, struct input_item *item)
{
        const char *url = *input->urls++;

        if (!item->is_untrusted || untrusted_check_url(item, url) == 0)
                item->url = url;
}

/* An item from the arguments or the files. INPUT_END: there are no more. */
static int next_of_all(struct input *input, struct input_item *item, struct muster_error *error)
{
        int r = INPUT_END;

        if (*input->urls) {
                next_url(input, item);
                return 0;
        }
        while (r == INPUT_END) {
                if (!input->is_open) {
                        if (!*input->files)
                                return INPUT_END;
                        r = open_next(input, error);
                        if (r < 0)
                                return r;
                }
                r = next_of_file(input, item, error);
                if (r == INPUT_END)
                        close_file(input);
        }
        return r;
}

int input_next(struct input *input, struct input_item *item, struct muster_error *error)
{
        int r;

        clear_item(item);
        item->is_untrusted = input->options.is_untrusted;
        item->takes_pipes = input->options.takes_pipes;
        if (input->n_most && input->n_items == input->n_most)
                return INPUT_END;
        r = next_of_all(input, item, error);
        if (r == 0 && input->is_repeated)
                repeat_keep(&input->repeat, item);
        else if (r == INPUT_END && input->is_repeated)
                r = repeat_next(&input->repeat, &input->scratch, item, error);
        input->n_items += r == 0;
        return r;
}

const char *input_warning(struct input *input, const struct input_item *item, char *text,
        size_t size)
{
        const struct buf *column;

        if (input->has_warned || item->error.code)
                return NULL;
        column = input->has_header ? csv_misunderstood(input->csv) : NULL;
        if (column) {
                input->has_warned = true;
                snprintf(text, size,
                        "muster: warning: the column \"%.*s\" of %s is only copied to the results; rows are made of url, id, method and body, and JSON Lines can have more",
                        STR_ARGS(str_first(buf_str(column), 40)), name_of(input->file));
                return text;
        }
        if (!item->nearest)
                return NULL;
        input->has_warned = true;
        snprintf(text, size,
                "muster: warning: line %llu of %s has the unknown member \"%.*s\"; did you mean \"%s\"? It is only copied to the result (an error with --strict)",
                (unsigned long long)item->line, name_of(input->file),
                STR_ARGS(str_first(item->unknown, 40)), item->nearest);
        return text;
}

double input_progress(const struct input *input)
{
        const struct reader *reader = &input->reader;

        if (*input->urls || *input->files)
                return -1;
        if (!input->is_open)
                return 1;
        if (!reader->bytes_total)
                return -1;
        return (double)(reader->bytes_read - (reader->buf.len - reader->at)) /
               (double)reader->bytes_total;
}
