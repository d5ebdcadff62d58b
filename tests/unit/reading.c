/* SPDX-License-Identifier: MIT */
#include "reading.h"

#include <base/error.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

const char *const no_texts[] = { NULL };
const struct input_options as_csv = { .format = &input_csv };
const struct input_options as_tsv = { .format = &input_tsv };

int file_with(const char *text, size_t len, char path[32])
{
        int fd;

        snprintf(path, 32, "/tmp/muster-cli-XXXXXX");
        fd = mkstemp(path);
        assert_true(fd >= 0);
        assert_int_equal(write(fd, text, len), (ssize_t)len);
        close(fd);
        return fd;
}

void open_with(struct reading *reading, const char *text, size_t len,
        const struct input_options *options)
{
        memset(reading, 0, sizeof(*reading));
        file_with(text, len, reading->path);
        reading->files[0] = reading->path;
        input_init(&reading->input, no_texts, reading->files, options);
}

void open_text(struct reading *reading, const char *text, size_t len)
{
        open_with(reading, text, len, &(struct input_options){ 0 });
}

void close_text(struct reading *reading)
{
        input_deinit(&reading->input);
        input_item_deinit(&reading->item);
        unlink(reading->path);
}

int next(struct reading *reading)
{
        error_clear(&reading->error);
        reading->item.request = muster_request_free(reading->item.request);
        return input_next(&reading->input, &reading->item, &reading->error);
}

void expect_own(struct reading *reading, const char *id, const char *own)
{
        int r = next(reading);

        if (r != 0)
                fail_msg("no item: %s", reading->error.text);
        if (reading->item.error.code)
                fail_msg("%s", reading->item.error.text);
        assert_non_null(reading->item.request);
        if (!str_is(buf_str(&reading->item.id), id))
                fail_msg("id %.*s instead of %s", STR_ARGS(buf_str(&reading->item.id)), id);
        if (!str_is(buf_str(&reading->item.own), own))
                fail_msg("%.*s instead of %s", STR_ARGS(buf_str(&reading->item.own)), own);
}

void expect_bad(struct reading *reading, const char *text)
{
        assert_int_equal(next(reading), 0);
        assert_int_equal(reading->item.error.code, MUSTER_E_INPUT);
        assert_null(reading->item.request);
        assert_string_equal(reading->item.error.text, text);
}

void expect_refused(const char *text, size_t len, const struct input_options *options,
        const char *why)
{
        struct reading r;

        open_with(&r, text, len, options);
        assert_int_equal(next(&r), MUSTER_E_INPUT);
        assert_non_null(strstr(r.error.text, why));
        assert_non_null(strstr(r.error.text, r.path));
        close_text(&r);
}
