/* SPDX-License-Identifier: MIT */
/*
 * Any text as an argument of -F, and any names, contents and changing files as parts of a form
 *
 * The first byte chooses what is tried; the rest is the argument, or texts with a zero byte behind
 * each. What becomes of them has only the head fields that were asked for, and as many bytes as
 * were announced.
 */
#include "fuzz.h"

#include <core/form_reader.h>
#include <http/multipart.h>
#include <option/form_spec.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* --- the grammar ----------------------------------------------------------------------------- */

/* Is it text of the argument? That is where all words are. */
static void check_word(const struct form_spec *spec, const char *word, size_t size)
{
        FUZZ_CHECK(!word || (word >= spec->text && word + strlen(word) <= spec->text + size));
}

static void check_argument(const char *argument, bool is_literal)
{
        struct muster_error error = { 0 };
        struct form_spec spec;
        int r;

        /* No files are read. */
        if (strstr(argument, "headers="))
                return;
        r = form_spec_parse(&spec, argument, is_literal, &error);
        FUZZ_CHECK((r == 0) == (error.code == MUSTER_OK));
        for (size_t i = 0; r == 0 && i < form_spec_n_parts(&spec); i++) {
                const struct form_spec_part *part = form_spec_part(&spec, i);

                FUZZ_CHECK(part->content);
                check_word(&spec, part->content, strlen(argument));
                check_word(&spec, part->filename, strlen(argument));
                check_word(&spec, part->type, strlen(argument));
                check_word(&spec, part->encoder, strlen(argument));
        }
        form_spec_deinit(&spec);
        form_spec_deinit(&spec);
}

/* --- forms ----------------------------------------------------------------------------------- */

/* The next text of the input, which is terminated. NULL: an empty one. */
static const char *next_text(const char **at, const char *end)
{
        const char *text = *at;

        if (text >= end)
                return NULL;
        *at += strlen(text) + 1;
        return *text ? text : NULL;
}

/* No head has a line that was not asked for. */
static void check_head(const struct muster_form *form, const struct muster_form_part *part)
{
        const char *head = form->text.at, *end = memmem(head, form->text.len, "\r\n\r\n", 4);
        int n = 0, n_expected = 1 + (part->headers != NULL);

        FUZZ_CHECK(end);
        for (const char *at = head; at < end; at++) {
                FUZZ_CHECK(*at != '\n' || at[-1] == '\r');
                FUZZ_CHECK(*at);
                n += *at == '\n';
        }
        n_expected += 1; /* Content-Disposition */
        n_expected += 1; /* Content-Type, which may follow from a name */
        n_expected += part->encoding != NULL;
        FUZZ_CHECK(n <= n_expected);
}

static size_t read_all(struct muster_form *form, const char *path, const char *later, size_t piece)
{
        struct form_reader reader = { 0 };
        struct muster_error error = { 0 };
        uint64_t bytes, total = 0;
        char buffer[512];
        size_t n;
        int r = form_reader_begin(&reader, form, false, &bytes, &error);

        FUZZ_CHECK(r == 0);
        if (later && truncate(path, (off_t)strlen(later)) < 0)
                abort();
        do {
                r = form_reader_next(&reader, form, buffer, piece, &n, &error);
                FUZZ_CHECK(n <= piece || r < 0);
                total += r == 0 ? n : 0;
        } while (r == 0 && n);
        FUZZ_CHECK(r == 0 || error.code == MUSTER_E_INPUT);
        FUZZ_CHECK(r < 0 || bytes == MUSTER_SIZE_UNKNOWN || total == bytes);
        form_reader_deinit(&reader);
        return (size_t)total;
}

static void write_file(const char *path, const char *text)
{
        FILE *file = fopen(path, "w");

        if (!file)
                abort();
        fputs(text ? text : "", file);
        fclose(file);
}

static void check_form(uint8_t how, const char *at, const char *end)
{
        static char path[64];
        struct muster_form *form = muster_form_new(&(struct muster_form_options){
                .size = sizeof(struct muster_form_options), .backslash_escapes = how & 2 });
        const char *headers[] = { NULL, NULL };
        struct muster_form_part part = { .size = sizeof(part) };
        const char *content, *later;

        part.name = next_text(&at, end);
        part.filename = next_text(&at, end);
        part.type = next_text(&at, end);
        part.encoding = next_text(&at, end);
        headers[0] = next_text(&at, end);
        content = next_text(&at, end);
        later = next_text(&at, end);
        if (headers[0])
                part.headers = headers;
        if (how & 4) {
                if (!path[0])
                        snprintf(path, sizeof(path), "/tmp/fuzz-multipart-%d", getpid());
                write_file(path, content);
                part.file = path;
                part.no_filename = how & 8;
        } else {
                part.data = content ? content : "";
                part.data_bytes = strlen(part.data);
        }
        if (muster_form_add(form, &part) == 0) {
                check_head(form, &part);
                FUZZ_CHECK(muster_form_add(form, &part) == 0);
                FUZZ_CHECK(muster_form_finish(form) == 0);
                read_all(form, path, how & 4 ? later : NULL, 1 + (how >> 4) * 31);
        } else {
                FUZZ_CHECK(muster_form_error(form)->code && !form->text.len);
        }
        muster_form_free(form);
        if (how & 4)
                unlink(path);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        char *text;

        if (size == 0)
                return 0;
        text = malloc(size);
        if (!text)
                return 0;
        memcpy(text, data + 1, size - 1);
        text[size - 1] = '\0';
        if (data[0] & 1)
                check_argument(text, data[0] & 2);
        else
                check_form(data[0], text, text + size - 1);
        free(text);
        return 0;
}
