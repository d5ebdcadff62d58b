/* SPDX-License-Identifier: MIT */
/*
 * Any bytes as a list of requests: JSON Lines, rows of CSV and TSV, plain lines, or what it looks
 * like
 *
 * The first byte chooses the format and the options. Each line is a request, a URL or a failure that
 * names the line; what of it is the caller's own is JSON; and what a stranger's list cannot ask for,
 * it does not ask for.
 */
#include "fuzz.h"

#include "input/input.h"
#include "input/members.h"
#include <base/mem.h>
#include <core/request.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* The list, as a file in memory; its path. */
static const char *put_into_file(struct muster_str text)
{
        static char path[40];
        static int fd = -1;

        if (fd < 0) {
                fd = memfd_create("list", MFD_CLOEXEC);
                snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
        }
        FUZZ_CHECK(fd >= 0 && ftruncate(fd, 0) == 0);
        FUZZ_CHECK(pwrite(fd, text.at, text.len, 0) == (ssize_t)text.len);
        return path;
}

static struct input_options options_of(uint8_t choice)
{
        static const struct input_format *const formats[] = { NULL, &input_jsonl, &input_csv,
                &input_tsv, &input_lines, &input_jsonl, &input_csv, NULL };

        return (struct input_options){ .format = formats[choice & 7],
                .is_strict = choice & 8,
                .is_untrusted = choice & 16,
                .url_column = choice & 32 ? (choice & 64 ? "u" : "2") : NULL };
}

/* Nothing, or JSON of this kind; its numbers may be too large for Jansson. */
static void check_json(const struct buf *text, size_t flags, bool is_object)
{
        char *copy = mem_strndup(text->at, text->len);
        json_t *value;

        members_blank_numbers(copy, text->len);
        value = json_loadb(copy, text->len, flags | JSON_ALLOW_NUL, NULL);
        FUZZ_CHECK(!text->len || (value && (!is_object || json_is_object(value))));
        json_decref(value);
        mem_free(copy);
}

static void check_stranger(const struct input_item *item)
{
        struct muster_str method;

        FUZZ_CHECK(!item->has_body && !item->has_login);
        if (!item->request)
                return;
        method = request_asked_method(item->request);
        FUZZ_CHECK(str_is(method, "GET") || str_is(method, "HEAD"));
        FUZZ_CHECK(!item->request->has_body && !item->request->form);
}

static void check_item(const struct input_item *item, bool is_untrusted)
{
        FUZZ_CHECK(item->line > 0);
        FUZZ_CHECK(!(item->url && item->request));
        if (item->error.code) {
                FUZZ_CHECK(item->error.text[0] && !item->request);
        } else {
                FUZZ_CHECK(item->url || item->request);
                if (is_untrusted)
                        check_stranger(item);
        }
        check_json(&item->id, JSON_DECODE_ANY, false);
        check_json(&item->own, 0, true);
}

static void read_list(const char *path, const struct input_options *options)
{
        const char *const none[] = { NULL }, *const files[] = { path, NULL };
        struct muster_error error = { 0 };
        struct input_item item = { 0 };
        struct input input;
        char warning[400];
        uint64_t line = 0;
        int r;

        input_init(&input, none, files, options);
        while ((r = input_next(&input, &item, &error)) == 0) {
                FUZZ_CHECK(item.line > line);
                line = item.line;
                check_item(&item, options->is_untrusted);
                (void)input_warning(&input, &item, warning, sizeof(warning));
                item.request = muster_request_free(item.request);
        }
        FUZZ_CHECK(r == INPUT_END ||
                   (r == MUSTER_E_INPUT && r == (int)error.code && error.text[0]));
        input_item_deinit(&item);
        input_deinit(&input);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct muster_str text = { (const char *)data + 1, size - 1 };
        struct input_options options;

        if (!size)
                return 0;
        options = options_of(data[0]);
        read_list(put_into_file(text), &options);
        return 0;
}
