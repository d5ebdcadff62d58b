/* SPDX-License-Identifier: MIT */
#include "resume.h"

#include "../option/standard.h"
#include "rewrite.h"
#include <base/error.h>
#include <base/mem.h>
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define READ_BYTES (1024 * 1024)

/* --- reading what is there ------------------------------------------------------------------- */

static bool body_is_there(void *argument, const struct old_line *line, const char *path)
{
        const struct resume *resume = argument;
        struct stat status;

        if (stat(path, &status) < 0 || !S_ISREG(status.st_mode) ||
                (uint64_t)status.st_size != line->body_bytes)
                return false;
        return line->kind == OLD_FAILED && resume->options.repeats_failed
                       ? true
                       : body_files_take_old(resume->options.body_files, path) == 0;
}

static int fail_to_read(const struct resume *resume, int sys, struct muster_error *error)
{
        return error_set(error, MUSTER_E_RESOURCE, MUSTER_PHASE_QUEUE, sys, "cannot read %s: %s",
                resume->path, strerrordesc_np(sys));
}

static int read_all(struct resume *resume, int fd, char *buffer, struct muster_error *error)
{
        uint64_t at = 0;

        for (;;) {
                ssize_t n = pread(fd, buffer, READ_BYTES, (off_t)at);
                int r;

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return fail_to_read(resume, errno, error);
                if (n == 0)
                        return old_output_end(&resume->old, error);
                at += (uint64_t)n;
                r = old_output_feed(&resume->old, (struct muster_str){ buffer, (size_t)n }, error);
                if (r < 0)
                        return r;
        }
}

int resume_open(struct resume *resume, const struct resume_options *options, int fd,
        const char *borrow_path, struct muster_error *error)
{
        char *buffer = mem_alloc(READ_BYTES);
        int r;

        *resume = (struct resume){ .options = *options, .path = borrow_path, .is_there = true };
        old_output_init(&resume->old, borrow_path,
                options->body_files && options->body_files->is_there ? body_is_there : NULL,
                resume);
        resume->old.fails_on_status = options->fails_on_status;
        r = buffer ? read_all(resume, fd, buffer, error)
                   : error_set_memory(error, MUSTER_PHASE_QUEUE);
        mem_free(buffer);
        return r;
}

void resume_close(struct resume *resume)
{
        if (resume->is_there)
                old_output_deinit(&resume->old);
        *resume = (struct resume){ 0 };
}

/* --- items ----------------------------------------------------------------------------------- */

#define SHOWN 100 /* of a URL: what to do has to fit as well */

/* Where the item comes from, for people: "line 17 of list.txt" */
static void name_item(const struct resume_item *item, char *text, size_t size)
{
        if (item->line)
                snprintf(text, size, "line %llu of %.200s", (unsigned long long)item->line,
                        path_is_standard(item->input) ? "standard input" : item->input);
        else
                snprintf(text, size, "argument %llu", (unsigned long long)item->n);
}

#define AS_THEY_WERE "Resume with the list and the options as they were, or begin anew with --force"

static int changed(const struct resume *resume, const struct resume_item *item,
        struct muster_error *error)
{
        char place[260];

        name_item(item, place, sizeof(place));
        if (!item->url.at)
                return error_set(error, MUSTER_E_INPUT, MUSTER_PHASE_QUEUE, 0,
                        "input: %s is no request (%.100s), but %s has a result of one: the list was changed. " AS_THEY_WERE,
                        place, item->why_none, resume->path);
        return error_set(error, MUSTER_E_INPUT, MUSTER_PHASE_QUEUE, 0,
                "input: %s is %.20s %.*s, but result %llu in %s is of another request: the list was changed. " AS_THEY_WERE,
                place, item->method, STR_ARGS(str_first(item->url, SHOWN)),
                (unsigned long long)item->n, resume->path);
}

static bool is_to_be_done(const struct resume *resume, enum old_line_kind kind)
{
        switch (kind) {
        case OLD_NONE:
        case OLD_CANCELLED:
                return resume->options.goes_on;
        case OLD_FAILED:
                return resume->options.repeats_failed;
        case OLD_SUCCEEDED:
                return false;
        }
        return false;
}

/*
 * 0: the result is of this request. One of a line that was no request, which somebody may have put
 * right since, is of any.
 */
static int compare(struct resume *resume, const struct resume_item *item, uint32_t old_print,
        struct muster_error *error)
{
        uint32_t none, print;

        if (old_output_print(&resume->old, "", (struct muster_str){ 0 }, 0, &none) < 0 ||
                old_output_print(&resume->old, item->method, item->url, item->digest, &print) < 0)
                return error_set_memory(error, MUSTER_PHASE_QUEUE);
        return old_print == print || old_print == none ? 0 : changed(resume, item, error);
}

int resume_meet(struct resume *resume, const struct resume_item *item, struct muster_error *error)
{
        uint32_t old_print;
        enum old_line_kind kind = old_output_find(&resume->old, item->n, &old_print);
        int r;

        if (is_to_be_done(resume, kind))
                return 0;
        if (kind != OLD_SUCCEEDED && kind != OLD_FAILED) {
                resume->n_missing++;
                return RESUME_STANDS;
        }
        r = compare(resume, item, old_print, error);
        if (r < 0)
                return r;
        resume->n_standing++;
        resume->n_standing_failed += kind == OLD_FAILED;
        return RESUME_STANDS;
}

int resume_end_of_list(const struct resume *resume, uint64_t n_items, struct muster_error *error)
{
        if (resume->old.n_highest <= n_items)
                return 0;
        return error_set(error, MUSTER_E_INPUT, MUSTER_PHASE_QUEUE, 0,
                "input: the list has %llu requests, but %s has results up to number %llu: the list was changed. " AS_THEY_WERE,
                (unsigned long long)n_items, resume->path,
                (unsigned long long)resume->old.n_highest);
}

/* --- the end --------------------------------------------------------------------------------- */

void resume_wrote(struct resume *resume, uint64_t n)
{
        uint32_t print;

        if (old_output_find(&resume->old, n, &print) != OLD_NONE)
                resume->old.has_replaced = true;
        resume->old.is_sorted &= n > resume->old.n_last;
        resume->old.n_last = n;
}

int resume_finish(struct resume *resume, int fd, struct muster_error *error)
{
        bool is_wanted =
                resume->old.has_replaced || (resume->options.is_in_order && !resume->old.is_sorted);

        if (!is_wanted || resume->options.keeps_lines)
                return 0;
        return rewrite_output(resume->path, fd, resume->options.is_in_order, error);
}
