/* SPDX-License-Identifier: MIT */
#include "input.h"

#include <base/error.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

static const struct input_format *const formats[] = { &input_jsonl, &input_lines };

const struct input_format *input_format_find(const char *name)
{
        for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++)
                if (strcmp(formats[i]->name, name) == 0)
                        return formats[i];
        return NULL;
}

void input_init(struct input *input, const char *const *urls, const char *const *files,
                const struct input_format *format)
{
        *input = (struct input){ .urls = urls, .files = files, .format = format, .reader.fd = -1 };
}

static void close_file(struct input *input)
{
        if (input->is_open)
                reader_deinit(&input->reader);
        input->is_open = false;
}

void input_deinit(struct input *input)
{
        close_file(input);
        buf_deinit(&input->scratch);
}

static int fail(const struct input *input, int sys, struct muster_error *error)
{
        return error_set(
                error, MUSTER_E_INPUT, MUSTER_PHASE_QUEUE, sys, "input: cannot read %s: %s",
                strcmp(input->file, "-") ? input->file : "standard input", strerrordesc_np(sys));
}

static int open_next(struct input *input, struct muster_error *error)
{
        int fd = STDIN_FILENO;

        input->file = *input->files++;
        if (strcmp(input->file, "-") != 0)
                fd = open(input->file, O_RDONLY | O_CLOEXEC);
        if (fd < 0)
                return fail(input, errno, error);
        reader_init(&input->reader, fd);
        input->is_open = true;
        input->file_format = input->format;
        return 0;
}

static bool is_blank(struct muster_str line)
{
        return str_trim(line).len == 0;
}

static const struct input_format *tell_format(struct muster_str line)
{
        for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++)
                if (formats[i]->fits(line))
                        return formats[i];
        return &input_lines;
}

static struct muster_str without_bom(const struct input *input, struct muster_str line)
{
        if (input->reader.n_lines == 1 && str_starts(line, "\xef\xbb\xbf"))
                return (struct muster_str){ line.at + 3, line.len - 3 };
        return line;
}

static int parse_line(struct input *input, struct muster_str line, struct input_item *item)
{
        line = without_bom(input, line);
        if (is_blank(line) || str_trim(line).at[0] == '#')
                return INPUT_SKIP;
        if (!input->file_format)
                input->file_format = tell_format(line);
        item->line = input->reader.n_lines;
        item->text = line;
        item->format = input->file_format;
        return input->file_format->parse(line, &input->scratch, item);
}

static void too_long(struct input *input, struct input_item *item)
{
        item->line = input->reader.n_lines;
        error_set(&item->error, MUSTER_E_INPUT, MUSTER_PHASE_QUEUE, 0,
                  "input: line %llu is longer than %d MiB; put large bodies into files (body_file)",
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
                        return fail(input, sys, error);
                if (r == READER_TOO_LONG) {
                        too_long(input, item);
                        return 0;
                }
                if (parse_line(input, line, item) != INPUT_SKIP)
                        return 0;
        }
}

static void clear(struct input_item *item)
{
        item->url = NULL;
        item->request = NULL;
        item->id.len = 0;
        item->line = 0;
        item->text = (struct muster_str){ 0 };
        item->format = NULL;
        item->is_unsafe = false;
        error_clear(&item->error);
}

int input_next(struct input *input, struct input_item *item, struct muster_error *error)
{
        int r = INPUT_END;

        clear(item);
        if (*input->urls) {
                item->url = *input->urls++;
                input->n_items++;
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
        input->n_items += r == 0;
        return r;
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
